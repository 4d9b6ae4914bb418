"""Runs a plan's steps in one REPEATABLE READ, READ ONLY scoped transaction and computes its measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from copilot.domain.evidence import Evidence, Record
from copilot.domain.plan import Attributes, Computation, Figures, Listing, OtherStep, Plan, RecordQuery, Step, Survey
from copilot.domain.residency import together
from copilot.domain.scope import Scope
from copilot.policy.policy import Policy
from copilot.retrieval.attributes import attributes
from copilot.retrieval.composed import listed, worked_out
from copilot.retrieval.measures import MEASURES, NEED_KEEPERS, Context
from copilot.retrieval.measures import Figures as Computed
from copilot.retrieval.run import Linker, Run, find_together, hides, measure_values, start
from copilot.retrieval.run import keepers as read_keepers
from copilot.retrieval.surveys import surveyed
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection, Database

__all__ = ["Linker", "retrieve"]


async def retrieve(
    database: Database,
    model: SemanticModel,
    plan: Plan,
    scope: Scope,
    *,
    policy: Policy,
    now: datetime,
    linker: Linker,
    taken: int = 0,
) -> Evidence:
    """The evidence of a plan. A step over a class that the scope lacks never reaches SQL and finds nothing. The numbers
    of ids begin after `taken`."""
    async with database.scoped_transaction(scope) as connection:
        context = Context(policy=policy, now=now, period=plan.period, wanted=plan.wanted)
        run = await start(connection, model, scope, context, linker)
        run.records = run.measures = taken
        if any(isinstance(step, Computation) and step.measure in NEED_KEEPERS for step in plan.steps):
            run.context = replace(run.context, keepers=await read_keepers(connection, run))
        for step in _together(plan.steps):
            match step:
                case [*queries]:
                    await find_together(connection, queries, run)
                case Computation():
                    if await _lacks_some(connection, plan, step, run):
                        run.refused.add(step.name)
                    run.steps[step.name] = _compute(step, run)
                case Listing():
                    run.steps[step.name] = await listed(connection, model, step, run)
                case Attributes():
                    run.steps |= await attributes(connection, model, step, run)
                case Survey():
                    run.steps[step.name] = await surveyed(connection, model, step, run)
                case Figures():
                    run.steps |= await worked_out(connection, model, step, run)
                case _:
                    assert_never(step)
    return Evidence(
        steps=run.steps,
        truncated=frozenset(run.truncated),
        refused=frozenset(run.refused),
        unkept=frozenset(run.unkept),
    )


def _together(steps: Iterable[Step]) -> Iterator[list[RecordQuery] | OtherStep]:
    """The steps in order; queries one after the other that read nothing of each other as one."""
    queries: list[RecordQuery] = []
    for step in steps:
        independent = isinstance(step, RecordQuery) and step.reads.isdisjoint(each.name for each in queries)
        if queries and not independent:
            yield queries
            queries = []
        if isinstance(step, RecordQuery):
            queries.append(step)
        else:
            yield step
    if queries:
        yield queries


def _compute(step: Computation, run: Run) -> tuple[Record, ...]:
    if run.refused.intersection((step.name, *step.inputs)):
        run.refused.add(step.name)  # computed over less than it says, it would be wrong
        return ()
    inputs = tuple(run.steps.get(name, ()) for name in step.inputs)
    context = replace(run.context, complete=not run.truncated.intersection(step.inputs))
    figures = MEASURES[step.measure](context, *inputs)
    records = {record.id: record for found in run.steps.values() for record in found}
    return tuple(_measured(step.measure, each, records, run) for each in figures)


async def _lacks_some(connection: Connection, plan: Plan, step: Computation, run: Run) -> bool:
    """Whether some of what is computed with is where the class of some other of it may not be read."""
    if run.scope.uniform:
        return False
    asked = [each for each in plan.steps if isinstance(each, RecordQuery) and each.name in step.inputs]
    classes = {run.model[each.entity].record_class for each in asked}
    records: dict[str, set[int]] = {}
    for record in (record for name in step.inputs for record in run.steps.get(name, ())):
        if record.kind == "record":
            records.setdefault(record.entity, set()).add(record.row_id)
    return run.scope.differs(classes) and any([await hides(connection, each, records, run) for each in classes])


def _measured(measure: str, figures: Computed, records: Mapping[str, Record], run: Run) -> Record:
    run.measures += 1
    about = figures.about
    return Record(
        id=f"M{run.measures}",
        kind="measure",
        entity=measure,
        row_id=0,
        system=about.system,
        company=about.company,
        key=f"{measure}({', '.join(figures.inputs[:3])}{', …' if len(figures.inputs) > 3 else ''})",
        version=about.version,
        labels=about.labels,
        residency=together(records[name].residency for name in figures.inputs if name in records) & about.residency,
        time_zone=figures.time_zone or about.time_zone,
        values=measure_values(measure, figures.values),
        changed_at=None,
        confirmed_at=min((figures.oldest, about.confirmed_at)),
        inputs=figures.inputs,
    )
