"""Stops a load whose rows are mostly unsound, before any of them is written; notes what was stopped or let through."""

from __future__ import annotations

import shlex
from datetime import datetime

from psycopg.types.json import Jsonb

from copilot.errors import QualityError
from copilot.ingest.quality.checks import Check, load_checks
from copilot.ingest.quality.conditions import fault_placed, figures_placed, parameters, scope
from copilot.ingest.run import Run, Stopped
from copilot.semantic.model import Entity
from copilot.store.queries import query


async def stop_unsound(run: Run, entity: Entity, now: datetime) -> None:
    """Judge the rows that this merge would write, by themselves and beside those of their own kind.

    Raises QualityError for the first check that too many of them fail, unless somebody consented to this load; either
    way the run notes which.
    """
    checks = [check for check in load_checks().of(entity.name) if check.before_merge]
    if not checks:
        return
    known = parameters(run.source.id, now)
    scan = query("quality_scan_placed").format(figures=figures_placed(run.model, checks))
    row = await (await run.connection.execute(scan, known)).fetchone() or {}
    for place, check in enumerate(checks):
        rows, failing = row[f"r{place}"], row[f"f{place}"]
        if check.stops(rows, failing):
            run.stopped.append(Stopped(entity=entity.name, check=check.id, rows=rows, failing=failing))
            if run.consent is None:
                raise QualityError(await _message(run, check, now, rows, failing))


async def note_stopped(run: Run) -> None:
    """Keep with the batch what was stopped, or let through, by whom and why. Rolls back with no merge."""
    if run.stopped:
        consent = run.consent
        parameters = {
            "batch": run.batch_id,
            "stopped": Jsonb([each.to_json() for each in run.stopped]),
            "by": consent.by if consent else None,
            "why": consent.why if consent else None,
        }
        await run.connection.execute(query("quality_note_batch"), parameters)


async def _message(run: Run, check: Check, now: datetime, rows: int, failing: int) -> str:
    statement = query("quality_examples_placed").format(scope=scope(check), fault=fault_placed(run.model, check))
    row = await (await run.connection.execute(statement, parameters(run.source.id, now))).fetchone()
    example = row["source_key"] if row else ""
    return (
        f"{check.title}: {failing:,} of {rows:,} new or changed rows ({check.id}), such as {example!r}; nothing of"
        f" {check.entity} was loaded and the last good copy stays. Correct them in the source, or let them through"
        f" once and say why: erp-copilot source sync {shlex.quote(run.source.name)} --accept WHY"
    )
