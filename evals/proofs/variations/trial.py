"""variations: a question of the demo suite that is mistyped, put in other words or in another order gets the answer
that its case expects, or is asked back or declined; never a wrong figure."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from psycopg import AsyncConnection

from copilot.domain.json import Json
from evals.company import silent
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial
from evals.proofs.variations.sorts import SORTS
from evals.proofs.variations.typed import Lexicon, data, typed, words_of
from evals.scoring.case import Case, Expect
from evals.scoring.loader import WORDED
from evals.scoring.run import Result as Scored
from evals.scoring.run import judged
from evals.scoring.scorer import Outcome
from evals.scoring.suites import SUITES, Scene
from evals.scoring.truth import Truth, owner, read_truth

_EACH, _SAMPLE_EACH = 460, 11
"""Variations of each sort, where so many cases have a place for one."""
_LEAST_RIGHT = 0.88
"""The share of all that has to be right, also in a sample."""
_SLACK = 0.3
"""How far the few of one sort in a sample may be off by chance."""
_NAMES = b"""
    select name from biz.customer union select name from biz.supplier union select name from biz.site
     union select name from biz.region union select name from biz.channel union select name from biz.item
"""
_SAID_OF = {Outcome.UNFINISHED: "partial"}
"""How an outcome is counted where it goes by another name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """A case with one of its turns typed otherwise, and what is true of it."""

    sort: str
    case: Case
    truth: Truth


@dataclass
class VariationTrial:
    """The opened suite: every variation, by its name."""

    scene: Scene
    connection: AsyncConnection[Any] = field(repr=False)
    variations: Mapping[str, Variation]
    slack: float

    @property
    def cases(self) -> Sequence[str]:
        """Their names."""
        return [*self.variations]

    async def run(self, case: str) -> Result:
        """Ask it. A wrong answer is a failure, and so is none at all; whatever else is not right is a miss."""
        it = self.variations[case]
        scored = await judged(self.scene, self.connection, it.case, it.truth)
        counts = {f"{it.sort} {_counted(scored)}": 1}
        if scored.score.outcome is Outcome.RIGHT:
            return Result(case=case, counts=counts)
        told = _told(it, scored)
        broken = scored.score.outcome is Outcome.WRONG or scored.said is None
        return Result(case=case, failures=(told,) if broken else (), misses=() if broken else (told,), counts=counts)

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """The goal needs of every sort so many right ones, however few are wrong."""
        table = {sort: _row(sort, counts) for sort in SORTS}
        short = [sort for sort, row in table.items() if row["right_share"] < SORTS[sort].least - self.slack]
        met, must = (sum(row[key] for row in table.values()) for key in ("must_decline_met", "must_decline"))
        tried, right = (sum(row[key] for row in table.values()) for key in ("tried", "right"))
        more: dict[str, Json] = {
            "right_share": round(right / max(tried, 1), 4),
            "must_decline": must,
            "must_decline_met": met,
            "sorts": {sort: {**row} for sort, row in table.items()},
            "short_of_their_goal": [*short],
        }
        return Finding(met=not short and met == must and right >= _LEAST_RIGHT * tried, more=more)


def _counted(scored: Scored) -> str:
    outcome = scored.score.outcome
    if scored.case.expect is Expect.DECLINE:
        return "must_decline_met" if outcome is Outcome.RIGHT else "must_decline_missed"
    return _SAID_OF.get(outcome, outcome.value)


def _row(sort: str, counts: Mapping[str, int]) -> dict[str, int | float]:
    """What became of a sort: of the answerable ones, and of those that must be declined."""
    kinds = ("right", "partial", "asked_back", "declined", "wrong")
    row: dict[str, int | float] = {kind: counts.get(f"{sort} {kind}", 0) for kind in kinds}
    tried = sum(row.values())
    met, missed = (counts.get(f"{sort} must_decline_{kind}", 0) for kind in ("met", "missed"))
    share = round(row["right"] / max(tried, 1), 4)
    return {"tried": tried, **row, "right_share": share, "must_decline": met + missed, "must_decline_met": met}


