"""Whether the key of a part and the columns of its joins identify one row, which the mapping takes for granted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from connectors.mapping.rows import RowMapper, split_column
from connectors.mapping.spec import Complaint
from connectors.sql.layout import FoundTable, Layout, bare_table


def doubles(connection: sa.Connection, layout: Layout, mapper: RowMapper, place: str) -> Iterator[Complaint]:
    """A complaint for each key or join of which the database holds a double."""
    entity = mapper.entity
    aliases = frozenset(join.alias for join in entity.joins)
    own = [name for name in entity.key if split_column(name, aliases)[0] == ""]
    if len(own) == len(entity.key) and not entity.where:
        yield from _double(connection, layout.table(""), own, f"{place}.key", "the key")
    for join in entity.joins:
        yield from _double(
            connection, layout.table(join.alias), list(join.on), f"{place}.join.{join.alias}.on", "the join"
        )


def _double(
    connection: sa.Connection, table: FoundTable, names: Sequence[str], place: str, what: str
) -> Iterator[Complaint]:
    columns = [column.name for name in names if (column := table.column(name)) is not None]
    if _declared(sa.inspect(connection), table, frozenset(columns)):
        return
    clause = bare_table(table.schema, table.name, columns)
    held: list[sa.ColumnElement[Any]] = [clause.c[name] for name in columns]
    times = sa.func.count().label("times")
    statement = (
        sa.select(times)
        .where(*(each.is_not(None) for each in held))
        .group_by(*held)
        .having(sa.func.count() > 1)
        .limit(1)
    )
    try:
        found = connection.execute(statement).scalar()
    except DBAPIError:
        return  # too much to count in the time allowed: not known to be wrong
    if found:
        listed = ", ".join(names)
        message = f"{listed} of {table.name!r} stands {found} times for the same values; {what} has to identify one row"
        yield Complaint(place=place, message=message)


def _declared(inspector: sa.Inspector, table: FoundTable, columns: frozenset[str]) -> bool:
    """Whether the database itself keeps some of the columns unique."""
    where = {"schema": table.schema}
    primary = inspector.get_pk_constraint(table.name, **where)["constrained_columns"]
    unique = [found["column_names"] for found in inspector.get_unique_constraints(table.name, **where)]
    indexed = [found["column_names"] for found in inspector.get_indexes(table.name, **where) if found["unique"]]
    return any(known and columns.issuperset(str(name) for name in known) for known in (primary, *unique, *indexed))
