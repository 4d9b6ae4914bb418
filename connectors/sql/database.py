"""The connection to a source's database: read-only snapshots, used from threads and never for longer than allowed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event

from connectors.errors import SourceSettingsError, SourceTimeoutError
from connectors.sql.dialects import Dialect, Patience, begin, split_address
from connectors.sql.faults import typed

_T = TypeVar("_T")
_POOL, _OVERFLOW = 2, 2


class Database:
    """A pool of few connections. Everything raises only errors of ours, without the password."""

    def __init__(self, address: str, password: str, patience: Patience) -> None:
        self.dialect, url = split_address(address, password)
        self.patience = patience
        self._secrets = (password,)
        self._engine = _engine(self.dialect, url, patience)

    @property
    def name(self) -> str:
        """SQLAlchemy's name of the kind of database: "postgresql", "mysql", "mariadb", "mssql", "oracle", "sqlite"."""
        return self._engine.dialect.name

    def snapshot(self, doing: str) -> Snapshot:
        """One read-only transaction, not yet begun; `doing` says in errors what was being done."""
        seconds = self.patience.statement + self.patience.connect
        return Snapshot(self._engine, self.dialect, seconds, doing, self._secrets)

    async def run(self, doing: str, work: Callable[[sa.Connection], _T]) -> _T:
        """What some work on a connection gives."""
        snapshot = self.snapshot(doing)
        try:
            await snapshot.open()
            return await snapshot.run(work)
        finally:
            await asyncio.to_thread(snapshot.leave)

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.to_thread(self._engine.dispose)


class Snapshot:
    """A connection in its transaction.

    A call whose caller has gone away (a timeout, a cancellation) goes on in its thread; the lock keeps the connection
    from being closed under it, and the thread closes it once it is done.
    """

    def __init__(
        self, engine: sa.Engine, dialect: Dialect, seconds: float, doing: str, secrets: tuple[str, ...]
    ) -> None:
        self._engine = engine
        self._dialect = dialect
        self._seconds = seconds
        self._doing = doing
        self._secrets = secrets
        self._connection: sa.Connection | None = None
        self._lock = threading.Lock()
        self._left = False
        self._midway = False

    async def open(self) -> None:
        """Connect and begin."""
        await self._away(self._open)

    async def run(self, work: Callable[[sa.Connection], _T]) -> _T:
        """What some work on the connection gives."""
        return await self._away(lambda: work(self._held()))

    async def pages(
        self, statement: sa.Select[Any], size: int, make: Callable[[Sequence[sa.Row[Any]]], _T]
    ) -> AsyncIterator[_T]:
        """What is made, still in the thread, of `size` rows at a time of a statement, as the database sends them."""
        result = await self._away(lambda: self._stream(statement, size))
        partitions = result.partitions(size)

        def portion() -> tuple[_T] | None:
            rows = next(partitions, None)
            return (make(rows),) if rows else None

        while made := await self._away(portion):
            yield made[0]
        self._midway = False

    def leave(self) -> None:
        """Give the connection back, now or, where a call is still running on it, when that is done."""
        self._left = True
        if self._lock.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._lock.release()

    def _open(self) -> None:
        self._connection = self._engine.connect()
        begin(self._dialect, self._connection)

    def _held(self) -> sa.Connection:
        assert self._connection is not None  # noqa: S101 -- open() comes first
        return self._connection

    def _stream(self, statement: sa.Select[Any], size: int) -> sa.CursorResult[Any]:
        self._midway = True
        return self._held().execute(statement, execution_options={"yield_per": size})

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if self._midway:
                # Giving it back would read the rest of the rows first.
                self._dialect.abandon(connection.connection.dbapi_connection)
                connection.invalidate()
            connection.close()
        except Exception:  # noqa: BLE001 -- nothing is lost with a connection that can't even be closed
            connection.invalidate()

    def _guarded(self, call: Callable[[], _T]) -> _T:
        with self._lock:
            try:
                return call()
            except Exception as error:  # noqa: BLE001 -- drivers raise what they like; the traceback may hold secrets
                raise typed(error, self._doing, self._secrets) from None
            finally:
                if self._left:
                    self._close()

    async def _away(self, call: Callable[[], _T]) -> _T:
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.to_thread(self._guarded, call)
        except TimeoutError:
            raise SourceTimeoutError(f"{self._doing}: no answer within {self._seconds:g} s") from None


def _engine(dialect: Dialect, url: sa.URL, patience: Patience) -> sa.Engine:
    try:
        engine = sa.create_engine(
            url,
            connect_args=dialect.arguments(patience),
            execution_options=dict(dialect.isolation),
            hide_parameters=True,
            pool_size=_POOL,
            max_overflow=_OVERFLOW,
            pool_timeout=patience.connect,
            pool_pre_ping=True,
            pool_recycle=1800,
        )
    except ImportError as error:
        raise SourceSettingsError(
            f"the driver for {dialect.title} is not installed ({error.name or 'a library of it'} is missing);"
            f" install requirements-databases.lock or the extra 'databases'"
        ) from None

    def prepare(dbapi: Any, _record: object) -> None:
        dialect.prepare(dbapi, patience)

    event.listen(engine, "connect", prepare)
    return engine
