"""Stops a load whose rows are mostly unsound, before any of them is written."""

from __future__ import annotations

from datetime import datetime

from copilot.errors import QualityError
from copilot.ingest.quality.checks import Check, load_checks
from copilot.ingest.quality.conditions import fault, figures, parameters, scope
from copilot.ingest.run import Run
from copilot.semantic.model import Entity
from copilot.store.queries import query


async def stop_unsound(run: Run, entity: Entity, now: datetime) -> None:
    """Judge the rows that this merge would write, each by itself.

    Raises QualityError for the first check that too many of them fail, unless the run accepts that.
    """
    checks = [check for check in load_checks().of(entity.name) if check.by_row]
    if run.accept or not checks:
        return
    known = parameters(run.source.id, now)
    scan = query("quality_scan_placed").format(figures=figures(run.model, checks))
    row = await (await run.connection.execute(scan, known)).fetchone() or {}
    for place, check in enumerate(checks):
        rows, failing = row[f"r{place}"], row[f"f{place}"]
        if check.stops(rows, failing):
            raise QualityError(await _message(run, check, now, rows, failing))


async def _message(run: Run, check: Check, now: datetime, rows: int, failing: int) -> str:
    statement = query("quality_examples_placed").format(scope=scope(check), fault=fault(run.model, check))
    row = await (await run.connection.execute(statement, parameters(run.source.id, now))).fetchone()
    example = row["source_key"] if row else ""
    return (
        f"{check.title}: {failing:,} of {rows:,} new or changed rows ({check.id}), such as {example!r}; nothing of"
        f" {check.entity} was loaded and the last good copy stays. Correct them in the source, or let them through"
        f" once: erp-copilot source sync {run.source.name} --accept"
    )
