"""Vanna 2, LlamaIndex's NLSQLTableQueryEngine and ours: the same database, questions and scripted model in one run.

Overhead is the time of a question less the model's: what its program took over the requests, and one bare round
trip for each, both taken off alike for all three. What the three do in it is not the same:

- **Vanna** resolves a user, builds its prompt, looks through its memory, asks for SQL, connects to the database, runs
  it into a data frame, writes that to a file and shows it, asks for the answer and keeps the conversation in memory.
- **LlamaIndex** describes its tables, asks for SQL, runs it on a pool, and asks for the answer over the rows.
- **Ours** knows who asks and what they may read, masks the question, plans, reads under row security, confirms ages,
  drafts with the model, verifies, and writes the audit row and the conversation to the disk before anything is shown.

Neither peer has a scope, masking, verification or an audit here; both read as a role that may read everything, with one
statement that another wrote for them, and both show what the model says. Vanna shows the rows in a table beside it;
only its sentence is judged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field

from evals.bench.figure import Figure, middle
from evals.bench.peers.judge import misjudged, wrong_figures
from evals.bench.peers.lies import LIES, TRUE
from evals.bench.peers.questions import Asked
from evals.bench.peers.setting import PYTHON, Answering, Model, open_setting

_WARM_UP, _ROUNDS = 2, 9
_OURS = "ours"
_MOST: Mapping[str, float] = {"Vanna": 0.5, "LlamaIndex": 1.0}
"""What our overhead may be of each one's."""


@dataclass(slots=True)
class _Taken:
    """Of one of the three: overheads in seconds, requests of the model, and wrong figures of so many answers."""

    overheads: list[float] = field(default_factory=list[float])
    requests: int = 0
    true: list[tuple[Asked, str]] = field(default_factory=list[tuple[Asked, str]])
    wrong: list[str] = field(default_factory=list[str])
    answers: int = 0
    misled: int = 0


async def measure_peers(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """Overhead and wrong figures of the three, in turns. Raises RuntimeError where the judge finds something wrong in
    what is true."""
    if not PYTHON.exists():
        say("the peers are not installed, so nothing is measured: `python3 copilot/bootstrap.py --peers` installs them")
        return
    async with open_setting() as setting:
        taken = {name: _Taken() for name in setting.answering}
        say(f"{len(setting.questions)} questions, {_ROUNDS} rounds, then {len(LIES)} lies about each")
        trip = setting.model.round_trip()
        for number in range(_WARM_UP + _ROUNDS):
            for asked in setting.questions:
                await _turn(setting.model, setting.answering, asked, number, trip, taken)
            if wrong := [each for of in taken.values() for each in misjudged(of.true)]:
                raise RuntimeError(f"the judge is wrong about what is true: {wrong[:3]}")
        for way in LIES:
            for asked in setting.questions:
                await _lied_to(setting.model, setting.answering, asked, way, taken)
    for figure in _figures(taken, trip, len(setting.questions)):
        yield figure


async def _turn(
    model: Model, answering: Mapping[str, Answering], asked: Asked, number: int, trip: float, taken: dict[str, _Taken]
) -> None:
    """One question to all three, each first in its turn."""
    names = [*answering]
    for name in names[number % len(names) :] + names[: number % len(names)]:
        model.tell(TRUE, asked)
        seconds, text = await answering[name](asked)
        thought, requests = model.spent()
        taken[name].true.append((asked, text))
        if number >= _WARM_UP:
            taken[name].overheads.append(seconds - thought - requests * trip)
            taken[name].requests += requests


async def _lied_to(
    model: Model, answering: Mapping[str, Answering], asked: Asked, way: str, taken: dict[str, _Taken]
) -> None:
    """One question to all three, whose model lies."""
    for name, answer in answering.items():
        model.tell(way, asked)
        _, text = await answer(asked)
        wrong = wrong_figures(text, asked)
        taken[name].answers += 1
        taken[name].misled += bool(wrong)
        taken[name].wrong += wrong


def _figures(taken: Mapping[str, _Taken], trip: float, questions: int) -> Iterator[Figure]:
    ours = middle(taken[_OURS].overheads)
    for name, of in taken.items():
        overhead = middle(of.overheads)
        yield Figure(name=f"peers: overhead p50, {name}", value=overhead * 1000, unit="ms")
        if name in _MOST:
            yield Figure(name=f"peers: our overhead against {name}", value=ours / overhead, unit="times",
                         goal=_MOST[name])  # fmt: skip
        yield Figure(name=f"peers: requests of the model a question, {name}", value=of.requests / len(of.overheads),
                     unit="requests")  # fmt: skip
    yield Figure(name="peers: bare round trip to the model", value=trip * 1000, unit="ms")
    for name, of in taken.items():
        goal = 0 if name == _OURS else None
        lied_to = f"{of.answers} answers to {questions} questions"
        yield Figure(name=f"peers: wrong figures shown under lies, {name} ({lied_to})", value=len(of.wrong),
                     unit="figures", goal=goal)  # fmt: skip
        yield Figure(name=f"peers: answers with a wrong figure under lies, {name}", value=of.misled / of.answers,
                     unit="share", goal=goal)  # fmt: skip
