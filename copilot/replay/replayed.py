"""What replaying an answer came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from copilot.domain.json import Json
from copilot.replay.again import Broke
from copilot.replay.since import Since

Values = Literal["shown", "hidden", "erased", "damaged", "not_kept"]
"""What became of the sealed values: shown to who may read them; hidden from who may not; erased with their key; not
what was sealed; or not kept, for rows of before and rows that answer nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A place in the answer that comes out otherwise; the values only for who may read them."""

    path: str
    then: Json = None
    now: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """`row` are the columns of the audit row; `findings` what is wrong with it or its sealed values."""

    id: int
    row: Mapping[str, Json]
    sealed: int
    findings: tuple[str, ...]
    values: Values
    erased_at: str | None = None
    identical: bool | None = None
    """Whether the answer came about again byte for byte; None where it was not made again, or not whole for templates
    that are gone."""
    bytes: int = 0
    broke: tuple[Broke, ...] = ()
    differences: tuple[Difference, ...] = ()
    gone: tuple[str, ...] = ()
    """Templates of which the text of then is nowhere any more."""
    answer: Mapping[str, Json] | None = None
    """The answer as it was sealed, for who may read it."""
    since: Since | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong: the row and its values are what was written, and the answer the same."""
        return not self.findings and self.identical is not False

    def to_json(self) -> dict[str, Json]:
        """As the command prints it."""
        shown = self.values == "shown"
        differences: list[Json] = [
            {"path": each.path} | ({"then": each.then, "now": each.now} if shown else {}) for each in self.differences
        ]
        return {
            "audit_id": self.row.get("audit_id"),
            "row": self.id,
            "at": self.row.get("at"),
            "subject": self.row.get("subject"),
            "masked_question": self.row.get("masked_question"),
            "verdict": self.row.get("verdict"),
            "reason": self.row.get("reason"),
            "help": self.row.get("help"),
            "findings": [*self.findings],
            "values": self.values,
            "erased_at": self.erased_at,
            "identical": self.identical,
            "broke": [{"stage": each.stage, "what": each.what} for each in self.broke],
            "differences": differences,
            "gone_templates": [*self.gone],
            "answer": dict(self.answer) if shown and self.answer is not None else None,
            "since": None if self.since is None else self.since.to_json(),
        }


def differences(then: Json, now: Json, path: str = "") -> Iterator[Difference]:
    """Where two values of JSON differ, deepest first told by path like `facts[0].text`."""
    if type(then) is type(now) and isinstance(then, dict):
        other = cast("dict[str, Json]", now)
        for name in dict.fromkeys((*then, *other)):
            yield from differences(then.get(name), other.get(name), f"{path}.{name}" if path else name)
    elif type(then) is type(now) and isinstance(then, list):
        others = cast("list[Json]", now)
        for place in range(max(len(then), len(others))):
            before, after = (each[place] if place < len(each) else None for each in (then, others))
            yield from differences(before, after, f"{path}[{place}]")
    elif then != now or type(then) is not type(now):
        yield Difference(path=path or "answer", then=then, now=now)
