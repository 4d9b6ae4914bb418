"""How long an answer takes, beside the bare path of the same question, in turns on the same pools."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from evals.bench.figure import Figure, middle, percentile, stopwatch
from evals.bench.scene import Asked, Scene, open_scene
from evals.company import ask

_WARM_UP = 2
_ROUNDS = 12
_MOST = 5.0
_P95 = 0.95


async def measure_answers(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """p50 and p95 of ask() and their ratios to the bare path's."""
    asked: list[float] = []
    bare: list[float] = []
    async with open_scene() as scene:
        say(f"{len(scene.questions)} questions, {_ROUNDS} rounds")
        for number in range(_WARM_UP + _ROUNDS):
            for question in scene.questions:
                one, other = await _turn(scene, question, bare_first=number % 2 == 0)
                if number >= _WARM_UP:
                    asked.append(one)
                    bare.append(other)
    for name, of_ask, of_bare in (
        ("p50", middle(asked), middle(bare)),
        ("p95", percentile(asked, _P95), percentile(bare, _P95)),
    ):
        yield Figure(name=f"ask {name}", value=of_ask * 1000, unit="ms", peer=of_bare * 1000)
        yield Figure(name=f"ask {name} against the bare path", value=of_ask / of_bare, unit="times", goal=_MOST)


async def _turn(scene: Scene, question: Asked, *, bare_first: bool) -> tuple[float, float]:
    """Seconds of the answer and of its bare path."""
    if bare_first:
        other = await _bare(scene, question)
        return await _ask(scene, question), other
    one = await _ask(scene, question)
    return one, await _bare(scene, question)


async def _ask(scene: Scene, question: Asked) -> float:
    with stopwatch() as watch:
        await ask(scene.runtime, question.subject, question.text)
    return watch.seconds


async def _bare(scene: Scene, question: Asked) -> float:
    with stopwatch() as watch:
        await question.bare.run(scene.runtime.database)
    return watch.seconds
