"""Which word of the language was meant by one that is none: by a list of common slips, or because it is one slip of the
keyboard away from that word alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from copilot.semantic.language import in_force, per_language
from copilot.understanding.words import fold

_STEP = 4
"""Quarters of a key from one key to the next."""
_SHORTEST, _LONG, _SHORTEST_VOWEL = 3, 8, 6
"""Letters of a word that can be told from others after one slip, after two, and with another vowel."""
_SHORTEST_PART = 2
_TWO_SLIPS, _OTHER_VOWEL, _DOUBLED, _SWAPPED = 2.5, 1.3, 0.9, 0.8
_OTHER_FIRST, _OTHER_LAST = 0.5, 0.2
_NO_SLIPS: Mapping[str, Any] = {"words": {}, "leading": (), "real": (), "vowels": (), "rows": {}, "dictionary": {}}
_AS_NEAR = 0.15
"""Words between which the nearness does not decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slips:
    """The slips of one language."""

    words: Mapping[str, tuple[str, ...]]
    leading: frozenset[str]
    real: frozenset[str]
    dictionary: Mapping[str, Any]
    vowels: frozenset[str]
    beside: frozenset[tuple[str, str]]
    """Pairs of letters whose keys touch."""

    def nearest(self, typed: str, known: Collection[str]) -> str | None:
        """The known word that one slip, or two in a long word, made of what was typed; None where there are several."""
        found = self.near(typed, known)
        return found[0] if len(found) == 1 else None

    def near(self, typed: str, known: Collection[str]) -> tuple[str, ...]:
        """The known words that what was typed may have been meant for, all as likely."""
        from rapidfuzz.distance import OSA  # noqa: PLC0415 -- a vendor's library, needed only where something is mistyped
        from rapidfuzz.process import extract_iter  # noqa: PLC0415

        most = 2 if len(typed) >= _LONG else 1
        near = extract_iter(typed, known, scorer=OSA.distance, processor=None, score_cutoff=most)
        costs = sorted((cost, word) for word, far, _ in near if (cost := self._cost(typed, word, int(far))) is not None)
        return tuple(word for cost, word in costs if cost - costs[0][0] <= _AS_NEAR)

    def parts(self, typed: str, known: Collection[str]) -> tuple[str, str] | None:
        """The two known words that were typed without the blank between them; None where that may be more than two."""
        cuts = range(_SHORTEST_PART, len(typed) - _SHORTEST_PART + 1)
        found = [(typed[:n], typed[n:]) for n in cuts if typed[:n] in known and typed[n:] in known]
        longer = [pair for pair in found if min(map(len, pair)) > _SHORTEST_PART]
        return next((pairs[0] for pairs in (found, longer) if len(pairs) == 1), None)

    def is_ordinary(self, typed: str) -> bool:
        """Whether it is a word itself, which says something else than the words that it is like: "chase" is no case."""
        return typed in self.real or typed in _ordinary_words()

    def _cost(self, typed: str, meant: str, distance: int) -> float | None:
        """How far a word is from what was typed; None for what no slip makes of it."""
        if len(meant) < _SHORTEST:
            return None
        if len(typed) == len(meant) and distance == 1 and sorted(typed) == sorted(meant):
            return _SWAPPED
        besides = _OTHER_FIRST * (typed[0] != meant[0]) + _OTHER_LAST * (typed[-1] != meant[-1])
        if distance > 1:
            return _TWO_SLIPS + besides if min(len(typed), len(meant)) >= _LONG else None
        if len(typed) == _SHORTEST and (typed[0] != meant[0] or len(meant) == _SHORTEST):
            return None
        if len(typed) != len(meant):  # a distance of 1 is one letter more or less
            return besides + (_DOUBLED if _undoubled(typed) == _undoubled(meant) else 1)
        unlike = [pair for pair in zip(typed, meant, strict=True) if pair[0] != pair[1]]
        if unlike[0] in self.beside:
            return besides + 1
        vowels = self.vowels.issuperset(unlike[0]) and len(typed) >= _SHORTEST_VOWEL and not besides
        return besides + _OTHER_VOWEL if vowels else None


@per_language
def load_slips() -> Slips:
    """The slips of the language in force; none where it has no such file."""
    body = {**_NO_SLIPS, **in_force().read("slips.yaml")}
    rows = enumerate(body["rows"].items())
    keys = [(key, y, _STEP * x + shift) for y, (row, shift) in rows for x, key in enumerate(row)]
    return Slips(
        words={str(typed): tuple(str(meant).split()) for typed, meant in body["words"].items()},
        leading=frozenset(body["leading"]),
        real=frozenset(fold(str(word)) for word in body["real"]),
        dictionary=body["dictionary"],
        vowels=frozenset(body["vowels"]),
        beside=frozenset(
            (a, b) for (a, y, x), (b, z, w) in product(keys, keys) if a != b and abs(y - z) <= 1 and abs(x - w) <= _STEP
        ),
    )


@per_language
def _ordinary_words() -> frozenset[str]:
    """The words of the language's dictionary; read when the first word is like one of ours, in half a second."""
    asked = load_slips().dictionary
    if not asked:
        return frozenset()
    from spellchecker import SpellChecker  # noqa: PLC0415 -- a vendor's library, needed only where something is mistyped

    words = SpellChecker(language=asked["language"]).word_frequency.dictionary
    return frozenset(word for word, often in words.items() if often >= asked["least"])


def _undoubled(word: str) -> Sequence[str]:
    """Its letters, of two equal ones in a row only one."""
    return [letter for n, letter in enumerate(word) if not n or letter != word[n - 1]]
