"""How long an answer takes, beside the bare path of the same question, in turns on the same pools; the same again with
a model that helps, without the time that it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from evals.bench.figure import Figure, middle, percentile, stopwatch
from evals.bench.peers.setting import Model, open_model
from evals.bench.scene import Asked, Scene, open_scene
from evals.company import ask

_WARM_UP = 2
_ROUNDS = 12
_MOST = 5.0
_P95 = 0.95
_SPREAD = 3.0
"""What the p95 may be of the p50."""


async def measure_answers(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """p50 and p95 of ask(), their ratios to the bare path's and to each other, without a model and with one."""
    async with open_scene() as scene:
        say(f"{len(scene.questions)} questions, {_ROUNDS} rounds")
        for figure in _figures("ask", *await _rounds(scene, _nothing)):
            yield figure
    async with open_model() as model, open_scene(model.set_up) as scene:
        say("the same with a model")
        requests: list[int] = []
        asked, bare = await _rounds(scene, _without(model, requests))
        for figure in _figures("ask with a model, less its time,", asked, bare):
            yield figure
        yield Figure(name="requests of the model a question", value=sum(requests) / len(requests), unit="requests")


def _figures(what: str, asked: Sequence[float], bare: Sequence[float]) -> Iterator[Figure]:
    p50, p95 = middle(asked), percentile(asked, _P95)
    for name, of_ask, of_bare in (("p50", p50, middle(bare)), ("p95", p95, percentile(bare, _P95))):
        yield Figure(name=f"{what} {name}", value=of_ask * 1000, unit="ms", peer=of_bare * 1000)
        yield Figure(name=f"{what} {name} against the bare path", value=of_ask / of_bare, unit="times", goal=_MOST)
    yield Figure(name=f"{what} p95 against its p50", value=p95 / p50, unit="times", goal=_SPREAD)


async def _rounds(scene: Scene, others: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Seconds of each answer and of its bare path; `others` says how many of an answer's are somebody else's."""
    asked: list[float] = []
    bare: list[float] = []
    for number in range(_WARM_UP + _ROUNDS):
        for question in scene.questions:
            one, other = await _turn(scene, question, others, bare_first=number % 2 == 0)
            if number >= _WARM_UP:
                asked.append(one)
                bare.append(other)
    return asked, bare


async def _turn(scene: Scene, question: Asked, others: Callable[[], float], *, bare_first: bool) -> tuple[float, float]:
    """Seconds of the answer and of its bare path."""
    if bare_first:
        other = await _bare(scene, question)
        return await _ask(scene, question) - others(), other
    one = await _ask(scene, question) - others()
    return one, await _bare(scene, question)


def _nothing() -> float:
    return 0.0


def _without(model: Model, requests: list[int]) -> Callable[[], float]:
    """What the model took since it was last asked: its program, and a bare round trip for each request."""
    trip = model.round_trip()
    model.spent()

    def taken() -> float:
        seconds, count = model.spent()
        requests.append(count)
        return seconds + count * trip

    return taken


async def _ask(scene: Scene, question: Asked) -> float:
    with stopwatch() as watch:
        await ask(scene.runtime, question.subject, question.text)
    return watch.seconds


async def _bare(scene: Scene, question: Asked) -> float:
    with stopwatch() as watch:
        await question.bare.run(scene.runtime.database)
    return watch.seconds
