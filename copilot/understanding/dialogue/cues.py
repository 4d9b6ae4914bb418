"""The words by which a message points back at what was asked before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from copilot.semantic.language import in_force, per_language
from copilot.understanding.words import Word, cut, fold

_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_LAST = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """Where in a message the cues of each kind stand."""

    at: Mapping[str, frozenset[int]]
    place: int | None = None
    """Which of the records listed is meant, counted from 0; -1: the last."""

    def of(self, *kinds: str) -> frozenset[int]:
        """The positions of cues of some kinds."""
        return frozenset(position for kind in kinds for position in self.at.get(kind, ()))

    def any(self, *kinds: str) -> bool:
        """Whether there is a cue of one of these kinds."""
        return bool(self.of(*kinds))


def find_cues(words: Sequence[Word], taken: frozenset[int] = frozenset()) -> Cues:
    """The cues of a message; the longest phrase at a position counts. Words at `taken` are none: "last month"."""
    phrases = _phrases()
    pieces = [(piece, place) for place, word in enumerate(words) for piece in word.folded.split()]
    found: dict[str, set[int]] = {}
    at = 0
    while at < len(pieces):
        length, kinds = _longest([piece for piece, _ in pieces[at:]], phrases)
        for kind in kinds:
            places = {place for _, place in pieces[at : at + length]}
            if not places & taken:
                found.setdefault(kind, set()).update(places)
        at += max(length, 1)
    place = next((n for n, name in enumerate(_ORDINALS) if name in found), _LAST if "last" in found else None)
    return Cues(at={kind: frozenset(places) for kind, places in found.items()}, place=place)


def tells_back(text: str) -> bool:
    """Whether a message asks for what was said: "what did we tell them"."""
    return find_cues(cut(text)).any("recall")


def words_for(kind: str) -> frozenset[str]:
    """The single words of a kind of cue."""
    return frozenset(pieces[0] for pieces, kinds in _phrases().items() if kind in kinds and len(pieces) == 1)


@per_language
def all_words() -> frozenset[str]:
    """Every word of any cue."""
    return frozenset(piece for pieces in _phrases() for piece in pieces)


def _longest(pieces: Sequence[str], phrases: Mapping[tuple[str, ...], tuple[str, ...]]) -> tuple[int, tuple[str, ...]]:
    for length in range(min(4, len(pieces)), 0, -1):
        kinds = phrases.get(tuple(pieces[:length]))
        if kinds:
            return length, kinds
    return 0, ()


@per_language
def _phrases() -> Mapping[tuple[str, ...], tuple[str, ...]]:
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for kind, said in in_force().read("dialogue.yaml").items():
        for phrase in said:
            pieces = tuple(piece for word in cut(str(phrase)) for piece in word.folded.split())
            for form in dict.fromkeys((pieces, (fold(str(phrase)),))):  # as one word too, contracted as it is written
                found[form] = (*found.get(form, ()), kind)
    return found
