"""Runs cases against an open suite: what is true by plain SQL, what the copilot says, and what that is worth."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection

from copilot.domain.answer import Answer
from evals.company import ask
from evals.scoring.case import Case, Expect
from evals.scoring.errors import CaseError
from evals.scoring.said import Said, read_answer
from evals.scoring.scorer import Outcome, Score, score
from evals.scoring.sight import hidden_choices
from evals.scoring.suites import Scene
from evals.scoring.truth import Truth, owner, read_truth

Progress = Callable[[str], None]
_TURN_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one case. Without an answer `said` is None, and `score` says why."""

    case: Case
    score: Score
    said: Said | None = None
    turns: Sequence[str] = field(default_factory=tuple[str, ...])

    @property
    def elapsed_ms(self) -> int:
        """How long the judged turn took; 0 without an answer."""
        return self.said.elapsed_ms if self.said else 0


async def run_cases(scene: Scene, cases: Sequence[Case], workers: int, progress: Progress) -> list[Result]:
    """Run the cases, `workers` at a time; the results are in the order of the cases."""
    waiting = iter(enumerate(cases))
    results: dict[int, Result] = {}

    async def work() -> None:
        for n, case in waiting:
            results[n] = await run_case(scene, case)
            progress(f"{len(results)} of {len(cases)} cases")

    await asyncio.gather(*(work() for _ in range(workers)))
    return [results[n] for n in range(len(cases))]


async def run_case(scene: Scene, case: Case) -> Result:
    """Run one case. A case that can't be judged, and an answer that never comes, are UNFINISHED."""
    try:
        async with owner(scene.dsn) as connection:
            return await judged(scene, connection, case, await read_truth(connection, case))
    except CaseError as error:
        return _unfinished(case, str(error))
    except Exception as error:  # noqa: BLE001 -- whatever breaks a case is a finding of this run
        return _unfinished(case, f"no answer: {type(error).__name__}: {error}")


async def judged(scene: Scene, connection: AsyncConnection[Any], case: Case, truth: Truth) -> Result:
    """Ask the turns of `truth` and judge the answer to the last one. An answer that never comes is UNFINISHED."""
    try:
        said = read_answer(await _converse(scene, case, truth))
        asked = said.choices if case.expect is Expect.DECLINE else ()
        hidden = await hidden_choices(connection, case.user, asked)
    except Exception as error:  # noqa: BLE001 -- whatever breaks an answer is a finding of this run
        return _unfinished(case, f"no answer: {type(error).__name__}: {error}")
    return Result(case=case, score=score(case, truth, said, hidden=hidden), said=said, turns=truth.turns)


async def _converse(scene: Scene, case: Case, truth: Truth) -> Answer:
    """The answer to the last turn of a conversation."""
    *before, last = truth.turns
    conversation: str | None = None
    async with asyncio.timeout(_TURN_SECONDS):
        for turn in before:
            conversation = (await ask(scene.runtime, case.user, turn, conversation)).conversation
        return await ask(scene.runtime, case.user, last, conversation)


def _unfinished(case: Case, why: str) -> Result:
    return Result(case=case, score=Score(outcome=Outcome.UNFINISHED, missing=(why,)), turns=case.turns)
