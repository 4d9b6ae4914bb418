"""Values that are known beforehand, found in a text in the ways in which people write them.

Names are looked for in either order, with or without what stands between the first and the last piece, and with
initials; numbers by their letters and digits, however they are grouped; phone numbers with and without what leads to
the country. A find begins and ends with a word of the text. A surname that stands alone is an ordinary word too often:
it is not looked for here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import ahocorasick

from redaction.words import Run, Words, words_of

How = Literal["name", "phrase", "number", "phone"]
"""How a value is written: a person's name; words in their order; letters and digits in groups; a phone number."""
_TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "ing", "dipl", "med", "jr", "sr", "ii", "iii"}
)
_PARTICLES = frozenset({"von", "vom", "zu", "van", "de", "der", "den", "del", "la", "bin", "binte", "al"})
"""Both come and go with a name; particles stand before a surname, also where that comes first."""
_BETWEEN_WORDS = re.compile(r"[^\w;:!?|/\\<>{}\[\]()=]{0,4}")
_BETWEEN_DIGITS = re.compile(r"[ \u00a0\u202f().+/\u2010-\u2015-]{0,4}")
_BETWEEN_INITIALS = re.compile(r"[ \u00a0.,\u2010-]{0,3}")
_FEWEST_DIGITS = 7
"""A phone number without its country is looked for from so many digits on."""
_FEWEST_LETTERS = 3
"""A value of fewer letters and digits would be found everywhere."""
_LONGEST = 1 << 12


@dataclass(frozen=True, slots=True)
class Known:
    """A value, the kind of data that it is (such as PERSON or EMAIL), and how it is written."""

    kind: str
    value: str
    how: How = "phrase"


@dataclass(frozen=True, slots=True, order=True)
class Find:
    """A piece of a text: where it begins and ends, and the kind of data that it is."""

    begin: int
    end: int
    kind: str


class Gazetteer:
    """Finds known values; made once for many texts. What it holds does not grow with the texts that it has seen."""

    def __init__(self, values: Iterable[Known]) -> None:
        self._kinds: list[str] = []
        self._spaced, self._joined = _automaton(), _automaton()
        self._initials: defaultdict[str, set[str]] = defaultdict(set)
        self._name_kinds: dict[str, str] = {}
        numbers: dict[str, int] = {}
        for known in values:
            if known.kind not in numbers:
                numbers[known.kind] = len(numbers)
                self._kinds.append(known.kind)
            self._add(known, numbers[known.kind])
        self._spaced.make_automaton()
        self._joined.make_automaton()

    def find(self, text: str, words: Words | None = None) -> tuple[Find, ...]:
        """The known values of a text, in order. Finds that overlap are one, of the kind of the longest."""
        there = words or words_of(text)
        found = [
            *self._matches(text, there, there.spaced, self._spaced, _BETWEEN_WORDS),
            *self._matches(text, there, there.joined, self._joined, _BETWEEN_DIGITS),
            *self._by_initials(text, there),
        ]
        return joined(found)

    def _add(self, known: Known, kind: int) -> None:
        words = words_of(known.value).folded
        if sum(map(len, words)) < _FEWEST_LETTERS:
            return
        if known.how in ("name", "phrase"):
            forms = _orders(words) if known.how == "name" else (words,)
            for form in forms:
                self._put(self._spaced, " ".join(form), kind)
            core = _core(words)
            if known.how == "name" and len(core) > 1:
                self._initials[core[-1]].add(core[0][0])
                self._name_kinds.setdefault(core[-1], known.kind)
            return
        forms = _dialled(known.value) if known.how == "phone" else ("".join(words),)
        for form in forms:
            self._put(self._joined, form, kind)

    @staticmethod
    def _put(automaton: Any, form: str, kind: int) -> None:
        if len(form) < _LONGEST and form not in automaton:
            automaton.add_word(form, kind * _LONGEST + len(form))

    def _matches(self, text: str, words: Words, run: Run, automaton: Any, between: re.Pattern[str]) -> Iterator[Find]:
        if not len(automaton):
            return
        hits: Iterable[tuple[int, int]] = automaton.iter(run.text)
        for last, value in hits:
            kind, length = divmod(value, _LONGEST)
            piece = run.words(last + 1 - length, last + 1)
            if piece and _in_one(text, words, *piece, between):
                yield _find(words, *piece, self._kinds[kind])

    def _by_initials(self, text: str, words: Words) -> Iterator[Find]:
        """ "A. Meyer", "A. M. Meyer" and "Meyer, A." where some Anna Meyer is known."""
        for number, word in enumerate(words.folded):
            letters = self._initials.get(word)
            if letters is None:
                continue
            for step in (-1, 1):
                at = furthest = number + step
                first = ""
                while 0 <= at < len(words.folded) and self._is_initial(text, words, at, at - step):
                    first = words.folded[at] if step < 0 or not first else first
                    furthest, at = at, at + step
                if first in letters:
                    yield _find(words, min(number, furthest), max(number, furthest), self._name_kinds[word])

    @staticmethod
    def _is_initial(text: str, words: Words, at: int, beside: int) -> bool:
        """Whether a word is one letter, written as an initial is, next to another word."""
        begin, end = words.spans[at]
        if len(words.folded[at]) != 1 or not (text[begin].isupper() or text[end : end + 1] == "."):
            return False
        return _in_one(text, words, min(at, beside), max(at, beside), _BETWEEN_INITIALS)


