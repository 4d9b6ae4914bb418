"""What became of asking a model, and how the models are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from copilot.domain.json import Json

Came = Literal["said", "resting", "not_allowed", "over_budget", "may_not_leave", "failed", "slow"]
Fallback = Literal["resting", "not_allowed", "over_budget", "may_not_leave", "failed", "slow", "refused"]
"""Why a model that was to help did not; `refused` where it said something, and code would not have it."""
_FALLBACKS: tuple[Fallback, ...] = get_args(Fallback)
Engine = Literal["rules", "model"]
"""Who understood the question or put the answer together: the rules alone, or a model too. Code printed it."""
BreakerState = Literal["closed", "open", "half_open"]
"""Asked as usual, left alone for a while, or to be tried by the next question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of asking one model, for the audit: how long it took in milliseconds, and the tokens in and out."""

    model: str
    came: Came
    elapsed_ms: int = 0
    tokens: tuple[int, int] = (0, 0)
    why: str = ""
    """What went wrong, for whoever mends it; not for the audit."""

    def to_json(self) -> dict[str, Json]:
        """As the audit holds it."""
        return {"model": self.model, "came": self.came, "ms": self.elapsed_ms, "tokens": [*self.tokens]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What an answer says of the models' part in it: whether one was used, and why one that was to help was not."""

    engine: Engine = "rules"
    fallback: Fallback | None = None

    def to_json(self) -> dict[str, Json]:
        """As a conversation keeps it."""
        return {"engine": self.engine, "fallback": self.fallback}

    @classmethod
    def from_json(cls, kept: Json) -> Mark:
        """The mark that a conversation kept; that of the rules where it kept none."""
        match kept:
            case {"engine": "rules" | "model" as engine, "fallback": why} if why is None or why in _FALLBACKS:
                return cls(engine=engine, fallback=why)
            case _:
                return cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """How one model is: no address, no key, nothing that was said to it or by it."""

    name: str
    """As the settings call it."""
    tasks: tuple[str, ...]
    breaker: BreakerState
    since: datetime | None = None
    """When the breaker opened; None while it is closed."""
    last_failure: Came | None = None
    """How it failed last, also where it is well again since."""
    over_budget: bool = False
    """Whether today's budget of the company has too little left for a request such as the last one."""

    @property
    def well(self) -> bool:
        """Whether the next question may count on it."""
        return self.breaker == "closed" and not self.over_budget

    def to_json(self) -> dict[str, Json]:
        """As `/health` tells of it."""
        return {
            "model": self.name,
            "tasks": [*self.tasks],
            "breaker": self.breaker,
            "since": self.since.isoformat(timespec="seconds") if self.since else None,
            "last_failure": self.last_failure,
            "over_budget": self.over_budget,
        }
