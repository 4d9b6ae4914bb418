"""What masking costs: beside plain Presidio, with half a million names, over a million words, and in a question."""

from __future__ import annotations

import asyncio
import math
import resource
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from evals.bench.figure import Figure, middle, stopwatch
from evals.company import TEMPLATE, open_company, running
from evals.redaction.corpus import load
from evals.redaction.ways import plain_presidio, way_of
from evals.scoring.suites import SUITES
from redaction.contexts import ContextFinder
from redaction.gazetteer import Gazetteer, Known
from redaction.identifiers import learn
from redaction.presidio import PresidioFinder
from redaction.redactor import Redactor

_TIMES_PRESIDIO, _EXPONENT, _QUESTION_MS, _FLAT_MB = 10.0, 0.1, 2.0, 16.0
_ROUNDS = 5
_FEW, _MANY = 1_000, 500_000
_WORDS = 1_000_000
_DENIED = 1_000
_SYLLABLES = (
    "an",
    "ber",
    "co",
    "da",
    "el",
    "fi",
    "gu",
    "ha",
    "in",
    "jo",
    "ka",
    "lu",
    "mi",
    "no",
    "ol",
    "pe",
    "ra",
    "su",
)
_CONVERSATION = "5f0c5c5e-0000-4000-8000-000000000001"
_PAGES = Path("/proc/self/statm")
Finding = Callable[[str], Iterable[Any]]


async def measure_masking(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """Beside Presidio first, then alone, then in a copilot."""
    questions = [turn for suite in SUITES if suite.name == "demo" for case in suite.cases() for turn in case.turns]
    say("  beside Presidio")
    for figure in await asyncio.to_thread(lambda: [*_beside_presidio(questions)]):
        yield figure
    say(f"  over {_WORDS:,} words")
    yield await asyncio.to_thread(_memory)
    say(f"  with {_FEW:,} and {_MANY:,} names")
    for figure in await asyncio.to_thread(lambda: [*_by_names(questions)]):
        yield figure
    say("  in a question")
    async for figure in _in_a_question(questions):
        yield figure


def _beside_presidio(questions: Sequence[str]) -> Iterator[Figure]:
    """The marked texts hold something each, our own questions next to nothing; both with the kinds that Presidio has
    without a model, and the questions with a thousand names that both are given."""
    if marked := [each.text for each in load()]:
        yield from _rates("the marked texts", marked, plain_presidio(), way_of((), forms_only=True))
    sample = questions[::4]
    yield from _rates("our questions", sample, plain_presidio(), way_of((), forms_only=True))
    names = [*_names(_DENIED)]
    theirs = plain_presidio([each.value for each in names])
    yield from _rates(f"our questions and {_DENIED:,} names", sample, theirs, way_of(names))


def _rates(texts_of: str, texts: Sequence[str], theirs: Finding, ours: Finding) -> Iterator[Figure]:
    size = sum(map(len, texts))
    taken: dict[str, list[float]] = {"theirs": [], "ours": []}
    for finding in (theirs, ours):
        _seconds(finding, texts[: len(texts) // 10])  # loads what it needs
    for _ in range(_ROUNDS):
        for way, finding in (("theirs", theirs), ("ours", ours)):
            taken[way].append(_seconds(finding, texts))
    ratios = [their / our for their, our in zip(taken["theirs"], taken["ours"], strict=True)]
    rate, peer = (size / middle(taken[way]) for way in ("ours", "theirs"))
    yield Figure(name=f"masking: {texts_of}", value=rate, unit="characters/s", peer=peer)
    yield Figure(
        name=f"masking: {texts_of}, times plain Presidio", value=middle(ratios), unit="x", goal=_TIMES_PRESIDIO,
        at_most=False,
    )  # fmt: skip


def _by_names(questions: Sequence[str]) -> Iterator[Figure]:
    sample = questions[::4]
    size = sum(map(len, sample))
    with stopwatch() as building:
        many = Gazetteer(_names(_MANY))
    redactors = {
        count: Redactor((gazetteer,), learn(()), (ContextFinder(), PresidioFinder())).find
        for count, gazetteer in ((_FEW, Gazetteer(_names(_FEW))), (_MANY, many))
    }
    taken: dict[int, list[float]] = {count: [] for count in redactors}
    for _ in range(_ROUNDS):
        for count, finding in redactors.items():
            taken[count].append(_seconds(finding, sample))
    few, most = middle(taken[_FEW]), middle(taken[_MANY])
    yield Figure(name=f"masking: {_MANY:,} names", value=most / size * 1e6, unit="ms/1,000 characters",
                 peer=few / size * 1e6)  # fmt: skip
    exponent = math.log(most / few) / math.log(_MANY / _FEW)
    yield Figure(name=f"masking: names {_FEW:,} to {_MANY:,}", value=exponent, unit="exponent", goal=_EXPONENT)
    yield Figure(name=f"masking: learning {_MANY:,} names", value=building.seconds, unit="s")


def _memory() -> Figure:
    """What is resident after a million words that were never there before, less what was after the first ten
    thousand."""
    find = Redactor((Gazetteer(_names(_FEW)),), learn(()), (ContextFinder(), PresidioFinder())).find
    before = 0.0
    for number in range(_WORDS // 10):
        list(find(" ".join(f"w{number}x{n} +49 30 {number:06d}{n}" if n == 0 else f"w{number}x{n}" for n in range(10))))
        if number == _WORDS // 1_000:
            before = _resident()
    return Figure(name=f"masking: resident over {_WORDS:,} words", value=_resident() - before, unit="MB", goal=_FLAT_MB)


async def _in_a_question(questions: Sequence[str]) -> AsyncIterator[Figure]:
    """All that `ask` does to mask the words of a question, its pseudonyms kept where there are any."""
    async with open_company() as company, running(company, TEMPLATE, company.home) as runtime:
        line = await runtime.line()
        await line.pseudonyms.mask(["x +49 30 901820"], "rep.us", _CONVERSATION, line.policy)
        times: list[float] = []
        masked = 0
        for question in questions:
            with stopwatch() as watch:
                (told,) = await line.pseudonyms.mask([question], "rep.us", _CONVERSATION, line.policy)
            times.append(watch.seconds * 1000)
            masked += told != question
    yield Figure(name="masking: added to a question, p50", value=middle(times), unit="ms", goal=_QUESTION_MS)
    ordered = sorted(times)
    yield Figure(name="masking: added to a question, p95", value=ordered[int(0.95 * len(ordered))], unit="ms")
    yield Figure(name="masking: questions in which something was masked", value=masked / len(questions), unit="share")


def _seconds(finding: Finding, texts: Sequence[str]) -> float:
    with stopwatch() as watch:
        for text in texts:
            list(finding(text))
    return watch.seconds


def _names(count: int) -> Iterator[Known]:
    """Names of people that sound like ones, the same each time."""
    draw = Random(7)

    def word(syllables: int) -> str:
        return "".join(draw.choice(_SYLLABLES) for _ in range(syllables)).capitalize()

    for number in range(count):
        yield Known("PERSON", f"{word(2)} {word(3)}", "name", "customer_contact.name", (number,))


def _resident() -> float:
    """What is resident now, in MB; where the system does not tell, the most that ever was."""
    if _PAGES.exists():
        return int(_PAGES.read_text().split()[1]) * resource.getpagesize() / (1 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
