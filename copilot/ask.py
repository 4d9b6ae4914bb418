"""The straight line from a question to an answer: `Asking.ask` is the list of its steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Protocol

from copilot.answering.decide import Decider, Staleness
from copilot.answering.draft import NO_DRAFT, Draft, Templates, draft
from copilot.answering.sources import used_records
from copilot.answering.verify import Finding, verify
from copilot.domain.answer import Answer
from copilot.domain.clock import Clock
from copilot.domain.evidence import NO_EVIDENCE, Evidence, Record
from copilot.domain.json import Json
from copilot.domain.plan import NoPlan, Period, Plan
from copilot.domain.principal import Principal
from copilot.domain.question import Credential, Question, SessionSubject
from copilot.domain.scope import Scope
from copilot.policy.policy import Policy, scope_for
from copilot.retrieval.retrieve import Linker, retrieve
from copilot.semantic.model import SemanticModel
from copilot.store.audit import AuditLog
from copilot.store.audit_entry import AuditEntry, ClaimCheck, PolicyDecision, RecordRef
from copilot.store.conversations import Conversations, Turn, new_conversation
from copilot.store.pool import Database
from copilot.understanding.planner import plan_question, replan
from redaction.base import Masker

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
    decider: Decider
    masker: Masker
    audit: AuditLog
    conversations: Conversations
    authenticate: Authenticate
    linker: Linker
    freshener: Freshener
    clock: Clock

    async def ask(self, question: Question, credential: Credential) -> Answer:
        """Answer one question.

        Raises SignInError for a credential that is not valid and AuditError where the question could not be put on
        record: then there is no answer.
        """
        started = perf_counter()
        principal = await self.authenticate(credential)
        scope = scope_for(principal, self.policy)
        masked = self.masker.mask(question.text)
        plan = await self.plan(question.text, scope)
        outcome = await self.outcome(plan, scope)
        conversation = await self._conversation(question, principal)
        answer = replace(outcome.answer, conversation=conversation, elapsed_ms=int((perf_counter() - started) * 1000))
        answer = await self._on_record(question, principal, scope, masked.text, replace(outcome, answer=answer))
        await self.conversations.append(_turn(principal, question, masked.text, outcome, answer))
        return replace(answer, elapsed_ms=int((perf_counter() - started) * 1000))

    async def again(self, subject: str, conversation: str, position: int) -> Answer | None:
        """Answer a kept turn again from its plan, under today's scope; None where there is no such turn of theirs."""
        started = perf_counter()
        turn = await self.conversations.turn(subject, conversation, position)
        if turn is None:
            return None
        principal = await self.authenticate(SessionSubject(subject))
        scope = scope_for(principal, self.policy)
        plan = _kept_plan(turn.plan) or NoPlan(reason="unsupported")
        outcome = await self.outcome(plan if scope else None, scope)
        answer = replace(outcome.answer, conversation=conversation, elapsed_ms=int((perf_counter() - started) * 1000))
        question = Question(text=turn.question, channel="web", conversation=conversation)
        return await self._on_record(question, principal, scope, turn.question, replace(outcome, answer=answer))

    async def _on_record(
        self, question: Question, principal: Principal, scope: Scope, masked: str, outcome: Outcome
    ) -> Answer:
        """Put the outcome on record; the answer exists only from then on."""
        entry = self._entry(question, principal, scope, masked, outcome)
        answer = replace(outcome.answer, audit_id=entry.audit_id)
        await self.audit.append(replace(entry, answer=answer.to_json()))
        return answer

    async def plan(self, text: str, scope: Scope) -> Plan | NoPlan | None:
        """What to read for a question; None for a scope that reads nothing."""
        if not scope:
            return None
        async with self.database.scoped_transaction(scope) as connection:
            return await plan_question(connection, self.model, text, self.clock())

    async def outcome(self, plan: Plan | NoPlan | None, scope: Scope) -> Outcome:
        """Run a plan: retrieve, confirm what is old, draft, verify, decide."""
        now = self.clock()
        if plan is None:
            return Outcome(answer=self.decider.no_access())
        if isinstance(plan, NoPlan):
            return Outcome(answer=self.decider.decline(plan, now))
        evidence = await self.retrieve(plan, scope, now)
        stale = await self.freshener.stale(evidence, self.policy)
        if stale.asked:  # the copy has new values, or new ages
            evidence = await self.retrieve(plan, scope, now)
        drafted = draft(plan.outline, evidence, self.templates)
        findings = verify(drafted, evidence)
        answer = self.decider.answer(plan, evidence, drafted, findings, stale, now)
        return Outcome(answer=answer, plan=plan, evidence=evidence, draft=drafted, findings=findings)

    async def retrieve(self, plan: Plan, scope: Scope, now: datetime) -> Evidence:
        """The evidence of a plan as this scope reaches it."""
        return await retrieve(self.database, self.model, plan, scope, policy=self.policy, now=now, linker=self.linker)

    async def _conversation(self, question: Question, principal: Principal) -> str:
        """One's own conversation, or a new one: a foreign id is as good as none."""
        given = question.conversation
        if given and await self.conversations.owns(principal.subject, given):
            return given
        return new_conversation()

    def _entry(
        self, question: Question, principal: Principal, scope: Scope, masked: str, outcome: Outcome
    ) -> AuditEntry:
        answer = outcome.answer
        return AuditEntry(
            subject=principal.subject,
            channel=question.channel,
            conversation=answer.conversation,
            masked_question=masked,
            kind=answer.kind,
            plan=outcome.plan.to_json() if outcome.plan else None,
            records=tuple(_ref(record) for record in used_records(outcome.draft.claims, outcome.evidence)),
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
            ),
            elapsed_ms=answer.elapsed_ms,
            question=question.text,
            answer=None,
        )


def _kept_plan(kept: dict[str, Json] | None) -> Plan | None:
    """A plan from what a conversation keeps of it: its kind, references and absolute period."""
    match kept:
        case {"kind": str(kind), "references": dict(references)}:
            ids = {
                entity: [i for i in those if isinstance(i, int)]
                for entity, those in references.items()
                if isinstance(those, list)
            }
            return replan(kind, ids, Period.from_json(kept.get("period")))
        case _:
            return None


def _ref(record: Record) -> RecordRef:
    return RecordRef(
        ref=record.id, entity=record.entity, row_id=record.row_id, system=record.system, key=record.key,
        version=record.version,
    )  # fmt: skip


def _checks(outcome: Outcome) -> tuple[ClaimCheck, ...]:
    broken = {finding.claim: finding.rule for finding in outcome.findings}
    return tuple(
        ClaimCheck(claim=c.name, refs=tuple(f.ref for f in c.facts), verdict=broken.get(c.name, "backed"))
        for c in outcome.draft.claims
    )


def _turn(principal: Principal, question: Question, masked: str, outcome: Outcome, answer: Answer) -> Turn:
    return Turn(
        subject=principal.subject,
        conversation=answer.conversation,
        channel=question.channel,
        question=masked,
        plan=outcome.plan.to_json() if outcome.plan else None,
        verdict=answer.verdict.value,
        reason=answer.reason.value if answer.reason else None,
        audit_id=answer.audit_id,
    )
