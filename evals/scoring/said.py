"""What an answer says, as the scorer reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from copilot.domain.answer import Answer, Reason, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One printed value: of which record or measure, which field, the value as it is kept, its unit, its text."""

    source: str
    entity: str
    field: str
    value: str | int | bool | date | datetime | None
    unit: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer. `shown` is in the order of the text and holds values of records and measures only."""

    text: str
    verdict: Verdict
    reason: Reason | None = None
    shown: tuple[Shown, ...] = ()
    sources: frozenset[str] = frozenset()
    choices: tuple[str, ...] = ()
    elapsed_ms: int = 0

    @property
    def asked_back(self) -> bool:
        """Whether the answer is a question."""
        return self.verdict is Verdict.DECLINED and self.reason is Reason.AMBIGUOUS

    @property
    def declined(self) -> bool:
        """Whether nothing was answered, nor asked back."""
        return self.verdict is Verdict.DECLINED and self.reason is not Reason.AMBIGUOUS


def read_answer(answer: Answer) -> Said:
    """An answer of the copilot's."""
    entities = {source.id: source.entity for source in answer.sources}
    shown: list[Shown] = []
    for fact in answer.facts:
        source, _, field = fact.ref.partition(".")
        shown.append(
            Shown(
                source=source, entity=entities.get(source, ""), field=field, value=fact.value, unit=fact.unit,
                text=fact.text,
            )
        )  # fmt: skip
    return Said(
        text=answer.answer,
        verdict=answer.verdict,
        reason=answer.reason,
        shown=tuple(shown),
        sources=frozenset(entities.values()),
        choices=tuple(choice.label for choice in answer.choices),
        elapsed_ms=answer.elapsed_ms,
    )
