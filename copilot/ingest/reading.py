"""Reads one entity from a connector into staging: what changed, what is alive, and what we ask for by name."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from connectors.base import Connector, Cursor
from copilot.ingest.fields import RecordFaultError, text
from copilot.ingest.hints import HintMap
from copilot.ingest.masters import hint_map
from copilot.ingest.report import Progress
from copilot.ingest.run import Run
from copilot.ingest.staging import Staging
from copilot.ingest.statements import business, identified, staging
from copilot.semantic.model import Entity, Field
from copilot.store.queries import query

_REREAD_LIMIT = 2_000
"""More keys than this are cheaper read by going over the entity anew."""
_READ_AT_ONCE = 200
_KEYS_AT_ONCE = 10_000
_TELL_EVERY = 20_000
_NO_HINTS = HintMap(label_map={}, by_code={}, by_key={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read: staged records, the cursor to keep, whether the living keys are staged too, and when the reading
    began, which is the moment that it confirms."""

    staging: Staging
    cursor: str | None
    living: bool
    begun: datetime


async def open_staging(run: Run, entity: Entity) -> Staging:
    """An empty staging with the hints as they are now."""
    hinted = any(rule.startswith("hint") for rule in entity.labels.own.values())
    return Staging(run.connection, entity, run.batch_id, await hint_map(run) if hinted else _NO_HINTS)


async def read_entity(run: Run, connector: Connector, entity: Entity, progress: Progress) -> Reading:
    """Stage what changed and whatever else is due. Raises what the connector raises."""
    begun = run.clock()
    since = None if run.full else await _cursor(run, entity)
    into = await open_staging(run, entity)
    cursor = await _changes(connector, entity, since, into, progress)
    # The first time there is nothing that could have been deleted or missed.
    living = entity.name in connector.vanishing and (since is not None or await _holds(run, entity))
    if living:
        await _stage_living(run, connector, entity)
    due = await _due(run, entity, into)
    if len(due) > _REREAD_LIMIT and since is not None:
        await _changes(connector, entity, None, into, progress)
    else:
        for start in range(0, len(due), _READ_AT_ONCE):
            await into.take(await connector.read(entity.name, due[start : start + _READ_AT_ONCE]))
    await into.flush()
    return Reading(staging=into, cursor=cursor, living=living, begun=begun)


async def _changes(
    connector: Connector, entity: Entity, since: Cursor | None, into: Staging, progress: Progress
) -> str | None:
    cursor: str | None = None
    told = 0
    async for page in connector.changes(entity.name, since):
        await into.take(page.records)
        cursor = page.cursor.value if page.cursor else cursor
        if into.read - told >= _TELL_EVERY and not page.last:
            told = into.read
            progress(f"{entity.title}: {into.read:,} read")
    await into.flush()
    return cursor


async def _cursor(run: Run, entity: Entity) -> Cursor | None:
    found = await run.connection.execute(query("ingest_cursor"), run.parameters(entity.name))
    row = await found.fetchone()
    return Cursor(row["value"]) if row else None


async def _holds(run: Run, entity: Entity) -> bool:
    statement = query("ingest_holds").format(table=business(entity.name))
    row = await (await run.connection.execute(statement, run.parameters(entity.name))).fetchone()
    return bool(row and row["holds"])


async def _stage_living(run: Run, connector: Connector, entity: Entity) -> None:
    """Copy the keys as the source names them. Only when this has returned are they all there: a source that dies on the
    way leaves some, which nothing reads and the next sync sweeps away."""
    head = f"{run.batch_id}\t{entity.name}\t"
    lines: list[str] = []
    async for portion in connector.keys(entity.name):
        for _, key in portion:
            with suppress(RecordFaultError):  # no row of ours has such a key: its record is in quarantine
                lines.append(f"{head}{text(key)}\n")
        if len(lines) >= _KEYS_AT_ONCE:
            await _copy_living(run, lines)
            lines.clear()
    await _copy_living(run, lines)


async def _copy_living(run: Run, lines: list[str]) -> None:
    async with run.connection.transaction(), run.connection.cursor() as cursor:
        await cursor.execute(query("ingest_relax_commit"))
        async with cursor.copy(query("ingest_copy_living")) as copy:
            await copy.write("".join(lines).encode())


async def _due(run: Run, entity: Entity, into: Staging) -> list[str]:
    """The keys to ask for, or enough of them to say that they are too many."""
    resolved = sql.SQL("").join(_resolved(run, field) for field in entity.refs() if not field.required)
    statement = query("ingest_due").format(table=business(entity.name), stage=staging(entity.name), resolved=resolved)
    parameters = run.parameters(entity.name, most=_REREAD_LIMIT + len(into.faults) + 1)
    rows = await (await run.connection.execute(statement, parameters)).fetchall()
    return sorted(row["source_key"] for row in rows if row["source_key"] not in into.faults)


def _resolved(run: Run, field: Field) -> sql.Composed:
    """Whether what an optional reference named is here now."""
    target = run.model[str(field.to)]
    if identified(target):
        return query("ingest_resolved_identity").format(field=sql.Literal(field.name), target=sql.Literal(target.name))
    return query("ingest_resolved").format(field=sql.Literal(field.name), table=business(target.name))
