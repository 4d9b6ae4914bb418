"""What a manner is answered with: approved claims over words of our own, put together and checked like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from copilot.answering.decide import RULES, joined
from copilot.answering.draft import Claim, Draft, Templates, render
from copilot.answering.made import OfManner, Saying
from copilot.answering.sources import sources
from copilot.answering.verify import Finding, verify
from copilot.domain.answer import Answer, Fact, Verdict
from copilot.domain.claims import Outline
from copilot.domain.clock import Clock
from copilot.domain.dialogue import State
from copilot.domain.evidence import NO_EVIDENCE, Evidence, Record, Value
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.domain.scope import Scope
from copilot.semantic.model import SemanticModel
from copilot.store.conversations import Conversations
from copilot.store.pool import Database
from copilot.store.reviews import Reviews

CONFIRMED = "confirmed_at"
PREFIX = "manners_"
"""How the kinds of such answers begin; a conversation's state passes over them."""
_OWN = "Q"
"""The ids of words of our own begin with it: they are no facts of a record."""


class Ran(Protocol):
    """What became of a plan that was run."""

    @property
    def answer(self) -> Answer: ...
    @property
    def evidence(self) -> Evidence: ...
    @property
    def draft(self) -> Draft: ...
    @property
    def findings(self) -> Sequence[Finding]: ...


class Worded(Protocol):
    """What a sentence takes."""

    @property
    def model(self) -> SemanticModel: ...
    @property
    def templates(self) -> Templates: ...
    @property
    def clock(self) -> Clock: ...


class Line(Worded, Protocol):
    """The parts of the straight line that manners need; `copilot.ask.Asking` is one."""

    @property
    def database(self) -> Database: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def reviews(self) -> Reviews: ...

    async def plan(self, text: str, scope: Scope, state: State | None = None) -> Plan | NoPlan | None: ...
    async def retrieve(self, plan: Plan, scope: Scope, now: datetime) -> Evidence: ...
    async def replanned(self, state: State, scope: Scope) -> Plan | NoPlan | None: ...
    async def outcome(self, plan: Plan | NoPlan | None, scope: Scope) -> Ran: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A manner's answer with all that the audit keeps of it. `evidence` holds no words of our own."""

    answer: Answer
    plan: Plan
    draft: Draft
    findings: tuple[Finding, ...]
    evidence: Evidence
    made: OfManner


def own(now: datetime, place: int = 0, /, **values: Value) -> Record:
    """Words of our own as a record, to be printed with the same care as any text."""
    return _record(f"{_OWN}{place}", now, values, "UTC")


def beside(record: Record, values: Mapping[str, Value]) -> Record:
    """What is said of where a record comes from, under that record's id and in its time zone."""
    return _record(record.id, record.confirmed_at, values, record.time_zone)


def text(words: str) -> Value:
    """Words as a value."""
    return Value("text", words)


def told(
    manner: str,
    lines: Sequence[Saying | Claim],
    line: Worded,
    *,
    evidence: Evidence = NO_EVIDENCE,
    cited: Sequence[Claim] | None = None,
    choices: tuple[Choice, ...] = (),
) -> Told:
    """The answer of a manner, with the sources of the claims `cited`. A claim among the lines was made and verified by
    another draft; one that can't be backed is left out."""
    made = OfManner(
        manner=manner, lines=tuple(lines), evidence=evidence, cited=None if cited is None else tuple(cited),
        choices=choices, now=line.clock(),
    )  # fmt: skip
    return told_again(made, line.templates, line.model)


def told_again(made: OfManner, templates: Templates, model: SemanticModel) -> Told:
    """The answer of a manner from what it is made of."""
    claims: list[Claim] = []
    findings: list[Finding] = []
    for line in made.lines:
        if isinstance(line, Claim):
            claims.append(line)
        elif (template := templates.get(line.claim)) and (claim := render(template, line.slots)):
            seen = Evidence(steps={name: (record,) for name, record in line.slots.items()})
            found = verify(Draft(claims=(claim,), complete=True), seen, None, templates)
            findings += found
            claims += [] if found else [claim]
    kind = f"{PREFIX}{made.manner}"
    answer = Answer(
        answer=joined(claims), verdict=Verdict.VERIFIED, reason=None, engine=RULES, kind=kind,
        facts=_facts(claims, made.evidence), choices=made.choices,
        sources=() if made.cited is None else sources(made.cited, made.evidence, model, made.now),
    )  # fmt: skip
    plan = Plan(kind=kind, references={}, steps=(), outline=Outline(groups=()))
    draft = Draft(claims=tuple(claims), complete=True)
    return Told(answer=answer, plan=plan, draft=draft, findings=tuple(findings), evidence=made.evidence, made=made)


def _facts(claims: Sequence[Claim], evidence: Evidence) -> tuple[Fact, ...]:
    """Those that are fields of records or their ages; words of our own are none."""
    known = evidence.by_id()
    every = dict.fromkeys(fact for claim in claims for fact in claim.facts)
    return tuple(fact for fact in every if _is_fact(fact, known))


def _is_fact(fact: Fact, known: Mapping[str, Record]) -> bool:
    source, _, field = fact.ref.partition(".")
    return source in known and (field in known[source].values or field == CONFIRMED)


def _record(name: str, now: datetime, values: Mapping[str, Value], time_zone: str) -> Record:
    return Record(
        id=name, kind="measure", entity="told", row_id=0, system="", company="", key="", version=now,
        time_zone=time_zone, values=values, changed_at=None, confirmed_at=now,
    )  # fmt: skip
