"""What became of one question on its way, and what is put on record of it: in the audit and in the conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from copilot.answering.draft import NO_DRAFT, Draft, Templates
from copilot.answering.made import Made, Making, making
from copilot.answering.sources import used_records
from copilot.answering.verify import Finding
from copilot.domain.answer import Answer
from copilot.domain.claims import Pick
from copilot.domain.evidence import NO_EVIDENCE, Evidence, Record
from copilot.domain.json import Json
from copilot.domain.model_calls import Mark
from copilot.domain.plan import Plan
from copilot.domain.question import Question
from copilot.helped.help import Helped, PlanHelped, mark_of
from copilot.policy.policy import Policy
from copilot.store.audit_entry import AuditEntry, ClaimCheck, PolicyDecision, RecordRef

_MARK = "mark"
"""Where a kept turn says what part a model had in its answer."""
_READING = "reading"
"""Where it keeps the reading of a model that was offered: the words that were read, the label and the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one question on its way, for the answer and for the audit."""

    answer: Answer
    plan: Plan | None = None
    evidence: Evidence = NO_EVIDENCE
    draft: Draft = NO_DRAFT
    findings: tuple[Finding, ...] = ()
    helped: tuple[Helped, ...] = ()
    """What models were asked for it."""
    reading: PlanHelped | None = None
    """What offers the question as a model reads it, beside what the rules answer or instead of it."""
    made: tuple[Made, ...] = ()
    """What the answer was made from, question by question."""

    def after(self, helped: PlanHelped) -> Outcome:
        """The outcome of a question that a model was asked about before."""
        return replace(self.beside(helped), helped=(helped, *self.helped))

    def beside(self, helped: PlanHelped) -> Outcome:
        """The outcome with the reading that a model gave, to be chosen."""
        if helped.offered is None:
            return self
        choices = tuple(dict.fromkeys((*self.answer.choices, helped.offered)))
        return replace(self, answer=replace(self.answer, choices=choices), reading=helped)

    def marked(self, mark: Mark) -> Outcome:
        """The outcome with an answer that says what part models had in it."""
        return replace(self, answer=replace(self.answer, engine=mark.engine, fallback=mark.fallback))

    @property
    def mark(self) -> Mark:
        """What part models had in it."""
        return mark_of(self.helped)

    @property
    def used(self) -> tuple[Record, ...]:
        """The records that the draft stands on."""
        return used_records(self.draft.claims, self.evidence)

    @property
    def measured(self) -> tuple[str, ...]:
        """The keys of the measures used: they are by what they are about, in words, so they are masked to be kept."""
        return tuple(record.key for record in self.used if record.kind == "measure")

    def made_from(self, language: str, said: str, shapes: Templates) -> Making:
        """What the answer was made from, by templates of which `said` is the digest."""
        offered = [self.reading.offered] if self.reading and self.reading.offered else []
        return making(self.made, self.answer.mark, offered, language, said, shapes)

    def entry(
        self, question: Question, masked: str, decision: PolicyDecision, keys: Mapping[str, str], now: datetime,
        made: bytes,
    ) -> AuditEntry:  # fmt: skip
        """The row of the audit; `keys` are the masked forms of `measured`, `made` is the packed making."""
        answer = self.answer
        return AuditEntry(
            subject=decision.subject,
            channel=question.channel,
            conversation=answer.conversation,
            masked_question=masked,
            kind=answer.kind,
            plan=self.plan.to_json() if self.plan else None,
            records=tuple(_ref(record, keys.get(record.key, record.key), now) for record in self.used),
            verdict=answer.verdict.value,
            reason=answer.reason.value if answer.reason else None,
            engine=answer.engine,
            claims=_checks(self.draft, self.findings),
            policy=decision,
            elapsed_ms=answer.elapsed_ms,
            question=question.text,
            answer=None,
            help={each.task: each.to_json() for each in self.helped} or None,
            making=made,
        )

    async def kept(self, mask: Callable[[Sequence[str]], Awaitable[Sequence[str]]]) -> dict[str, Json] | None:
        """What the conversation keeps: references, what it may be followed up by, and no word that is not masked."""
        kept: dict[str, Json] = self.plan.to_json() if self.plan else {}
        if listed := listed_records(self.plan, self.evidence):
            kept["listed"] = {"entity": listed[0].entity, "ids": [record.row_id for record in listed]}
        if self.plan is None and self.answer.choices:
            kept["choices"] = [*await mask([choice.question for choice in self.answer.choices])]
        if self.reading and (offered := self.reading.offered):
            kept[_READING] = [*await mask([self.reading.echo, offered.label, offered.question])]
        if self.answer.mark != Mark():
            kept[_MARK] = self.answer.mark.to_json()
        return kept or None


def kept_mark(kept: Mapping[str, Json] | None) -> Mark:
    """What part a model had in a kept turn."""
    return Mark.from_json((kept or {}).get(_MARK))


def kept_reading(kept: Mapping[str, Json] | None) -> tuple[str, str, str] | None:
    """The reading that a kept turn offered: words, label and question, masked."""
    match (kept or {}).get(_READING):
        case [str(words), str(label), str(question)]:
            return words, label, question
        case _:
            return None


def withheld(drafted: Draft, evidence: Evidence, policy: Policy, approved: Templates) -> tuple[Finding, ...]:
    """The claims with a template that nobody may use now, or not where one of their records is."""
    records = evidence.by_id()
    where = {
        (claim.name, template, records[fact.ref.partition(".")[0]].labels)
        for claim in drafted.claims
        for template in claim.templates
        for fact in claim.facts
        if fact.ref.partition(".")[0] in records
    }
    held = {name for name, template, labels in where if not policy.at(labels).here.template(template).value}
    held |= {each.name for each in drafted.claims if not approved.keys() >= {*each.templates}}
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


def _checks(draft: Draft, findings: Sequence[Finding]) -> tuple[ClaimCheck, ...]:
    broken = {finding.claim: finding.rule for finding in findings}
    return tuple(
        ClaimCheck(claim=c.name, refs=tuple(f.ref for f in c.facts), verdict=broken.get(c.name, "backed"))
        for c in draft.claims
    )
