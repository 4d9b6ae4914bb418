"""One retrieval under way: what it reads with, and how rows become records with their source and age."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any

from copilot.domain.evidence import Raw, Record, Value
from copilot.domain.plan import ACCOUNT, Filter, RecordQuery, StepField
from copilot.domain.scope import Scope
from copilot.retrieval.calendar import UTC_CALENDAR, calendars_of
from copilot.retrieval.measures import Context
from copilot.semantic.compile import compile_query, select_labels
from copilot.semantic.measures import load_measures
from copilot.semantic.model import Entity, SemanticModel
from copilot.store.pool import Connection
from copilot.store.queries import query

Linker = Callable[[str, str, str], str | None]
"""(source name, entity, source key) -> the record's page in its own system, built by the connector's code."""


@dataclass(frozen=True, slots=True)
class Sources:
    names: Mapping[int, str]
    coverage: Mapping[tuple[int, str], datetime]


@dataclass(slots=True)
class Run:
    """The state of one retrieval: grows step by step."""

    model: SemanticModel
    scope: Scope
    sources: Sources
    context: Context
    linker: Linker
    steps: dict[str, tuple[Record, ...]] = field(default_factory=dict[str, tuple[Record, ...]])
    truncated: set[str] = field(default_factory=set[str])
    refused: set[str] = field(default_factory=set[str])
    unkept: set[str] = field(default_factory=set[str])
    records: int = 0
    measures: int = 0

    def kept(self, entity: str) -> bool:
        """Whether any source brings such records: of what none brings, nobody can say that there is none."""
        return any(name == entity for _, name in self.sources.coverage)


async def start(connection: Connection, model: SemanticModel, scope: Scope, context: Context, linker: Linker) -> Run:
    async with connection.pipeline():  # what is asked for in it is here at its end, in one trip
        known = await connection.execute(query("sources_and_coverage"))
        sites = await connection.execute(query("site_calendars"))
    sources, calendars = await known.fetchall(), calendars_of(await sites.fetchall())
    names = {row["id"]: row["name"] for row in sources}
    covered = {(row["id"], row["entity"]): row["confirmed_at"] for row in sources if row["entity"]}
    loaded = {(row["name"], row["entity"]): row["first_loaded_at"] for row in sources if row["first_loaded_at"]}
    purposes = {row["name"]: row["purpose"] for row in sorted(sources, key=lambda row: row["id"])}
    context = replace(context, calendars=calendars, purposes=purposes, first_loads=loaded)
    return Run(model=model, scope=scope, sources=Sources(names, covered), context=context, linker=linker)


async def keepers(connection: Connection, run: Run) -> Mapping[int, frozenset[str]]:
    """Which sources keep stock at each site."""
    rows = await (await connection.execute(query("stock_keepers"))).fetchall()
    return {row["site_id"]: frozenset(run.sources.names[source] for source in row["sources"]) for row in rows}


async def find(connection: Connection, entity: Entity, step: RecordQuery, run: Run) -> tuple[Record, ...]:
    """The records of a query."""
    bound = await _parameters(connection, entity, step, run)
    if bound is None:
        return ()
    rows = await (await connection.execute(compile_query(entity, step), bound)).fetchall()
    return _records(entity, step, rows, run)


async def find_together(connection: Connection, steps: Sequence[RecordQuery], run: Run) -> None:
    """The records of queries that read nothing of each other, kept by their names: all are asked for in one trip."""
    bound = {step.name: await _parameters(connection, run.model[step.entity], step, run) for step in steps}
    async with connection.pipeline():
        asked = {
            step.name: await connection.execute(compile_query(run.model[step.entity], step), values)
            for step in steps
            if (values := bound[step.name]) is not None
        }
    for step in steps:
        rows = await asked[step.name].fetchall() if step.name in asked else None
        run.steps[step.name] = () if rows is None else _records(run.model[step.entity], step, rows, run)


async def _parameters(connection: Connection, entity: Entity, step: RecordQuery, run: Run) -> dict[str, Any] | None:
    """What a query asks with; None where it need not be asked: it may not, or an earlier step found nothing for it."""
    if not run.scope.allows(entity.record_class):
        run.refused.add(step.name)
        return None
    if await is_hidden_beside(connection, entity, step, run):
        run.refused.add(step.name)
    parameters: dict[str, Any] = {f"p{i}": _bound(condition, run) for i, condition in enumerate(step.where)}
    if any(value == [] for value in parameters.values()):
        return None
    if step.since:
        parameters["since"] = _since(step.since, entity, run)
    return parameters | {"limit": step.limit + 1}


def _records(entity: Entity, step: RecordQuery, rows: Sequence[Mapping[str, Any]], run: Run) -> tuple[Record, ...]:
    if len(rows) > step.limit:
        run.truncated.add(step.name)
    if not rows and not run.kept(entity.name):
        run.unkept.add(step.name)
    return tuple(record_of(entity, row, run) for row in rows[: step.limit])


async def is_hidden_beside(connection: Connection, entity: Entity, step: RecordQuery, run: Run) -> bool:
    """Whether records that a step is about are where its own record class may not be read: of those it may find some,
    and never that there are none."""
    return not run.scope.uniform and await hides(connection, entity.record_class, _about(entity, step, run), run)


async def hides(connection: Connection, record_class: str, records: Mapping[str, set[int]], run: Run) -> bool:
    """Whether the scope hides a class where some of these records, by entity and id, are."""
    for name, ids in records.items():
        rows = await connection.execute(select_labels(run.model[name]), {"ids": [*ids]})
        if any(not run.scope.sees(record_class, row.values()) for row in await rows.fetchall()):
            return True
    return False


def _about(entity: Entity, step: RecordQuery, run: Run) -> Mapping[str, set[int]]:
    """The records that the conditions of a step refer to."""
    found: dict[str, set[int]] = {}
    for condition in step.where:
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        to = _referred(entity, condition.field)
        for value in values:
            if isinstance(value, StepField):
                for record in run.steps.get(value.step, ()):
                    if record.kind == "record" and (value.field == "id" or record.raw(value.field) is not None):
                        found.setdefault(record.entity, set()).add(record.row_id)
            elif to and isinstance(value, int):
                found.setdefault(to, set()).add(value)
    return found


def _referred(entity: Entity, field: str) -> str | None:
    """The entity that a field refers to; None for one that says something of the record itself."""
    if field == ACCOUNT:
        return "customer"
    spec = entity.fields.get(field)
    return None if spec is None else spec.to


def _since(asked: datetime, entity: Entity, run: Run) -> datetime:
    """From when versions are read: what the first load of the first source brought was no change."""
    loads = [at for (_, name), at in run.context.first_loads.items() if name == entity.name]
    return max(asked, min(loads, default=asked))


def _bound(condition: Filter, run: Run) -> Any:
    """The parameter of a condition; an empty list where an earlier step found nothing."""
    value = condition.value
    if isinstance(value, StepField):
        return list(dict.fromkeys(_found(value, run)))
    if isinstance(value, tuple):
        each = (_found(v, run) if isinstance(v, StepField) else (v,) for v in value)
        return list(dict.fromkeys(chain.from_iterable(each)))
    return value


def _found(place: StepField, run: Run) -> tuple[Raw, ...]:
    """The values of a field over the records an earlier step found, without the empty ones."""
    values = (r.row_id if place.field == "id" else r.raw(place.field) for r in run.steps.get(place.step, ()))
    return tuple(value for value in values if value is not None)


def record_of(entity: Entity, row: Mapping[str, Any], run: Run) -> Record:
    run.records += 1
    source = run.sources.names.get(row["source_id"], "")
    covered = run.sources.coverage.get((row["source_id"], entity.name))
    calendar = run.context.calendars.get(row["label_site"], UTC_CALENDAR)
    labels = row["label_region"], row["label_site"], row["label_channel"], row["label_account"]
    return Record(
        id=f"S{run.records}",
        kind="record",
        entity=entity.name,
        row_id=row["id"],
        system=source,
        company=row["company"],
        key=row["source_key"],
        version=row["valid_from"],
        labels=labels,
        residency=run.context.policy.residency(entity.record_class, labels),
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


def measure_values(measure: str, values: Mapping[str, Raw]) -> dict[str, Value]:
    """The fields of a measure with what was computed for them, each with its unit."""
    fields = load_measures()[measure].fields
    found: dict[str, Value] = {}
    for name, spec in fields.items():
        unit = values.get(spec.unit_field) if spec.unit_field else spec.unit
        found[name] = Value(spec.type, values.get(name), unit if isinstance(unit, str) else None)
    return found
