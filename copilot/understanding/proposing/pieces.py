"""A question in typed pieces, checked against the question as it was asked, and worded for the rules.

Whatever a model gives, nothing gets into a question that the asker's own words are not there for, no word that says
something gets lost, and no word that the rules know is taken for anything else. What is worded is the asker's own text,
with its signs and figures, and our terms: of what a model wrote, only where its words stand in the question is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from copilot.understanding.compose.hear import Hearing
from copilot.understanding.compose.tokens import Token
from copilot.understanding.proposing.terms import Term
from copilot.understanding.vocabulary import DateWord, FieldWord, Noun, Sign
from copilot.understanding.words import commas_behind, cut, fold

_LABELS = Noun | FieldWord | DateWord
"""Words that restrict nothing by themselves, so that with others they may be a term of another kind: no "not"."""
_MOST_PIECES = 40
_ASKING = ("where", "how", "when", "count", "much", "nothing")
"""Signs that say what is asked, wherever they stand."""
Fault = Literal["not_asked", "said_twice", "dropped", "known_otherwise", "torn", "too_many", "asks_nothing"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of the question, and the term they stand for; without one they are taken as they are. An aside asks
    nothing: it is left out, and the answer says so."""

    said: str
    term: Term | None = None
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """Words of the question that the rules don't know, and how we say what they were taken for; all of them where they
    were put in another order, which may be another question."""

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


def worded(pieces: Sequence[Piece], heard: Hearing, text: str) -> Wording | Refused:
    """The pieces of a text, as it was heard, in one sentence; a refusal where they are not of it, or not all of it."""
    if len(pieces) > _MOST_PIECES:
        return Refused("too_many", str(len(pieces)))
    placed = _Placed(heard, text)
    for piece in pieces:
        if fault := placed.put(piece):
            return fault
    return placed.fault() or Wording(text=placed.text(), readings=placed.readings(), asides=placed.asides())


class _Placed:
    """Which words of the question have a place in some piece."""

    def __init__(self, heard: Hearing, text: str) -> None:
        commas = commas_behind(text)
        self._words = [word.folded for word in heard.words]
        self._typed = [word.typed for word in heard.words]
        self._commas = commas if len(commas) == len(heard.words) else (False,) * len(heard.words)
        self._tokens = heard.tokens
        self._taken: dict[int, Piece] = {}
        self._placed: list[tuple[Piece, range]] = []

    def put(self, piece: Piece) -> Refused | None:
        """Gives a piece the words that it was said by; a refusal where the question does not have them."""
        at = self._find([fold(word.typed) for word in cut(piece.said)])
        if at is None:
            known = any(fold(piece.said) == fold(other.said) for other in self._taken.values())
            return Refused("said_twice" if known else "not_asked", piece.said)
        self._taken |= dict.fromkeys(at, piece)
        self._placed.append((piece, at))
        return None

    def text(self) -> str:
        """The sentence: our terms, and for all else the question's own words, with the commas between those that still
        stand side by side."""
        asked = [(piece, at) for piece, at in self._placed if not piece.aside]
        following = [at[0] for _, at in asked[1:]]
        said = ""
        for n, (piece, at) in enumerate(asked):
            goes_on = n < len(following) and following[n] == at[-1] + 1
            said += (piece.term.phrase if piece.term else self._said(at)) + (self._between(at[-1]) if goes_on else " ")
        return said.strip()

    def readings(self) -> tuple[Reading, ...]:
        """What is taken for what; the whole question for the sentence, where that has another order."""
        new = ((at, piece.term) for piece, at in self._placed if piece.term and self._is_new(piece))
        read = tuple(Reading(self._said(at), term.phrase) for at, term in new)
        return (*read, Reading(self._said(range(len(self._words))), self.text())) if self._is_reordered() else read

    def asides(self) -> tuple[str, ...]:
        """The question's own words that are left out."""
        return tuple(self._said(at) for piece, at in self._placed if piece.aside)

    def fault(self) -> Refused | None:
        """Words that say something and have no place, or not the one that is theirs."""
        for token in self._tokens:
            pieces = [self._taken.get(position) for position in token.positions]
            if None in pieces:
                return Refused("dropped", token.text)
            if (token.reference or token.span or token.amount) and len({id(piece) for piece in pieces}) > 1:
                return Refused("torn", token.text)
            if any(piece and not _fits(token, piece, self._within(piece)) for piece in pieces):
                return Refused("known_otherwise", token.text)
        return None if any(not piece.aside for piece in self._taken.values()) else Refused("asks_nothing", "")

    def _is_new(self, piece: Piece) -> bool:
        """Whether the rules don't know a word of it."""
        return any(_is_unknown(token) for token in self._within(piece))

    def _is_reordered(self) -> bool:
        """Whether what restricts the question stands in another order than it was asked in: of "placed after May,
        promised before June" the times may have changed places."""
        place = {position: n for n, position in enumerate(p for _, at in self._placed for p in at)}
        order = [place[position] for token in self._tokens if _is_ordered(token) for position in token.positions]
        return order != sorted(order)

    def _said(self, at: range) -> str:
        return "".join(self._typed[p] + (self._between(p) if p != at[-1] else "") for p in at)

    def _between(self, position: int) -> str:
        """What stands between a word and the next one."""
        return ", " if self._commas[position] else " "

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


def _is_ordered(token: Token) -> bool:
    """Whether it matters where a token stands: all that restricts, and words for dates; no word for records."""
    if token.reference or token.span or token.amount:
        return True
    return any(
        not isinstance(meaning, Noun | FieldWord) and not (isinstance(meaning, Sign) and meaning.name in _ASKING)
        for meaning in token.meanings
    )


def _restricts(token: Token) -> bool:
    return any(not isinstance(meaning, _LABELS) for meaning in token.meanings)
