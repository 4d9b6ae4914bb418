"""Carries out what was decided about identity: rows that become one, rows that go on under another record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from psycopg import sql

from copilot.ingest.relabel import relabel_below
from copilot.ingest.run import Run
from copilot.ingest.statements import business
from copilot.semantic.model import HINTS, Entity
from copilot.store.queries import query

_KEPT = "stock_snapshot"
"""Worked out by us too, but days that are past can't be worked out again."""


async def move(run: Run, entity: Entity, parameters: Mapping[str, object], now: datetime) -> bool:
    """Bring rows and identities to where `resolved` has them.

    Returns whether records left a row that others go on with: what refers to them then has to be read again, since only
    the source's keys tell whose it is.
    """
    table = business(entity.name)
    await run.connection.execute(query("identity_hand_over").format(table=table), parameters)
    await run.connection.execute(query("identity_moved").format(table=table), parameters)
    await run.connection.execute(query("identity_move_identities"), parameters)
    row = await (await run.connection.execute(query("identity_redecide"), parameters)).fetchone()
    moved = await (await run.connection.execute(query("identity_moved_ids"))).fetchone()
    if moved and moved["old_ids"]:
        await run.connection.execute(query("identity_analyze_moved"))
        await run.connection.execute(query("identity_expect_few"))
        await _merge_rows(run, entity, {**parameters, "ids": moved["old_ids"]})
        await relabel_below(run, {entity.name: moved["new_ids"]}, now)
        await run.connection.execute(query("identity_expect_many"))
    return bool(row and row["referred"])


async def _merge_rows(run: Run, entity: Entity, parameters: Mapping[str, object]) -> None:
    """Take the rows away and turn every reference to them, label and name to the rows they became."""
    connection = run.connection
    await connection.execute(query("ingest_remove").format(table=business(entity.name)), parameters)
    await connection.execute(query("identity_drop_snapshots"), parameters)
    for other in run.model.entities.values():
        for column in _columns(other, entity):
            dropped = other.derived and other.name != _KEPT
            statement = query("identity_drop_derived" if dropped else "identity_move_references")
            await connection.execute(
                statement.format(table=business(other.name), column=sql.Identifier(column)), parameters
            )
    if entity.name in HINTS:
        statement = query("identity_move_lookup_labels").format(column=sql.Identifier(f"label_{entity.name}"))
        await connection.execute(statement, parameters)
    await connection.execute(query("identity_move_names"), parameters)


def _columns(other: Entity, entity: Entity) -> Iterator[str]:
    """Where rows of `other` hold the number of a row of `entity`."""
    yield from (field.column for field in other.refs() if field.to == entity.name)
    if entity.name in HINTS:
        yield f"label_{entity.name}"
