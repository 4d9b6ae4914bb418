"""What rules give as values, where that is more than a figure, a word or a set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

SHOWN = ("shown", "partly", "token", "hidden")
"""How much of a value an audience gets to see, from all of it to nothing."""
AUTONOMY = ("automatic", "recommend", "approve")
"""What an agent may do by itself, from everything to nothing without a person's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long records are kept, in days: at least so long, and at most so long; None: for ever."""

    least: int = 0
    most: int | None = None

    def __str__(self) -> str:
        return f"at least {self.least} days, " + (f"at most {self.most}" if self.most is not None else "without an end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Who may author a kind of change, and who may approve it: roles."""

    author: frozenset[str] = frozenset()
    approve: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"authored by {_names(self.author)}, approved by {_names(self.approve)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How many approvals an amount from `start` up to but without `end` needs, and of which roles; no end: None."""

    start: int
    end: int | None = None
    approvals: int
    by: frozenset[str] = frozenset()

    def holds(self, amount: int) -> bool:
        """Whether an amount is in this step."""
        return self.start <= amount and (self.end is None or amount < self.end)

    def no_looser(self, other: Step) -> bool:
        """Whether this asks for as much as the other: as many approvals, of no further roles."""
        if other.approvals == 0:
            return True
        return self.approvals >= other.approvals and self.by <= other.by

    def __str__(self) -> str:
        if not self.approvals:
            return "no approval"
        return f"{self.approvals} approval{'s' if self.approvals > 1 else ''} by {_names(self.by)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The approvals that amounts need, in whole units of a currency.

    The amount is that of one action where `party` is empty, else the sum over the actions for one customer or supplier
    in so many days.
    """

    steps: tuple[Step, ...] = ()
    party: str = ""
    days: int = 0

    def required(self, amount: int) -> Step | None:
        """What an amount needs; None: nobody may do it, because no step or steps that contradict each other hold."""
        held = [step for step in self.steps if step.holds(abs(amount))]
        strictest = [step for step in held if all(step.no_looser(other) for other in held)]
        return strictest[0] if strictest else None

    def edges(self) -> tuple[int, ...]:
        """The amounts at which what is needed may change, ascending; 0 is one of them."""
        ends = {step.end for step in self.steps if step.end is not None}
        return tuple(sorted({0, *(step.start for step in self.steps), *ends}))

    def thresholds(self) -> Iterator[tuple[int, Step | None, Step | None]]:
        """The amounts at which what is needed does change: the amount, what is needed below it and from it on."""
        edges = self.edges()
        for below, edge in pairwise(edges):
            before, after = self.required(below), self.required(edge)
            if before != after and not (before and after and str(before) == str(after)):
                yield edge, before, after

    def __str__(self) -> str:
        if not self.steps:
            return "nobody may"
        per = f"in {self.days} days with one {self.party}" if self.party else "of one action"
        return f"{per}: " + ", ".join(f"from {edge:,} {self.required(edge) or 'nobody may'}" for edge in self.edges())


def _names(roles: frozenset[str]) -> str:
    return " or ".join(sorted(roles)) or "nobody"
