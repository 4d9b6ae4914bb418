"""The straight line from a question to an answer: `Asking.ask` is the list of its steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import Protocol

from opentelemetry import trace

from copilot.answering.decide import Decider, Staleness
from copilot.answering.draft import NO_DRAFT, Draft, Templates, draft
from copilot.answering.several import all_findings, numbered, one_answer, one_draft, one_evidence
from copilot.answering.sources import used_records
from copilot.answering.verify import Finding, verify
from copilot.domain.answer import Answer
from copilot.domain.claims import Pick
from copilot.domain.clock import Clock
from copilot.domain.dialogue import State, state_of
from copilot.domain.evidence import NO_EVIDENCE, Evidence, Record
from copilot.domain.json import Json
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.domain.principal import Principal
from copilot.domain.question import BearerToken, Channel, Credential, Question, SessionSubject
from copilot.domain.residency import together
from copilot.domain.scope import Scope
from copilot.errors import TokenRefusedError
from copilot.manners import Setting, kept_manner, mannerly
from copilot.masking.pseudonyms import Pseudonyms
from copilot.policy.policy import Policy, scope_for
from copilot.retrieval.reads import classes_read
from copilot.retrieval.retrieve import Linker, retrieve
from copilot.semantic.model import SemanticModel
from copilot.store.audit import AuditLog
from copilot.store.audit_entry import AuditEntry, ClaimCheck, PolicyDecision, RecordRef
from copilot.store.conversations import Conversations, KeptTurn, Turn, new_conversation
from copilot.store.pool import Database
from copilot.store.refusals import Refusals
from copilot.store.reviews import Reviews
from copilot.understanding.front import plan_text, replan
from copilot.understanding.manners import Manner, manner_of, may_ask_of, without_courtesy

_REMEMBERED = 6
"""Turns looked back on."""
_FORGOTTEN_AFTER = timedelta(hours=8)
_TRACER = trace.get_tracer("copilot")
Authenticate = Callable[[Credential], Awaitable[Principal]]


class Freshener(Protocol):
    """Asks sources again about records older than their limit."""

    async def stale(self, evidence: Evidence, policy: Policy) -> Staleness: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one question on its way, for the answer and for the audit."""

    answer: Answer
    plan: Plan | None = None
    evidence: Evidence = NO_EVIDENCE
    draft: Draft = NO_DRAFT
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Everything the straight line needs, put together in `wiring`."""

    database: Database
    model: SemanticModel
    policy: Policy
    templates: Templates
    shapes: Templates
    """Those, and the ones that may not be said now: only to find out that an answer would need one."""
    decider: Decider
    pseudonyms: Pseudonyms
    audit: AuditLog
    refusals: Refusals
    conversations: Conversations
    reviews: Reviews
    authenticate: Authenticate
    linker: Linker
    freshener: Freshener
    clock: Clock

    @_TRACER.start_as_current_span("ask")
    async def ask(self, question: Question, credential: Credential) -> Answer:
        """Answer one question.

        Raises SignInError for a credential that is not valid and AuditError where the question could not be put on
        record: then there is no answer.
        """
        started = perf_counter()
        principal = await self._who(credential, question.channel)
        scope = scope_for(principal, self.policy)
        conversation = await self._conversation(question, principal)
        [masked] = await self._masked([question.text], principal, conversation)
        outcome = await self._heard(question.text, masked, principal, scope, conversation)
        answer = replace(outcome.answer, conversation=conversation, elapsed_ms=int((perf_counter() - started) * 1000))
        answer = await self._on_record(question, principal, scope, masked, replace(outcome, answer=answer))
        await self.conversations.append(await self._turn(principal, question, masked, outcome, answer))
        trace.get_current_span().set_attributes(_told(question, masked, answer))
        return replace(answer, elapsed_ms=int((perf_counter() - started) * 1000))

    async def again(self, credential: SessionSubject, conversation: str, position: int) -> Answer | None:
        """Answer a kept turn again under today's scope; None where there is no such turn of theirs."""
        started = perf_counter()
        principal = await self.authenticate(credential)
        turn = await self.conversations.turn(principal.subject, conversation, position)
        if turn is None:
            return None
        scope = scope_for(principal, self.policy)
        if manner := kept_manner((turn.plan or {}).get("kind")):
            outcome = await self._mannerly(manner, turn.question, principal, scope, conversation, kept=turn.position)
        else:
            outcome = await self.outcome(await self._plan_again(turn, principal, scope, conversation), scope)
        answer = replace(outcome.answer, conversation=conversation, elapsed_ms=int((perf_counter() - started) * 1000))
        question = Question(text=turn.question, channel="web", conversation=conversation)
        return await self._on_record(question, principal, scope, turn.question, replace(outcome, answer=answer))

    async def first_questions(self, credential: SessionSubject) -> tuple[Choice, ...]:
        """Questions to begin with, each of which was just tried. They name records, so they are on record like an
        answer. Raises SignInError or AuditError."""
        principal = await self.authenticate(credential)
        scope = scope_for(principal, self.policy)
        if not scope:
            return ()
        conversation = new_conversation()
        outcome = await self._mannerly(Manner.GREETING, "", principal, scope, conversation)
        answer = replace(outcome.answer, conversation=conversation)
        question = Question(text="", channel="web")
        return (await self._on_record(question, principal, scope, "", replace(outcome, answer=answer))).choices

    async def _who(self, credential: Credential, channel: Channel) -> Principal:
        """Whoever asks; a token that is refused leaves a row."""
        try:
            return await self.authenticate(credential)
        except TokenRefusedError as error:
            sender = credential.sender if isinstance(credential, BearerToken) else credential.subject
            await self.refusals.put(channel, error.fault, sender)
            raise

    @_TRACER.start_as_current_span("record")
    async def _on_record(
        self, question: Question, principal: Principal, scope: Scope, masked: str, outcome: Outcome
    ) -> Answer:
        """Put the outcome on record; the answer exists only from then on."""
        entry = await self._entry(question, principal, scope, masked, outcome)
        answer = replace(outcome.answer, audit_id=entry.audit_id)
        await self.audit.append(replace(entry, answer=answer.to_json()))
        return answer

    async def _heard(self, text: str, masked: str, principal: Principal, scope: Scope, conversation: str) -> Outcome:
        """What a message comes to, whether it asks about records or is none."""
        turns = await self.conversations.turns(principal.subject, conversation, last=_REMEMBERED)
        state = await self._state(turns, self.clock(), principal, scope, conversation)
        manner = manner_of(text)
        if manner and not may_ask_of(text, state.about):
            return await self._mannerly(manner, masked, principal, scope, conversation)
        plan = await self.plan(without_courtesy(text), scope, state)
        return await self.outcome(plan, scope)

    async def _mannerly(
        self, manner: Manner, masked: str, person: Principal, scope: Scope, conversation: str, kept: int | None = None
    ) -> Outcome:
        """What is no question about records; `kept` is the position of such a turn that is opened again."""
        turns = await self.conversations.turns(person.subject, conversation)
        before = [turn for turn in turns if kept is None or turn.position < kept]
        setting = Setting(subject=person.subject, conversation=conversation, words=masked, kept=kept is not None)
        told = await mannerly(self, manner, scope, before, setting)
        return Outcome(
            answer=told.answer, plan=told.plan, evidence=told.evidence, draft=told.draft, findings=told.findings
        )

    async def replanned(self, state: State, scope: Scope) -> Plan | NoPlan | None:
        """The plan of a kept question under today's scope; None for a scope that reads nothing."""
        if not scope:
            return None
        async with self.database.scoped_transaction(scope) as connection:
            plan = await replan(connection, self.model, state, self.clock())
        return plan or NoPlan(reason="unsupported")

    async def _plan_again(
        self, turn: KeptTurn, principal: Principal, scope: Scope, conversation: str
    ) -> Plan | NoPlan | None:
        """The plan of a kept turn under today's scope: from its references or, where it was declined or had a question
        for an answer, from its words as this person may see them today."""
        kept = state_of([turn.plan])
        if kept.kind:
            return await self.replanned(kept, scope)
        turns = await self.conversations.turns(principal.subject, conversation)
        before = [each for each in turns if each.position < turn.position][-_REMEMBERED:]
        [words] = await self.pseudonyms.shown(principal.subject, scope, [(conversation, turn.question)])
        state = await self._state(before, turn.asked_at, principal, scope, conversation)
        return await self.plan(without_courtesy(words.text), scope, state)

    async def _state(
        self, turns: Sequence[KeptTurn], now: datetime, principal: Principal, scope: Scope, conversation: str
    ) -> State:
        """What the conversation is about after some turns, as far as they are not too long ago."""
        state = state_of([turn.plan for turn in turns if turn.asked_at >= now - _FORGOTTEN_AFTER])
        choices = [(conversation, choice) for choice in state.choices]
        shown = await self.pseudonyms.shown(principal.subject, scope, choices)
        return replace(state, choices=tuple(choice.text for choice in shown))

    @_TRACER.start_as_current_span("mask")
    async def _masked(self, texts: Sequence[str], principal: Principal, conversation: str) -> Sequence[str]:
        """The form of some texts that is kept."""
        return await self.pseudonyms.mask(texts, principal.subject, conversation, self.policy)

    @_TRACER.start_as_current_span("plan")
    async def plan(self, text: str, scope: Scope, state: State | None = None) -> Plan | NoPlan | None:
        """What to read for a message in its conversation; None for a scope that reads nothing."""
        if not scope:
            return None
        async with self.database.scoped_transaction(scope) as connection:
            return await plan_text(connection, self.model, text, self.clock(), state)

    async def outcome(self, plan: Plan | NoPlan | None, scope: Scope) -> Outcome:
        """Run a plan, or each of several asked in one message."""
        if plan is None:
            return Outcome(answer=self.decider.no_access())
        if isinstance(plan, NoPlan):
            return Outcome(answer=self.decider.decline(plan, self.clock()))
        return await self._each(plan, scope) if plan.before else await self._run(plan, scope)

    async def _each(self, plan: Plan, scope: Scope) -> Outcome:
        """The questions of one message, each run as if it had been asked alone; one answer to all."""
        ran: list[Outcome] = []
        for part in (*plan.before, replace(plan, before=())):
            taken = max((numbered(outcome.evidence) for outcome in ran), default=0)
            ran.append(await self._run(part, scope, taken))
        return Outcome(
            answer=one_answer([outcome.answer for outcome in ran]),
            plan=plan,
            evidence=one_evidence([outcome.evidence for outcome in ran]),
            draft=one_draft([outcome.draft for outcome in ran]),
            findings=all_findings([outcome.findings for outcome in ran]),
        )

    async def _run(self, plan: Plan, scope: Scope, taken: int = 0) -> Outcome:
        """Retrieve, confirm what is old, draft, verify, decide. Ids of evidence up to `taken` are given already."""
        now = self.clock()
        evidence = await self.retrieve(plan, scope, now, taken)
        stale = await self.freshener.stale(evidence, self.policy)
        if stale.asked:  # the copy has new values, or new ages
            evidence = await self.retrieve(plan, scope, now, taken)
        drafted = draft(plan.outline, evidence, self.shapes)
        findings = (*verify(drafted, evidence), *withheld(drafted, evidence, self.policy, self.templates))
        answer = self.decider.answer(plan, evidence, drafted, findings, stale, now)
        return Outcome(answer=answer, plan=plan, evidence=evidence, draft=drafted, findings=findings)

    @_TRACER.start_as_current_span("retrieve")
    async def retrieve(self, plan: Plan, scope: Scope, now: datetime, taken: int = 0) -> Evidence:
        """The evidence of a plan as this scope reaches it; ids up to `taken` are given already."""
        return await retrieve(
            self.database, self.model, plan, scope, policy=self.policy, now=now, linker=self.linker, taken=taken
        )

    async def _conversation(self, question: Question, principal: Principal) -> str:
        """One's own conversation, or a new one: a foreign id is as good as none."""
        given = question.conversation
        if given and await self.conversations.owns(principal.subject, given):
            return given
        return new_conversation()

    async def _entry(
        self, question: Question, principal: Principal, scope: Scope, masked: str, outcome: Outcome
    ) -> AuditEntry:
        answer, now = outcome.answer, self.clock()
        used = used_records(outcome.draft.claims, outcome.evidence)
        named = [record.key for record in used if record.kind == "measure"]  # by what it is about, in words
        keys = dict(zip(named, await self._masked(named, principal, answer.conversation), strict=True))
        return AuditEntry(
            subject=principal.subject,
            channel=question.channel,
            conversation=answer.conversation,
            masked_question=masked,
            kind=answer.kind,
            plan=outcome.plan.to_json() if outcome.plan else None,
            records=tuple(_ref(record, keys.get(record.key, record.key), now) for record in used),
            verdict=answer.verdict.value,
            reason=answer.reason.value if answer.reason else None,
            engine=answer.engine,
            claims=_checks(outcome),
            policy=PolicyDecision(
                subject=principal.subject,
                roles=principal.roles,
                scope=scope,
                version=self.policy.version,
                outcome="allowed" if scope else "refused",
                grants=principal.grants,
                classes=tuple(sorted(classes_read(self.model, outcome.plan))) if outcome.plan else (),
                residency=together(record.residency for record in used),
            ),
            elapsed_ms=answer.elapsed_ms,
            question=question.text,
            answer=None,
        )

    async def _turn(
        self, principal: Principal, question: Question, masked: str, outcome: Outcome, answer: Answer
    ) -> Turn:
        """What the conversation keeps: references, and what it may be followed up by."""
        plan: dict[str, Json] | None = outcome.plan.to_json() if outcome.plan else None
        if plan is not None and (listed := listed_records(outcome.plan, outcome.evidence)):
            plan["listed"] = {"entity": listed[0].entity, "ids": [record.row_id for record in listed]}
        if plan is None and answer.choices:
            offered = [choice.question for choice in answer.choices]
            plan = {"choices": [*await self._masked(offered, principal, answer.conversation)]}
        return Turn(
            subject=principal.subject,
            conversation=answer.conversation,
            channel=question.channel,
            question=masked,
            plan=plan,
            verdict=answer.verdict.value,
            reason=answer.reason.value if answer.reason else None,
            audit_id=answer.audit_id,
        )


