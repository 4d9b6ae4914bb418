"""What a proof suite is: named cases, each tried once, each leaving failures and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from copilot.domain.json import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a run is meant: the seed of everything drawn, and whether it is a sample for CI."""

    seed: int
    sample: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one case came to. A failure says what went wrong and what it takes to see it again; a miss does so for what
    the suite allows a few of, and counts."""

    case: str
    failures: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    tried: int = 1
    """How many it stands for, where many small ones are drawn and tried together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A second promise that the same run has looked at, reported under a name of its own."""

    name: str
    goal: str
    tried: int
    met: bool
    more: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the counts of a whole run mean: whether its goal was met, and figures to report beside tried and failed."""

    met: bool
    more: Mapping[str, Json]
    beside: tuple[Beside, ...] = ()


class Trial(Protocol):
    """An opened suite. The same seed gives the same cases in the same order."""

    @property
    def cases(self) -> Sequence[str]: ...

    async def run(self, case: str) -> Result: ...

    def finding(self, counts: Mapping[str, int]) -> Finding: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One promise: its name, the goal in words, and how to open it."""

    name: str
    goal: str
    open: Callable[[Setting], AbstractAsyncContextManager[Trial]]
    lacks: Callable[[], str | None] = lambda: None
    """What is missing on this machine to run it."""
