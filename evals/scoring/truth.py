"""What is true, by plain SQL as the owner of the tables. Nothing of the copilot is imported here, nor may be."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from evals.scoring.case import HOLE, Case
from evals.scoring.errors import CaseError

Cell = str | int | bool | Decimal | date | datetime | None
_BARE_PERCENT = re.compile(r"%(?!\()")
_ORIGIN = b"""
    select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
     where a.attrelid = %s and a.attnum = %s
"""
_NAMES = b"""
    select column_name::text from information_schema.columns
     where table_schema = 'biz' and table_name = %s and column_name in ('number', 'code', 'name')
"""
_OPTIONS = "-c default_transaction_read_only=on -c statement_timeout=60s -c timezone=UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the expected rows, and the table and column it is read from; none where it is worked out. `other`:
    by what else a record that the column names is known, such as an item's name beside its number."""

    name: str
    table: str | None = None
    field: str | None = None
    other: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict[str, frozenset[str]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A case's turns as they are typed, and the rows that its SQL gives; no columns for a case without SQL."""

    turns: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()


@asynccontextmanager
async def owner(dsn: str) -> AsyncGenerator[AsyncConnection[Any]]:
    """A connection that reads everything and writes nothing."""
    async with await AsyncConnection.connect(dsn, autocommit=True, options=_OPTIONS) as connection:
        yield connection


async def read_truth(connection: AsyncConnection[Any], case: Case) -> Truth:
    """Run a case's SQL. Raises CaseError where it fails, or finds nothing that could be expected."""
    picked: Mapping[str, Cell] = await _picked(connection, case) if case.pick else {}
    turns = tuple(_filled(case, turn, picked) for turn in case.turns)
    if case.sql is None:
        return Truth(turns=turns)
    columns, rows = await _run(connection, case, case.sql, picked)
    if not case.listed and not any(cell is not None for row in rows for cell in row):
        raise CaseError(f"{case.file}: {case.id}: its sql finds nothing, and it is no list")
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    known = [await _known(connection, column, those) for column, those in zip(columns, cells, strict=True)]
    return Truth(turns=turns, columns=tuple(known), rows=rows)


async def _picked(connection: AsyncConnection[Any], case: Case) -> Mapping[str, Cell]:
    columns, rows = await _run(connection, case, case.pick or "", {})
    if len(rows) != 1 or None in rows[0]:
        raise CaseError(f"{case.file}: {case.id}: its pick has to find one row without empty fields, not {rows[:2]!r}")
    return {column.name: cell for column, cell in zip(columns, rows[0], strict=True)}


async def _run(
    connection: AsyncConnection[Any], case: Case, statement: str, picked: Mapping[str, Cell]
) -> tuple[tuple[Column, ...], tuple[tuple[Cell, ...], ...]]:
    try:
        if picked:
            cursor = await connection.execute(_BARE_PERCENT.sub("%%", statement).encode(), picked)
        else:
            cursor = await connection.execute(statement.encode())
        rows = tuple(tuple(_cell(cell) for cell in row) for row in await cursor.fetchall())
        return await _columns(connection, cursor), rows
    except (psycopg.Error, KeyError) as error:
        raise CaseError(f"{case.file}: {case.id}: its SQL fails: {' '.join(str(error).split())}") from error


async def _columns(connection: AsyncConnection[Any], cursor: psycopg.AsyncCursor[Any]) -> tuple[Column, ...]:
    result = cursor.pgresult
    columns: list[Column] = []
    for n, column in enumerate(cursor.description or ()):
        place = (result.ftable(n), result.ftablecol(n)) if result else (0, 0)
        found = await (await connection.execute(_ORIGIN, place)).fetchone() if place[0] else None
        table, field = found or (None, None)
        columns.append(Column(name=column.name, table=table, field=field))
    return tuple(columns)


async def _known(connection: AsyncConnection[Any], column: Column, cells: Sequence[Cell]) -> Column:
    """The column with what else its records are called, where that is theirs alone."""
    if column.table is None or column.field not in ("number", "code", "name"):
        return column
    found = await (await connection.execute(_NAMES, [column.table])).fetchall()
    other: dict[str, set[str]] = {}
    for (name,) in found:
        if name == column.field:
            continue
        statement = sql.SQL(
            "select {known}, {other} from biz.{table} t where {known} = any(%s) and {other} is not null"
            " and (select count(*) from biz.{table} x where x.{other} = t.{other}) = 1"
        ).format(
            known=sql.Identifier(column.field), other=sql.Identifier(name), table=sql.Identifier(column.table)
        )  # fmt: skip
        for cell, called in await (await connection.execute(statement, [list(cells)])).fetchall():
            other.setdefault(cell, set()).add(called)
    return replace(column, other={cell: frozenset(names) for cell, names in other.items()})


def _cell(raw: object) -> Cell:
    if raw is None or isinstance(raw, (str, bool, int, Decimal, date)):
        return raw
    return Decimal(str(raw)) if isinstance(raw, float) else str(raw)


def _filled(case: Case, turn: str, picked: Mapping[str, Cell]) -> str:
    """A turn with the picked row's values in it."""
    unknown = [name for name in HOLE.findall(turn) if name not in picked]
    if unknown:
        raise CaseError(f"{case.file}: {case.id}: its pick has no column {unknown[0]!r}")
    return HOLE.sub(lambda hole: typed(picked[hole[1]]), turn)


def typed(cell: Cell) -> str:
    """A value as a person would type it."""
    if isinstance(cell, Decimal):
        text = format(cell, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(cell)


def told(row: Sequence[Cell]) -> str:
    """A row for a developer to read."""
    return ", ".join(typed(cell) for cell in row)
