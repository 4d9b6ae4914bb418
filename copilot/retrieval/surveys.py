"""Runs the surveys of a plan: named statements over everything in scope, whose rows become records of a measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from copilot.domain.evidence import Record
from copilot.domain.plan import Survey
from copilot.domain.reach import UNLABELLED
from copilot.domain.residency import Residency
from copilot.retrieval.calendar import UTC_CALENDAR
from copilot.retrieval.run import Run, measure_values
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection, together
from copilot.store.queries import query


async def surveyed(connection: Connection, model: SemanticModel, step: Survey, run: Run) -> tuple[Record, ...]:
    """The first rows; none where the scope lacks a class that they are worked out from."""
    classes = frozenset(model[entity].record_class for entity in step.reads)
    if not all(map(run.scope.together(classes).allows, classes)):
        run.refused.add(step.name)
        return ()
    parameters: dict[str, Any] = {
        "since": step.since, "until": step.until, "sites": [*step.sites], "regions": [*step.regions],
        "customers": [*step.customers], "limit": step.limit,
    }  # fmt: skip
    async with together(connection, run.scope, classes):
        rows = await (await connection.execute(query(f"survey_{step.measure}"), parameters)).fetchall()
    if not rows and not all(run.kept(entity) for entity in step.reads):
        run.unkept.add(step.name)
    residency = run.context.policy.residency_of_all(classes)
    return tuple(_record(step.measure, row, residency, run) for row in rows)


def _record(measure: str, row: Mapping[str, Any], residency: Residency, run: Run) -> Record:
    run.measures += 1
    calendar = run.context.calendars.get(row["label_site"], UTC_CALENDAR)
    return Record(
        id=f"M{run.measures}",
        kind="measure",
        entity=measure,
        row_id=0,
        system=run.sources.names.get(row["source_id"], ""),
        company=row["company"],
        key=f"{measure}({row['source_key']})",
        version=row["valid_from"],
        labels=(UNLABELLED, row["label_site"], UNLABELLED, UNLABELLED),
        residency=residency,
        time_zone=calendar.time_zone,
        values=measure_values(measure, row),
        changed_at=None,
        confirmed_at=row["confirmed_at"],
    )
