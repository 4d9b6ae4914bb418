"""Values that are known beforehand, found in a text in the ways in which people write them.

Names of people are looked for as `redaction.names` says; numbers by their letters and digits, however they are grouped;
phone numbers with and without what leads to the country. A find begins and ends with a word of the text.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Any, Literal

import ahocorasick

from redaction.finds import Find, find_of, joined
from redaction.names import Names
from redaction.words import Run, Words, between

How = Literal["name", "phrase", "number", "phone"]
"""How a value is written: a person's name; words in their order; letters and digits in groups; a phone number."""
_LEADS = (
    "account", "acct", "customer", "client", "buyer", "supplier", "vendor", "konto", "kunde", "kundi", "kdnr",
    "debitor", "lieferant", "kreditor", "mandant",
)  # fmt: skip
_SHORT_LEADS = frozenset({"cust", "kd"})
_LED_WITHIN = 4
"""A short number of digits alone could be a quantity: it is known by a word that begins like these, at most so many
before it."""
_PLAIN_ENOUGH = 7
_BETWEEN_WORDS = between(r"[\W_\u02bb\u02bc]")
_BETWEEN_DIGITS = between(r"[\s().:#*&+/\\_\u2010-\u2015\u2212\ufe63\uff0d-]")
_DIALLED = re.compile(r"[+(\d][^A-Za-z]*")
_FEWEST_DIGITS = 7
"""A phone number without its country is looked for from so many digits on."""
_FEWEST_LETTERS = 3
"""A value of fewer letters and digits would be found everywhere."""
_LONGEST = 4096
_MOST_RECORDS = 64
"""Of a value that more records hold, these are told."""
_NONE = -1


@dataclass(frozen=True, slots=True)
class Known:
    """A value, the kind of data that it is (such as PERSON or EMAIL), how it is written, and the field and the ids of
    the records that hold it."""

    kind: str
    value: str
    how: How = "phrase"
    source: str = ""
    rows: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class _Sort:
    """What many values have in common: their kind, where they are from, and whether a word must lead to them."""

    kind: str
    source: str
    led: bool


class Gazetteer:
    """Finds known values; made once for many texts. What it holds does not grow with the texts that it has seen."""

    def __init__(self, values: Iterable[Known]) -> None:
        self._holders = _Holders()
        self._spaced, self._joined = _automaton(), _automaton()
        self._names: dict[str, Names] = {}
        for known in values:
            self._add(known)
        self._spaced.make_automaton()
        self._joined.make_automaton()

    def find(self, text: str, words: Words | None = None) -> tuple[Find, ...]:
        """The known values of a text, in order. Finds that overlap are one, of the kind of the longest."""
        there = words or Words(text)
        found = [
            *(self._matches(text, there, there.spaced, self._spaced, _BETWEEN_WORDS) if self._spaced else ()),
            *(self._matches(text, there, there.joined, self._joined, _BETWEEN_DIGITS) if self._joined else ()),
        ]
        for kind, names in self._names.items():
            for first, last, entries in names.find(text, there):
                holders = (each for entry in entries for each in self._holders.of(entry, led=True))
                records = tuple(dict.fromkeys(islice(holders, _MOST_RECORDS)))
                found.append(find_of(there, first, last, kind, records))
        return joined(found)

    def _add(self, known: Known) -> None:
        words = Words(known.value).folded
        plain = "".join(words)
        if not plain or sum(map(str.isalnum, known.value)) < _FEWEST_LETTERS or len(plain) >= _LONGEST:
            return
        led = known.how == "number" and plain.isdigit() and len(plain) < _PLAIN_ENOUGH
        sort = _Sort(known.kind, known.source, led)
        if known.how == "name" and len(words) > 1:
            new = self._holders.new
            entry = self._names.setdefault(known.kind, Names()).entry(words, new)
            self._holders.add(sort, known.rows, _NONE if entry == new else entry)
        elif known.how in ("name", "phrase"):
            self._put(self._spaced, " ".join(words), sort, known.rows)
        else:
            for form in _dialled(known.value) if known.how == "phone" else (plain,):
                self._put(self._joined, form, sort, known.rows)

    def _put(self, automaton: Any, form: str, sort: _Sort, rows: tuple[int, ...]) -> None:
        there: int = automaton.get(form, _NONE)
        entry = self._holders.add(sort, rows, there, length=len(form))
        if there == _NONE:
            automaton.add_word(form, entry)

    def _matches(self, text: str, words: Words, run: Run, automaton: Any, between: re.Pattern[str]) -> Iterator[Find]:
        hits: Iterable[tuple[int, int]] = automaton.iter(run.text)
        for end, entry in hits:
            piece = run.words(end + 1 - self._holders.length(entry), end + 1)
            if piece and _in_one(text, words, *piece, between):
                records = self._holders.of(entry, led=_is_led(words, piece[0]))
                if first := next(records, None):
                    held = (first, *islice(records, _MOST_RECORDS - 1))
                    found = find_of(words, *piece, self._holders.kind(entry), held)
                    yield replace(found, begin=_led_in(text, found.begin)) if automaton is self._joined else found


