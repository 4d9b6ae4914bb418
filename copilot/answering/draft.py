"""Drafts an answer: for each claim of the outline, finds the records of its slots and renders the approved template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from copilot.answering.printing import called, markdown, print_value, wire_value
from copilot.domain.answer import Fact
from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.evidence import Evidence, Record, Value
from prompts.template import ClaimTemplate

_DAYS = ("date", "instant")
"""The types of values that name a day."""
_BOLD = "**"
Slots = Mapping[str, Record]
Templates = Mapping[str, ClaimTemplate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One rendered claim: its template's name, its markdown and the facts printed in it. Without an essential claim the
    rest of the answer would not say of what it speaks."""

    name: str
    text: str
    facts: tuple[Fact, ...]
    essential: bool = False
    declines: bool = False
    """What the question takes for granted is not so: nothing more is answered."""
    settles: bool = False
    """It answers "when", by a day or because there can be none."""
    about: tuple[str, ...] = ()
    """The ids of all records bound to the claim, those without a printed field too."""
    slots: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """The slots that it was bound by, those that its template does not print too -> the ids of their records."""
    stressed: tuple[str, ...] = ()
    """References whose values are in bold because somebody wanted them to be."""
    quote: tuple[str, str] | None = None
    """The reference and the words of a quote."""
    further: tuple[Claim, ...] = ()
    """What it goes on to say; text, facts and records of those are part of its own."""

    @property
    def templates(self) -> tuple[str, ...]:
        """The names of the templates that it is rendered by."""
        return (self.name, *(each.name for each in self.further))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The claims in order. `complete` is False where the outline's essential claims could not be made."""

    claims: tuple[Claim, ...]
    complete: bool


NO_DRAFT = Draft(claims=(), complete=False)


def draft(outline: Outline, evidence: Evidence, templates: Templates) -> Draft:
    """Make every claim of the outline that the evidence has values for."""
    claims: list[Claim] = []
    missing = False
    for group in outline.groups:
        made = list(_claims(group, evidence, templates))
        missing = missing or (not made and _must_be_said(group, evidence, first=not claims))
        if made and group.with_each:
            made, unsaid = _going_on(made, group.with_each, evidence, templates)
            missing = missing or unsaid
        claims += made
    kept = tuple(_without_bare_heads(tuple(dict.fromkeys(claims))))
    complete = bool(kept) and (outline.any_is_enough or not missing)
    complete = complete and (not outline.dated or any(claim.settles for claim in kept))
    return Draft(claims=kept, complete=complete)


def _going_on(
    made: Sequence[Claim], specs: Sequence[ClaimSpec], evidence: Evidence, templates: Templates
) -> tuple[list[Claim], bool]:
    """The claims with what they go on to say of their records, and whether any of that could be said of none."""
    further = [dict(_of_records(spec, evidence, templates)) for spec in specs]
    led = {record.id for spec in specs for step in _each(spec) for record in evidence.get(step)}
    unsaid = any(led and not each for each in further)
    return [together(claim, [each[r] for each in further for r in claim.about[:1] if r in each]) for claim in made], (
        unsaid
    )


def _each(spec: ClaimSpec) -> Iterator[str]:
    yield from (binding.step for binding in spec.bindings if binding.pick is Pick.EACH)


def _of_records(spec: ClaimSpec, evidence: Evidence, templates: Templates) -> Iterator[tuple[str, Claim]]:
    for leader, slots in _bound(spec, evidence):
        if _wanted(spec, evidence) and _holds(spec, slots) and (claim := render(templates[spec.claim], slots)):
            yield leader, claim


def together(claim: Claim, further: Sequence[Claim]) -> Claim:
    """A claim with what it goes on to say."""
    return replace(
        claim,
        text=" ".join((claim.text, *(each.text for each in further))),
        facts=(*claim.facts, *(fact for each in further for fact in each.facts)),
        about=tuple(dict.fromkeys((*claim.about, *(record for each in further for record in each.about)))),
        further=tuple(further),
    )


def _must_be_said(group: ClaimGroup, evidence: Evidence, *, first: bool) -> bool:
    """Whether an answer is none without a claim of the group: further ones may go unsaid where all that they could say
    is that there is nothing, of what nobody knows."""
    unknowable = any(evidence.unkept.intersection(spec.unless) for spec in group.specs)
    return (first or not unknowable) and any(spec.essential for spec in group.specs)


def _without_bare_heads(claims: Sequence[Claim]) -> Iterator[Claim]:
    """Without the headlines of lists of which no item could be told."""
    for claim, following in zip_longest(claims, claims[1:]):
        if not _is_head(claim) or (following and not _is_head(following)):
            yield claim


