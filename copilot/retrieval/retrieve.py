"""Runs a plan's steps in one REPEATABLE READ, READ ONLY scoped transaction and computes its measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any, assert_never

from copilot.domain.evidence import Evidence, Raw, Record, Value
from copilot.domain.plan import Computation, Filter, Plan, RecordQuery, StepField
from copilot.domain.scope import Scope
from copilot.policy.policy import Policy
from copilot.retrieval.calendar import UTC_CALENDAR, read_calendars
from copilot.retrieval.measures import MEASURES, NEED_KEEPERS, Context, Figures
from copilot.semantic.compile import compile_query
from copilot.semantic.measures import load_measures
from copilot.semantic.model import Entity, SemanticModel
from copilot.store.pool import Connection, Database
from copilot.store.queries import query

Linker = Callable[[str, str, str], str | None]
"""(source name, entity, source key) -> the record's page in its own system, built by the connector's code."""


@dataclass(frozen=True, slots=True)
class _Sources:
    names: Mapping[int, str]
    coverage: Mapping[tuple[int, str], datetime]


@dataclass(slots=True)
class _Run:
    """The state of one retrieval: grows step by step."""

    scope: Scope
    sources: _Sources
    context: Context
    linker: Linker
    steps: dict[str, tuple[Record, ...]] = field(default_factory=dict[str, tuple[Record, ...]])
    truncated: set[str] = field(default_factory=set[str])
    refused: set[str] = field(default_factory=set[str])
    records: int = 0
    measures: int = 0


async def retrieve(
    database: Database,
    model: SemanticModel,
    plan: Plan,
    scope: Scope,
    *,
    policy: Policy,
    now: datetime,
    linker: Linker,
) -> Evidence:
    """The evidence of a plan. A step over a class that the scope lacks never reaches SQL and finds nothing."""
    async with database.scoped_transaction(scope) as connection:
        run = await _start(connection, scope, Context(policy=policy, now=now, period=plan.period), linker)
        if any(isinstance(step, Computation) and step.measure in NEED_KEEPERS for step in plan.steps):
            run.context = replace(run.context, keepers=await _keepers(connection, run))
        for step in plan.steps:
            match step:
                case RecordQuery():
                    run.steps[step.name] = await _find(connection, model[step.entity], step, run)
                case Computation():
                    run.steps[step.name] = _compute(step, run)
                case _:
                    assert_never(step)
    return Evidence(steps=run.steps, truncated=frozenset(run.truncated), refused=frozenset(run.refused))


async def _start(connection: Connection, scope: Scope, context: Context, linker: Linker) -> _Run:
    sources = await (await connection.execute(query("sources_and_coverage"))).fetchall()
    calendars = await read_calendars(connection)
    names = {row["id"]: row["name"] for row in sources}
    covered = {(row["id"], row["entity"]): row["confirmed_at"] for row in sources if row["entity"]}
    loaded = {(row["name"], row["entity"]): row["first_loaded_at"] for row in sources if row["first_loaded_at"]}
    purposes = {row["name"]: row["purpose"] for row in sorted(sources, key=lambda row: row["id"])}
    context = replace(context, calendars=calendars, purposes=purposes, first_loads=loaded)
    return _Run(scope=scope, sources=_Sources(names, covered), context=context, linker=linker)


async def _keepers(connection: Connection, run: _Run) -> Mapping[int, frozenset[str]]:
    rows = await (await connection.execute(query("stock_keepers"))).fetchall()
    return {row["site_id"]: frozenset(run.sources.names[source] for source in row["sources"]) for row in rows}


async def _find(connection: Connection, entity: Entity, step: RecordQuery, run: _Run) -> tuple[Record, ...]:
    if not run.scope.allows(entity.record_class):
        run.refused.add(step.name)
        return ()
    parameters: dict[str, Any] = {f"p{i}": _bound(condition, run) for i, condition in enumerate(step.where)}
    if any(value == [] for value in parameters.values()):
        return ()
    if step.since:
        parameters["since"] = _since(step.since, entity, run)
    statement = compile_query(entity, step)
    rows = await (await connection.execute(statement, parameters | {"limit": step.limit + 1})).fetchall()
    if len(rows) > step.limit:
        run.truncated.add(step.name)
    return tuple(_record(entity, row, run) for row in rows[: step.limit])


def _since(asked: datetime, entity: Entity, run: _Run) -> datetime:
    """From when versions are read: what the first load of the first source brought was no change."""
    loads = [at for (_, name), at in run.context.first_loads.items() if name == entity.name]
    return max(asked, min(loads, default=asked))


def _bound(condition: Filter, run: _Run) -> Any:
    """The parameter of a condition; an empty list where an earlier step found nothing."""
    value = condition.value
    if isinstance(value, StepField):
        return list(dict.fromkeys(_found(value, run)))
    if isinstance(value, tuple):
        each = (_found(v, run) if isinstance(v, StepField) else (v,) for v in value)
        return list(dict.fromkeys(chain.from_iterable(each)))
    return value


def _found(place: StepField, run: _Run) -> tuple[Raw, ...]:
    """The values of a field over the records an earlier step found, without the empty ones."""
    values = (r.row_id if place.field == "id" else r.raw(place.field) for r in run.steps.get(place.step, ()))
    return tuple(value for value in values if value is not None)


def _record(entity: Entity, row: Mapping[str, Any], run: _Run) -> Record:
    run.records += 1
    source = run.sources.names.get(row["source_id"], "")
    covered = run.sources.coverage.get((row["source_id"], entity.name))
    calendar = run.context.calendars.get(row["label_site"], UTC_CALENDAR)
    return Record(
        id=f"S{run.records}",
        kind="record",
        entity=entity.name,
        row_id=row["id"],
        system=source,
        company=row["company"],
        key=row["source_key"],
        version=row["valid_from"],
        site_id=row["label_site"],
        time_zone=calendar.time_zone,
        values={name: _value(entity, name, row) for name in entity.fields},
        changed_at=row["changed_at"],
        confirmed_at=max(row["confirmed_at"], covered) if covered else row["confirmed_at"],
        link=run.linker(source, entity.name, row["source_key"]),
        ended=row.get("valid_to"),
        removed=row.get("removed", False),
        began=row.get("began_at"),
    )


def _value(entity: Entity, name: str, row: Mapping[str, Any]) -> Value:
    spec = entity.fields[name]
    unit = row.get(spec.unit_field) if spec.unit_field else None
    return Value(spec.type, row[spec.column], unit)


def _compute(step: Computation, run: _Run) -> tuple[Record, ...]:
    if run.refused.intersection(step.inputs):
        run.refused.add(step.name)  # computed over less than it says, it would be wrong
        return ()
    inputs = tuple(run.steps.get(name, ()) for name in step.inputs)
    context = replace(run.context, complete=not run.truncated.intersection(step.inputs))
    figures = MEASURES[step.measure](context, *inputs)
    return tuple(_measured(step.measure, each, run) for each in figures)


def _measured(measure: str, figures: Figures, run: _Run) -> Record:
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
        site_id=about.site_id,
        time_zone=figures.time_zone or about.time_zone,
        values=_measure_values(measure, figures.values),
        changed_at=None,
        confirmed_at=min((figures.oldest, about.confirmed_at)),
        inputs=figures.inputs,
    )


def _measure_values(measure: str, values: Mapping[str, Raw]) -> dict[str, Value]:
    fields = load_measures()[measure].fields
    found: dict[str, Value] = {}
    for name, spec in fields.items():
        unit = values.get(spec.unit_field) if spec.unit_field else spec.unit
        found[name] = Value(spec.type, values.get(name), unit if isinstance(unit, str) else None)
    return found
