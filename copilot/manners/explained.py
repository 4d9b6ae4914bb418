"""Explains the last answer of a conversation: what was understood, how it is worked out, where it comes from, how old
it is. It is worked out anew, under today's scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from copilot.answering.draft import Claim
from copilot.answering.made import Saying
from copilot.answering.sources import used_records
from copilot.domain.claims import Outline
from copilot.domain.composition import Composition, Part
from copilot.domain.dialogue import State, state_of
from copilot.domain.evidence import Evidence, Record, Value
from copilot.domain.plan import Filter, Operator, Period, Plan, RecordQuery
from copilot.domain.query import Function
from copilot.domain.scope import Scope
from copilot.manners.said import Line, Told, beside, own, text, told
from copilot.semantic.definitions import RECORD_COUNT, definition_of
from copilot.semantic.forms import load_forms
from copilot.semantic.kpis import Kpi, load_kpis
from copilot.store.conversations import KeptTurn
from copilot.understanding.candidates import display
from copilot.understanding.kinds import load_kinds
from copilot.understanding.manners import Manner

_MOST_NAMED = 4
_BARE = (Manner.AGE, Manner.UNDERSTOOD)
"""Manners that ask nothing about how it is worked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The last answer, worked out anew."""

    plan: Plan
    evidence: Evidence
    claims: tuple[Claim, ...]

    @property
    def records(self) -> tuple[Record, ...]:
        """What the answer stands on."""
        return used_records(self.claims, self.evidence) or tuple(self.evidence.by_id().values())


async def explained(line: Line, manner: Manner, last: KeptTurn | None, scope: Scope) -> Told:
    """The explanation that a manner asks for of the last turn; None where there is no such turn."""
    if last is None:
        return told(manner, [Saying("manners_nothing", {})], line)
    state = state_of([last.plan])
    again = await _again(line, state, scope) if last.plan else None
    if again is None:
        return told(manner, [Saying("manners_declined", {})], line)
    now = line.clock()
    said = [
        *_said(manner, again),
        Saying("explained_question", {"told": own(now, understood=text(await _question(line, again.plan, scope)))}),
    ]
    if manner not in _BARE:
        said += _measures(again, now)
    said += _sources(line, again, now)
    return told(manner, said, line, evidence=again.evidence, cited=again.claims)


async def _again(line: Line, state: State, scope: Scope) -> Again | None:
    """None where the last turn answered nothing."""
    plan = await line.replanned(state, scope)
    if isinstance(plan, Plan):
        ran = await line.outcome(plan, scope)
        declined = not ran.answer.facts
        rejected = {finding.claim for finding in ran.findings}
        claims = tuple(claim for claim in ran.draft.claims if claim.name not in rejected)
        return None if declined else Again(plan=plan, evidence=ran.evidence, claims=claims)
    if plan is None or not state.references:
        return None
    plan = _reading(state)
    return Again(plan=plan, evidence=await line.retrieve(plan, scope, line.clock()), claims=())


def _reading(state: State) -> Plan:
    """The records that a kept question named, where its plan can't be made again."""
    steps = tuple(
        RecordQuery(name=entity, entity=entity, where=(Filter("id", Operator.IN, tuple(ids)),))
        for entity, ids in state.references.items()
    )
    return Plan(kind=state.kind, references=state.references, steps=steps, outline=Outline(groups=()))


def _said(manner: Manner, again: Again) -> Sequence[Claim | Saying]:
    """Why: what was said, causes among it, and then what it stands on."""
    return (Saying("explained_said", {}), *again.claims) if manner is Manner.WHY and again.claims else ()


async def _question(line: Line, plan: Plan, scope: Scope) -> str:
    """What was understood, in one line."""
    if plan.before:
        asked = [await _question(line, part, scope) for part in (*plan.before, replace(plan, before=()))]
        return "; ".join(each for each in asked if each)
    if plan.understood:
        return plan.understood
    keys = [(entity, ident) for entity, ids in plan.references.items() for ident in ids]
    async with line.database.scoped_transaction(scope) as connection:
        shown = await display(connection, line.model, keys)
    kind = load_kinds().get(plan.kind)
    named = [f"{line.model[key[0]].title} {_name(*shown[key][:2])}" for key in keys if key in shown]
    asked = kind.ask.replace("{}", "").replace("  ", " ").strip() if kind else ""
    return "; ".join(part for part in (asked, ", ".join(named), _time(plan.period)) if part)


