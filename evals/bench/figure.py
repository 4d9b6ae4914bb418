"""One measured figure with its goal, and what it is measured against."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from copilot.domain.json import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure. `goal` is what it may be at most (`at_most`) or must be at least; `peer` is a figure of the same unit
    for the least that the same work could cost."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_most: bool = True
    peer: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the goal is met; a figure without one is."""
        if self.goal is None:
            return True
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def to_json(self) -> dict[str, Json]:
        """The entry of build/bench.json."""
        return {
            "name": self.name,
            "value": _short(self.value),
            "unit": self.unit,
            "goal": self.goal,
            "peer": None if self.peer is None else _short(self.peer),
            "ok": self.ok,
        }


@dataclass(slots=True)
class Stopwatch:
    """Seconds of what ran under it."""

    seconds: float = 0.0


@contextmanager
def stopwatch() -> Generator[Stopwatch]:
    """Times a block."""
    watch = Stopwatch()
    begun = time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - begun


def middle(values: Sequence[float]) -> float:
    """The median."""
    return median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _short(value: float) -> float:
    return round(value, 3 if abs(value) < 10 else 1)
