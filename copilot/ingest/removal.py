"""Takes away what a source no longer has, with everything that hangs on it, and refuses what looks like an accident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from psycopg import sql

from copilot.errors import SourceConfigError
from copilot.ingest.cursors import forget_cursors
from copilot.ingest.labels import label_refs
from copilot.ingest.relabel import referring
from copilot.ingest.run import Run
from copilot.ingest.statements import business, identified
from copilot.semantic.model import Entity, Field, SemanticModel
from copilot.store.queries import query

_GUARDED_ROWS = 100
_FEW_ROWS = 20
"""So many records of one kind, such as holds, may all be gone from one sync to the next."""
_SHARE = 0.5

Counts = Mapping[str, int]


async def remove_gone(run: Run, entities: tuple[str, ...], confirmed: datetime, checked: frozenset[str]) -> Counts:
    """After all merges, in one transaction: remove what the source's keys don't name, and note what is confirmed.

    Coming last, it never takes a child that was moved to another parent in the same sync. `checked` are the entities
    whose living keys are staged. Raises SourceConfigError, with nothing removed, when too much would go.
    """
    async with run.connection.transaction():
        now = await run.enter_merge()
        gone = {name: await _gone(run, run.model[name]) for name in entities if name in checked}
        removed = await remove_keys(run, {name: keys for name, keys in gone.items() if keys}, now)
        parameters = run.parameters("", entities=list(entities), confirmed=confirmed)
        await run.connection.execute(query("ingest_keep_coverage"), parameters)
        await run.connection.execute(query("ingest_clear_living"), parameters)
    return removed


async def remove_keys(run: Run, gone: Mapping[str, list[str]], now: datetime) -> Counts:
    """Remove this source's rows of these keys and all that can't stand without them; returns rows by entity."""
    going: dict[str, list[int]] = {}
    for name, keys in gone.items():
        ids = await _rows(run, run.model[name], keys, now)
        if ids:
            going[name] = ids
    return await _cascade(run, going, now) if going else {}


async def check_share(run: Run, entity: Entity, keys: list[str]) -> None:
    """Raise SourceConfigError when quarantining these keys would take most of an entity away."""
    statement = query("ingest_held").format(table=business(entity.name))
    row = await (await run.connection.execute(statement, run.parameters(entity.name, keys=keys))).fetchone()
    if row is not None and not run.full and _too_many(row["gone"], row["held"]):
        raise SourceConfigError(
            f"{row['gone']} of {row['held']} records of {entity.name!r} could not be placed any more; nothing was "
            f"changed. Check the label mapping of {run.source.name!r}; if this is right, sync it in full"
        )


async def _gone(run: Run, entity: Entity) -> list[str]:
    statement = query("ingest_gone").format(table=business(entity.name))
    row = await (await run.connection.execute(statement, run.parameters(entity.name))).fetchone()
    await run.connection.execute(query("ingest_forget_quarantine"), run.parameters(entity.name))
    if row is None or not row["keys"]:
        return []
    nothing_left = row["gone"] == row["held"] > _FEW_ROWS
    if not run.full and (nothing_left or _too_many(row["gone"], row["held"])):
        raise SourceConfigError(
            f"{run.source.name!r} names only {row['held'] - row['gone']} of the {row['held']} records of "
            f"{entity.name!r} that stand here; nothing was removed. If they are really gone, sync it in full"
        )
    return row["keys"]


def _too_many(gone: int, held: int) -> bool:
    return held > _GUARDED_ROWS and gone > held * _SHARE


async def _rows(run: Run, entity: Entity, keys: list[str], now: datetime) -> list[int]:
    """The ids to remove: this source's rows, less those that another source goes on keeping."""
    parameters = run.parameters(entity.name, keys=keys, now=now)
    statement = query("ingest_rows_of_keys").format(table=business(entity.name))
    ids = [row["id"] for row in await (await run.connection.execute(statement, parameters)).fetchall()]
    if not identified(entity):
        return ids
    forgotten = await run.connection.execute(query("ingest_forget_identity"), parameters)
    statement = query("ingest_hand_over").format(table=business(entity.name))
    handed = await run.connection.execute(statement, run.parameters(entity.name, ids=ids, now=now))
    kept = {row["id"] for row in await handed.fetchall()}
    if kept or forgotten.rowcount > len(ids):
        # The row goes on, but is no longer what this source calls by that key: reading again tells what is.
        await forget_cursors(run, entity)
    return [ident for ident in ids if ident not in kept]


