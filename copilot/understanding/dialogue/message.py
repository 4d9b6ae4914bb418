"""One message as it was heard: its words, what follows up on something, and what its pronouns may stand for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from copilot.understanding.compose.hear import Hearing, hear
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.cues import Cues, find_cues, words_for
from copilot.understanding.dialogue.focus import PLACES, Key
from copilot.understanding.lookup import Lookup
from copilot.understanding.vocabulary import Noun
from copilot.understanding.words import Word, cut

Places = frozenset[int]
"""Positions of words."""


@dataclass(frozen=True, slots=True)
class Message:
    """Words, cues and tokens of one message."""

    words: Sequence[Word]
    cues: Cues
    hearing: Hearing

    @property
    def tokens(self) -> Sequence[Token]:
        """What was heard, from left to right."""
        return self.hearing.tokens

    @property
    def things(self) -> Places:
        """Where "it", "this" and "that" stand for a record."""
        return things(self.words, self.cues, self.tokens)

    @property
    def named(self) -> bool:
        """Whether it names a record itself, other than a place."""
        return any(c.entity not in PLACES for token in self.tokens for c in token.records)

    @property
    def outward(self) -> Places:
        """Pronouns that mean nothing said before them in the same message, as most do where it named anything: not
        "transfers on their way"."""
        inward = words_for("inward")
        signs = [t for t in self.tokens if t.meanings and not t.is_sign("count", "when")]
        said = min((min(t.positions) for t in signs), default=len(self.words))
        pronouns = self.cues.of("people") | self.things
        return frozenset(p for p in pronouns if self.words[p].folded not in inward or p < said)

    @property
    def definite(self) -> list[tuple[Places, str]]:
        """ "The supplier", "that order": a noun after such a word, with no name beside it."""
        found: list[tuple[Places, str]] = []
        for n, token in enumerate(self.tokens):
            before = min(token.positions) - 1
            beside = [other for other in (*self.tokens[n - 1 : n], *self.tokens[n + 1 : n + 2]) if other.reference]
            if before in self.cues.of("the") and not beside:
                found += [(frozenset((before, *token.positions)), noun.entity) for noun in token.all_of(Noun)]
        return found

    @property
    def one_definite(self) -> bool:
        """Whether "the order" stands there, and not "the orders"."""
        plural = tuple(words_for("plural"))
        return any(not self.words[max(at)].folded.endswith(plural) for at, _ in self.definite)

    def put(self, at: Collection[int], key: Key) -> str:
        """The message with the name of a record in the place of some words."""
        return put(self.words, at, key)

    def said(self, at: Collection[int]) -> str:
        """Some of its words, as typed."""
        return " ".join(self.words[p].typed for p in sorted(at))

    def without(self, at: Collection[int]) -> str:
        """The message without some of its words."""
        return self.said(frozenset(range(len(self.words))).difference(at))


async def heard(lookup: Lookup, text: str, *, numbers: bool = True) -> Message:
    """A message as heard; without `numbers`, its bare figures name no record."""
    words = cut(text)
    figures = frozenset(p for p, word in enumerate(words) if not numbers and word.bare_number)
    hearing = await hear(lookup, words, figures)
    spans = frozenset(p for token in hearing.tokens if token.span for p in token.positions)
    return Message(words, find_cues(words, spans), hearing)


def things(words: Sequence[Word], cues: Cues, tokens: Sequence[Token]) -> Places:
    """Where "it", "this" and "that" stand for a record: not in "this week", nor in "orders that are late"."""
    spans = {p for token in tokens if token.span for p in token.positions}
    nouns = {max(token.positions) for token in tokens if token.all_of(Noun)}
    leading = {min(token.positions) for token in tokens if token.all_of(Noun)}
    relative = words_for("relative")
    return frozenset(
        p
        for p in cues.of("thing")
        if p not in spans
        and not (words[p].folded in relative and (p - 1 in nouns or p + 1 in leading or p + 1 in spans))
    )


def name_of(key: Key) -> str:
    """How a record is named in a question of our own."""
    return f"{key[0]}#{key[1]}"


def put(words: Sequence[Word], at: Collection[int], key: Key) -> str:
    """Words with the name of a record in the place of some of them, or behind them all."""
    first = min(at) if at else len(words)
    said = [name_of(key) if p == first else word.typed for p, word in enumerate(words) if p not in at or p == first]
    return " ".join(said) if at else " ".join((*said, name_of(key)))