def _told(it: Variation, scored: Scored) -> str:
    said, score = scored.said, scored.score
    reason = f", {said.reason}" if said and said.reason else ""
    answer = " ".join(said.text.split())[:400] if said else ""
    off = "; ".join((*score.missing, *(f"too much: {each}" for each in score.surplus)))[:300]
    verdict = f"{said.verdict}{reason}" if said else "no answer"
    return f"{score.outcome} ({it.case.user}): {' | '.join(it.truth.turns)}\n    {off} -> {verdict}: {answer}"


async def draw(connection: AsyncConnection[Any], cases: Sequence[Case], seed: int, each: int) -> dict[str, Variation]:
    """So many variations of each sort, of cases in an order of chance. The same seed gives the same ones."""
    lexicon = await _lexicon(connection, cases)
    truths: dict[str, Truth] = {}
    found: dict[str, Variation] = {}
    for sort in SORTS:
        wanted = each
        for case in Random(f"{seed} {sort}").sample(cases, len(cases)):
            if not wanted:
                break
            truth = truths[case.id] = truths.get(case.id) or await read_truth(connection, case)
            turns = _varied(sort, case, truth, lexicon, Random(f"{seed} {sort} {case.id}"))
            if turns is not None:
                found[f"{case.id} {sort}"] = Variation(sort=sort, case=case, truth=replace(truth, turns=turns))
                wanted -= 1
    return dict(_mixed(found, seed))


def _mixed(found: Mapping[str, Variation], seed: int) -> Iterator[tuple[str, Variation]]:
    """In an order of chance: what is left undone when the time is up is of all sorts."""
    yield from Random(seed).sample([*found.items()], len(found))


def _varied(sort: str, case: Case, truth: Truth, lexicon: Lexicon, random: Random) -> tuple[str, ...] | None:
    """The turns with one of them typed otherwise; None where there is no place for it in any."""
    if sort == "courtesy" and case.family.startswith("manners"):
        return None  # there a greeting is the question
    for n in random.sample(range(len(truth.turns)), len(truth.turns)):
        other = SORTS[sort].draw(typed(case.turns[n], truth.turns[n]), lexicon, random)
        if other is not None:
            return (*truth.turns[:n], other, *truth.turns[n + 1 :])
    return None


async def _lexicon(connection: AsyncConnection[Any], cases: Sequence[Case]) -> Lexicon:
    """The words of names and items, of the cases and of our own phrases."""
    names = words_of([name for (name,) in await (await connection.execute(_NAMES)).fetchall()])
    groups = data("paraphrases")["groups"]
    phrases = [phrase for group in groups for key in ("any", "from", "to") for phrase in group.get(key, ())]
    said = words_of([*phrases, *(turn for case in cases for turn in case.turns)])
    return Lexicon(named=names, said=said)


@asynccontextmanager
async def open_trial(scene: Scene, cases: Sequence[Case], setting: Setting) -> AsyncGenerator[VariationTrial]:
    """The suite over a company that is open."""
    async with owner(scene.dsn) as connection:
        found = await draw(connection, cases, setting.seed, _SAMPLE_EACH if setting.sample else _EACH)
        yield VariationTrial(
            scene=scene, connection=connection, variations=found, slack=_SLACK if setting.sample else 0.0
        )


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    demo = next(suite for suite in SUITES if suite.name == "demo")
    cases = [case for case in demo.cases() if case.family != WORDED]  # which are in other words already
    async with demo.open(silent) as scene, open_trial(scene, cases, setting) as trial:
        yield trial


VARIATIONS = Suite(
    name="variations",
    goal="a question that is mistyped, put in other words or in another order never gets a wrong figure, and most get "
    "the very answer that they had as they were written",
    open=_open,
)
