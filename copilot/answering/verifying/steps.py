"""The records of the plan's steps, looked up by code of the reader's own: each step is gone over once at most."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from unicodedata import category

from copilot.domain.claims import Binding, ClaimSpec, Pick
from copilot.domain.evidence import Evidence, Raw, Record
from prompts.template import ClaimTemplate

Bound = Mapping[str, Record]
"""Slot -> its record."""


class Steps:
    """What each step found."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.records = {record.id: record for found in evidence.steps.values() for record in found}
        self._members: dict[str, frozenset[str]] = {}
        self._by_value: dict[tuple[str, str], Mapping[Raw, Record]] = {}
        self._ordered: dict[tuple[str, str], bool] = {}

    def found(self, step: str) -> tuple[Record, ...]:
        """The records of a step, in their order."""
        return self.evidence.steps.get(step, ())

    def has(self, step: str, record: Record) -> bool:
        """Whether a step found a record."""
        if step not in self._members:
            self._members[step] = frozenset(each.id for each in self.found(step))
        return record.id in self._members[step]

    def empty(self, step: str) -> bool:
        """Whether it may be said that there is nothing: the step ran over all there is and found none."""
        unsure = step in self.evidence.refused or step in self.evidence.unkept
        return not unsure and not self.found(step)

    def related(self, binding: Binding, other: Record) -> Record | None:
        """The first record of a step that a binding relates to another one."""
        if binding.pick is Pick.BY:
            return self._index(binding.step, "").get(other.raw(binding.field))
        return self._index(binding.step, binding.field).get(other.row_id)

    def ordered(self, step: str, order: str) -> bool:
        """Whether the records of a step stand in the order of a field (`-` before it: reversed) that is a figure or a
        date; how text is compared is the database's to say."""
        key = (step, order)
        if key not in self._ordered:
            values = [record.raw(order.removeprefix("-")) for record in self.found(step)]
            known = [_place(value) for value in values if value is not None and not isinstance(value, str)]
            self._ordered[key] = known == sorted(known, reverse=order.startswith("-"))
        return self._ordered[key]

    def _index(self, step: str, field: str) -> Mapping[Raw, Record]:
        """By a field of its records, or by their own ids where none is named; the first of each value."""
        key = (step, field)
        if key not in self._by_value:
            index: dict[Raw, Record] = {}
            for record in self.found(step):
                value = record.raw(field) if field else record.row_id
                if value is not None:
                    index.setdefault(value, record)
            self._by_value[key] = index
        return self._by_value[key]


def _place(value: int | date) -> float:
    """Where a figure, a day or a moment stands among others of its field."""
    if isinstance(value, datetime):
        return value.timestamp()
    return value.toordinal() if isinstance(value, date) else value


def holds(binding: Binding, record: Record, other: Record | None) -> bool:
    """Whether two records are related as a binding says."""
    if other is None:
        return False
    if binding.pick is Pick.BY:
        return other.raw(binding.field) == record.row_id
    return record.raw(binding.field) == other.row_id


def could_be_said(spec: ClaimSpec, template: ClaimTemplate | None, leader: Record | None, steps: Steps) -> bool:
    """Whether a claim of the outline can be made about a record (None: about none in particular)."""
    if template is None or not all(map(steps.empty, spec.unless)) or not all(map(steps.found, spec.needs)):
        return False
    bound = _bound(spec, leader, steps)
    if bound is None or broken_condition(spec, bound):
        return False
    return all(_has_words(bound[slot.record], slot.field) for slot in template.slots)


def broken_condition(spec: ClaimSpec, bound: Bound) -> str | None:
    """The condition of a claim that does not hold."""
    for place, codes in spec.conditions.items():
        slot, _, field = place.partition(".")
        if bound[slot].raw(field) not in codes:
            return place
    return None


def _bound(spec: ClaimSpec, leader: Record | None, steps: Steps) -> Bound | None:
    """The records of a claim's slots; None where one has none."""
    each = [binding for binding in spec.bindings if binding.pick is Pick.EACH]
    if bool(each) != (leader is not None):
        return None
    bound: dict[str, Record] = {}
    for binding in (*each, *(b for b in spec.bindings if b.pick is not Pick.EACH)):
        found: Record | None = None
        if binding.pick is Pick.EACH:
            found = leader if leader and steps.has(binding.step, leader) else None
        elif binding.pick is Pick.FIRST:
            found = next(iter(steps.found(binding.step)), None)
        elif binding.other in bound:
            found = steps.related(binding, bound[binding.other])
        if found is None:
            return None
        bound[binding.slot] = found
    return bound


def _has_words(record: Record, field: str) -> bool:
    """Whether a field has anything to show."""
    value = record.values.get(field)
    if value is None or value.raw is None or value.type == "ref":
        return False
    if value.type in ("quantity", "amount"):
        return bool(value.unit)
    if value.type in ("text", "ident", "code"):
        return any(not c.isspace() and category(c) not in ("Cc", "Cf") for c in str(value.raw))
    return True
