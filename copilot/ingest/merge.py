"""Merges one entity's staged records in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import Rollback

from copilot.ingest import identity, lookup, statements
from copilot.ingest.identity import Resolution, Standing
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
    removed, or refer to what was released from quarantine, or mean other records than before. `again` when the entity
    itself has to be read again, for records that need a row of their own now.
    """

    quarantined: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    changed: int = 0
    removed: Mapping[str, int]
    unsettled: bool = False
    again: bool = False


async def merge(
    run: Run, entity: Entity, staging: Staging, *, confirmed: datetime, cursor: str | None, live: bool = False
) -> Merged:
    """Merge what is staged, keep the cursor with it, and empty the stage.

    `live` is for a re-read of few records: their confirmation is noted on the rows themselves, and the keys of the
    rows written are returned, and whose they are stays as decided. Where nothing was staged only the cursor moves on,
    unless records may belong elsewhere now.
    """
    async with run.connection.transaction():
        standing = None if live else await identity.standing(run, entity)
        if not (staging.read or (standing and standing.needed)):
            await _keep_cursor(run, entity, cursor)
            return Merged(removed={})
        now = await run.enter_merge()
        merged = await _merge_rows(run, entity, staging, standing, now=now, confirmed=confirmed, live=live)
        await _keep_cursor(run, entity, cursor)
        clear = query("ingest_clear_stage").format(stage=statements.staging(entity.name))
        await run.connection.execute(clear, run.parameters(entity.name))
    return merged


async def _keep_cursor(run: Run, entity: Entity, cursor: str | None) -> None:
    if cursor is not None:
        await run.connection.execute(query("ingest_keep_cursor"), run.parameters(entity.name, value=cursor))


async def _merge_rows(
    run: Run,
    entity: Entity,
    staging: Staging,
    standing: Standing | None,
    *,
    now: datetime,
    confirmed: datetime,
    live: bool,
) -> Merged:
    if not (staging.staged or staging.faults or standing):
        return Merged(removed={})
    await _unstage_faults(run, entity, staging)
    settled, misplaced = await _settle(run, entity, staging, standing, now)
    faults = [*staging.faults.values(), *misplaced]
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
        # What is set aside may have stood under another record's row, where taking it away removes nothing.
        unsettled=released or awaited or settled.unsettled or bool(removed or (standing and faults)),
        again=settled.again,
    )


async def _unstage_faults(run: Run, entity: Entity, staging: Staging) -> None:
    if staging.faults:
        statement = query("ingest_unstage_faults").format(stage=statements.staging(entity.name))
        await run.connection.execute(statement, run.parameters(entity.name, keys=list(staging.faults)))


async def _settle(
    run: Run, entity: Entity, staging: Staging, standing: Standing | None, now: datetime
) -> tuple[Resolution, list[Fault]]:
    """Decide which rows the records belong to and place them; returns also what can't be placed.

    Where others were to stand with a record that can't be placed, all is decided once more without that one.
    """
    if standing is None or not standing.needed:
        settled = await identity.resolve(run, standing, (), now) if standing else Resolution()
        await _place(run, entity, resolved=False)
        return settled, await _faulty(run)
    passed_over = frozenset(staging.faults)
    while True:
        async with run.connection.transaction() as attempt:
            settled = await identity.resolve(run, standing, passed_over, now)
            await _place(run, entity, resolved=True)
            faults = await _faulty(run)
            unfit = (await identity.unfit(run, entity)) - passed_over if faults else frozenset[str]()
            if not unfit:
                return settled, faults
            passed_over |= unfit
            raise Rollback(attempt)


async def _place(run: Run, entity: Entity, *, resolved: bool) -> None:
    parameters = run.parameters(entity.name)
    await run.connection.execute(statements.latest(entity, resolved=resolved), parameters)
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
    new, changed = (row["new"], row["changed"]) if row else (0, 0)
    parameters = run.parameters(entity.name, now=now, confirmed=confirmed)
    if statements.identified(entity):
        await connection.execute(query("ingest_identify"), parameters)
    if live:
        await connection.execute(query("ingest_touch").format(table=statements.business(entity.name)), parameters)
    if changed:
        await connection.execute(statements.update(entity), parameters)
    if new:
        await connection.execute(statements.insert(entity), parameters)
    if new or changed:
        await lookup.refresh(connection, entity, rewritten=bool(changed))
    if row and row["relabelled"]:
        await relabel_below(run, {entity.name: row["relabelled"]}, now)
    return new + changed
