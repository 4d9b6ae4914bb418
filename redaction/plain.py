"""Texts in plain characters, with the way back: numbers are also typed in other digits, with blanks that are none, and
with characters that are not seen."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
"""Soft hyphens, joiners, direction marks and variants: they change how a number is set, and not what it is."""
_BLANKS = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
_WIDE = {0xFF01 + place: 0x21 + place for place in range(94)}
_LIKE = {**_WIDE, **dict.fromkeys(map(ord, _BLANKS), " "), **dict.fromkeys(map(ord, _DASHES), "-"), 0x2024: "."}
_OTHER_DIGIT = re.compile(r"[^\W\D]")


@dataclass(frozen=True, slots=True)
class Plain:
    """A text in plain characters, each of which stands for one of the original."""

    text: str
    places: tuple[int, ...] | None = None
    """Where each character stands in the original; None where nothing was left out."""

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """The piece of the original that a piece of the plain text stands for."""
        if self.places is None:
            return begin, end
        return self.places[begin], self.places[end - 1] + 1


def plain(text: str) -> Plain:
    """Digits of any script as 0-9, wide letters narrow, every blank and dash as the common one, nothing unseen."""
    if text.isascii():
        return Plain(text)
    like = _OTHER_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text.translate(_LIKE))
    if not _UNSEEN.search(like):
        return Plain(like)
    places = tuple(place for place, letter in enumerate(like) if not _UNSEEN.match(letter))
    return Plain("".join(like[place] for place in places), places)
