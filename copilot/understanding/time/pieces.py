"""What stands in the places of a form: counts, dates in figures, names of months, read off the words of a question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from copilot.understanding.time.language import Phrase, TimeWords
from copilot.understanding.words import Word

_COUNT = re.compile(r"[0-9]{1,4}")
_DAY = re.compile(r"([0-9]{1,2})([^\W\d_]*)")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_SLASHED = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_YEAR_FIRST = re.compile(r"([0-9]{4})([/.])([0-9]{1,2})\2([0-9]{1,2})")
_DAY_MONTH = re.compile(r"([0-9]{1,2})([/.])([0-9]{1,2})")
_ISO_WEEK = re.compile(r"([0-9]{4})-?w([0-9]{1,2})")
_MARKED = re.compile(r"([^\W\d_]+)([0-9]{1,4})(?:[-/.]([0-9]{4}))?")
_JOINED = re.compile(r"[0-9]{1,2}[-–][0-9]{1,2}|[^\W\d_]+[-–][^\W\d_]+|[^\W\d_]+[0-9][-–][^\W\d_]+[0-9]")
_DATED = re.compile(r"([0-9]{1,2})-([^\W\d_]{3,9})(?:-([0-9]{4}))?")
_DAYS_OF_MONTH = 31


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: its text, the word's position, and whether it begins and ends the word. A dash is one too."""

    text: str
    position: int
    first: bool
    last: bool


def pieces_of(words: Sequence[Word], language: TimeWords) -> tuple[Piece, ...]:
    """The words in parts: those without a figure as folded; 12-14, 12-Nov and Mon-Fri at their dashes."""
    return tuple(_pieces(words, language))


def _pieces(words: Sequence[Word], language: TimeWords) -> Iterator[Piece]:
    for position, word in enumerate(words):
        texts = _cut(word, language)
        for place, text in enumerate(texts):
            yield Piece(text, position, place == 0, place == len(texts) - 1)


def _cut(word: Word, language: TimeWords) -> list[str]:
    typed = word.typed.lower()
    if dated := _DATED.fullmatch(typed):
        return [part for part in dated.groups() if part]
    if _JOINED.fullmatch(typed):
        parts = re.split(r"[-–]", typed)
        if all(_joinable(part, language) for part in parts):
            return [parts[0], "-", parts[1]]
    return [typed] if word.has_digit else word.folded.split() or [typed]


def _joinable(text: str, language: TimeWords) -> bool:
    named = any((text,) in language.names[place] for place in ("MONTH", "WEEKDAY"))
    return named or text[-1].isdigit()


class Reader:
    """Reads places off pieces."""

    def __init__(self, pieces: Sequence[Piece], language: TimeWords) -> None:
        self.texts = tuple(piece.text for piece in pieces)
        self._language = language
        self._known: dict[tuple[str, int], tuple[tuple[int, Any], ...]] = {}

    def phrase_at(self, phrases: Sequence[Phrase], at: int) -> Iterator[int]:
        """Where each of the phrases that stand at a place ends, the longest first."""
        return (at + len(phrase) for phrase in phrases if self.texts[at : at + len(phrase)] == phrase)

    def read(self, place: str, at: int) -> Sequence[tuple[int, Any]]:
        """Where what stands at a place ends, and what it is. Many forms begin alike: each place is read once."""
        if (place, at) not in self._known:
            self._known[place, at] = tuple(self._read(place, at))
        return self._known[place, at]

    def _read(self, place: str, at: int) -> Iterator[tuple[int, Any]]:
        if at >= len(self.texts):
            return
        if place in self._language.names:
            for phrase, named in self._language.names[place].items():
                if self.texts[at : at + len(phrase)] == phrase:
                    yield at + len(phrase), named
            return
        found = self._of_text(place, self.texts[at])
        if found is not None:
            yield at + 1, found

    def _of_text(self, place: str, text: str) -> Any:
        match place:
            case "N" | "FIGURE":
                return self._count(text, place)
            case "DAY" | "ORDINAL":
                return self._day(text, place)
            case "YEAR":
                return int(text) if _YEAR.fullmatch(text) else None
            case "DATE" | "DAYMONTH":
                return _date(text, place)
            case _:
                return self._marked(place, text)

    def _count(self, text: str, place: str) -> int | None:
        if _COUNT.fullmatch(text):
            return int(text)
        return None if place == "FIGURE" and text in self._language.articles else self._language.numbers.get(text)

    def _day(self, text: str, place: str) -> int | None:
        found = _DAY.fullmatch(text)
        if not found or not 1 <= int(found[1]) <= _DAYS_OF_MONTH:
            return None
        ended = found[2] in self._language.endings
        return int(found[1]) if ended or (place == "DAY" and not found[2]) else None

    def _marked(self, place: str, text: str) -> Any:
        if place == "WEEK" and (iso := _ISO_WEEK.fullmatch(text)):
            return int(iso[2]), int(iso[1])
        mark = {"WEEK": "week", "QUARTER": "quarter", "HALF": "half", "FY": "fiscal_year"}[place]
        found = _MARKED.fullmatch(text)
        if not found or found[1] not in self._language.marks[mark]:
            return None
        number, year = int(found[2]), int(found[3]) if found[3] else None
        if place == "FY":
            return None if year else number if number > 99 else 2000 + number
        return (number, year) if number <= 53 else None


def _date(text: str, place: str) -> tuple[tuple[int, ...], bool | None] | None:
    """The figures of a date, and whether its day comes before its month where that is plain: dates with dots are so."""
    if place == "DAYMONTH":
        short = _DAY_MONTH.fullmatch(text)
        return ((int(short[1]), int(short[3])), _dotted(short[2])) if short else None
    if found := _ISO.fullmatch(text):
        return (int(found[1]), int(found[2]), int(found[3])), None
    if found := _YEAR_FIRST.fullmatch(text):
        return (int(found[1]), int(found[3]), int(found[4])), None
    found = _SLASHED.fullmatch(text)
    if not found:
        return None
    year = int(found[4])
    return (int(found[1]), int(found[3]), year if year > 99 else 2000 + year), _dotted(found[2])


def _dotted(mark: str) -> bool | None:
    return True if mark == "." else None
