"""What stands in every business table, and what stood at a moment as the history tells it, read with SQL of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from copilot.domain.scope import Scope

Row = Mapping[str, Any]
Tables = Mapping[str, Mapping[int, Row]]
"""Table -> id -> row."""

_OUTSIDE = ("confirmed_at", "valid_to", "removed")
"""What is no part of a version: when it was last seen to be so, and how it ended."""


def standing(admin: Connection[Any], tables: Iterable[str], reader: Scope | None) -> Tables:
    """Every row that stands; with a reader those that the row policies show them."""
    with admin.transaction():
        _read_as(admin, reader)
        return {name: _by_id(name, _rows(admin, sql.SQL("select * from {}"), "biz", name)) for name in tables}


def replayed(admin: Connection[Any], tables: Iterable[str], reader: Scope | None, at: datetime) -> Tables:
    """Every row as it stood at a moment: what stands since then or longer, and what had come and not yet gone.

    Raises ValueError where two versions of a record stood at once.
    """
    since = sql.SQL("select * from {} where valid_from <= %(at)s")
    between = sql.SQL("select * from {} where valid_from <= %(at)s and valid_to > %(at)s")
    with admin.transaction():
        _read_as(admin, reader)
        return {
            name: _by_id(
                name,
                [
                    *_rows(admin, since, "biz", name, at),
                    *_rows(admin, between, "hist", name, at),
                ],
            )
            for name in tables
        }


def differences(was: Tables, told: Tables) -> Iterator[str]:
    """Where the history tells it otherwise than it was."""
    for name in sorted(was.keys() | told.keys()):
        for ident in sorted(was[name].keys() | told[name].keys()):
            there, said = was[name].get(ident), told[name].get(ident)
            if there is None or said is None:
                yield f"{name} {ident} {'was not there' if there is None else 'is missing'} in the replay"
            elif there != said:
                wrong = sorted(column for column in there if there[column] != said.get(column))
                yield f"{name} {ident} is told with other {', '.join(wrong)}"


def _by_id(name: str, rows: Iterable[Row]) -> Mapping[int, Row]:
    found: dict[int, Row] = {}
    for row in rows:
        if row["id"] in found:
            raise ValueError(f"two versions of {name} {row['id']} stood at once")
        found[row["id"]] = {column: value for column, value in row.items() if column not in _OUTSIDE}
    return found


def _rows(
    admin: Connection[Any], statement: sql.SQL, schema: str, name: str, at: datetime | None = None
) -> list[dict[str, Any]]:
    table = sql.Identifier(schema, name)
    return admin.cursor(row_factory=dict_row).execute(statement.format(table), {"at": at}).fetchall()


def _read_as(admin: Connection[Any], reader: Scope | None) -> None:
    """For this transaction the reader's role and settings; the superuser's own where there is none."""
    if reader is not None:
        for name, value in reader.settings.items():
            admin.execute("select set_config(%s, %s, true)", (f"copilot.{name}", value))
        admin.execute("set local role copilot_app")
