"""What the gazetteer role reads: values that are personal, and the company's own numbers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import datetime

from psycopg import sql
from psycopg.rows import DictRow

from copilot.domain.scope import Scope
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role

MOST_RECORDS = 64
"""Of a value that more records hold, the latest are told."""
_MOST_NUMBERS = 500
Stamp = tuple[object, ...]


class KnownValues:
    """Reads them from the business tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stamp(self) -> Stamp:
        """Something that differs whenever a sync changed anything since."""
        async with self._database.statement(Role.GAZETTEER) as connection:
            row = await (await connection.execute(query("known_stamp"))).fetchone()
            return tuple(row.values()) if row else ()

    async def values(
        self, entity: str, columns: Sequence[str], since: datetime | None = None
    ) -> AsyncGenerator[DictRow]:
        """Each set of values of some columns with `ids`, the records that hold it, and `since`, the last time that one
        came to hold it; of rows that are as they are since a moment."""
        statement = query("known_values").format(
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            table=sql.Identifier("biz", entity),
            most=sql.Literal(MOST_RECORDS),
        )
        async with self._database.connection(Role.GAZETTEER) as connection:
            cursor = await connection.execute(statement, {"since": "-infinity" if since is None else since})
            while rows := await cursor.fetchmany(1_000):
                for row in rows:
                    yield row

    async def visible(self, scope: Scope, records: Mapping[str, Iterable[int]]) -> frozenset[tuple[str, int]]:
        """Of some records, given by entity and id, those that a scope shows."""
        found: set[tuple[str, int]] = set()
        async with self._database.scoped_transaction(scope) as connection:
            for entity, ids in records.items():
                statement = query("known_visible").format(table=sql.Identifier("biz", entity))
                rows = await (await connection.execute(statement, {"ids": list(ids)})).fetchall()
                found |= {(entity, row["id"]) for row in rows}
        return frozenset(found)

    async def people(self) -> Iterable[str]:
        """The names of those who use the copilot."""
        async with self._database.statement(Role.GAZETTEER) as connection:
            return [row["name"] for row in await (await connection.execute(query("known_people"))).fetchall()]

    async def numbers(self, entity: str, column: str) -> Iterable[str]:
        """Some of the numbers of a column: the first and the last."""
        statement = query("known_numbers").format(
            column=sql.Identifier(column), table=sql.Identifier("biz", entity), most=sql.Literal(_MOST_NUMBERS)
        )
        async with self._database.statement(Role.GAZETTEER) as connection:
            return [row["number"] for row in await (await connection.execute(statement)).fetchall()]