def _is_head(claim: Claim) -> bool:
    return claim.text.endswith(":")


_NAME = "name"


def render(template: ClaimTemplate, slots: Slots, stressed: AbstractSet[str] = frozenset()) -> Claim | None:
    """Fill a template's slots with printed values, in bold those of the `stressed` references; None where one has no
    value."""
    pieces = [template.literals[0]]
    facts: list[Fact] = []
    dated = False
    for slot, literal in zip(template.slots, template.literals[1:], strict=True):
        record = slots[slot.record]
        value = record.values.get(slot.field)
        printed = print_value(record, value) if value else None
        if value is None or printed is None:
            return None
        printed = called(printed) if slot.field == _NAME else printed
        ref = f"{record.id}.{slot.field}"
        bold = _BOLD if ref in stressed and "".join(pieces).count(_BOLD) % 2 == 0 else ""
        pieces += [f"{bold}{markdown(printed)}{bold}", literal]
        dated = dated or value.type in _DAYS
        facts.append(Fact(ref=ref, value=wire_value(value), unit=value.unit, text=printed))
    bound = {slot: record.id for slot, record in slots.items()}
    return Claim(
        name=template.name, text="".join(pieces), facts=tuple(facts), about=(*bound.values(),), slots=bound,
        settles=dated,
    )  # fmt: skip


def render_quote(template: ClaimTemplate, record: Record, ref: str, words: str) -> Claim | None:
    """Words of the field that `ref` names, S3.body, by a template whose last slot is for them."""
    slot = template.slots[-1]
    quoting = replace(record, values={**record.values, slot.field: Value("text", words)})
    claim = render(template, dict.fromkeys((each.record for each in template.slots), quoting))
    if claim is None:
        return None
    quoted = replace(claim.facts[-1], ref=ref, quoted=True)
    return replace(claim, facts=(*claim.facts[:-1], quoted), quote=(ref, words))


def _claims(group: ClaimGroup, evidence: Evidence, templates: Templates) -> Iterator[Claim]:
    """Per record of EACH the first claim of the group that can be made."""
    done: set[str] = set()
    order: dict[str, Claim] = {}
    for spec in group.specs:
        if not _wanted(spec, evidence):
            continue
        for leader, slots in _bound(spec, evidence):
            if leader not in done and _holds(spec, slots) and (claim := render(templates[spec.claim], slots)):
                done.add(leader)
                settles = spec.settles or claim.settles
                order[leader] = replace(claim, essential=spec.essential, declines=spec.declines, settles=settles)
    positions = {record.id: n for n, record in enumerate(evidence.by_id().values())}
    yield from (order[leader] for leader in sorted(order, key=lambda each: positions.get(each, -1)))


def _wanted(spec: ClaimSpec, evidence: Evidence) -> bool:
    """`unless` speaks of emptiness, which nobody can claim about records they may not see, or that no source brings."""
    if any(evidence.get(step) or step in evidence.refused | evidence.unkept for step in spec.unless):
        return False
    return all(evidence.get(step) for step in spec.needs)


def _bound(spec: ClaimSpec, evidence: Evidence) -> Iterator[tuple[str, Slots]]:
    """Every way to bind the slots: one per record of EACH, else one. With it the id of the record it is about."""
    each = next((b for b in spec.bindings if b.pick is Pick.EACH), None)
    leaders = evidence.get(each.step) if each else (None,)
    for leader in leaders:
        slots: dict[str, Record] = {each.slot: leader} if each and leader else {}
        for binding in spec.bindings:
            if binding.pick is not Pick.EACH and (found := _pick(binding, slots, evidence)):
                slots[binding.slot] = found
        if len(slots) == len(spec.bindings):
            yield (leader.id if leader else ""), slots


def _pick(binding: Binding, slots: Slots, evidence: Evidence) -> Record | None:
    records = evidence.get(binding.step)
    if binding.pick is Pick.FIRST:
        return records[0] if records else None
    other = slots.get(binding.other)
    if other is None:
        return None
    if binding.pick is Pick.BY:
        return next((r for r in records if r.row_id == other.raw(binding.field)), None)
    return next((r for r in records if r.raw(binding.field) == other.row_id), None)


def _holds(spec: ClaimSpec, slots: Slots) -> bool:
    for place, codes in spec.conditions.items():
        slot, _, field = place.partition(".")
        if slots[slot].raw(field) not in codes:
            return False
    return True
