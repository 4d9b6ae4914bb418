"""Slips of the keyboard in ordinary words: "recieved", "custmer", "whats", "openorders".

Only words that mean nothing as they stand, to no part of the language, and that no name is like are mended: by the list
of common slips, or where they are one slip away from one word of the language alone. Names are never candidates, they
have their own lookup; nor are English words that only look like ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from copilot.understanding.amount_words import load_amount_words
from copilot.understanding.candidates import Doubt
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.cues import all_words
from copilot.understanding.kinds import outline_words
from copilot.understanding.manners import load_phrases
from copilot.understanding.slips import Slips, load_slips
from copilot.understanding.time.language import load_time_words
from copilot.understanding.vocabulary import Sign, Vocabulary, load_vocabulary
from copilot.understanding.words import HINTS, STOP, TURNING, Word, cut, fold

_SHORTEST = 3
"""Letters of a word that may be known by one slip; shorter ones only by the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """The words with what they were meant for, and what was typed for which of them."""

    words: tuple[Word, ...]
    slips: tuple[tuple[str, str], ...] = ()


def mended(words: Sequence[Word], tokens: Sequence[Token], vocabulary: Vocabulary) -> Mended:
    """The words with what the unclear ones were meant for, where that is certain."""
    unclear = {position: token for token in tokens for position in _unclear(token)}
    if not unclear:
        return Mended(words=tuple(words))
    known, slips = known_words(), load_slips()
    found: list[Word] = []
    told: list[tuple[str, str]] = []
    for position, word in enumerate(words):
        token = unclear.get(position)
        meant = _meant(words, position, known, slips, vocabulary) if token and _may_slip(word, known, slips) else None
        if token and meant and not _is_rather_a_name(token, meant):
            told.append((word.typed, meant))
            found += cut(meant)
        else:
            found.append(word)
    return Mended(words=tuple(found), slips=tuple(told))


def respelled(text: str, slips: Sequence[tuple[str, str]]) -> str:
    """A text with the words that were meant, its punctuation kept."""
    for typed, meant in slips:
        text = re.sub(rf"(?<!\w){re.escape(typed)}(?!\w)", lambda _, meant=meant: meant, text, count=1)
    return text


@cache
def known_words() -> frozenset[str]:
    """Every folded word that any part of the language listens for."""
    vocabulary, times, amounts, manners = load_vocabulary(), load_time_words(), load_amount_words(), load_phrases()
    phrases = (
        *vocabulary.phrases, *times.the, *times.of, *(phrase for named in times.names.values() for phrase in named),
        *(p for form in (*times.spans, *times.bounds) for element in form.elements for p in element.phrases),
        *amounts.units, *amounts.times, *amounts.scales, *amounts.lots, *amounts.lines, *amounts.aside,
        *manners.leading, *(phrase for those in manners.by_first.values() for phrase, _ in those),
    )  # fmt: skip
    single = (
        vocabulary.filler, vocabulary.firsts, outline_words(), times.leads, times.numbers, times.turned_by, times.sure, amounts.numbers,
        amounts.full, amounts.per, amounts.into, manners.filler, manners.spelled, manners.reasons, all_words(), STOP, TURNING, HINTS,
    )  # fmt: skip
    return frozenset(w for w in (*(piece for phrase in phrases for piece in phrase), *(w for each in single for w in each)) if w.isalpha())


def _unclear(token: Token) -> Collection[int]:
    """The places of words that mean nothing, or are at best like the word of a name."""
    if token.meanings or token.span or token.amount:
        return ()
    if token.reference is None:
        return token.positions
    doubted = [each.slipped if each.doubt is not Doubt.NONE else frozenset[int]() for each in token.reference.candidates]
    return doubted[0].intersection(*doubted)


def _may_slip(word: Word, known: Collection[str], slips: Slips) -> bool:
    typed = word.folded
    return typed in slips.words or (
        typed.isalpha() and len(typed) >= _SHORTEST and typed not in known and typed not in slips.real
    )


def _meant(
    words: Sequence[Word], position: int, known: Collection[str], slips: Slips, vocabulary: Vocabulary
) -> str | None:
    """What was meant by the word at a position, which may be two words."""
    typed = words[position].folded
    if typed in slips.words:
        return " ".join(slips.words[typed])
    if _is_capital(words, position):
        return None
    meant = slips.nearest(typed, known, lambda one, other: _same(vocabulary, one, other))
    if meant is None:
        parts = slips.parts(typed, known)
        return " ".join(parts) if parts else None
    after_leading = position > 0 and words[position - 1].folded in slips.leading
    return None if after_leading and _says_nothing(meant, vocabulary) else meant


def _same(vocabulary: Vocabulary, one: str, other: str) -> bool:
    """Whether two words mean the same by themselves: "expect" and "expected"."""
    meanings = vocabulary.phrases.get((one,))
    return bool(meanings) and meanings == vocabulary.phrases.get((other,))


def _is_capital(words: Sequence[Word], position: int) -> bool:
    """Whether a word within begins with a capital, where not all do: then it is rather a name."""
    if position == 0 or not words[position].typed[0].isupper():
        return False
    return any(word.typed[0].islower() for word in words)


def _says_nothing(meant: str, vocabulary: Vocabulary) -> bool:
    """Whether a word would vanish: one in the place of a name must not."""
    meanings = vocabulary.phrases.get((meant,), ())
    return not meanings or Sign("nothing") in meanings


def _is_rather_a_name(token: Token, meant: str) -> bool:
    """Whether what was typed is as near to the word of a name: unless that is the same word."""
    slipped = [each for each in (token.reference.candidates if token.reference else ()) if each.doubt is Doubt.SLIP]
    return bool(slipped) and not any(meant in fold(each.name).split() for each in slipped)
