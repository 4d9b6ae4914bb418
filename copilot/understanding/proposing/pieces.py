"""A question in typed pieces, checked against the question as it was asked, and worded for the rules.

Whatever a model gives, nothing gets into a question that the asker's own words are not there for, no word that says
something gets lost, and no word that the rules know is taken for anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from copilot.understanding.compose.hear import Hearing
from copilot.understanding.compose.tokens import Token
from copilot.understanding.proposing.terms import Term
from copilot.understanding.vocabulary import DateWord, FieldWord, Noun
from copilot.understanding.words import cut, fold

_LABELS = Noun | FieldWord | DateWord
"""Words that restrict nothing by themselves, so that with others they may be a term of another kind: no "not"."""
_MOST_PIECES = 40
Fault = Literal["not_asked", "said_twice", "dropped", "known_otherwise", "too_many", "asks_nothing"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of the question, and the term they stand for; without one they are taken as they are. An aside asks
    nothing: it is left out, and the answer says so."""

    said: str
    term: Term | None = None
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Words of the question that the rules don't know, and how we say what they were taken for."""

    said: str
    phrase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A question in our words, what was taken for what in it, and what of it was left out."""

    text: str
    readings: tuple[Reading, ...] = ()
    asides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Why pieces are no wording of the question: the rule, and the words it is about."""

    rule: Fault
    words: str


def worded(pieces: Sequence[Piece], heard: Hearing) -> Wording | Refused:
    """The pieces in one sentence; a refusal where they are not of the question, or not all of it."""
    if len(pieces) > _MOST_PIECES:
        return Refused("too_many", str(len(pieces)))
    placed = _Placed(heard)
    for piece in pieces:
        if fault := placed.put(piece):
            return fault
    return placed.fault() or Wording(
        text=" ".join(piece.term.phrase if piece.term else piece.said for piece in pieces if not piece.aside),
        readings=tuple(
            Reading(piece.said, piece.term.phrase) for piece in pieces if piece.term and placed.is_new(piece)
        ),
        asides=tuple(piece.said for piece in pieces if piece.aside),
    )


class _Placed:
    """Which words of the question have a place in some piece."""

    def __init__(self, heard: Hearing) -> None:
        self._words = [word.folded for word in heard.words]
        self._tokens = heard.tokens
        self._taken: dict[int, Piece] = {}

    def put(self, piece: Piece) -> Refused | None:
        """Gives a piece the words that it was said by; a refusal where the question does not have them."""
        at = self._find([fold(word.typed) for word in cut(piece.said)])
        if at is None:
            known = any(fold(piece.said) == fold(other.said) for other in self._taken.values())
            return Refused("said_twice" if known else "not_asked", piece.said)
        self._taken |= dict.fromkeys(at, piece)
        return None

    def fault(self) -> Refused | None:
        """Words that say something and have no place, or not the one that is theirs."""
        for token in self._tokens:
            pieces = [self._taken.get(position) for position in token.positions]
            if None in pieces:
                return Refused("dropped", token.text)
            if any(piece and not _fits(token, piece, self._within(piece)) for piece in pieces):
                return Refused("known_otherwise", token.text)
        return None if any(not piece.aside for piece in self._taken.values()) else Refused("asks_nothing", "")

    def is_new(self, piece: Piece) -> bool:
        """Whether the rules don't know a word of it."""
        return any(_is_unknown(token) for token in self._within(piece))

    def _within(self, piece: Piece) -> list[Token]:
        return [token for token in self._tokens if any(self._taken.get(p) is piece for p in token.positions)]

    def _find(self, said: Sequence[str]) -> range | None:
        """The first place of some words in a row that is free yet."""
        for begin in self._starts(said):
            at = range(begin, begin + len(said))
            if not any(position in self._taken for position in at):
                return at
        return None

    def _starts(self, said: Sequence[str]) -> Iterator[int]:
        last = len(self._words) - len(said)
        yield from (n for n in range(last + 1) if said and self._words[n : n + len(said)] == list(said))


def _fits(token: Token, piece: Piece, beside: Sequence[Token]) -> bool:
    """Whether a token may be where it is: records, times and amounts stand as they were said, and a word that the rules
    know is one of the things that it means to them, or a label beside words that they don't know."""
    if token.reference or token.span or token.amount:
        return piece.term is None and not piece.aside
    if _is_unknown(token):
        return True
    if piece.aside:
        return False
    if piece.term is None or piece.term.meaning in token.meanings:
        return True
    return not _restricts(token) and any(map(_is_unknown, beside))


def _is_unknown(token: Token) -> bool:
    return not (token.meanings or token.reference or token.span or token.amount)


def _restricts(token: Token) -> bool:
    return any(not isinstance(meaning, _LABELS) for meaning in token.meanings)
