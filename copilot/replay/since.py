"""What has changed since an answer was given: its records, its templates, the policy, prompts and models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from copilot.answering.draft import Templates
from copilot.answering.printing import print_value
from copilot.domain.claims import Outline
from copilot.domain.evidence import Record
from copilot.domain.json import Json
from copilot.domain.plan import Filter, Operator, Plan, RecordQuery
from copilot.semantic.model import SemanticModel
from prompts.template import template_digest

_UNPRINTED = ("ref",)
"""Fields that name another record by its id, which says nothing to a person."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that has another value now, as printed; None where there is none to print."""

    title: str
    then: str | None
    now: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange:
    """A record of the answer that is another now, or gone."""

    ref: str
    entity: str
    key: str
    gone: bool
    fields: tuple[FieldChange, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As the command prints it."""
        fields: list[Json] = [{"field": each.title, "then": each.then, "now": each.now} for each in self.fields]
        return {"ref": self.ref, "entity": self.entity, "key": self.key, "gone": self.gone, "fields": fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What has changed. `records` is None where they may not be read."""

    records: tuple[RecordChange, ...] | None
    templates: Mapping[str, Literal["changed", "revoked"]]
    policy: tuple[str, str] | None
    """The version of then and that of now, where they differ."""
    prompts: Mapping[str, str]
    """The prompts that models were asked by -> what has become of them, where something has."""
    models: tuple[str, ...]
    """The models asked that are not set up any more."""

    def to_json(self) -> dict[str, Json]:
        """As the command prints it."""
        return {
            "records": None if self.records is None else [each.to_json() for each in self.records],
            "templates": dict(self.templates),
            "policy": None if self.policy is None else {"then": self.policy[0], "now": self.policy[1]},
            "prompts": dict(self.prompts),
            "models": [*self.models],
        }


def reading(records: Sequence[Record]) -> Plan:
    """The plan that reads some records as they are now."""
    ids: dict[str, list[int]] = {}
    for record in records:
        if record.row_id not in ids.setdefault(record.entity, []):
            ids[record.entity].append(record.row_id)
    steps = tuple(
        RecordQuery(name=entity, entity=entity, where=(Filter("id", Operator.IN, tuple(of)),), limit=len(of))
        for entity, of in ids.items()
    )
    return Plan(kind="", references={}, steps=steps, outline=Outline(groups=()))


def standing(records: Sequence[Record]) -> tuple[Record, ...]:
    """Those that were told as they stood then: a version of the past is what it is."""
    return tuple(each for each in records if each.kind == "record" and each.began is None and each.ended is None)


def changed(then: Sequence[Record], now: Sequence[Record], model: SemanticModel) -> Iterator[RecordChange]:
    """The records that are others now, or gone."""
    current = {(record.entity, record.row_id): record for record in now}
    for record in then:
        found = current.get((record.entity, record.row_id))
        fields = tuple(_fields(record, found, model)) if found is not None else ()
        if found is None or fields:
            yield RecordChange(ref=record.id, entity=record.entity, key=record.key, gone=found is None, fields=fields)


def templates_since(then: Mapping[str, str], now: Templates) -> Mapping[str, Literal["changed", "revoked"]]:
    """The templates by which claims were said, of which other words are approved now, or none."""
    found: dict[str, Literal["changed", "revoked"]] = {}
    for name, digest in then.items():
        if name not in now:
            found[name] = "revoked"
        elif template_digest(now[name]) != digest:
            found[name] = "changed"
    return found


def _fields(then: Record, now: Record, model: SemanticModel) -> Iterator[FieldChange]:
    known = model[then.entity].fields
    for name in dict.fromkeys((*then.values, *now.values)):
        before, after = then.values.get(name), now.values.get(name)
        if before != after and name in known:
            shown = known[name].type not in _UNPRINTED
            printed = [print_value(then, each) if each and shown else None for each in (before, after)]
            yield FieldChange(known[name].title, *printed)
