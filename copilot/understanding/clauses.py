"""A message as its clauses, a clause as runs of letters, and the patterns of a language over these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.understanding.words import fold

_MARK = re.compile(r"\s*[,;:!?()…]+(?:\s+|$)|\s+[-–—]+\s+|(?<=[a-zA-Z])\.+(?:\s+(?=[A-Z])|\s*$)")
"""What stands between two clauses of a message."""
_PIECE = re.compile(r"\S+")
_SLOT = re.compile(r"{(\w+)}")
AT_BEGIN, AT_END = r"(?:(?<=^)|(?<= ))", r"(?= |$)"
"""Between two words."""
JOINED = "_"
"""What stands for a sign within a run of letters: "on-time", "p&l"."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of letters as typed, by its place in the clause, and as folding leaves it."""

    begin: int
    end: int
    folded: str


def clauses(text: str) -> Iterator[tuple[str, str]]:
    """Each clause with the mark behind it."""
    begin = 0
    for mark in _MARK.finditer(text):
        yield text[begin : mark.start()], mark.group()
        begin = mark.end()
    yield text[begin:], ""


def pieces_of(clause: str) -> tuple[Piece, ...]:
    """The runs of letters of a clause; what is but signs is none."""
    found = (Piece(m.start(), m.end(), fold(m.group()).replace(" ", JOINED)) for m in _PIECE.finditer(clause))
    return tuple(piece for piece in found if piece.folded)


def said(pieces: Sequence[Piece]) -> str:
    """What a pattern is put to."""
    return " ".join(piece.folded for piece in pieces)


def place(pieces: Sequence[Piece], text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Where in the clause that begins and ends which stands at a span of what is said; blanks at its ends are none."""
    found = text[slice(*span)]
    first = text[: span[0] + len(found) - len(found.lstrip())].count(" ")
    return pieces[first].begin, pieces[first + found.strip().count(" ")].end


def compiled(
    patterns: Iterable[str], slots: Mapping[str, Iterable[str]], before: str = AT_BEGIN, behind: str = AT_END
) -> Iterator[re.Pattern[str]]:
    """Patterns of a language, each {slot} as one of its words; no group of theirs holds anything."""
    words = {name: "(?:" + "|".join(sorted(some, key=len, reverse=True)) + ")" for name, some in slots.items()}
    for pattern in patterns:
        filled = _SLOT.sub(lambda slot: words[slot[1]], pattern).replace("(", "(?:").replace("(?:?", "(?")
        yield re.compile(f"{before}(?:{filled}){behind}")
