"""The answer, the same everywhere: what was said, on which facts, from which sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from copilot.domain.json import Json
from copilot.domain.model_calls import Engine, Fallback, Mark
from copilot.domain.plan import Choice
from copilot.domain.residency import NOWHERE, Residency


class Verdict(StrEnum):
    """Whether everything asked was answered from checked facts."""

    VERIFIED = "verified"
    PARTIAL = "partial"
    DECLINED = "declined"


class Reason(StrEnum):
    """Why an answer is partial or declined."""

    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    STALE = "stale"
    CONFLICTING = "conflicting"
    UNSUPPORTED = "unsupported"
    UNVERIFIABLE = "unverifiable"
    MODEL_UNAVAILABLE = "model_unavailable"
    NO_ACCESS = "no_access"
    WRONG_PREMISE = "wrong_premise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One printed value: where it comes from (`S1.promised_date`), what it is, and how it was printed."""

    ref: str
    value: str | int | bool | date | datetime | None
    unit: str | None
    text: str
    quoted: bool = False
    """Whether `text` is a part of the value, word for word, rather than all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One record, measure or passage that the answer stands on. `age_seconds` counts from its last confirmation."""

    id: str
    kind: Literal["record", "measure", "passage"]
    system: str
    entity: str
    title: str
    key: str
    age_seconds: int
    confirmed_at: datetime
    changed_at: datetime | None
    link: str | None
    fields: Mapping[str, str]
    """Field names as printed to a person -> printed values."""
    step: str
    """The plan step that found it, so that a channel can lay out a card."""
    residency: Residency = NOWHERE
    """Where it comes from, and where it may be processed."""
    version: bool = False
    """Whether it is how a record stood at some time; no card shows that as the record itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a channel shows. Every channel renders this and nothing else."""

    answer: str
    verdict: Verdict
    reason: Reason | None
    engine: Engine
    """Whether the rules alone made it, or what a model proposed is part of it."""
    kind: str | None
    fallback: Fallback | None = None
    """Why a model that was to help did not, so that the rules answered."""
    understood: str = ""
    """The question as it was understood, in one line of our own words."""
    facts: tuple[Fact, ...] = ()
    sources: tuple[Source, ...] = ()
    choices: tuple[Choice, ...] = ()
    next_steps: tuple[str, ...] = ()
    conversation: str = ""
    audit_id: str = ""
    elapsed_ms: int = 0

    @property
    def mark(self) -> Mark:
        """The models' part in it."""
        return Mark(engine=self.engine, fallback=self.fallback)

    def to_json(self) -> dict[str, Json]:
        """The wire form, as documented in the README."""
        return {
            "answer": self.answer,
            "verdict": self.verdict.value,
            "reason": self.reason.value if self.reason else None,
            "engine": self.engine,
            "fallback": self.fallback,
            "understood": self.understood,
            "facts": [_fact(fact) for fact in self.facts],
            "sources": [_source(source) for source in self.sources],
            "choices": [{"label": choice.label, "question": choice.question} for choice in self.choices],
            "next_steps": list(self.next_steps),
            "conversation": self.conversation,
            "audit_id": self.audit_id,
            "elapsed_ms": self.elapsed_ms,
        }


def _fact(fact: Fact) -> dict[str, Json]:
    value = fact.value.isoformat() if isinstance(fact.value, date) else fact.value
    return {"ref": fact.ref, "value": value, "unit": fact.unit, "text": fact.text}


def _source(source: Source) -> dict[str, Json]:
    return {
        "id": source.id,
        "kind": source.kind,
        "system": source.system,
        "entity": source.entity,
        "key": source.key,
        "age": source.age_seconds,
        "residency": source.residency.to_json(),
        "link": source.link,
        "fields": dict(source.fields),
    }
