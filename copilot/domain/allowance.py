"""What may be used of models in a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Per = Literal["person", "role", "company"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Allowance:
    """How many tokens, and at what cost in millionths of a currency, a person, a role together or all may use in a day;
    None where that has no limit."""

    per: Per
    name: str
    tokens: int | None = None
    micros: int | None = None

    def covers(self, tokens: int, micros: int) -> bool:
        """Whether so much is within it, with nothing used yet."""
        return (self.tokens is None or tokens <= self.tokens) and (self.micros is None or micros <= self.micros)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What was set aside of some allowances, and the day of which."""

    day: date
    allowances: tuple[Allowance, ...]
    tokens: int
    micros: int
