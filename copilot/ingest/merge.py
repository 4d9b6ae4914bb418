"""Merges one entity's staged records in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from copilot.ingest import lookup, statements
from copilot.ingest.masters import LabelTargets, label_targets
from copilot.ingest.quality.gate import stop_unsound
from copilot.ingest.relabel import relabel_below
from copilot.ingest.removal import check_share, remove_keys
from copilot.ingest.report import Reason
from copilot.ingest.run import Run
from copilot.ingest.staging import Fault, Staging
from copilot.semantic.model import Entity
from copilot.store.queries import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a merge did: keys set aside, keys of rows written, rows written, and rows removed by entity.

    `unsettled` when it changed what has to be read of the entities after it: some of theirs may have gone with what was
    removed, or refer to what was released from quarantine.
    """

    quarantined: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    changed: int = 0
    removed: Mapping[str, int]
    unsettled: bool = False


async def merge(
    run: Run, entity: Entity, staging: Staging, *, confirmed: datetime, cursor: str | None, live: bool = False
) -> Merged:
    """Merge what is staged, keep the cursor with it, and empty the stage.

    `live` is for a re-read of few records: their confirmation is noted on the rows themselves, and the keys of the
    rows written are returned. Where nothing was staged only the cursor moves on.
    """
    async with run.connection.transaction():
        if not staging.read:
            await _keep_cursor(run, entity, cursor)
            return Merged(removed={})
        now = await run.enter_merge()
        merged = await _merge_rows(run, entity, staging, now=now, confirmed=confirmed, live=live)
        await _keep_cursor(run, entity, cursor)
        clear = query("ingest_clear_stage").format(stage=statements.staging(entity.name))
        await run.connection.execute(clear, run.parameters(entity.name))
    return merged


async def _keep_cursor(run: Run, entity: Entity, cursor: str | None) -> None:
    if cursor is not None:
        await run.connection.execute(query("ingest_keep_cursor"), run.parameters(entity.name, value=cursor))


async def _merge_rows(
    run: Run, entity: Entity, staging: Staging, *, now: datetime, confirmed: datetime, live: bool
) -> Merged:
    if not (staging.staged or staging.faults):
        return Merged(removed={})
    await _unstage_faults(run, entity, staging)
    await _place(run, entity)
    faults = [*staging.faults.values(), *await _faulty(run)]
    removed = await _set_aside(run, entity, faults, now)
    if not live:
        await stop_unsound(run, entity, now)
    released = await _release(run, entity)
    awaited = await _note_unresolved(run, entity)
    written = await _written(run) if live else frozenset[str]()
    changed = await _write(run, entity, now=now, confirmed=confirmed, live=live)
    quarantined = frozenset(fault.key for fault in faults)
    return Merged(
        quarantined=quarantined,
        written=written,
        changed=changed,
        removed=removed,
        unsettled=released or awaited or bool(removed),
    )


async def _unstage_faults(run: Run, entity: Entity, staging: Staging) -> None:
    if staging.faults:
        statement = query("ingest_unstage_faults").format(stage=statements.staging(entity.name))
        await run.connection.execute(statement, run.parameters(entity.name, keys=list(staging.faults)))


async def _place(run: Run, entity: Entity) -> None:
    rule = run.source.identity_rules.get(entity.name) if entity.master else None
    targets = await label_targets(run, entity) if statements.identified(entity) else LabelTargets()
    via = None if rule is None else lookup.via_number(entity, rule)
    parameters = run.parameters(entity.name, via=via, map_keys=targets.keys, map_ids=targets.ids)
    await run.connection.execute(statements.latest(entity, rule), parameters)
    # Without figures the planner takes a hundred thousand rows for a handful.
    await run.connection.execute(statements.analyze_latest(entity))
    await run.connection.execute(statements.placed(run.model, entity), parameters)


async def _faulty(run: Run) -> list[Fault]:
    rows = await (await run.connection.execute(query("ingest_faulty"))).fetchall()
    if rows:
        await run.connection.execute(query("ingest_drop_faulty"))
    return [Fault(row["source_key"], Reason(row["reason"]), row["detail"]) for row in rows]


async def _set_aside(run: Run, entity: Entity, faults: Iterable[Fault], now: datetime) -> Mapping[str, int]:
    """Quarantine what can't be placed, and take away what stands of it: nobody may go on reading its old labels."""
    found = list(faults)
    if not found:
        return {}
    keys = [fault.key for fault in found]
    await check_share(run, entity, keys)
    parameters = run.parameters(
        entity.name,
        now=now,
        record_class=entity.record_class,
        keys=keys,
        reasons=[fault.reason.value for fault in found],
        details=[fault.detail for fault in found],
    )
    await run.connection.execute(query("ingest_set_aside"), parameters)
    return await remove_keys(run, {entity.name: keys}, now)


async def _release(run: Run, entity: Entity) -> bool:
    """Take out of quarantine what is placed now, and have what may refer to it read again in this same sync.

    Returns whether there was any such.
    """
    parameters = run.parameters(entity.name)
    released = await (await run.connection.execute(query("ingest_release"), parameters)).fetchall()
    if released:
        waiting = [e.name for e in run.model.entities.values() if any(ref.to == entity.name for ref in e.refs())]
        await run.connection.execute(query("ingest_forget_cursors"), run.parameters(entity.name, entities=waiting))
    return bool(released)


async def _note_unresolved(run: Run, entity: Entity) -> bool:
    """Note the optional references that name nothing here; returns whether others were waiting for what is placed."""
    statement = statements.unresolved(entity)
    if statement is not None:
        await run.connection.execute(statement, run.parameters(entity.name))
    row = await (await run.connection.execute(query("ingest_awaited"), run.parameters(entity.name))).fetchone()
    return bool(row and row["awaited"])


async def _written(run: Run) -> frozenset[str]:
    rows = await (await run.connection.execute(query("ingest_states"))).fetchall()
    return frozenset(row["source_key"] for row in rows)


async def _write(run: Run, entity: Entity, *, now: datetime, confirmed: datetime, live: bool) -> int:
    connection = run.connection
    row = await (await connection.execute(query("ingest_counts"))).fetchone()
    changed: int = row["changed"] if row else 0
    parameters = run.parameters(entity.name, now=now, confirmed=confirmed)
    if statements.identified(entity):
        await connection.execute(query("ingest_identify"), parameters)
    if live:
        await connection.execute(query("ingest_touch").format(table=statements.business(entity.name)), parameters)
    if changed:
        await connection.execute(statements.update(entity), parameters)
        await connection.execute(statements.insert(entity), parameters)
        await lookup.refresh(connection, entity)
    if row and row["relabelled"]:
        await relabel_below(run, {entity.name: row["relabelled"]}, now)
    return changed
