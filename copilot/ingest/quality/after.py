"""Judges a source's whole copy after a sync, entity by entity, keeps the results with the batch and publishes them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import psycopg

from copilot.ingest.quality.checks import Check, load_checks, touched
from copilot.ingest.quality.conditions import by_place, fault, parameters, scope
from copilot.ingest.quality.parts import load_parts
from copilot.ingest.quality.published import Delivery, Judged, publish, published
from copilot.ingest.report import Progress
from copilot.ingest.run import Run
from copilot.ingest.statements import business
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.store.queries import query


async def judge(run: Run, worker: Connection, delivery: Delivery, progress: Progress) -> None:
    """Judge what changed, and what was never judged, of what the source offers, and publish what was found.

    In transactions of their own. A check that can't be made is told to `progress`; the sync stands all the same.
    """
    try:
        async with run.connection.transaction():
            standing = await published(run)
            found = await _judge(run, delivery, standing)
            await publish(run, worker, found, delivery, standing)
    except psycopg.Error as error:
        progress(f"the quality of the data could not be checked ({type(error).__name__}); the sync itself is complete")
        return
    over = sum(check.warns(rows, failing) for judged in found for check, rows, failing in judged.totals)
    if over:
        progress(f"{over} quality checks are over their limit; see: erp-copilot source quality {run.source.name}")


async def _judge(run: Run, delivery: Delivery, standing: Collection[str]) -> Sequence[Judged]:
    await run.connection.execute(query("quality_settings"))
    known = {"source": run.source.id}
    rows = await (await run.connection.execute(query("quality_judged"), known)).fetchall()
    before = {row["check_id"]: row["failing"] for row in rows}
    stale = await _waiting_anew(run, before) | (load_parts().keys() - set(standing))
    possible = due_checks(run.model, delivery.offered, delivery.changed, before, stale)
    due = [check for check in possible if check.entity not in delivery.skipped]
    found = [
        await _judge_entity(run, entity, [check for check in due if check.entity == entity])
        for entity in dict.fromkeys(check.entity for check in due)
    ]
    if due:
        await run.connection.execute(query("quality_forget"), known)
    return found


async def _waiting_anew(run: Run, before: Mapping[str, int]) -> set[str]:
    """Entities of which other rows than before name records that are not here, although no row of theirs changed."""
    statement = query("quality_waiting_rows")
    rows = await (await run.connection.execute(statement, {"source": run.source.id})).fetchall()
    waiting = {(row["entity"], row["field"]): row["rows"] for row in rows}
    checks = [check for check in load_checks().checks.values() if check.kind == "unresolved" and check.id in before]
    return {check.entity for check in checks if waiting.get((check.entity, check.field), 0) != before[check.id]}


def due_checks(
    model: SemanticModel,
    offered: Collection[str],
    changed: Collection[str],
    judged: Collection[str],
    stale: Collection[str] = (),
) -> Iterator[Check]:
    """All checks of every entity of which one may have another result or has none, and of the `stale` ones, as far as
    the source delivers what they need."""
    checks = [check for check in load_checks().checks.values() if touched(check, model) <= set(offered)]
    due = {check.entity for check in checks if check.id not in judged or _beside(check, model) & set(changed)}
    return (check for check in checks if check.entity in due | set(stale))


def _beside(check: Check, model: SemanticModel) -> frozenset[str]:
    """The entities whose change may change the check's result."""
    units = {"item", "item_unit"} if check.codes == "unit" else set[str]()
    return touched(check, model) | units


async def _judge_entity(run: Run, entity: str, checks: list[Check]) -> Judged:
    now = run.clock()
    scan = by_place(run.model, checks)
    places = await (await run.connection.execute(scan, parameters(run.source.id, now))).fetchall()
    judged = Judged(entity=entity, checks=tuple(checks), places=places)
    for check, rows, failing in judged.totals:
        keys = await _examples(run, check, parameters(run.source.id, now)) if failing else []
        kept = run.parameters(entity, check=check.id, rows=rows, failing=failing, keys=keys, now=now)
        await run.connection.execute(query("quality_keep"), kept)
    return judged


async def _examples(run: Run, check: Check, known: Mapping[str, Any]) -> list[str]:
    statement = query("quality_examples").format(
        table=business(check.entity), scope=scope(check), fault=fault(run.model, check)
    )
    return [row["source_key"] for row in await (await run.connection.execute(statement, known)).fetchall()]