async def _cascade(run: Run, going: dict[str, list[int]], now: datetime) -> Counts:
    for name in run.model.entities:
        await _add_orphans(run, name, going, now)
        await _check_cascade(run, name, going.get(name, []))
    for name in run.model.entities:
        await _blank(run, run.model[name], going, now)
    removed: Counter[str] = Counter()
    for name in reversed(tuple(run.model.entities)):
        if name in going:
            removed[name] = await _remove(run, run.model[name], going[name])
    return removed


async def _check_cascade(run: Run, name: str, ids: list[int]) -> None:
    """Raise SourceConfigError when most rows of an entity would go, for instance because their customers are gone."""
    if run.full or len(ids) <= _GUARDED_ROWS * _SHARE:
        return
    row = await (await run.connection.execute(query("ingest_count").format(table=business(name)))).fetchone()
    if row is not None and _too_many(len(ids), row["held"]):
        raise SourceConfigError(
            f"{len(ids)} of {row['held']} records of {name!r} hang on what {run.source.name!r} no longer has; nothing "
            "was removed. If that is really gone, sync it in full"
        )


async def _add_orphans(run: Run, name: str, going: dict[str, list[int]], now: datetime) -> None:
    """Add the rows that can't stand without what is going, and set them aside: a full reload would do the same."""
    entity = run.model[name]
    fields = [field for field in entity.refs() if field.to in going and _needed(entity, field)]
    if not fields:
        return
    statement = sql.SQL(" union ").join(referring(entity, field) for field in fields)
    parameters = {f"ids_{field.to}": going[str(field.to)] for field in fields}
    rows = await (await run.connection.execute(statement, parameters)).fetchall()
    orphans = {row["id"] for row in rows} - set(going.get(name, ()))
    if orphans:
        going[name] = [*going.get(name, ()), *orphans]
        await _set_aside(run, entity, list(orphans), now)


def _needed(entity: Entity, field: Field) -> bool:
    """Whether a row can't stand without what the field names. What was worked out of others' rows is no orphan."""
    return field in label_refs(entity) or (field.required and not entity.derived)


async def _set_aside(run: Run, entity: Entity, ids: list[int], now: datetime) -> None:
    if entity.derived:
        return
    detail = "what it refers to is gone"
    parameters = run.parameters(entity.name, ids=ids, now=now, detail=detail, record_class=entity.record_class)
    await run.connection.execute(query("ingest_orphans").format(table=business(entity.name)), parameters)


async def _blank(run: Run, entity: Entity, going: Mapping[str, list[int]], now: datetime) -> None:
    """Empty the optional references to what is going, in the rows that stay."""
    for field in entity.refs():
        if field.to not in going or _needed(entity, field) or entity.derived:
            continue
        statement = query("ingest_blank").format(table=business(entity.name), column=sql.Identifier(field.column))
        parameters = run.parameters(
            entity.name,
            now=now,
            field=field.name,
            target=field.to,
            targets=going[str(field.to)],
            going=going.get(entity.name, []),
        )
        await run.connection.execute(statement, parameters)


async def _remove(run: Run, entity: Entity, ids: list[int]) -> int:
    parameters = run.parameters(entity.name, ids=ids)
    statement = query("ingest_remove").format(table=business(entity.name))
    row = await (await run.connection.execute(statement, parameters)).fetchone()
    if identified(entity):
        await run.connection.execute(query("ingest_forget_targets"), parameters)
    if _named_by_others(run.model, entity):
        await run.connection.execute(query("ingest_unname"), parameters)
    return row["removed"] if row else 0


def _named_by_others(model: SemanticModel, entity: Entity) -> bool:
    finders = (field for other in model.entities.values() if other is not entity for field in other.finders())
    return any(field.find_as == entity.name for field in finders)
