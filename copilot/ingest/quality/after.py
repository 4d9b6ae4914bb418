"""Judges a source's whole copy after a sync, entity by entity, and keeps the results with the batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import psycopg

from copilot.ingest.quality.checks import Check, load_checks, touched
from copilot.ingest.quality.conditions import fault, figures, parameters, scope
from copilot.ingest.report import Progress
from copilot.ingest.run import Run
from copilot.ingest.statements import business
from copilot.semantic.model import SemanticModel
from copilot.store.queries import query


async def judge(run: Run, offered: Collection[str], changed: Collection[str], progress: Progress) -> None:
    """Judge what changed, and what was never judged, of what the source offers.

    In a transaction of its own. A check that can't be made is told to `progress`; the sync stands all the same.
    """
    try:
        async with run.connection.transaction():
            over = await _judge(run, offered, changed)
    except psycopg.Error as error:
        progress(f"the quality of the data could not be checked ({type(error).__name__}); the sync itself is complete")
        return
    if over:
        progress(f"{over} quality checks are over their limit; see: erp-copilot source quality {run.source.name}")


async def _judge(run: Run, offered: Collection[str], changed: Collection[str]) -> int:
    await run.connection.execute(query("quality_settings"))
    rows = await (await run.connection.execute(query("quality_judged"), {"source": run.source.id})).fetchall()
    due = list(due_checks(run.model, offered, changed, {row["check_id"] for row in rows}))
    over = 0
    for entity in dict.fromkeys(check.entity for check in due):
        over += await _judge_entity(run, entity, [check for check in due if check.entity == entity])
    if due:
        await run.connection.execute(query("quality_forget"), {"source": run.source.id})
    return over


def due_checks(
    model: SemanticModel, offered: Collection[str], changed: Collection[str], judged: Collection[str]
) -> Iterator[Check]:
    """The checks whose result may have changed or that have none, of what the source delivers whole."""
    for check in load_checks().checks.values():
        needed = touched(check, model)
        beside = {"item", "item_unit"} if check.codes == "unit" else set[str]()
        if needed <= set(offered) and (check.id not in judged or (needed | beside) & set(changed)):
            yield check


async def _judge_entity(run: Run, entity: str, checks: list[Check]) -> int:
    now = run.clock()
    known = parameters(run.source.id, now)
    table = business(entity)
    scan = query("quality_scan").format(figures=figures(run.model, checks), table=table)
    row = await (await run.connection.execute(scan, known)).fetchone() or {}
    over = 0
    for place, check in enumerate(checks):
        rows, failing = row[f"r{place}"], row[f"f{place}"]
        keys: list[str] = []
        if failing:
            examples = query("quality_examples").format(table=table, scope=scope(check), fault=fault(run.model, check))
            keys = [each["source_key"] for each in await (await run.connection.execute(examples, known)).fetchall()]
        kept = run.parameters(entity, check=check.id, rows=rows, failing=failing, keys=keys, now=now)
        await run.connection.execute(query("quality_keep"), kept)
        over += check.warns(rows, failing)
    return over