def _automaton() -> Any:
    """An automaton over text that keeps a number with each value; its library has no types."""
    library: Any = ahocorasick
    return library.Automaton(library.STORE_INTS)


def joined(finds: Iterable[Find]) -> tuple[Find, ...]:
    """Finds in order, those that overlap as one: nothing of either is left over. The kind is that of the longest."""
    merged: list[Find] = []
    longest = 0
    for find in sorted(finds, key=lambda each: (each.begin, -each.end)):
        length = find.end - find.begin
        if merged and find.begin < merged[-1].end:
            before = merged[-1]
            kind = find.kind if length > longest else before.kind
            merged[-1] = Find(before.begin, max(before.end, find.end), kind)
            longest = max(longest, length)
        else:
            merged.append(find)
            longest = length
    return tuple(merged)


def _find(words: Words, first: int, last: int, kind: str) -> Find:
    return Find(words.spans[first][0], words.spans[last][1], kind)


def _in_one(text: str, words: Words, first: int, last: int, between: re.Pattern[str]) -> bool:
    """Whether what stands between the words of a piece keeps them together."""
    spans = words.spans[first : last + 1]
    return all(between.fullmatch(text, end, begin) for (_, end), (begin, _) in pairwise(spans))


def _without(words: Sequence[str], beside: frozenset[str]) -> Sequence[str]:
    """A name without some words; the name itself where nothing else is left."""
    return [word for word in words if word not in beside] or words


def _core(words: Sequence[str]) -> Sequence[str]:
    return _without(words, _TITLES | _PARTICLES)


def _orders(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ways to write a name: as it is, surname first, without what comes and goes with it, with the pieces in the
    middle as initials or left out."""
    for whole in dict.fromkeys(map(tuple, (words, _without(words, _TITLES), _core(words)))):
        yield whole
        for last in range(1, len(whole)):  # "van der Berg, Anna" and "Berg, Anna van der"
            yield (*whole[last:], *whole[:last])
    first, *middle, last = _core(words) if len(_core(words)) > 1 else (*words, *words)
    if middle:
        initials = [piece[0] for piece in middle]
        for given in ((first,), (first, *initials)):
            yield (*given, last)
            yield (last, *given)


def _dialled(value: str) -> Iterator[str]:
    """A phone number's digits as they are dialled: with its country, with 00 before, with and without a leading 0."""
    digits = "".join(letter for letter in value if letter.isdigit())
    if len(digits) >= _FEWEST_DIGITS:
        yield digits
    if value.lstrip().startswith("+") or digits.startswith("00"):
        whole = digits.removeprefix("00")
        yield f"00{whole}"
        yield whole
        for country in (1, 2, 3):
            rest = whole[country:].removeprefix("0")
            yield f"{whole[:country]}0{rest}"
            if len(rest) >= _FEWEST_DIGITS:
                yield from (rest, f"0{rest}")
    elif digits.startswith("0") and len(digits) > _FEWEST_DIGITS:
        yield digits[1:]
