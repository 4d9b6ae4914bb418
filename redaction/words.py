"""Texts as words with their places: what is written in many ways is compared by its letters and digits."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import accumulate

_MARKS = "\u0300-\u036f"
_UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
"""Soft hyphens, joiners and direction marks: they change how a word is set, and not what it says."""
_SINGLE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Scripts that are written without blanks: each character is a word."""
_APOSTROPHES = "\u02bb\u02bc"
"""Those that Unicode calls letters."""
_LETTER = rf"[^\W_{_APOSTROPHES}{_SINGLE}]"
_WORD = re.compile(rf"[{_SINGLE}]|{_LETTER}(?:{_LETTER}|[{_MARKS}{_UNSEEN}])*")
_PLAIN_WORD = re.compile(r"[a-z0-9]+")
_DROPPED = re.compile(rf"[{_MARKS}{_UNSEEN}]")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "a", "œ": "o", "\u0131": "i"})
_UMLAUT = re.compile("([aou])e")
_MOST_KEPT = 20_000
_FURTHEST = 8


class Words:
    """The words of a text, in order. Where they stand is worked out when it is asked for: most texts hold nothing that
    anybody looks for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._plain = text.isascii()  # by far the most, and lower case moves nothing in it

    @cached_property
    def folded(self) -> Sequence[str]:
        """Each word without case and accents, in one spelling."""
        if self._plain:
            return [_spelled(word) for word in _PLAIN_WORD.findall(self._text.lower())]
        return [folded for folded in map(fold_word, _WORD.findall(self._text)) if folded]

    @cached_property
    def spans(self) -> Sequence[tuple[int, int]]:
        """Where each word begins and ends in the text."""
        if self._plain:
            return [match.span() for match in _PLAIN_WORD.finditer(self._text.lower())]
        return [match.span() for match in _WORD.finditer(self._text) if fold_word(match.group())]

    @cached_property
    def spaced(self) -> Run:
        """The words with a blank between them."""
        return Run(" ".join(self.folded), self.folded, 1)

    @cached_property
    def joined(self) -> Run:
        """The words without anything between them: numbers are grouped in many ways."""
        return Run("".join(self.folded), self.folded, 0)


class Run:
    """Folded words in one string."""

    def __init__(self, text: str, words: Sequence[str], between: int) -> None:
        self.text = text
        self._words = words
        self._between = between

    def words(self, begin: int, end: int) -> tuple[int, int] | None:
        """The first and the last word of a piece of the string; None where it cuts a word."""
        first = bisect_left(self._starts, begin)
        last = bisect_right(self._starts, end - 1) - 1
        if first > last or self._starts[first] != begin or self._starts[last] + len(self._words[last]) != end:
            return None
        return first, last

    @cached_property
    def _starts(self) -> Sequence[int]:
        lengths = (len(word) + self._between for word in self._words)
        return [*accumulate(lengths, initial=0)][:-1]


def between(sign: str) -> re.Pattern[str]:
    """What may stand between the words of a value, of which each sign matches a pattern: few of them, and line breaks,
    also within a quoted mail."""
    return re.compile(rf"(?:\n[ \t>]*|[{_UNSEEN}]|{sign}){{0,{_FURTHEST}}}")


@lru_cache(maxsize=_MOST_KEPT)
def fold_word(word: str) -> str:
    """A word without case, accents and what is not seen, in one spelling of umlauts: Müller, Mueller and MULLER meet.

    Empty where nothing is left of it.
    """
    plain = unicodedata.normalize("NFKD", word.casefold())
    return _spelled(_DROPPED.sub("", plain).translate(_LETTERS))


def _spelled(word: str) -> str:
    """A lower-case word with one spelling of umlauts."""
    return _UMLAUT.sub(r"\1", word) if "ae" in word or "oe" in word or "ue" in word else word
