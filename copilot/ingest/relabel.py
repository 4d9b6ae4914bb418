"""Carries changed labels down to everything that takes its labels from the changed records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from psycopg import sql
from psycopg.sql import Composed

from copilot.ingest.labels import STANDING, alias, below, label_refs, labels
from copilot.ingest.quality.published import withdraw
from copilot.ingest.run import Run
from copilot.ingest.statements import COMMA, LABEL_COLUMNS, assignments, business, columns
from copilot.semantic.model import Entity, Field
from copilot.store.queries import query


async def relabel_below(run: Run, changed: Mapping[str, list[int]], now: datetime) -> None:
    """Rewrite the labels of rows below the changed ones, whatever source they come from, and of their lookup rows.

    One pass in load order is enough: parents come before children, so each row is written once.
    """
    moved = dict(changed)
    for entity in run.model.entities.values():
        found = {found.name: fields for found, fields in below(run.model, frozenset(moved))}
        fields = found.get(entity.name, ())
        if fields:
            ids = {f"ids_{field.to}": moved[str(field.to)] for field in fields}
            parameters = run.parameters(entity.name, now=now, **ids)
            rows = await (await run.connection.execute(_statement(entity, fields), parameters)).fetchall()
            if rows:
                moved[entity.name] = moved.get(entity.name, []) + [row["id"] for row in rows]
                await withdraw(run, entity.name)


def _statement(entity: Entity, fields: tuple[Field, ...]) -> Composed:
    table = business(entity.name)
    kept = (
        sql.SQL("coalesce({}, {}) as {}").format(expression, sql.Identifier("c", name), sql.Identifier(name))
        for name, expression in labels(entity, STANDING)
    )
    return query("ingest_relabel").format(
        table=table,
        assignments=assignments("n", LABEL_COLUMNS),
        labels=COMMA.join(kept),
        joins=sql.SQL(" ").join(_join(field) for field in label_refs(entity)),
        affected=sql.SQL(" union ").join(referring(entity, field) for field in fields),
        old=columns("t", LABEL_COLUMNS),
        new=columns("n", LABEL_COLUMNS),
    )


def referring(entity: Entity, field: Field) -> Composed:
    """The ids of rows whose `field` names one of the parameter `ids_ENTITY`."""
    return query("ingest_referring").format(
        table=business(entity.name),
        column=sql.Identifier(field.column),
        ids=sql.SQL("{}::bigint[]").format(sql.Placeholder(f"ids_{field.to}")),
    )


def _join(field: Field) -> Composed:
    return sql.SQL("left join {table} {joined} on {joined}.id = {column}").format(
        table=business(str(field.to)), joined=sql.Identifier(alias(field)), column=sql.Identifier("c", field.column)
    )
