"""Names of people, found by their last word and their first beside it, on either side, with or without what stands
between and with initials: "Meyer, Anna Maria", "A. M. Meyer", "van der Berg, Jan".

A surname that stands alone is an ordinary word too often: it is not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from redaction.words import Words, between

_TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "ing", "dipl", "med", "jr", "sr", "ii", "iii"}
)
_PARTICLES = frozenset({"von", "vom", "zu", "van", "de", "der", "den", "del", "la", "bin", "binte", "al"})
"""Both come and go with a name; particles stand before a surname, also where that comes first."""
_BESIDE = _TITLES | _PARTICLES
_FURTHEST = 6
"""How many words a name may have from its first to its last."""
_BETWEEN = between(r"(?:[_\u02bb\u02bc]|[^\w;:!?|/\\<>{}\[\]()=])")


@dataclass(slots=True)
class _Ending:
    """The names that end with one word: each first word with its entry, and what may stand between."""

    given: dict[str, int] = field(default_factory=dict[str, int])
    middle: set[str] = field(default_factory=set[str])

    def entries(self, word: str) -> tuple[int, ...]:
        """The entries of names that begin with a word, or with its one letter."""
        if word in self.given:
            return (self.given[word],)
        return tuple(entry for given, entry in self.given.items() if len(word) == 1 and given[0] == word)

    def goes_on(self, word: str) -> bool:
        """Whether a word may stand between the two, or beside them."""
        return word in self.middle or word in _BESIDE or len(word) == 1


class Names:
    """Names of several words; each pair of a first and a last word has a number, its entry."""

    def __init__(self) -> None:
        self._endings: dict[str, _Ending] = {}

    def entry(self, words: Sequence[str], new: int) -> int:
        """The entry of a name, `new` where it has none yet."""
        core = [word for word in words if word not in _BESIDE]
        first, *middle, last = core if len(core) > 1 else words
        ending = self._endings.setdefault(last, _Ending())
        ending.middle.update(middle)
        return ending.given.setdefault(first, new)

    def find(self, text: str, words: Words) -> Iterator[tuple[int, int, tuple[int, ...]]]:
        """First word, last word and entries of each name in a text."""
        known = self._endings
        for number, word in enumerate(words.folded):
            if word in known:
                yield from _ending_at(text, words, known[word], number)
            if word[-1] == "s" and word[:-1] in known:  # the genitive: "Anna Meyers Auftrag"
                yield from _ending_at(text, words, known[word[:-1]], number)


def _ending_at(text: str, words: Words, known: _Ending, last: int) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """What `Names.find` gives, of names whose last word stands in a place."""
    for step in (-1, 1):
        first = _first_of(text, words, known, last, step)
        if first is not None:
            low, high = sorted((last, first))
            begin, end = _on(text, words, known, low, -1), _on(text, words, known, high, 1)
            yield begin, end, known.entries(words.folded[first])


def _first_of(text: str, words: Words, known: _Ending, last: int, step: int) -> int | None:
    """Where the first word of a name stands, going from its last in one direction."""
    found: int | None = None
    at = last + step
    while 0 <= at < len(words.folded) and abs(at - last) <= _FURTHEST and _beside(text, words, at, at - step):
        word = words.folded[at]
        if word in known.given:
            return at
        if len(word) == 1 and _is_initial(text, words, at) and any(given[0] == word for given in known.given):
            found = at
        elif not known.goes_on(word):
            break
        at += step
    return found


def _on(text: str, words: Words, known: _Ending, at: int, step: int) -> int:
    """The furthest word that belongs to a name beyond its end: "Müller" before "Lüdenscheidt, Björn"."""
    while 0 <= at + step < len(words.folded) and _beside(text, words, at + step, at):
        word = words.folded[at + step]
        particle = step < 0 and word in _PARTICLES
        if not (word in known.middle or particle or (len(word) == 1 and _is_initial(text, words, at + step))):
            break
        at += step
    return at


def _is_initial(text: str, words: Words, at: int) -> bool:
    """Whether a word of one letter is written as an initial is."""
    begin, end = words.spans[at]
    return text[begin].isupper() or (text[begin].isalpha() and text[end : end + 1] == ".")


def _beside(text: str, words: Words, one: int, other: int) -> bool:
    low, high = sorted((one, other))
    return _BETWEEN.fullmatch(text, words.spans[low][1], words.spans[high][0]) is not None
