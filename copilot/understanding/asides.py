"""Leaves out what is said around a question: who is on the line, how they feel, what the answer is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from copilot.semantic.language import in_force, per_language
from copilot.understanding.words import fold

_CLAUSE = re.compile(r"\s*[,;!?()…]+(?:\s+|$)|\s+[-–—]+\s+|(?<=[a-zA-Z])\.+(?:\s+|$)")  # noqa: RUF001 -- dashes are meant
"""What stands between two clauses of a message."""
_PIECE = re.compile(r"\S+")
_SLOT = re.compile(r"{(\w+)}")
_FEWEST = 2
"""Letters that must be left of a message: an aside alone is no question, and is left to manners."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of letters as typed, by its place in the clause, and as folding leaves it."""

    begin: int
    end: int
    folded: str


def without_asides(text: str) -> str:
    """The message without its asides, its punctuation as it was; the message itself where nothing else would be left."""
    clauses = ((_plain(clause), mark) for clause, mark in _clauses(text))
    kept = "".join(clause + mark for clause, mark in clauses if clause).strip(" ,;-–—")  # noqa: RUF001
    return kept if sum(map(str.isalnum, kept)) >= _FEWEST else text


def _clauses(text: str) -> Iterator[tuple[str, str]]:
    """Each clause with the mark behind it."""
    begin = 0
    for mark in _CLAUSE.finditer(text):
        yield text[begin : mark.start()], mark.group()
        begin = mark.end()
    yield text[begin:], ""


def _plain(clause: str) -> str:
    """A clause without its asides; empty where it is nothing else."""
    while (found := _aside(clause)) is not None:
        clause = f"{clause[: found[0]].rstrip()} {clause[found[1] :].lstrip()}".strip()
    return clause


def _aside(clause: str) -> tuple[int, int] | None:
    """Where the first aside of a clause begins and ends."""
    pieces = [_Piece(m.start(), m.end(), fold(m.group()).replace(" ", "_")) for m in _PIECE.finditer(clause)]
    pieces = [piece for piece in pieces if piece.folded]
    said = " ".join(piece.folded for piece in pieces)
    for pattern in _patterns():
        for match in pattern.finditer(said):
            first = said[: match.start()].count(" ")
            last = first + match.group().strip().count(" ")
            if match.group().strip():
                return pieces[first].begin, pieces[last].end
    return None


@per_language
def _patterns() -> tuple[re.Pattern[str], ...]:
    """The asides of the language in force; none where it has no file of them."""
    data = in_force().read("asides.yaml")
    if not data:
        return ()
    before = "".join(rf"(?<!\b{word} )" for word in data.get("unless", ()))
    return (
        *_compiled(data, "begins", r"^", r"(?= |$)"),
        *_compiled(data, "ends", r"(?:(?<=^)|(?<= ))", r"$"),
        *_compiled(data, "within", rf"(?:(?<=^)|(?<= )){before}", r"(?= |$)"),
    )


def _compiled(data: Mapping[str, Any], place: str, before: str, behind: str) -> Iterator[re.Pattern[str]]:
    slots = {name: "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")" for name, words in data["slots"].items()}
    for pattern in data.get(place, ()):
        filled = _SLOT.sub(lambda slot: slots[slot[1]], pattern).replace("(", "(?:").replace("(?:?", "(?")
        yield re.compile(before + "(?:" + filled + ")" + behind)
