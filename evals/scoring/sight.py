"""Whether a choice offered to somebody names a record that is not theirs to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row

from evals.proofs.oracle import LABEL_COLUMNS, Actor, Row, read_roles

_NAMED = """
    select table_name, column_name from information_schema.columns
     where table_schema = 'biz' and column_name in ('number', 'name') and table_name in (
        select table_name from information_schema.columns where table_schema = 'biz' and column_name = 'record_class')
     order by 1, 2
"""
_GRANTS = "select role, regions, sites, channels, accounts from directory.grant where subject = %s and valid_to is null"
_LABELS = {"label_region": "regions", "label_site": "sites", "label_channel": "channels", "label_account": "accounts"}


async def hidden_choices(connection: AsyncConnection[Any], subject: str, choices: Sequence[str]) -> tuple[str, ...]:
    """The choices that name records, none of which this person may see under any of their grants."""
    actors = [_actor(subject, grant) for grant in await _rows(connection, sql.SQL(_GRANTS), [subject])]
    return tuple([choice for choice in choices if await _is_hidden(connection, actors, choice)])


async def _is_hidden(connection: AsyncConnection[Any], actors: Sequence[Actor], choice: str) -> bool:
    named = False
    for place in await _rows(connection, sql.SQL(_NAMED), []):
        statement = sql.SQL("select {} from biz.{} where length({name}) > 2 and strpos(%s, {name}) > 0").format(
            sql.SQL(", ").join(sql.Identifier(column) for column in ("record_class", *LABEL_COLUMNS)),
            sql.Identifier(place["table_name"]),
            name=sql.Identifier(place["column_name"]),
        )
        rows = await _rows(connection, statement, [choice])
        if any(actor.sees(row) for actor in actors for row in rows):
            return False
        named = named or bool(rows)
    return named


def _actor(subject: str, grant: Row) -> Actor:
    labels: Mapping[str, frozenset[int] | None] = {
        column: None if grant[kind] is None else frozenset(grant[kind]) for column, kind in _LABELS.items()
    }
    return Actor(subject=subject, role=grant["role"], classes=read_roles()[grant["role"]], labels=labels)


async def _rows(
    connection: AsyncConnection[Any], statement: sql.SQL | sql.Composed, values: Sequence[object]
) -> list[dict[str, Any]]:
    cursor = await connection.cursor(row_factory=dict_row).execute(statement, values)
    return await cursor.fetchall()
