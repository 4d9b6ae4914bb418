"""Personal data by its form, found by Presidio: numbers, addresses of mail and of machines.

Presidio takes seconds to load and a millisecond and more for a short text. It is asked only about the pieces of a text
that can hold something, and only for what they can hold. Nothing is downloaded, and no pipeline of spaCy runs.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from typing import Any

from redaction.finds import Find
from redaction.gates import AFTER, ANY, BEFORE, DATES, ELSEWHERE, GATES, IN_RUNS, RUN, Gate, beside, leading
from redaction.plain import Plain, plain
from redaction.words import Words

KINDS: Mapping[str, str] = {gate.name: gate.kind for gate in GATES}
NAMES = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})
"""What has no form."""
NOTHING: frozenset[str] = frozenset()
_MARGIN = 2 * (BEFORE + AFTER)
"""What a gate matches is at most half of this away from what is found; the other half may hold leading words."""
_LONGEST = 2000
_BLANK = re.compile(r"\s")
_Piece = tuple[int, int, frozenset[str]]
_Scored = tuple[float, int, int, str]
"""Score, begin, end and recognizer of a find."""


class ModelMissingError(ValueError):
    """There is no such model of spaCy."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"there is no spaCy model {model!r}: install its package beside this program, as with `pip install "
            "<its wheel>`, or give the path of its folder"
        )


class PresidioFinder:
    """Finds what has a form, and with a model of spaCy also names; safe to be used by many threads at once."""

    def __init__(self, model: str | None = None) -> None:
        """`model` is the name of an installed package or the path of a folder. Raises ModelMissingError where there is
        no such model."""
        if model is not None and not (Path(model).exists() or (model.isidentifier() and find_spec(model))):
            raise ModelMissingError(model)
        self._model = model
        self._lock = RLock()  # what is logged while Presidio loads is masked too
        self._engine: Any = None
        self._names: Any = None

    @property
    def covered(self) -> frozenset[str]:
        """The kinds that can be found."""
        return frozenset(KINDS.values()) | (NAMES if self._model else NOTHING)

    @property
    def uncovered(self) -> frozenset[str]:
        """The kinds that only a model could find."""
        return NAMES - self.covered

    def find(self, text: str, words: Words) -> Sequence[Find]:  # noqa: ARG002 (numbers are no words)
        """The finds of a text, in any order; of those with a form, one that lies in a surer one is left out."""
        names: Sequence[Find] = self._named().find(text) if self._model else ()
        shape = plain(text)
        return [*names, *self._with_form(shape)] if ANY.search(shape.text) else names

    def _with_form(self, shape: Plain) -> Iterator[Find]:
        asked = DATES.sub(lambda match: "#" * len(match[0]), shape.text)
        found = [each for begin, end, names in _pieces(asked) for each in self._analyze(asked, begin, end, names)]
        for begin, end, name in _surest(found):
            yield Find(*shape.span(begin, end), KINDS[name], f"presidio:{name}")

    def _analyze(self, text: str, begin: int, end: int, names: Iterable[str]) -> Iterator[_Scored]:
        for each in self._loaded().analyze(text[begin:end], language="en", entities=sorted(names)):
            yield each.score, begin + each.start, begin + each.end, each.entity_type

    def _loaded(self) -> Any:
        with self._lock:
            if self._engine is None:
                self._engine = importlib.import_module("redaction.recognizers").engine()
            return self._engine

    def _named(self) -> Any:
        with self._lock:
            if self._names is None:
                self._names = importlib.import_module("redaction.ner").NamesByModel(self._model)
            return self._names


def _pieces(text: str) -> Iterator[_Piece]:
    """The pieces of a text that gates let through, with the names of the gates; long ones in parts that overlap, for
    Presidio's patterns take their time with a long word."""
    spans = sorted(_let_through(text))
    at = 0
    while at < len(spans):
        begin, end, name = spans[at]
        names = {name}
        at += 1
        while at < len(spans) and spans[at][0] <= end:
            end = max(end, spans[at][1])
            names.add(spans[at][2])
            at += 1
        for first in range(begin, end, _LONGEST):
            yield first, min(end, first + _LONGEST + _MARGIN), frozenset(names)


def _let_through(text: str) -> Iterator[tuple[int, int, str]]:
    by_pattern = ELSEWHERE | IN_RUNS if RUN.search(text) else ELSEWHERE
    for pattern, gates in by_pattern.items():
        for match in pattern.finditer(text):
            if names := _open(gates, text, match.start(), match.end()):
                begin, end = _widened(text, match.start(), match.end())
                yield from ((begin, end, name) for name in names)


def _open(gates: Sequence[Gate], text: str, begin: int, end: int) -> Sequence[str]:
    """The gates of one pattern that let through what it matched: those that need no word beside it, or have one."""
    if not gates[0].led:
        return [gate.name for gate in gates]
    around = beside(text, begin, end)
    if not leading(*(gate.name for gate in gates)).search(around):  # one search says no for all of them
        return ()
    return [gate.name for gate in gates if leading(gate.name).search(around)]


def _widened(text: str, begin: int, end: int) -> tuple[int, int]:
    """A piece with what stands around it, cut at blanks where there are any."""
    begin, end = max(0, begin - _MARGIN), min(len(text), end + _MARGIN)
    after = _BLANK.search(text, end, end + _MARGIN)
    before = _BLANK.search(text, max(0, begin - _MARGIN), begin)
    return (before.end() if before else begin), (after.start() if after else end)


def _surest(found: Iterable[_Scored]) -> Iterator[tuple[int, int, str]]:
    """Finds without those that lie in one of a higher score, or in a longer one of the same."""
    kept: list[tuple[int, int]] = []
    for _, begin, end, name in sorted(found, key=lambda each: (-each[0], each[1] - each[2], each[1:])):
        if not any(first <= begin and end <= last for first, last in kept):
            kept.append((begin, end))
            yield begin, end, name
