"""The tables of a database as it describes them, with a few samples: what a mapping is drafted from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoSuchTableError

from connectors.base import SourceColumn, SourceTable
from connectors.sql.columns import kind_of
from connectors.sql.dialects import Dialect
from connectors.sql.layout import bare_table

_MOST_SAMPLED = 500
_SAMPLE_ROWS, _SAMPLES, _SAMPLE_LENGTH = 20, 3, 40
_KINDS = {
    "whole": "number",
    "number": "number",
    "text": "text",
    "uuid": "text",
    "date": "date",
    "naive": "instant",
    "utc": "instant",
    "aware": "instant",
    "flag": "flag",
}


def describe(connection: sa.Connection, dialect: Dialect) -> tuple[SourceTable, ...]:
    """Every table and view outside the system's schemas; bare names are those of the user's own schema."""
    inspector = sa.inspect(connection)
    default = inspector.default_schema_name
    found: list[SourceTable] = []
    for schema in inspector.get_schema_names():
        if str(schema).casefold() in {name.casefold() for name in dialect.system_schemas}:
            continue
        where = None if schema == default or connection.dialect.name == "sqlite" else schema
        for name in (*inspector.get_table_names(schema=where), *inspector.get_view_names(schema=where)):
            try:
                found.append(_table(connection, inspector, where, name, sampled=len(found) < _MOST_SAMPLED))
            except NoSuchTableError:
                continue  # dropped, or a view that no longer works
    return tuple(found)


def _table(
    connection: sa.Connection, inspector: sa.Inspector, schema: str | None, name: str, *, sampled: bool
) -> SourceTable:
    columns = inspector.get_columns(name, schema=schema)
    rows = _rows(connection, schema, name, [column["name"] for column in columns]) if sampled else []
    dialect = connection.dialect.name
    return SourceTable(
        name=f"{schema}.{name}" if schema else name,
        columns=tuple(
            SourceColumn(
                name=str(column["name"]),
                type=_type(column["type"], dialect),
                samples=_samples([row[index] for row in rows]),
            )
            for index, column in enumerate(columns)
        ),
        key=tuple(inspector.get_pk_constraint(name, schema=schema)["constrained_columns"]),
        references=dict(_references(inspector, schema, name)),
    )


def _type(type_: sa.types.TypeEngine[Any], dialect: str) -> str:
    # SQLite says what was declared, which is what a draft goes by; what is in the column is another matter.
    kind = kind_of(type_, "declared" if dialect == "sqlite" else dialect)
    return _KINDS.get(kind, "other")


def _references(inspector: sa.Inspector, schema: str | None, name: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for key in inspector.get_foreign_keys(name, schema=schema):
        if len(key["constrained_columns"]) == 1 and len(key["referred_columns"]) == 1:
            there = key["referred_schema"]
            target = f"{there}.{key['referred_table']}" if there else key["referred_table"]
            yield key["constrained_columns"][0], (target, key["referred_columns"][0])


def _rows(connection: sa.Connection, schema: str | None, name: str, columns: Sequence[str]) -> list[sa.Row[Any]]:
    clause = bare_table(schema, name, columns)
    try:
        with connection.begin_nested():  # so that a table that may not be read does not end the transaction
            return list(connection.execute(sa.select(*clause.c).limit(_SAMPLE_ROWS)).fetchall())
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return []


def _samples(values: Sequence[object]) -> tuple[str, ...]:
    shown = dict.fromkeys(_shown(value) for value in values if value is not None)
    return tuple(text for text in shown if text)[:_SAMPLES]


def _shown(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return ""
    text = value.isoformat() if isinstance(value, date) else str(value)
    return text.strip()[:_SAMPLE_LENGTH]
