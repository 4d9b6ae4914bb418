"""Whether the time that an answer takes tells a hidden number from one that never was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter

from copilot.domain.question import Question, SessionSubject
from copilot.wiring import Runtime
from evals.proofs.oracle import World
from evals.proofs.scope_leaks.sight import Sight

WARMING = 40
BLOCKS: Mapping[str, tuple[str, str, str]] = {
    "orders": ("service.us", "sales_order", "where is {}?"),
    "invoices": ("finance.us", "invoice", "is invoice {} paid?"),
}
"""Who looks up what, and in which words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Seconds that each answer took, pair by pair."""

    hidden: Sequence[float]
    missing: Sequence[float]

    @property
    def auc(self) -> float:
        """How well a classifier by time does, in the direction in which it does better: 0.5 is guessing."""
        return better(self.hidden, self.missing)


def better(one: Sequence[float], other: Sequence[float]) -> float:
    """The area under the curve of a rank statistic (Mann and Whitney's U over all pairs), in the better direction."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks, place = 0.0, 0
    while place < len(ranked):
        last = place
        while last + 1 < len(ranked) and ranked[last + 1][0] == ranked[place][0]:
            last += 1
        ranks += (place + last + 2) / 2 * sum(1 for _, whose in ranked[place : last + 1] if whose == 0)
        place = last + 1
    area = (ranks - len(one) * (len(one) + 1) / 2) / (len(one) * len(other))
    return max(area, 1 - area)


async def timed(copilot: Runtime, sight: Sight, block: str, pairs: int, draw: Random) -> Timed:
    """Ask for hidden numbers and for numbers that never were, in turns of chance; the first ones only warm up."""
    subject, entity, words = BLOCKS[block]
    rows = [row for row in sight.hidden(entity) if row["number"]]
    hidden: list[float] = []
    missing: list[float] = []
    for pair in range(-WARMING, pairs):
        number = str(draw.choice(rows)["number"])
        both = [(number, hidden), (never_was(number, sight.world, draw), missing)]
        for text, seconds in draw.sample(both, 2):
            question = Question(text=words.replace("{}", text), channel="api")
            began = perf_counter()
            await copilot.ask(question, SessionSubject(subject))
            if pair >= 0:
                seconds.append(perf_counter() - began)
    return Timed(hidden=hidden, missing=missing)


def never_was(number: str, world: World, draw: Random) -> str:
    """A number of the same shape that no record has, in whatever form: the same letters, as many digits."""
    while True:
        text = re.sub(r"\d", lambda _: draw.choice("0123456789"), number)
        plain = re.sub(r"[\W_]", "", text.upper())
        digits = re.sub(r"\D", "", text).lstrip("0")
        if not world.keys.intersection((plain, digits)) and digits:
            return text
