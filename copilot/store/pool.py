"""Connection pools, one per database role, and the only door to business records: a scoped transaction."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, IsolationLevel
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from copilot.domain.scope import Scope
from copilot.errors import DatabaseError
from copilot.store.queries import query
from copilot.store.roles import Role

Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]

STATEMENT_MS = 5_000
"""How long one statement of a question may take."""
_log = logging.getLogger(__name__)


class Database:
    """The pools of this process by role; opened lazily, so that a command pays only for what it uses."""

    def __init__(self, dsns: dict[Role, str], *, size: int = 8, statement_ms: int = STATEMENT_MS) -> None:
        self._dsns = dsns
        self._size = size
        self._statement_ms = statement_ms
        self._pools: dict[Role, Pool] = {}
        self._stack = AsyncExitStack()

    async def pool(self, role: Role) -> Pool:
        """The pool of one role. Raises DatabaseError when no connection can be made."""
        if role not in self._pools:
            pool = Pool(
                self._dsns[role],
                connection_class=AsyncConnection[DictRow],
                kwargs={"row_factory": dict_row, "application_name": f"erp-copilot {role}"},
                configure=self._read_only if role is Role.APP else None,
                # A sync must not fail for a connection that the server has dropped since; a question need not wait.
                check=Pool.check_connection if role in (Role.LOADER, Role.WORKER) else None,
                min_size=1,
                max_size=self._size,
                open=False,
                timeout=10,
            )
            self._pools[role] = pool
            await self._stack.enter_async_context(pool)
        return self._pools[role]

    @asynccontextmanager
    async def connection(self, role: Role) -> AsyncGenerator[Connection]:
        """One connection of a role, committed at the end, rolled back on an error."""
        async with self._of_pool(role, autocommit=False) as connection:
            yield connection

    @asynccontextmanager
    async def statement(self, role: Role) -> AsyncGenerator[Connection]:
        """One connection of a role for one statement, or several that need no transaction: each is its own, which saves
        the trips to begin and to commit it."""
        async with self._of_pool(role, autocommit=True) as connection:
            yield connection

    @asynccontextmanager
    async def _of_pool(self, role: Role, *, autocommit: bool) -> AsyncGenerator[Connection]:
        with _translated():
            async with (await self.pool(role)).connection() as connection:
                if connection.autocommit is not autocommit:  # no trip: it tells the driver what to send
                    await connection.set_autocommit(autocommit)
                yield connection

    @asynccontextmanager
    async def scoped_transaction(self, scope: Scope) -> AsyncGenerator[Connection]:
        """A REPEATABLE READ, READ ONLY transaction of the app role that sees the records of `scope` and no others."""
        async with self.connection(Role.APP) as connection:
            async with connection.pipeline():  # begins in the same trip
                await set_scope(connection, scope)
            yield connection

    async def ping(self, role: Role) -> None:
        """Raise DatabaseError unless a role can reach the database now."""
        async with self.statement(role) as connection:
            await connection.execute("select 1")

    async def analyze(self) -> None:
        """Bring the planner's statistics up to date after a first load."""
        async with self.connection(Role.OWNER) as connection:
            await connection.execute(query("analyze"))

    def dsn(self, role: Role) -> str:
        """The connection string of a role, for COPY processes and backups."""
        return self._dsns[role]

    async def close(self) -> None:
        """Close every pool."""
        await self._stack.aclose()
        self._pools.clear()

    async def _read_only(self, connection: AsyncConnection[Any]) -> None:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        await connection.execute(query("limit_statements"), {"timeout": str(self._statement_ms)})
        await connection.commit()


async def set_scope(connection: Connection, scope: Scope) -> None:
    """Let the rest of a transaction see the records of `scope` and no others."""
    await connection.execute(query("set_scope"), scope.settings)


@asynccontextmanager
async def together(connection: Connection, scope: Scope, classes: Iterable[str]) -> AsyncGenerator[None]:
    """Within a transaction of `scope`: for a statement over several record classes only what lies where all of them may
    be read, so that none of its rows lacks the row of another class beside it only for being hidden."""
    wanted = frozenset(classes)
    if not scope.differs(wanted):
        yield
        return
    await set_scope(connection, scope.together(wanted))
    yield  # after an error the transaction is over: nothing to set back
    await set_scope(connection, scope)


class _translated:  # noqa: N801 -- used as a statement
    """Turns the driver's errors into ours, so that no text of PostgreSQL's reaches a person."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, psycopg.errors.DiskFull):
            raise DatabaseError("the database's disk is full; nothing was changed: make room and try again") from error
        if isinstance(error, (psycopg.OperationalError, PoolTimeout)):
            raise DatabaseError("the database could not be reached or was too slow; try again in a moment") from error
        if isinstance(error, psycopg.Error):
            _log.error("PostgreSQL refused a statement: %s %s", error.sqlstate, error.diag.message_primary)
            raise DatabaseError("the database refused a statement; the log has the details") from error
