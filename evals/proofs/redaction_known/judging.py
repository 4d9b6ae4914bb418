"""Whether a text was masked, found by code of its own: no value may be left, neither in its place nor anywhere else."""

from __future__ import annotations

import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate

from evals.proofs.redaction_known.texts import Plant, Text
from redaction.finds import Find

_SAME = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "a", "œ": "o", "\u0131": "i", "þ": "t"}
_FEWEST = 5
"""So few letters and digits could be left of anything."""


def uncovered(text: Text, finds: Sequence[Find]) -> Iterator[Plant]:
    """The plants of which a letter or digit is in no find."""
    ends = [find.end for find in finds]
    for plant in text.plants:
        if any(_shows(text.text[at], at, finds, ends) for at in range(plant.begin, plant.end)):
            yield plant


def left_over(text: Text, masked: str) -> Iterator[Plant]:
    """The plants that a masked text still holds, in whatever spelling: as they were said or as they are recorded."""
    letters, begins, ends = _folded(masked)
    for plant in text.plants:
        said = {"".join(_words(each)) for each in (text.text[plant.begin : plant.end], plant.value.text)}
        if plant.led:  # a short number is known by the word before it; elsewhere it is a quantity
            continue
        if any(_holds(letters, each, begins, ends) for each in said if len(each) >= _FEWEST):
            yield plant


def touched(text: Text, finds: Sequence[Find]) -> Iterator[Plant]:
    """The plants that a find has a part of."""
    ends = [find.end for find in finds]
    for plant in text.plants:
        at = bisect_left(ends, plant.begin + 1)
        if at < len(finds) and finds[at].begin < plant.end:
            yield plant


def _shows(sign: str, at: int, finds: Sequence[Find], ends: Sequence[int]) -> bool:
    if not (sign.isalnum() or unicodedata.combining(sign)):
        return False
    place = bisect_left(ends, at + 1)
    return place == len(finds) or finds[place].begin > at


def _holds(letters: str, said: str, begins: frozenset[int], ends: frozenset[int]) -> bool:
    """Whether letters stand in a text from the beginning of a word to the end of one."""
    at = letters.find(said)
    while at >= 0:
        if at in begins and at + len(said) in ends:
            return True
        at = letters.find(said, at + 1)
    return False


def _folded(masked: str) -> tuple[str, frozenset[int], frozenset[int]]:
    words = [*_words(masked)]
    places = [*accumulate(map(len, words), initial=0)]
    return "".join(words), frozenset(places), frozenset(places[1:])


def _words(text: str) -> Iterable[str]:
    """The words of a text, by nothing but their letters and digits, with one spelling of umlauts."""
    plain = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_signs())
    return (word.replace("ae", "a").replace("oe", "o").replace("ue", "u") for word in plain.split())


@cache
def _signs() -> dict[int, str]:
    """What becomes of a character: nothing of what is not seen, a blank of what is neither letter nor digit."""
    signs: dict[int, str] = {}
    for code in range(sys.maxunicode + 1):
        sort = unicodedata.category(chr(code))
        if sort in ("Mn", "Cf"):
            signs[code] = ""
        elif sort[0] not in "LN" or sort == "Lm":
            signs[code] = " "
    return signs | {ord(sign): same for sign, same in _SAME.items()}
