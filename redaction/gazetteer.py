"""Values that are known beforehand, found in a text in the ways in which people write them.

Names are looked for in either order, with or without what stands between the first and the last piece, and with
initials; numbers by their letters and digits, however they are grouped; phone numbers with and without what leads to
the country. A find begins and ends with a word of the text. A surname that stands alone is an ordinary word too often:
it is not looked for here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import ahocorasick

from redaction.words import Run, Words

How = Literal["name", "phrase", "number", "phone"]
"""How a value is written: a person's name; words in their order; letters and digits in groups; a phone number."""
_LEADS = frozenset(
    {"account", "acct", "customer", "cust", "client", "buyer", "supplier", "vendor", "konto", "kontonr", "kunde",
     "kunden", "kundin", "kundennr", "kundennummer", "debitor", "debitorennummer", "lieferant", "lieferanten",
     "lieferantennummer", "kreditor", "mandant"}
)  # fmt: skip
_LED_WITHIN = 4
"""A short number of digits alone could be a quantity: it is known by a word of these, at most so many before it."""
_PLAIN_ENOUGH = 7
_TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "ing", "dipl", "med", "jr", "sr", "ii", "iii"}
)
_PARTICLES = frozenset({"von", "vom", "zu", "van", "de", "der", "den", "del", "la", "bin", "binte", "al"})
"""Both come and go with a name; particles stand before a surname, also where that comes first."""
_BESIDE = _TITLES | _PARTICLES
_FURTHEST = 6
"""How many words a name may have from its first to its last."""
_BETWEEN_WORDS = re.compile(r"[^\w;:!?|/\\<>{}\[\]()=]{0,4}")
_BETWEEN_DIGITS = re.compile(r"[ \u00a0\u202f().+/\u2010-\u2015-]{0,4}")
_FEWEST_DIGITS = 7
"""A phone number without its country is looked for from so many digits on."""
_FEWEST_LETTERS = 3
"""A value of fewer letters and digits would be found everywhere."""
_LONGEST = 1 << 12


@dataclass(frozen=True, slots=True)
class Known:
    """A value, the kind of data that it is (such as PERSON or EMAIL), how it is written, and where it is from."""

    kind: str
    value: str
    how: How = "phrase"
    source: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Find:
    """A piece of a text: where it begins and ends, the kind of data that it is, and what tells so."""

    begin: int
    end: int
    kind: str
    source: str = ""
    """Where a known value is from, such as "customer_contact.name", or the rule that found it."""


@dataclass(frozen=True, slots=True)
class _Sort:
    """What is told of values: their kind, where they are from, and whether a word must lead to them."""

    kind: str
    source: str
    led: bool = False


class Gazetteer:
    """Finds known values; made once for many texts. What it holds does not grow with the texts that it has seen."""

    def __init__(self, values: Iterable[Known]) -> None:
        self._sorts: dict[_Sort, int] = {}
        self._spaced, self._joined = _automaton(), _automaton()
        self._names: dict[_Sort, dict[str, _Names]] = {}
        for known in values:
            self._add(known)
        self._by_number = (*self._sorts,)
        self._spaced.make_automaton()
        self._joined.make_automaton()

    def find(self, text: str, words: Words | None = None) -> tuple[Find, ...]:
        """The known values of a text, in order. Finds that overlap are one, of the kind of the longest."""
        there = words or Words(text)
        found = [
            *self._matches(text, there, there.spaced, self._spaced, _BETWEEN_WORDS),
            *self._matches(text, there, there.joined, self._joined, _BETWEEN_DIGITS),
        ]
        for sort, names in self._names.items():
            found += _names_in(text, there, names, sort)
        return joined(found)

    def _add(self, known: Known) -> None:
        words = Words(known.value).folded
        if sum(map(len, words)) < _FEWEST_LETTERS:
            return
        plain = "".join(words)
        led = known.how == "number" and plain.isdigit() and len(plain) < _PLAIN_ENOUGH
        sort = _Sort(known.kind, known.source, led)
        if known.how == "name" and len(words) > 1:
            core = [word for word in words if word not in _BESIDE]
            first, *middle, last = core if len(core) > 1 else words
            names = self._names.setdefault(sort, {}).setdefault(last, _Names())
            names.given.add(first)
            names.middle.update(middle)
            return
        number = self._sorts.setdefault(sort, len(self._sorts))
        if known.how in ("name", "phrase"):
            _put(self._spaced, " ".join(words), number)
            return
        for form in _dialled(known.value) if known.how == "phone" else (plain,):
            _put(self._joined, form, number)

    def _matches(self, text: str, words: Words, run: Run, automaton: Any, between: re.Pattern[str]) -> Iterator[Find]:
        if not len(automaton):
            return
        hits: Iterable[tuple[int, int]] = automaton.iter(run.text)
        for last, value in hits:
            number, length = divmod(value, _LONGEST)
            piece = run.words(last + 1 - length, last + 1)
            sort = self._by_number[number]
            if piece and _in_one(text, words, *piece, between) and (not sort.led or _is_led(words, piece[0])):
                yield _find(words, *piece, sort)


@dataclass(slots=True)
class _Names:
    """The names that end with one word: what they begin with, and what may stand between."""

    given: set[str] = field(default_factory=set[str])
    middle: set[str] = field(default_factory=set[str])

    def goes_on(self, word: str) -> bool:
        """Whether a word may stand between the two, or beside them."""
        return word in self.middle or word in _BESIDE or len(word) == 1


def _is_led(words: Words, first: int) -> bool:
    """Whether a word that leads to numbers of accounts stands shortly before a place."""
    return not _LEADS.isdisjoint(words.folded[max(0, first - _LED_WITHIN) : first])


def _names_in(text: str, words: Words, names: Mapping[str, _Names], sort: _Sort) -> Iterator[Find]:
    """The last word of a known name with its first, or the initial of that, on either side: "Meyer, Anna Maria",
    "A. M. Meyer", "van der Berg, Jan"."""
    for number, word in enumerate(words.folded):
        known = names.get(word)
        for step in (-1, 1) if known else ():
            first = _first_of(text, words, known, number, step) if known else None
            if known and first is not None:
                low, high = sorted((number, first))
                yield _find(words, _on(text, words, known, low, -1), _on(text, words, known, high, 1), sort)


def _first_of(text: str, words: Words, known: _Names, last: int, step: int) -> int | None:
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


def _on(text: str, words: Words, known: _Names, at: int, step: int) -> int:
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
    return text[begin].isupper() or text[end : end + 1] == "."


def _beside(text: str, words: Words, one: int, other: int) -> bool:
    low, high = sorted((one, other))
    return _in_one(text, words, low, high, _BETWEEN_WORDS)


def _put(automaton: Any, form: str, sort: int) -> None:
    if len(form) < _LONGEST and form not in automaton:
        automaton.add_word(form, sort * _LONGEST + len(form))


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
            told = find if length > longest else before
            merged[-1] = Find(before.begin, max(before.end, find.end), told.kind, told.source)
            longest = max(longest, length)
        else:
            merged.append(find)
            longest = length
    return tuple(merged)


def _find(words: Words, first: int, last: int, sort: _Sort) -> Find:
    return Find(words.spans[first][0], words.spans[last][1], sort.kind, sort.source)


def _in_one(text: str, words: Words, first: int, last: int, between: re.Pattern[str]) -> bool:
    """Whether what stands between the words of a piece keeps them together."""
    spans = words.spans[first : last + 1]
    return all(between.fullmatch(text, end, begin) for (_, end), (begin, _) in pairwise(spans))


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
