"""Reads sizes in names however they are written: half an inch is 1/2, and M8 x 50 is M8x50."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from copilot.understanding.words import Word

_SPELLED = {"half": "1/2", "quarter": "1/4", "eighth": "1/8"}
_INCHES = frozenset({"in", "inch", "inches"})
_WRITTEN = re.compile(r"^(\d+/\d+)(?:in|inch|inches|[\"”″])?$")
_DECIMAL = re.compile(r"^(\d*\.\d+)(in|inch|inches|[\"”″])?$")
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
        if word.folded in ("x", "by") and 0 < position < len(words) - 1:
            before, after = words[position - 1].folded, words[position + 1].folded
            if _THREAD.match(before) and after.isdecimal():
                yield f"{before}x{after}", (position - 1, position, position + 1)


def parted(part: str) -> tuple[str, str] | None:
    """The two figures of "m8x50", which some names have as "M8 x 50"."""
    match = _BY.match(part)
    return (match[1], match[2]) if match else None


def _fraction(words: Sequence[Word], position: int) -> Size | None:
    typed = words[position].typed.lower().replace("\u2044", "/")  # NFKC makes it of ½
    after = words[position + 1].folded if position + 1 < len(words) else ""
    inches = (position, position + 1) if after in _INCHES else (position,)
    if match := _WRITTEN.match(typed):
        return match[1], inches
    if match := _DECIMAL.match(typed):
        fraction = Fraction(match[1])
        fits = 0 < fraction < 1 and fraction.denominator <= _FINEST and (match[2] or len(inches) > 1)
        return (str(fraction), inches) if fits else None
    if typed in _SPELLED and len(inches) > 1:
        if typed == "quarter" and position and words[position - 1].folded == "three":
            return "3/4", (position - 1, *inches)
        return _SPELLED[typed], inches
    if typed == "quarters" and position and words[position - 1].folded == "three":
        return "3/4", (position - 1, *inches)
    return None