def _told(question: Question, masked: str, answer: Answer) -> dict[str, str | int]:
    """What a trace says of a question: no value of a record, and no word that is not masked."""
    return {
        "copilot.channel": question.channel,
        "copilot.question": masked,
        "copilot.kind": answer.kind or "",
        "copilot.verdict": answer.verdict.value,
        "copilot.engine": answer.engine,
        "copilot.audit_id": answer.audit_id,
        "copilot.sources": len(answer.sources),
    }


def withheld(drafted: Draft, evidence: Evidence, policy: Policy, approved: Templates) -> tuple[Finding, ...]:
    """The claims with a template that nobody may use now, or not where one of their records is."""
    records = evidence.by_id()
    where = {
        (claim.name, template, records[fact.ref.partition(".")[0]].labels)
        for claim in drafted.claims
        for template in (claim.name, *claim.further)
        for fact in claim.facts
        if fact.ref.partition(".")[0] in records
    }
    held = {name for name, template, labels in where if not policy.at(labels).here.template(template).value}
    held |= {each.name for each in drafted.claims if not approved.keys() >= {each.name, *each.further}}
    return tuple(Finding(claim=name, rule="withheld", words="") for name in sorted(held))


def listed_records(plan: Plan | None, evidence: Evidence) -> tuple[Record, ...]:
    """The records that an answer says a line about each, in their order; none where it lists nothing."""
    bindings = [b for group in plan.outline.groups for spec in group.specs for b in spec.bindings] if plan else []
    for binding in bindings:
        records = evidence.get(binding.step)
        if binding.pick is Pick.EACH and records and records[0].kind == "record":
            return records
    return ()


def _ref(record: Record, key: str, now: datetime) -> RecordRef:
    return RecordRef(
        ref=record.id, entity=record.entity, row_id=record.row_id, system=record.system, key=key,
        version=record.version, labels=record.labels if record.kind == "record" else (),
        age_seconds=max(0, int((now - record.confirmed_at).total_seconds())),
    )  # fmt: skip


def _checks(outcome: Outcome) -> tuple[ClaimCheck, ...]:
    broken = {finding.claim: finding.rule for finding in outcome.findings}
    return tuple(
        ClaimCheck(claim=c.name, refs=tuple(f.ref for f in c.facts), verdict=broken.get(c.name, "backed"))
        for c in outcome.draft.claims
    )
