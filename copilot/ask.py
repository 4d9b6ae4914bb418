"""The straight line from a question to an answer: `Asking.ask` is the list of its steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import Protocol

from opentelemetry import trace

from copilot.answering.decide import Decider, Staleness
from copilot.answering.draft import Draft, Templates, draft
from copilot.answering.made import OfNoPlan, OfPlan, pack
from copilot.answering.several import all_findings, numbered, one_answer, one_draft, one_evidence
from copilot.answering.verify import Finding, verify
from copilot.domain.answer import Answer
from copilot.domain.clock import Clock
from copilot.domain.dialogue import State, state_of
from copilot.domain.evidence import Evidence
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.domain.principal import Principal
from copilot.domain.question import BearerToken, Channel, Credential, Question, SessionSubject
from copilot.domain.residency import together
from copilot.domain.scope import Scope
from copilot.errors import TokenRefusedError
from copilot.helped.help import Asked, DraftHelp, DraftHelped, PlanHelp, PlanHelped
from copilot.manners import Setting, kept_manner, mannerly
from copilot.masking.pseudonyms import Pseudonyms
from copilot.models.measured import count_fallback
from copilot.outcome import Outcome, kept_mark, kept_reading, withheld
from copilot.policy.policy import Policy, scope_for
from copilot.retrieval.reads import classes_read
from copilot.retrieval.retrieve import Linker, retrieve
from copilot.semantic.language import in_force
from copilot.semantic.model import SemanticModel
from copilot.store.audit import AuditLog
from copilot.store.audit_entry import AuditEntry, PolicyDecision
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
    planning: PlanHelp | None = None
    """Asks a model to put a question in our terms; None where there is none."""
    drafting: DraftHelp | None = None
    """Asks a model to put an answer in order; None where there is none."""

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
        count_fallback(outcome.mark.fallback)
        outcome = _timed(outcome.marked(outcome.mark), conversation, started)
        answer = await self._on_record(question, principal, scope, masked, outcome)
        turn = await self._turn(principal, question, masked, replace(outcome, answer=answer))
        await self.conversations.append(turn)
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
            plan = await self._plan_again(turn, principal, scope, conversation)
            reading = await self._read_again(turn, principal, scope, conversation)
            outcome = (await self.outcome(reading.over(plan), scope)).beside(reading)
        outcome = _timed(outcome.marked(kept_mark(turn.plan)), conversation, started)
        question = Question(text=turn.question, channel="web", conversation=conversation)
        return await self._on_record(question, principal, scope, turn.question, outcome)

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
        asked = without_courtesy(text)
        plan = await self.plan(asked, scope, state)
        told = Asked(
            text=asked, principal=principal, scope=scope, policy=self.policy, conversation=conversation, state=state
        )
        helped = await self._helped(plan, told)
        outcome = await self.outcome(helped.over(plan) if helped else plan, scope, told)
        return outcome.after(helped) if helped else outcome

    async def _helped(self, plan: Plan | NoPlan | None, asked: Asked) -> PlanHelped | None:
        """What a model makes of a message that the rules don't understand to its last word; None where none is
        asked."""
        if self.planning is None or plan is None:
            return None
        if not (plan.unused_words if isinstance(plan, Plan) else plan.reason != "ambiguous"):
            return None
        with _TRACER.start_as_current_span("plan by a model"):
            return await self.planning.plan(plan, asked)

    async def _mannerly(
        self, manner: Manner, masked: str, person: Principal, scope: Scope, conversation: str, kept: int | None = None
    ) -> Outcome:
        """What is no question about records; `kept` is the position of such a turn that is opened again."""
        turns = await self.conversations.turns(person.subject, conversation)
        before = [turn for turn in turns if kept is None or turn.position < kept]
        setting = Setting(subject=person.subject, conversation=conversation, words=masked, kept=kept is not None)
        told = await mannerly(self, manner, scope, before, setting)
        return Outcome(
            answer=told.answer, plan=told.plan, evidence=told.evidence, draft=told.draft, findings=told.findings,
            made=(told.made,),
        )  # fmt: skip

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

    async def _read_again(self, turn: KeptTurn, principal: Principal, scope: Scope, conversation: str) -> PlanHelped:
        """The reading of a model that a kept turn offered, in its words as this person may see them today."""
        kept = kept_reading(turn.plan)
        if kept is None or not scope or self.policy.everywhere.readings_of_models == "refused":
            return PlanHelped()
        masked = [(conversation, words) for words in kept]
        words, label, question = await self.pseudonyms.shown(principal.subject, scope, masked)
        return PlanHelped(offered=Choice(label=label.text, question=question.text), echo=words.text)

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

    async def outcome(self, plan: Plan | NoPlan | None, scope: Scope, asked: Asked | None = None) -> Outcome:
        """Run a plan, or each of several asked in one message; with what was `asked` a model may put in order what is
        said to one question."""
        now = self.clock()
        if plan is None:
            return Outcome(answer=self.decider.no_access(), made=(OfNoPlan(why=None, now=now),))
        if isinstance(plan, NoPlan):
            return Outcome(answer=self.decider.decline(plan, now), made=(OfNoPlan(why=plan, now=now),))
        return await self._each(plan, scope) if plan.before else await self._run(plan, scope, asked=asked)

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
            made=tuple(made for outcome in ran for made in outcome.made),
        )

    async def _run(self, plan: Plan, scope: Scope, taken: int = 0, asked: Asked | None = None) -> Outcome:
        """Retrieve, confirm what is old, draft, verify, decide. Ids of evidence up to `taken` are given already."""
        now = self.clock()
        evidence = await self.retrieve(plan, scope, now, taken)
        stale = await self.freshener.stale(evidence, self.policy)
        if stale.asked:  # the copy has new values, or new ages
            evidence = await self.retrieve(plan, scope, now, taken)
        drafted = draft(plan.outline, evidence, self.shapes)
        findings = self._findings(plan, drafted, evidence)
        helped = None
        if asked and drafted.complete and not findings:
            helped = await self._arranged(plan, drafted, evidence, asked)
        drafted = (helped and helped.draft) or drafted
        answer = self.decider.answer(plan, evidence, drafted, findings, stale, now)
        made = OfPlan(
            plan=plan, evidence=evidence, draft=drafted, findings=findings, stale=stale, now=now,
            arranged=bool(helped and helped.draft),
        )  # fmt: skip
        return Outcome(
            answer=answer, plan=plan, evidence=evidence, draft=drafted, findings=findings, made=(made,),
            helped=(helped,) if helped else (),
        )  # fmt: skip

    def _findings(self, plan: Plan, drafted: Draft, evidence: Evidence) -> tuple[Finding, ...]:
        """What of a draft may not be shown."""
        return (
            *verify(drafted, evidence, plan, self.shapes),
            *withheld(drafted, evidence, self.policy, self.templates),
        )

    async def _arranged(self, plan: Plan, drafted: Draft, evidence: Evidence, asked: Asked) -> DraftHelped | None:
        """The draft as a model arranges it, verified; None where none is asked."""
        if self.drafting is None:
            return None

        def verified(arranged: Draft) -> Sequence[Finding]:
            return self._findings(plan, arranged, evidence)

        with _TRACER.start_as_current_span("draft by a model"):
            return await self.drafting.draft(plan, drafted, evidence, self.templates, verified, asked)

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
        names = outcome.measured
        keys = dict(zip(names, await self._masked(names, principal, outcome.answer.conversation), strict=True))
        decision = PolicyDecision(
            subject=principal.subject,
            roles=principal.roles,
            scope=scope,
            version=self.policy.version,
            outcome="allowed" if scope else "refused",
            grants=principal.grants,
            classes=tuple(sorted(classes_read(self.model, outcome.plan))) if outcome.plan else (),
            residency=together(record.residency for record in outcome.used),
        )
        made = outcome.made_from(in_force().name, self.decider.digest, self.shapes)
        return outcome.entry(question, masked, decision, keys, self.clock(), pack(made))

    async def _turn(self, principal: Principal, question: Question, masked: str, outcome: Outcome) -> Turn:
        """What the conversation keeps."""
        answer = outcome.answer
        return Turn(
            subject=principal.subject,
            conversation=answer.conversation,
            channel=question.channel,
            question=masked,
            plan=await outcome.kept(lambda words: self._masked(words, principal, answer.conversation)),
            verdict=answer.verdict.value,
            reason=answer.reason.value if answer.reason else None,
            audit_id=answer.audit_id,
        )


def _timed(outcome: Outcome, conversation: str, started: float) -> Outcome:
    took = int((perf_counter() - started) * 1000)
    return replace(outcome, answer=replace(outcome.answer, conversation=conversation, elapsed_ms=took))


def _told(question: Question, masked: str, answer: Answer) -> dict[str, str | int]:
    """What a trace says of a question: no value of a record, and no word that is not masked."""
    return {
        "copilot.channel": question.channel,
        "copilot.question": masked,
        "copilot.kind": answer.kind or "",
        "copilot.verdict": answer.verdict.value,
        "copilot.engine": answer.engine,
        "copilot.fallback": answer.fallback or "",
        "copilot.audit_id": answer.audit_id,
        "copilot.sources": len(answer.sources),
    }
