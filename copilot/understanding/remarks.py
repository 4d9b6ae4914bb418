"""Tells the remarks around a question from it: "I am closing the books, so what is open for SO-12?"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from copilot.semantic.language import in_force, per_language
from copilot.understanding.clauses import JOINED, clauses, compiled, pieces_of, said

_QUESTION = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause of a message with the mark behind it, and what it may be."""

    text: str
    mark: str
    asks: bool
    remark: bool

    @property
    def plain(self) -> str:
        """A remark without what restricts nothing, "in five minutes"."""
        return _without(self.text, _remarks().harmless)


def told_apart(text: str) -> tuple[Clause, ...]:
    """The clauses of a message, from left to right."""
    return tuple(_clause(part, mark) for part, mark in _parts(text) if part)


def common_words() -> frozenset[str]:
    """Everyday words, which are no names where they stand in a remark."""
    return _remarks().common


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """The clauses, cut also before a word that ends a remark: "I am closing the books so what is open"."""
    for clause, mark in clauses(text):
        begin = 0
        for piece in pieces_of(clause):
            word = clause[piece.begin : piece.end]
            if word in _remarks().joined and not clause[piece.end :].lstrip()[:1].isdigit():
                yield clause[begin : piece.begin].strip(), ", "
                begin = piece.end
        yield clause[begin:].strip(), mark


def _clause(text: str, mark: str) -> Clause:
    known, put = _remarks(), _folded(text)
    asks = _QUESTION in mark or any(pattern.match(put) for pattern in known.asks)
    return Clause(text=text, mark=mark, asks=asks, remark=not asks and _tells(text, put))


def _tells(text: str, put: str) -> bool:
    """Whether a clause says something that changes nothing about a question beside it, as far as its words tell: no
    figures, no names in capitals, nothing that may say which records are meant."""
    known = _remarks()
    if not any(pattern.match(put) for pattern in known.tells) or any(pattern.search(put) for pattern in known.never):
        return False
    return not any(map(str.isdigit, text)) and not any(_is_capital(text, at) for at in range(1, len(pieces_of(text))))


def _is_capital(text: str, at: int) -> bool:
    """Whether a word may be part of a name by its letters; no everyday word is."""
    piece = pieces_of(text)[at]
    return text[piece.begin].isupper() and piece.folded.replace(JOINED, " ") not in _remarks().common


def _folded(text: str) -> str:
    return said(pieces_of(text)).replace(JOINED, " ")


def _without(text: str, patterns: Sequence[re.Pattern[str]]) -> str:
    put = _folded(text)
    for pattern in patterns:
        put = pattern.sub(" ", put)
    return " ".join(put.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remarks:
    """What remarks.yaml of a language holds."""

    joined: frozenset[str]
    asks: tuple[re.Pattern[str], ...]
    tells: tuple[re.Pattern[str], ...]
    harmless: tuple[re.Pattern[str], ...]
    never: tuple[re.Pattern[str], ...]
    common: frozenset[str]


@per_language
def _remarks() -> _Remarks:
    """Those of the language in force; none where it has no file of them."""
    data = in_force().read("remarks.yaml")
    slots = data.get("slots", {})
    return _Remarks(
        joined=frozenset(data.get("joined", ())),
        asks=tuple(compiled(data.get("asks", ()), slots)),
        tells=tuple(compiled(data.get("tells", ()), slots)),
        harmless=tuple(compiled(data.get("harmless", ()), slots)),
        never=tuple(compiled(data.get("never", ()), slots)),
        common=frozenset(data.get("common", ())),
    )
