"""Opens the data folder and the database over it, and what a change of policy needs of them: much less than answers do,
so that a rollback does not wait for the rest to be imported."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Protocol

from psycopg.conninfo import make_conninfo

from copilot.domain.clock import Clock, system_clock
from copilot.errors import StartupError
from copilot.policy.signing import Signers
from copilot.semantic.model import load_model
from copilot.settings import Settings
from copilot.store import embedded
from copilot.store.directory import Directory
from copilot.store.policies import PolicyVersions
from copilot.store.pool import Database
from copilot.store.prompts import Prompts
from copilot.store.setup import EMBEDDED_DATABASE, prepare
from copilot.wiring.policy_in_force import PolicyInForce
from copilot.wiring.prompts_in_force import ApprovedPrompts

Progress = Callable[[str], None]


class Governing(Protocol):
    """The people and places that there are, the policy and the templates in force; a whole `Runtime` is one too."""

    @property
    def clock(self) -> Clock: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def policy(self) -> PolicyInForce: ...
    @property
    def prompts(self) -> ApprovedPrompts: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Governed:
    """The least that governs."""

    clock: Clock
    directory: Directory
    policy: PolicyInForce
    prompts: ApprovedPrompts


def govern(settings: Settings, database: Database, clock: Clock) -> Governed:
    """The directory, the policy and the templates in force over a database."""
    directory, signers = Directory(database, settings.sessions.word_holds), Signers(settings.signers)
    policy = PolicyInForce(
        PolicyVersions(database), directory, signers, clock,
        home=settings.home, embedded=settings.embedded, classes=load_model().classes, here=settings.place,
    )  # fmt: skip
    prompts = ApprovedPrompts(Prompts(database), signers, clock, home=settings.home)
    return Governed(clock=clock, directory=directory, policy=policy, prompts=prompts)


@asynccontextmanager
async def open_governed(
    settings: Settings, *, progress: Progress, clock: Clock = system_clock, linger: bool = False
) -> AsyncGenerator[Governed]:
    """What a change of policy needs; everything it opened is closed again."""
    async with open_database(settings, progress=progress, linger=linger) as (database, _):
        yield govern(settings, database, clock)


@asynccontextmanager
async def open_database(
    settings: Settings, *, progress: Progress, linger: bool = False
) -> AsyncGenerator[tuple[Database, str]]:
    """The pools over a database that is up to date, and the connection string of a role that may make roles."""
    _make_home(settings.home)
    async with database_dsn(settings, progress=progress, linger=linger) as dsn:
        database = Database(await prepare(dsn, settings.home, create=settings.embedded))
        try:
            yield database, dsn
        finally:
            await database.close()


@asynccontextmanager
async def database_dsn(settings: Settings, *, progress: Progress, linger: bool = False) -> AsyncGenerator[str]:
    """The database as a role that may make roles; the embedded server runs for as long as it is needed."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    server = await asyncio.to_thread(embedded.ensure_running, settings.home, progress=progress)
    try:
        yield make_conninfo(server.superuser_dsn, dbname=EMBEDDED_DATABASE)
    finally:
        await asyncio.to_thread(server.leave if linger else server.stop)


def _make_home(home: Path) -> None:
    """The data folder with a log of ours in it, of which two old ones are kept."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(home / "copilot.log", maxBytes=2_000_000, backupCount=2, delay=True)
    except OSError as error:
        why = f"the data folder {str(home)!r} can't be used: {error.strerror}; set COPILOT_HOME to another"
        raise StartupError(why) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("copilot")
    log.handlers = [handler]
    log.propagate = False
