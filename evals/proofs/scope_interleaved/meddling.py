"""What goes wrong while others ask: requests given up, connections killed or interrupted, statements that fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, LiteralString

from psycopg import AsyncConnection, sql

from copilot.store.pool import Connection, Database
from copilot.store.roles import Role

_LINGERING = 4
"""Connections of the pool: so many killed ones may wait there for somebody to take them."""
_LATEST = 0.012


class Trouble(StrEnum):
    """What befalls a request, or somebody else's while it runs."""

    NONE = "none"
    GIVEN_UP = "given up"
    KILLED = "killed"
    INTERRUPTED = "interrupted"
    TOO_SLOW = "too slow"
    WRONG = "wrong"


_OFTEN: Mapping[Trouble, int] = {
    Trouble.NONE: 74, Trouble.GIVEN_UP: 12, Trouble.KILLED: 2, Trouble.INTERRUPTED: 4, Trouble.TOO_SLOW: 4,
    Trouble.WRONG: 4,
}  # fmt: skip
SPOILS: Mapping[Trouble, Sequence[LiteralString]] = {
    Trouble.TOO_SLOW: ("set local statement_timeout = 5", "select pg_sleep(1)"),
    Trouble.WRONG: ("select 1 / (count(*) - count(*)) from biz.region",),
}
"""Statements that end a transaction with an error, after rows have been read in it."""
_KILL: LiteralString = (
    "select pg_terminate_backend(pid) as hit from pg_stat_activity"
    " where datname = current_database() and usename = 'copilot_app' order by random() limit 1"
)
_INTERRUPT: LiteralString = (
    "select pg_cancel_backend(pid) as hit from pg_stat_activity"
    " where datname = current_database() and usename = 'copilot_app' and state = 'active' order by random() limit 1"
)


def draw_trouble(random: Random) -> tuple[Trouble, float]:
    """What befalls the next request, and how many seconds after it was given a connection."""
    return random.choices([*_OFTEN], [*_OFTEN.values()])[0], random.random() * _LATEST


async def spoil(connection: Connection, trouble: Trouble) -> None:
    """Run what ends a transaction with an error."""
    for statement in SPOILS[trouble]:
        await connection.execute(sql.SQL(statement))


_held: ContextVar[asyncio.Event] = ContextVar("held")


class NoticedDatabase(Database):
    """The pools as everywhere, but that it is known when a request has got its connection."""

    @asynccontextmanager
    async def connection(self, role: Role) -> AsyncGenerator[Connection]:
        """As ever, and a notice."""
        async with super().connection(role) as connection:
            if role is Role.APP and (event := _held.get(None)):
                event.set()
            yield connection


async def held(asking: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
    """A request under way that has its connection by now, or is over."""
    event = asyncio.Event()
    _held.set(event)
    task = asyncio.create_task(asking())
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    return task


@contextmanager
def quiet() -> Generator[None]:
    """No word in the log of what is broken on purpose."""
    loggers = [logging.getLogger(name) for name in ("psycopg.pool", "psycopg", "copilot.store.pool")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@dataclass(slots=True)
class Meddler:
    """Kills and interrupts connections of the role that answers, and knows how many requests that may have broken."""

    admin: AsyncConnection[Any]
    pending: int = 0
    hits: int = 0
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def strike(self, trouble: Trouble, after: float) -> None:
        """Hit one of the connections, whoever's it is just then."""
        await asyncio.sleep(after)
        async with self._alone:
            row = await (await self.admin.execute(_KILL if trouble is Trouble.KILLED else _INTERRUPT)).fetchone()
            if row is not None and row[0]:
                self.pending += 1
                self.hits += 1

    def calm(self) -> None:
        """A round is over: nothing but killed connections that nobody took since can still break a request."""
        self.pending = min(self.pending, _LINGERING)

    def explains(self) -> bool:
        """Whether an error of a request may come of a hit; each hit explains one."""
        if not self.pending:
            return False
        self.pending -= 1
        return True