class _Holders:
    """Which records hold each value, as a list per value that is linked by numbers: millions take little memory."""

    def __init__(self) -> None:
        self._sorts: dict[_Sort, int] = {}
        self._told: list[_Sort] = []
        self._sort, self._row, self._next, self._length = array("H"), array("q"), array("i"), array("H")

    @property
    def new(self) -> int:
        """The entry of the value that is added next."""
        return len(self._row)

    def add(self, sort: _Sort, rows: tuple[int, ...], entry: int, *, length: int = 0) -> int:
        """Note records for the value of an entry, or for a new one of so many characters; its entry."""
        if sort not in self._sorts:
            self._sorts[sort] = len(self._told)
            self._told.append(sort)
        for row in rows:
            at = self.new
            self._sort.append(self._sorts[sort])
            self._row.append(row)
            self._length.append(length)
            self._next.append(_NONE if entry == _NONE else self._next[entry])
            if entry == _NONE:
                entry = at
            else:
                self._next[entry] = at
        return entry

    def length(self, entry: int) -> int:
        """How many characters a value has in the form that was noted."""
        return self._length[entry]

    def kind(self, entry: int) -> str:
        """The kind of a value, as it was first noted."""
        return self._told[self._sort[entry]].kind

    def of(self, entry: int, *, led: bool) -> Iterator[tuple[str, int]]:
        """Field and id of the records that hold a value; without a word that leads to it only those that need none."""
        at = entry
        while at != _NONE:
            sort = self._told[self._sort[at]]
            if led or not sort.led:
                yield sort.source, self._row[at]
            at = self._next[at]


def _is_led(words: Words, first: int) -> bool:
    """Whether a word that leads to numbers of accounts stands shortly before a place."""
    before = words.folded[max(0, first - _LED_WITHIN) : first]
    return any(word.startswith(_LEADS) or word in _SHORT_LEADS for word in before)


def _led_in(text: str, begin: int) -> int:
    """Where a number begins with the signs before it: "+49", "(0)30"."""
    while begin and text[begin - 1] in "+(":
        begin -= 1
    return begin


def _automaton() -> Any:
    """An automaton over text that keeps a number with each value; its library has no types."""
    library: Any = ahocorasick
    return library.Automaton(library.STORE_INTS)


def _in_one(text: str, words: Words, first: int, last: int, between: re.Pattern[str]) -> bool:
    """Whether what stands between the words of a piece keeps them together."""
    spans = words.spans[first : last + 1]
    return all(between.fullmatch(text, end, begin) for (_, end), (begin, _) in pairwise(spans))


def _dialled(value: str) -> Iterator[str]:
    """A phone number as it is recorded, and as it is dialled, with and without the extension after it."""
    recorded = "".join(Words(value).folded)
    if len(recorded) >= _FEWEST_DIGITS:
        yield recorded
    if number := _DIALLED.search(value):
        extension = "".join(Words(value[number.end() :]).folded)
        for form in _with_prefixes(number.group()):
            yield from {form, form + extension}


def _with_prefixes(number: str) -> Iterator[str]:
    """Its digits with its country, with 00 before, with and without a leading 0."""
    digits = "".join(letter for letter in number if letter.isdigit())
    if len(digits) >= _FEWEST_DIGITS:
        yield digits
    if number.lstrip("( ").startswith("+") or digits.startswith("00"):
        whole = "".join(letter for letter in number.replace("(0)", "") if letter.isdigit()).removeprefix("00")
        for country in (1, 2, 3):
            rest = whole[country:].removeprefix("0")
            yield from (f"{lead}{whole[:country]}{zero}{rest}" for lead in ("", "00") for zero in ("", "0"))
            if len(rest) >= _FEWEST_DIGITS:
                yield from (rest, f"0{rest}")
    elif digits.startswith("0") and len(digits) > _FEWEST_DIGITS:
        yield digits[1:]
