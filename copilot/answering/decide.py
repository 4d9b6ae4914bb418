"""Decides what is answered: everything, a part that says what is missing, or a typed decline with a next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from copilot.answering.draft import Claim, Draft, Templates, render
from copilot.answering.sources import sources
from copilot.answering.verify import Finding
from copilot.domain.answer import Answer, Fact, Reason, Verdict
from copilot.domain.evidence import Evidence, Record, Value
from copilot.domain.plan import NoPlan, Plan, ReadAs
from copilot.semantic.model import SemanticModel
from prompts.template import claims_digest

RULES = "rules"
_PLACES = ("site", "region", "channel")
_CONFLICTS = ("stock_difference", "stock_absent")
_ASKED_BACK = {0: "declined_unnamed", 1: "declined_guessed"}
"""How it is asked back what somebody means, by the number of records that it may be; several, where not here."""
_ASKED = "Q"
"""The id of the record that stands for the question itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness:
    """What asking the sources again came to: since when something stands unconfirmed, whether anything was confirmed,
    and whether it had changed."""

    since: Record | None = None
    asked: bool = False
    changed: bool = False


class Decider:
    """Holds what every decision needs: the approved templates and the semantic model."""

    def __init__(self, templates: Templates, model: SemanticModel) -> None:
        self._templates = templates
        self._model = model

    @cached_property
    def digest(self) -> str:
        """What tells the templates that may be said from any other set of them."""
        return claims_digest(self._templates)

    def answer(
        self, plan: Plan, evidence: Evidence, draft: Draft, findings: Sequence[Finding], stale: Staleness, now: datetime
    ) -> Answer:
        """The answer of a plan that ran."""
        if not draft.complete:
            return self._nothing_recorded(plan, evidence, now)
        rejected = {finding.claim for finding in findings}
        claims = [claim for claim in draft.claims if claim.name not in rejected]
        if not claims or any(claim.essential for claim in draft.claims if claim.name in rejected):
            return self._declined(Reason.UNVERIFIABLE, [self._say("declined_unverifiable")], kind=plan.kind)
        remarks = self._remarks(plan, evidence, stale, now, rejected=bool(rejected))
        if any(claim.declines for claim in claims):
            return self._corrected(plan, evidence, [*claims, *remarks], now)
        reason = Reason.UNVERIFIABLE if rejected else self._partial_reason(plan, stale, evidence)
        return Answer(
            answer=joined([*claims, *remarks]),
            verdict=Verdict.PARTIAL if reason else Verdict.VERIFIED,
            reason=reason,
            engine=RULES,
            kind=plan.kind,
            understood=plan.understood,
            facts=_facts([*claims, *remarks]),
            sources=sources(claims, evidence, self._model, now),
        )

    def decline(self, no_plan: NoPlan, now: datetime) -> Answer:
        """The answer where there is nothing to run."""
        asked = _asked(now, echo=no_plan.echo, words=", ".join(no_plan.unknown_words))
        match no_plan.reason:
            case "ambiguous":
                form = _ASKED_BACK.get(len(no_plan.choices), "declined_ambiguous")
                said = self._say(form, asked=asked) or self._say("declined_ambiguous_question")
            case "not_found":
                said = self._say("declined_not_found", asked=asked)
            case "unsupported":
                said = self._say("declined_unknown_words", asked=asked)
        step = "next_unnamed" if no_plan.reason == "ambiguous" and not no_plan.choices else None
        declined = self._declined(Reason(no_plan.reason), [said or self._say("declined_unsupported")], step=step)
        return replace(declined, choices=no_plan.choices)

    def no_access(self) -> Answer:
        """The answer for a person whose scope holds no record class."""
        return self._declined(Reason.NO_ACCESS, [self._say("declined_no_access")])

    def _corrected(self, plan: Plan, evidence: Evidence, claims: Sequence[Claim], now: datetime) -> Answer:
        """A question that takes for granted what is not so: how it is instead, with its sources, and no more."""
        following = self._say("next_wrong_premise")
        return Answer(
            answer=joined(claims),
            verdict=Verdict.DECLINED,
            reason=Reason.WRONG_PREMISE,
            engine=RULES,
            kind=plan.kind,
            facts=_facts(claims),
            sources=sources(claims, evidence, self._model, now),
            next_steps=(following.text,) if following else (),
        )

    def _nothing_recorded(self, plan: Plan, evidence: Evidence, now: datetime) -> Answer:
        """The record named is there, what is asked about it is not, or is too much: forbidden, hidden and missing read
        the same."""
        asked = _asked(now, echo=plan.echo)
        if evidence.truncated:
            said = self._say("declined_too_many", asked=asked) or self._say("declined_unsupported")
            return self._declined(Reason.UNSUPPORTED, [said], kind=plan.kind, step="next_too_many")
        named = [claim for record in _named(plan, evidence)[:1] if (claim := self._not_recorded_of(record))]
        said = named or [self._say("declined_not_recorded", asked=asked) or self._say("declined_nothing_recorded")]
        return self._declined(Reason.NOT_FOUND, said, kind=plan.kind, step="next_not_recorded")

    def _not_recorded_of(self, record: Record) -> Claim | None:
        forms = ("declined_not_recorded_named", "declined_not_recorded_number", "declined_not_recorded_name")
        return next((claim for form in forms if (claim := self._say(form, named=record))), None)

    def _declined(
        self, reason: Reason, said: Sequence[Claim | None], *, kind: str | None = None, step: str | None = None
    ) -> Answer:
        following = self._say(step or f"next_{reason}")
        return Answer(
            answer=joined([claim for claim in said if claim]),
            verdict=Verdict.DECLINED,
            reason=reason,
            engine=RULES,
            kind=kind,
            next_steps=(following.text,) if following else (),
        )

    def _remarks(
        self, plan: Plan, evidence: Evidence, stale: Staleness, now: datetime, *, rejected: bool
    ) -> list[Claim]:
        said = [
            *(self._read_as(slip, evidence, now) for slip in plan.read_as),
            self._say("partial_unverifiable") if rejected else None,
            self._say("partial_unused_words", asked=_asked(now, words=", ".join(plan.unused_words))),
            self._say("partial_stale", age=stale.since) if stale.since else None,
            self._say("partial_differs") if stale.changed else None,
        ]
        return [claim for claim in said if claim]

    def _read_as(self, slip: ReadAs, evidence: Evidence, now: datetime) -> Claim | None:
        """That words with a slip were read as a record: by its own fields where the plan read it."""
        asked = _asked(now, echo=slip.typed, words=slip.label)
        for record in evidence.by_id().values():
            if (record.entity, record.row_id) == (slip.entity, slip.id):
                numbered = self._say("read_as_numbered", asked=asked, named=record)
                return numbered or self._say("read_as_named", asked=asked, named=record)
        return self._say("read_as", asked=asked)

    @staticmethod
    def _partial_reason(plan: Plan, stale: Staleness, evidence: Evidence) -> Reason | None:
        if stale.since:
            return Reason.STALE
        if any(record.entity in _CONFLICTS for record in evidence.by_id().values()):
            return Reason.CONFLICTING
        return Reason.UNSUPPORTED if plan.unused_words else None

    def _say(self, name: str, **slots: Record) -> Claim | None:
        """A remark by its approved template; None where a slot has nothing to say."""
        template = self._templates.get(name)
        return render(template, slots) if template else None


