"""Holds claims against the outline of the plan: each is one that it asks for, about the records that it binds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.answering.draft import Claim
from copilot.answering.verifying.finding import Broken, Rule
from copilot.answering.verifying.steps import Bound, Steps, broken_condition, could_be_said, holds
from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.evidence import Record
from prompts.template import ClaimTemplate

QUOTED = "quoted"
"""The template of a quote: it may stand beside what is asked for, of a note that a claim tells of."""
CONNECTIVE = "connective_"
"""How the templates of connectives begin, which have no slots."""
_IN_ORDER: tuple[Rule, ...] = (
    "not_asked", "not_of_step", "not_first", "relation_differs", "condition_fails", "need_missing",
    "emptiness_unfounded", "fallback_unfounded",
)  # fmt: skip
"""In which a claim is held against what is asked for: the later a rule is broken, the nearer it came."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A place in the outline that asks for a claim; `group` counts the groups before it."""

    spec: ClaimSpec
    earlier: tuple[ClaimSpec, ...]
    """The claims that would be made in its place if they could be."""
    group: int


class Places:
    """The outline by the names of its claims."""

    def __init__(self, outline: Outline) -> None:
        self.groups = outline.groups
        self._by_name: dict[str, list[Asked]] = {}
        for number, group in enumerate(outline.groups):
            for place, spec in enumerate(group.specs):
                self._by_name.setdefault(spec.claim, []).append(Asked(spec, group.specs[:place], number))

    def named(self, claim: str) -> Sequence[Asked]:
        """Where a claim is asked for."""
        return self._by_name.get(claim, ())


def is_beside(claim: Claim) -> bool:
    """Whether a claim is none of the outline's: a quote, or words between claims."""
    return claim.name == QUOTED or (claim.name.startswith(CONNECTIVE) and not claim.facts)


def asked_for(
    claim: Claim, places: Places, steps: Steps, templates: Mapping[str, ClaimTemplate]
) -> tuple[Asked | None, tuple[Broken, ...]]:
    """The place of the outline that asks for a claim, and what it breaks there where there is none that it fits."""
    nearest: Broken = ("not_asked", claim.name)
    for asked in places.named(claim.name):
        broken = _broken(claim, asked, steps, templates)
        if broken is None:
            group = places.groups[asked.group]
            return asked, tuple(_going_on(claim, asked.spec, group, steps, templates))
        nearest = max(nearest, broken, key=lambda each: _IN_ORDER.index(each[0]))
    return None, (nearest,)


def _broken(claim: Claim, asked: Asked, steps: Steps, templates: Mapping[str, ClaimTemplate]) -> Broken | None:
    spec = asked.spec
    bound = _records(claim, spec, steps)
    if bound is None:
        return "not_asked", claim.name
    if wrong := _unrelated(spec, bound, steps) or _unfounded(spec, bound, steps):
        return wrong
    leader = _leader(spec, bound)
    rather = next((e for e in asked.earlier if could_be_said(e, templates.get(e.claim), leader, steps)), None)
    return ("fallback_unfounded", rather.claim) if rather else None


def _records(claim: Claim, spec: ClaimSpec, steps: Steps) -> Bound | None:
    """The records of a claim's slots, where these are the ones that are asked for."""
    if {*claim.slots} != {binding.slot for binding in spec.bindings}:
        return None
    if any(record not in steps.records for record in claim.slots.values()):
        return None
    return {slot: steps.records[record] for slot, record in claim.slots.items()}


def _unrelated(spec: ClaimSpec, bound: Bound, steps: Steps) -> Broken | None:
    """The first slot whose record is not what its binding finds."""
    for binding in spec.bindings:
        record = bound[binding.slot]
        if not steps.has(binding.step, record):
            return "not_of_step", f"{binding.slot} {record.id}"
        if binding.pick is Pick.FIRST and steps.found(binding.step)[0].id != record.id:
            return "not_first", f"{binding.slot} {record.id}"
        if binding.pick in (Pick.BY, Pick.WITH) and not holds(binding, record, bound.get(binding.other)):
            return "relation_differs", f"{binding.slot} {record.id}"
    return None


def _unfounded(spec: ClaimSpec, bound: Bound, steps: Steps) -> Broken | None:
    if place := broken_condition(spec, bound):
        return "condition_fails", place
    if missing := next((step for step in spec.needs if not steps.found(step)), None):
        return "need_missing", missing
    if found := next((step for step in spec.unless if not steps.empty(step)), None):
        return "emptiness_unfounded", found
    return None


def _leader(spec: ClaimSpec, bound: Bound) -> Record | None:
    """The record of the slot that there is one claim for each of."""
    return next((bound[binding.slot] for binding in spec.bindings if binding.pick is Pick.EACH), None)


def _going_on(
    claim: Claim, spec: ClaimSpec, group: ClaimGroup, steps: Steps, templates: Mapping[str, ClaimTemplate]
) -> Iterator[Broken]:
    """What is wrong with what a claim goes on to say: it is one of those asked for, and of the same record."""
    about = _first_slot(spec.bindings)
    for further in claim.further:
        found = [
            _broken(further, Asked(each, (), 0), steps, templates) or _of_another(further, each, claim.slots[about])
            for each in group.with_each
            if each.claim == further.name
        ]
        if all(found):
            wrong = [broken for broken in found if broken]
            yield max(wrong, key=lambda each: _IN_ORDER.index(each[0])) if wrong else ("not_asked", further.name)


def _first_slot(bindings: Sequence[Binding]) -> str:
    """The slot whose record a claim is about."""
    leading = [binding for binding in bindings if binding.pick is Pick.EACH] or bindings
    return leading[0].slot if leading else ""


def _of_another(further: Claim, spec: ClaimSpec, about: str) -> Broken | None:
    said = further.slots[_first_slot(spec.bindings)]
    return None if said == about else ("relation_differs", f"{further.name} {said}")


def draft_rules(claims: Sequence[Claim]) -> Iterator[tuple[Claim, Broken]]:
    """What claims say again about the same records, what they say otherwise of the same field, and quotes of notes that
    nothing asks for."""
    told = {
        record
        for claim in claims
        if not is_beside(claim)
        for each in (claim, *claim.further)
        for record in each.slots.values()
    }
    said: set[tuple[str, frozenset[tuple[str, str]], tuple[str, ...]]] = set()
    printed: dict[str, tuple[object, str]] = {}
    for claim in claims:
        words = tuple(fact.text for fact in claim.facts if fact.quoted)
        key = (claim.name, frozenset(claim.slots.items()), words)
        if key in said and not claim.name.startswith(CONNECTIVE):
            yield claim, ("said_twice", claim.name)
        said.add(key)
        if claim.name == QUOTED and not told.issuperset(claim.slots.values()):
            yield claim, ("not_asked", claim.name)
        for fact in claim.facts:
            if not fact.quoted and printed.setdefault(fact.ref, (fact.value, fact.text)) != (fact.value, fact.text):
                yield claim, ("contradiction", fact.ref)
