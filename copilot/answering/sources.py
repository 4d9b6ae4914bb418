"""Turns the evidence behind an answer into the sources it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from copilot.answering.draft import Claim
from copilot.answering.printing import clean, print_value
from copilot.domain.answer import Source
from copilot.domain.evidence import Evidence, Record
from copilot.semantic.definitions import definition_of, refers_to
from copilot.semantic.forms import load_forms
from copilot.semantic.model import SemanticModel
from copilot.semantic.titles import load_titles

MOST_SOURCES = 80


def used_records(claims: Iterable[Claim], evidence: Evidence) -> tuple[Record, ...]:
    """The records that facts or measures of the claims come from, in the order found."""
    records = evidence.by_id()
    used = {fact.ref.partition(".")[0] for claim in claims for fact in claim.facts}
    inputs = {name for source in used if source in records for name in records[source].inputs}
    return tuple(record for name, record in records.items() if name in used | inputs)


def sources(claims: Sequence[Claim], evidence: Evidence, model: SemanticModel, now: datetime) -> tuple[Source, ...]:
    """The sources of an answer: all that its facts name, then what those were computed from and the rest of the same
    plan, up to a limit."""
    records, used = evidence.by_id(), used_records(claims, evidence)
    cited = {fact.ref.partition(".")[0] for claim in claims for fact in claim.facts} & records.keys()
    shown = {record.id: record for record in (*(r for r in used if r.id in cited), *used, *records.values())}
    steps = {record.id: step for step, found in evidence.steps.items() for record in found}
    most = max(MOST_SOURCES, len(cited))
    chosen = sorted(list(shown.values())[:most], key=lambda r: (r.kind == "measure", int(r.id[1:])))
    return tuple(_source(record, steps[record.id], evidence, model, now) for record in chosen)


def _source(record: Record, step: str, evidence: Evidence, model: SemanticModel, now: datetime) -> Source:
    measured = record.kind == "measure"
    definition = definition_of(record.entity) if measured else None
    return Source(
        id=record.id,
        kind=record.kind,
        system=record.system,
        entity=record.entity,
        title=definition.title if definition else _record_title(record, model),
        key=record.key,
        age_seconds=max(0, int((now - record.confirmed_at).total_seconds())),
        confirmed_at=record.confirmed_at,
        changed_at=record.changed_at,
        link=record.link,
        fields=dict(_fields(record, evidence, model)),
        step=step,
        residency=record.residency,
        version=record.began is not None,
    )


def _record_title(record: Record, model: SemanticModel) -> str:
    title = model[record.entity].title
    return title if record.ended is None else load_forms().said["former"].format(title)


def _fields(record: Record, evidence: Evidence, model: SemanticModel) -> Iterator[tuple[str, str]]:
    """Field titles and printed values; a reference is printed as the name or number of the record it leads to."""
    if record.kind == "measure":
        yield load_forms().said["formula"], definition_of(record.entity).formula
    for name, value in record.values.items():
        printed = print_value(record, value)
        if value.type == "ref" and isinstance(value.raw, int):
            printed = _named(_target(record, name, model), value.raw, evidence, model)
        if printed:
            yield _title(record, name, model), printed


def _title(record: Record, name: str, model: SemanticModel) -> str:
    return (
        load_titles().field(record.entity, name)
        if record.kind == "measure"
        else model[record.entity].fields[name].title
    )


def _target(record: Record, name: str, model: SemanticModel) -> str:
    if record.kind == "measure":
        return refers_to(record.entity, name)
    return model[record.entity].fields[name].to or ""


def _named(entity: str, row_id: int, evidence: Evidence, model: SemanticModel) -> str | None:
    """What people call a record of the evidence; None for one that is not part of it."""
    for record in evidence.by_id().values():
        if record.entity == entity and record.row_id == row_id and record.kind == "record":
            name = record.raw("name") or record.raw(model[entity].key or "number")
            return clean(str(name)) if name else None
    return None
