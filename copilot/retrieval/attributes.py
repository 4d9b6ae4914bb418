"""Reads single fields of records, each told with its record's name; the record itself stays the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from copilot.domain.evidence import Record, Value
from copilot.domain.plan import UNKNOWN, Attribute, Attributes, Filter, Operator, RecordQuery, StepField
from copilot.retrieval.run import Run, find
from copilot.semantic.definitions import RECORD_FIELD
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection

_NAMES = ("name", "number", "code")
"""What a record is called by, the first that it has."""
_BESIDE_LIMIT = 40


async def attributes(
    connection: Connection, model: SemanticModel, step: Attributes, run: Run
) -> Mapping[str, tuple[Record, ...]]:
    """The fields under the step's name, after the records that they are read from; what has no value apart."""
    ids = _ids(step, run)
    own = await _by(connection, model, step.entity, "id", ids, run)
    steps: dict[str, tuple[Record, ...]] = {f"{step.name}_of": own}
    told: list[Record] = []
    for n, attribute in enumerate(step.attributes):
        rows = own
        if attribute.by:
            rows = await _by(connection, model, attribute.entity, attribute.by, ids, run)
            steps[f"{step.name}_{n}"] = rows
        named = await _referred(connection, model, attribute, rows, run)
        steps[f"{step.name}_{n}_named"] = tuple(named.values())
        for record in own:
            those = [row for row in rows if row is record or (attribute.by and row.raw(attribute.by) == record.row_id)]
            told += [_told(model, attribute, record, row, named, run) for row in those] or [
                _missing(model, attribute, record, run)
            ]
    known = tuple(each for each in told if each.raw("value") not in (None, ""))
    return {**steps, step.name: known, step.name + UNKNOWN: tuple(each for each in told if each not in known)}


def _ids(step: Attributes, run: Run) -> tuple[int, ...]:
    """The ids given, or those of what an earlier step found."""
    if not isinstance(step.ids, StepField):
        return step.ids
    return tuple(record.row_id for record in run.steps.get(step.ids.step, ()))


async def _by(
    connection: Connection, model: SemanticModel, entity: str, field: str, ids: Sequence[int], run: Run
) -> tuple[Record, ...]:
    """The records whose field is one of the ids; none of a class that the scope lacks, which reads as not recorded."""
    if not ids or not run.scope.allows(model[entity].record_class):
        return ()
    where = (Filter(field, Operator.IN, tuple(ids)),)
    step = RecordQuery(name=entity, entity=entity, where=where, limit=max(len(ids), _BESIDE_LIMIT))
    return await find(connection, model[entity], step, run)


async def _referred(
    connection: Connection, model: SemanticModel, attribute: Attribute, rows: Sequence[Record], run: Run
) -> Mapping[int, Record]:
    """The records that a reference leads to, by id."""
    spec = model[attribute.entity].fields[attribute.path[0]]
    if spec.type != "ref":
        return {}
    ids = [ident for row in rows if isinstance(ident := row.raw(spec.name), int)]
    return {record.row_id: record for record in await _by(connection, model, str(spec.to), "id", ids, run)}


def _told(
    model: SemanticModel, attribute: Attribute, record: Record, row: Record, named: Mapping[int, Record], run: Run
) -> Record:
    value = row.values[attribute.path[0]]
    inputs = tuple(dict.fromkeys((record.id, row.id)))
    if value.type == "ref":
        other = named.get(value.raw) if isinstance(value.raw, int) else None
        value = Value("text", _called(other, _NAMES) if other else None)
        inputs = (*inputs, other.id) if other else inputs
    return _measured(model, attribute, record, value, inputs, run)


def _missing(model: SemanticModel, attribute: Attribute, record: Record, run: Run) -> Record:
    return _measured(model, attribute, record, Value("text", None), (record.id,), run)


def _measured(
    model: SemanticModel, attribute: Attribute, record: Record, value: Value, inputs: tuple[str, ...], run: Run
) -> Record:
    run.measures += 1
    title = model[attribute.entity].fields[attribute.path[0]].title
    return Record(
        id=f"M{run.measures}", kind="measure", entity=RECORD_FIELD, row_id=0, system=record.system,
        company=record.company, key=".".join((attribute.entity, *attribute.path)), version=record.version,
        labels=record.labels, residency=record.residency, time_zone=record.time_zone,
        values={
            "title": Value("text", title[:1].upper() + title[1:]),
            "name": Value("text", _called(record, _NAMES)),
            "number": Value("text", str(record.raw("number")) if record.raw("name") and record.raw("number") else None),
            "value": value,
            "of": Value("ref", record.row_id),
        },
        changed_at=record.changed_at, confirmed_at=record.confirmed_at, inputs=inputs,
    )  # fmt: skip


def _called(record: Record, names: Sequence[str]) -> str | None:
    return next((str(record.raw(name)) for name in names if record.raw(name)), None)
