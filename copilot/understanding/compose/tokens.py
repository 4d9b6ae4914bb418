"""The question as tokens: each word stands in one of them, or in none where it says nothing by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from copilot.understanding.amounts import AmountMention
from copilot.understanding.candidates import Candidate, Doubt
from copilot.understanding.lexicon import lexicon
from copilot.understanding.references import Reference
from copilot.understanding.time.spans import Span
from copilot.understanding.vocabulary import CodeWord, Match, Meaning, Noun, NumberWord, Segment, Sign, Vocabulary
from copilot.understanding.words import Word, is_place

_M = TypeVar("_M", bound=Meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Words that belong together, and what they may be: phrases of the language, records, a time, an amount; with none
    of these they are not understood."""

    positions: tuple[int, ...]
    text: str
    meanings: tuple[Meaning, ...] = ()
    reference: Reference | None = None
    span: Span | None = None
    amount: AmountMention | None = None
    joined: bool = field(default=False)
    """Whether an "and" or a comma stands right before it."""
    led: str = field(default="", compare=False)
    """The words right before it that say nothing by themselves, with which it is said back."""

    def all_of(self, kind: type[_M]) -> tuple[_M, ...]:
        """Its meanings of one kind."""
        return tuple(meaning for meaning in self.meanings if isinstance(meaning, kind))

    def is_sign(self, *names: str) -> bool:
        """Whether it may be one of these signs."""
        return any(sign.name in names for sign in self.all_of(Sign))

    def noun(self, entity: str) -> bool:
        """Whether it may be a word for records of an entity."""
        return Noun(entity) in self.meanings

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of what kind the records are that it is a word for some of: "quotations" are sales orders."""
        return tuple(
            meaning.entity for meaning in self.meanings if isinstance(meaning, Segment | CodeWord) and meaning.noun
        )

    @property
    def records(self) -> tuple[Candidate, ...]:
        """The records it names most surely."""
        return self.reference.surest if self.reference else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Everything found in a question, before it is known what belongs together."""

    words: Sequence[Word]
    matches: Sequence[Match]
    references: Sequence[Reference]
    spans: Sequence[Span]
    amounts: Sequence[AmountMention]


def tokens_of(heard: Heard, vocabulary: Vocabulary) -> tuple[Token, ...]:
    """The tokens from left to right; of what overlaps, that which explains more words more surely."""
    taken: set[int] = set()
    chosen: list[Token] = []
    for token in sorted(_possible(heard), key=_weight, reverse=True):
        if taken.isdisjoint(token.positions):
            chosen.append(token)
            taken.update(token.positions)
        else:
            chosen = [_both(other, token) for other in chosen]
    for position, word in enumerate(heard.words):
        if position not in taken and (word.folded not in vocabulary.filler or is_place(heard.words, position)):
            chosen.append(Token(positions=(position,), text=word.typed))
    chosen.sort(key=lambda token: token.positions)
    taken.update(position for token in chosen for position in token.positions)
    return tuple(
        replace(token, joined=_joined(heard.words, token), led=_led(heard.words, token, taken)) for token in chosen
    )


def _possible(heard: Heard) -> Iterator[Token]:
    numbers = {min(r.positions) for r in heard.references if r.candidates[0].by_number}
    single = {match.positions[0] for match in heard.matches if len(match.positions) == 1 and _is_noun(match)}
    for match in heard.matches:
        last = match.positions[-1]
        if len(match.positions) > 1 and last in single and last + 1 in numbers and not _is_noun(match):
            continue  # the "order" of "on order 28414" belongs to the number
        yield Token(positions=match.positions, text=_text(heard.words, match.positions), meanings=match.meanings)
    for reference in heard.references:
        at = tuple(sorted(reference.positions))
        yield Token(positions=at, text=_text(heard.words, at), reference=reference)
    for span in heard.spans:
        at = tuple(sorted(span.positions))
        yield Token(positions=at, text=_text(heard.words, at), span=span)
    figures = {m.positions[0] for m in heard.matches if len(m.positions) > 1 and _is_figure(m)}
    for amount in heard.amounts:
        at = tuple(sorted(amount.positions))
        if amount.time and at[1:] and figures.intersection(at[1:]):  # the "10" of "10 days of supply"
            bare = AmountMention(positions=frozenset(at[:1]), text=_text(heard.words, at[:1]), number=amount.number)
            yield Token(positions=at[:1], text=bare.text, amount=bare)
        yield Token(positions=at, text=_text(heard.words, at), amount=amount)


def _is_noun(match: Match) -> bool:
    return any(isinstance(meaning, Noun) for meaning in match.meanings)


def _is_figure(match: Match) -> bool:
    return any(isinstance(meaning, NumberWord) for meaning in match.meanings)


def _weight(token: Token) -> tuple[int, int]:
    """How much speaks for a token: how many words it explains, and how surely."""
    count = len(token.positions)
    if token.reference:
        first = token.reference.candidates[0]
        sure = 9 if first.by_number else 4 if first.full else -6
        return 10 * count + sure - 15 * int(first.doubt), -token.positions[0]
    if token.span:
        return 10 * count + 7, -token.positions[0]
    if token.amount:
        return 10 * count + 2, -token.positions[0]
    return 10 * count + 3, -token.positions[0]


def _both(kept: Token, other: Token) -> Token:
    """The same words may be a phrase and a record, or a time: what they are is told by the rest."""
    if kept.positions != other.positions:
        return kept
    return replace(
        kept,
        meanings=kept.meanings or other.meanings,
        reference=kept.reference or _unless_guess(other.reference),
        span=kept.span or other.span,
        amount=kept.amount or other.amount,
    )


def _unless_guess(reference: Reference | None) -> Reference | None:
    return reference if reference and reference.candidates[0].doubt is Doubt.NONE else None


def _joined(words: Sequence[Word], token: Token) -> bool:
    before = token.positions[0] - 1
    return before >= 0 and words[before].folded in lexicon().alternatives


def _led(words: Sequence[Word], token: Token, taken: Collection[int]) -> str:
    begin = end = token.positions[0]
    while begin and begin - 1 not in taken:
        begin -= 1
    return _text(words, range(begin, end))


def _text(words: Sequence[Word], positions: Sequence[int]) -> str:
    return " ".join(words[position].typed for position in positions)