def _name(number: str, name: str) -> str:
    return f"{number} ({name})" if number and name else number or name


def _time(period: Period | None) -> str:
    if period is None or not (period.since or period.until):
        return ""
    said, bounds = load_forms().said, (("from", period.since), ("until", period.until))
    return " ".join(said[word].format(at.date().isoformat()) for word, at in bounds if at)


def _measures(again: Again, now: datetime) -> Iterator[Saying]:
    """Each measure of the answer, and each that says which records it lists."""
    named = list(_defined(again.plan.composition)) if again.plan.composition else []
    used = [r.entity for r in again.records if r.kind == "measure" and not (named and r.entity == RECORD_COUNT)]
    names = list(dict.fromkeys((*named, *used)))
    if names:
        yield Saying("explained_measures", {})
    for number, name in enumerate(names):
        found = definition_of(name)
        values = {"title": text(found.title), "version": Value("count", found.version), "formula": text(found.formula)}
        claim = "explained_published" if found.population == "published" else "explained_measure"
        yield Saying(claim, {"measure": own(now, number, **values)})


def _defined(composition: Composition) -> Iterator[str]:
    """The measures that count just the records that a part speaks of: what "late" is, as it is defined."""
    known = load_kpis()
    entity = known[composition.measure].entity if composition.measure else composition.entity
    for part in composition.parts:
        if part.role == "segment":
            yield from (name for name, kpi in known.items() if kpi.entity == entity and _counts(kpi, part))


def _counts(kpi: Kpi, part: Part) -> bool:
    conditions = {*kpi.where, *kpi.figure.where}
    return kpi.name == part.about or (kpi.figure.function is Function.COUNT and conditions == {*part.conditions})


def _sources(line: Line, again: Again, now: datetime) -> Iterator[Saying]:
    """Each system with what was read from it and the oldest moment at which that was confirmed."""
    by_system: dict[str, list[Record]] = {}
    for record in again.records:
        by_system.setdefault(record.system or load_forms().said["several_systems"], []).append(record)
    yield Saying("explained_sources" if by_system else "explained_nothing_read", {})
    for system, records in by_system.items():
        oldest = min(records, key=lambda record: record.confirmed_at)
        age = _age(now - oldest.confirmed_at)
        values = {
            "name": text(system),
            "records": _counted(records),
            "kinds": text(", ".join(_kinds(line, records))),
            "confirmed_at": Value("instant", oldest.confirmed_at),
        }
        claim = "explained_source" if age else "explained_source_now"
        yield Saying(claim, {"source": beside(oldest, values | ({"age": age} if age else {}))})


def _counted(records: Sequence[Record]) -> Value:
    read = sum(record.kind == "record" for record in records)
    return Value("count", read, "record") if read else Value("count", len(records), "figure")


def _kinds(line: Line, records: Sequence[Record]) -> Iterator[str]:
    """What kinds of records, the first few of each by name."""
    by_entity: Mapping[str, list[Record]] = {record.entity: [] for record in records if record.kind == "record"}
    for record in records:
        if record.kind == "record":
            by_entity[record.entity].append(record)
    for entity, found in by_entity.items():
        called = [str(name) for r in found[:_MOST_NAMED] if (name := r.raw("number") or r.raw("name") or r.raw("code"))]
        yield f"{line.model[entity].title} {' '.join(called)}".strip()
    if not by_entity:
        yield from dict.fromkeys(definition_of(record.entity).title for record in records)


def _age(age: timedelta) -> Value | None:
    """How long ago, in the unit people would say; None for less than a minute."""
    minutes = int(age.total_seconds() // 60)
    for size, unit in ((2 * 1440, "day"), (120, "hour"), (1, "minute")):
        if minutes >= size:
            return Value("count", minutes // {"day": 1440, "hour": 60, "minute": 1}[unit], unit)
    return None
