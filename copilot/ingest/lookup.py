"""Refreshes what people find records by, for the rows that a merge wrote."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql
from psycopg.sql import Composable

from copilot.semantic.model import Entity, Field
from copilot.store.pool import Connection
from copilot.store.queries import query


async def refresh(connection: Connection, entity: Entity, *, rewritten: bool) -> None:
    """Write the lookup rows of every row in `placed` that is new or changed; `rewritten` when some are changed, whose
    old ones have to go."""
    finders = tuple(entity.finders())
    if not finders:
        return
    if rewritten:
        await connection.execute(query("ingest_forget_lookup"), {"entity": entity.name})
    for field in finders:
        template: LiteralString = "ingest_lookup_number" if field.find == "number" else "ingest_lookup_name"
        statement = query(template).format(target=_target(entity, field), value=sql.Identifier("p", field.column))
        await connection.execute(
            statement,
            {
                "entity": entity.name,
                "names": field.find_as,
                "via": f"{entity.name}.{field.name}",
                "digits": _in_a_series(entity, field),
                "record_class": entity.record_class,
            },
        )


def _in_a_series(entity: Entity, field: Field) -> bool:
    """Whether people say such a number by its last digits: "order 24", "their PO 4711", "customer 10021"."""
    return field.find_as == entity.name and (is_document(entity) or field.name == entity.key)


def is_document(entity: Entity) -> bool:
    """Whether people number this entity in a series ("order 24"), rather than name a thing by it."""
    return entity.key == "number" and not entity.master


def _target(entity: Entity, field: Field) -> Composable:
    if field.find_as == entity.name:
        return sql.Identifier("p", "id")
    named = next(ref for ref in entity.refs() if ref.to == field.find_as)
    return sql.Identifier("p", named.column)
