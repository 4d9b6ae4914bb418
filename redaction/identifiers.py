"""The company's own numbers, known by the shapes that they have: orders, items and invoices are not to be masked.

A shape is learnt from numbers that there are: its letters as they stand ("SO", "INV"), how many digits follow, and what
stands between. Digits alone are no shape, for a phone number or a tax number would have it too; of those only article
numbers with a check digit are told apart (GTIN: GS1 General Specifications, section 7.9).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from redaction.finds import Find, joined

IDENTIFIER = "IDENTIFIER"
_PIECES = re.compile(r"[A-Z]+|\d+|[^A-Z\d]+")
_MOST_PREFIXES = 200
"""Letters that differ more than so are no prefix of ours: any two letters before nine digits are a VAT number too."""
_FEWEST = 3
"""Numbers of one shape from which on it is one, and not a slip of the keyboard."""
_NO_WORD = r"(?!n[or]\s)"
"""In "customer no 12345" the letters are a word, also where "NO-" begins numbers of ours."""
_GTIN_LENGTHS = (8, 12, 13, 14)
_MOSTLY = 0.95
_GTIN = re.compile(r"(?<![\w.,-])\d{8}(?:\d{4,6})?(?![\w-]|[.,]\d)")
_Shape = tuple[str, ...]
"""L for letters, D for digits, other characters as they are."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The shapes of a company's numbers, as one pattern."""

    pattern: re.Pattern[str] | None
    gtins: bool

    def find(self, text: str) -> tuple[Find, ...]:
        """The pieces of a text that have such a shape, in order."""
        return joined(self._find(text))

    def _find(self, text: str) -> Iterator[Find]:
        for match in self.pattern.finditer(text) if self.pattern else ():
            yield Find(match.start(), match.end(), IDENTIFIER)
        for match in _GTIN.finditer(text) if self.gtins else ():
            if is_gtin(match.group()):
                yield Find(match.start(), match.end(), IDENTIFIER)


def learn(numbers: Iterable[str]) -> Identifiers:
    """The shapes of some numbers."""
    by_shape: defaultdict[_Shape, list[list[str]]] = defaultdict(list)
    for number in numbers:
        pieces = _PIECES.findall(number.strip().upper())
        if pieces:
            by_shape[tuple(_sort_of(piece) for piece in pieces)].append(pieces)
    patterns = [_pattern(values) for shape, values in sorted(by_shape.items()) if _is_ours(shape, values)]
    digits = [pieces[0] for pieces in by_shape.get(("D",), ()) if len(pieces[0]) in _GTIN_LENGTHS]
    gtins = len(digits) >= _FEWEST and sum(map(is_gtin, digits)) >= _MOSTLY * len(digits)
    whole = re.compile(rf"(?<![^\W_]){_NO_WORD}(?:{'|'.join(patterns)})(?![^\W_])", re.IGNORECASE) if patterns else None
    return Identifiers(whole, gtins)


def is_gtin(digits: str) -> bool:
    """Whether the last of 8, 12, 13 or 14 digits checks the others: weighted 3 and 1 from the right they and it sum up
    to a multiple of ten."""
    if len(digits) not in _GTIN_LENGTHS or not (digits.isascii() and digits.isdigit()):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _sort_of(piece: str) -> str:
    return "D" if piece.isdigit() else "L" if piece.isalpha() else piece


def _is_ours(shape: _Shape, values: list[list[str]]) -> bool:
    letters = [place for place, sort in enumerate(shape) if sort == "L"]
    if len(values) < _FEWEST or not letters or "D" not in shape:
        return False
    return all(len({pieces[place] for pieces in values}) <= _MOST_PREFIXES for place in letters)


def _pattern(values: list[list[str]]) -> str:
    """What stands in each place of the values of one shape; a dash or blank may be left out or be the other."""
    return "".join(_piece({pieces[place] for pieces in values}) for place in range(len(values[0])))


def _piece(said: set[str]) -> str:
    if all(each.isdigit() for each in said):
        fewest, most = min(map(len, said)), max(map(len, said))
        return rf"\d{{{fewest},{most}}}"
    if all(each in "- " for each in said):
        return "[- ]?"
    return f"(?:{'|'.join(re.escape(each) for each in sorted(said))})"
