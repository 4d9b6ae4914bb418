"""The bare path of a question: the very SELECTs of its answer, and one durable INSERT of its audit row's size.

The statements are noted while the product answers, with their values, and run again on the same pools.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from copilot.store.pool import Database
from copilot.store.roles import Role

MAKE_TABLE = "create table if not exists audit.bare (id bigint generated always as identity, body jsonb, sealed bytea)"
GRANT_TABLE = "grant insert on audit.bare to copilot_audit_writer"
_INSERT = "insert into audit.bare (body, sealed) values (%s, %s)"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as the product ran it."""

    query: Any
    values: Any


@contextmanager
def noted(application: str) -> Generator[list[Statement]]:
    """Collects what is executed on connections of one application name while the block runs."""
    found: list[Statement] = []
    plain = AsyncConnection[DictRow].execute

    async def execute(
        self: AsyncConnection[DictRow], query: Any, params: Any = None, **more: Any
    ) -> AsyncCursor[DictRow]:
        if self.info.get_parameters().get("application_name") == application:
            found.append(Statement(query, params))
        return await plain(self, query, params, **more)

    with patch.object(AsyncConnection, "execute", execute):
        yield found


@dataclass(frozen=True, slots=True)
class Bare:
    """The least that a question costs."""

    statements: Sequence[Statement]
    body: dict[str, Any]
    sealed: bytes

    async def run(self, database: Database) -> None:
        """All SELECTs in one transaction of the app's pool, then the durable INSERT."""
        async with database.connection(Role.APP) as connection:
            for statement in self.statements:
                cursor = await connection.execute(statement.query, statement.values)
                if cursor.description is not None:
                    await cursor.fetchall()
        await self.insert(database)

    async def insert(self, database: Database) -> None:
        """One row, on the disk when this returns."""
        async with database.connection(Role.AUDIT_WRITER) as connection:
            await connection.execute(_INSERT, (Jsonb(self.body), self.sealed))