def _named(plan: Plan, evidence: Evidence) -> list[Record]:
    """The records asked about, of those that were read; a place says only where."""
    asked = {(entity, ident) for entity, ids in plan.references.items() if entity not in _PLACES for ident in ids}
    return [record for record in evidence.by_id().values() if (record.entity, record.row_id) in asked]


def _facts(claims: Sequence[Claim]) -> tuple[Fact, ...]:
    """Every fact once; the question's own words are none."""
    told = (fact for claim in claims for fact in claim.facts)
    return tuple(dict.fromkeys(fact for fact in told if not fact.ref.startswith(f"{_ASKED}.")))


def joined(claims: Sequence[Claim]) -> str:
    """Sentences run on; list items stand on lines of their own."""
    text = ""
    for claim in claims:
        item = claim.text.startswith("- ")
        after_item = text.rpartition("\n")[2].startswith("- ")
        text += (
            "" if not text else "\n" if item and after_item else "\n\n" if item or after_item else " "
        ) + claim.text
    return text


def _asked(now: datetime, **fields: str) -> Record:
    """The question's own words as a record, so that they are printed with the same care as any hostile text."""
    return _pseudo("asked", now, {name: Value("text", text) for name, text in fields.items()})


def age_record(since: datetime, time_zone: str, source: str = _ASKED) -> Record:
    """The moment a source was last confirmed as a record, to be printed in the time zone of what it is about."""
    return replace(_pseudo("age", since, {"confirmed_at": Value("instant", since)}, time_zone), id=source)


def _pseudo(entity: str, now: datetime, values: Mapping[str, Value], time_zone: str = "UTC") -> Record:
    return Record(
        id=_ASKED, kind="record", entity=entity, row_id=0, system="", company="", key="", version=now,
        time_zone=time_zone, values=values, changed_at=None, confirmed_at=now,
    )  # fmt: skip
