"""Reads sizes in names however they are written: half an inch is 1/2, and M8 x 50 is M8x50."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from copilot.understanding.lexicon import lexicon
from copilot.understanding.words import Word

_WRITTEN = re.compile(r"^(\d+/\d+)([^\W\d_]+|[\"”″])?$")
_DECIMAL = re.compile(r"^(\d*\.\d+)([^\W\d_]+|[\"”″])?$")
_THREAD = re.compile(r"^(?:m?\d+)$")
_BY = re.compile(r"^(m?\d+)x(\d+)$")
_FINEST = 64
"""Inches are parted no finer."""

Size = tuple[str, tuple[int, ...]]
"""A size as a word of names has it, and the positions of the words that say it."""


def sizes(words: Sequence[Word]) -> Iterable[Size]:
    """The sizes that words of a question say."""
    for position, word in enumerate(words):
        size = _fraction(words, position)
        if size:
            yield size
        if word.folded in lexicon().by and 0 < position < len(words) - 1:
            before, after = words[position - 1].folded, words[position + 1].folded
            if _THREAD.match(before) and after.isdecimal():
                yield f"{before}x{after}", (position - 1, position, position + 1)


def parted(part: str) -> tuple[str, str] | None:
    """The two figures of "m8x50", which some names have as "M8 x 50"."""
    match = _BY.match(part)
    return (match[1], match[2]) if match else None


def _fraction(words: Sequence[Word], position: int) -> Size | None:
    typed = words[position].typed.lower().replace("\u2044", "/")  # NFKC makes it of ½
    in_inches = position + 1 < len(words) and words[position + 1].folded in lexicon().inches
    at = (position, position + 1) if in_inches else (position,)
    if (match := _WRITTEN.match(typed)) and _means_inches(match[2]):
        return match[1], at
    if (match := _DECIMAL.match(typed)) and _means_inches(match[2]):
        fraction = Fraction(match[1])
        fits = 0 < fraction < 1 and fraction.denominator <= _FINEST and (match[2] or in_inches)
        return (str(fraction), at) if fits else None
    return _spelled(words, position) if in_inches else None


def _means_inches(behind: str | None) -> bool:
    """Whether what stands right behind a figure says inches, or nothing."""
    return not behind or not behind.isalpha() or behind in lexicon().inches


def _spelled(words: Sequence[Word], position: int) -> Size | None:
    """The longest part of an inch that is said up to a word, before the inches."""
    for phrase in sorted(lexicon().sizes, key=len, reverse=True):
        first = position + 1 - len(phrase)
        if first >= 0 and tuple(word.folded for word in words[first : position + 1]) == phrase:
            return lexicon().sizes[phrase], tuple(range(first, position + 2))
    return None
