"""A question with what its answer has to say, and whether it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from copilot.domain.answer import Answer, Verdict

Place = tuple[str, str, str]
"""Entity, source key and field."""
Shown = tuple[object, str | None]
"""A value and its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, what has to be among the facts of its answer, or why it has to be declined."""

    question: str
    must: Mapping[Place, Shown] = field(default_factory=dict[Place, Shown])
    says: tuple[str, ...] = ()
    declined: str | None = None
    subject: str = "buyer"


def fault(case: Asked, answer: Answer) -> str | None:
    """What is wrong with an answer; None for nothing."""
    if case.declined is not None:
        reason = answer.reason.value if answer.reason else None
        return None if (answer.verdict, reason) == (Verdict.DECLINED, case.declined) else f"{reason}: {answer.answer}"
    printed = _printed(answer)
    lacking = {place: shown for place, shown in case.must.items() if not _same(printed.get(place), shown)}
    unsaid = [text for text in case.says if text not in answer.answer]
    if lacking or unsaid:
        return f"lacks {lacking or unsaid}: {answer.answer}"
    return None


def _same(printed: Shown | None, expected: Shown) -> bool:
    if printed is None or not isinstance(expected[0], Decimal):
        return printed == expected
    return (Decimal(str(printed[0])), printed[1]) == expected


def _printed(answer: Answer) -> dict[Place, Shown]:
    sources = {source.id: source for source in answer.sources}
    found: dict[Place, Shown] = {}
    for fact in answer.facts:
        ident, _, name = fact.ref.partition(".")
        if ident in sources:
            found[sources[ident].entity, sources[ident].key, name] = fact.value, fact.unit
    return found
