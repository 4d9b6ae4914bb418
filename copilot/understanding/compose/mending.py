"""Slips of the keyboard in ordinary words: "recieved", "custmer", "whats", "openorders".

Only words that mean nothing as they stand, to no part of the language, and that no name is like are mended: by the list
of common slips, or where they are one slip away from one word of the language alone. Names are never candidates, they
have their own lookup; nor are English words that only look like ours.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from copilot.semantic.language import per_language
from copilot.understanding.amount_words import load_amount_words
from copilot.understanding.candidates import Candidate, Doubt
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.cues import all_words, words_for
from copilot.understanding.kinds import outline_words
from copilot.understanding.lexicon import lexicon
from copilot.understanding.manners import load_phrases
from copilot.understanding.slips import load_slips
from copilot.understanding.time.language import load_time_words
from copilot.understanding.vocabulary import Sign, Vocabulary, load_vocabulary
from copilot.understanding.words import Word, cut, fold

_LONG_TURNING = 7
_SHORTEST = 3
"""Letters of a word that may be known by one slip; shorter ones only by the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """A word that may have been meant for several. Those that say something and those that do not are not `alike`: that
    only one of them makes a question is no proof that it was meant."""

    typed: str
    words: tuple[str, ...]
    alike: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """The words with what they were meant for; what was typed for which of them; and of one word that may have been
    meant for several, which those are."""

    words: tuple[Word, ...]
    slips: tuple[tuple[str, str], ...] = ()
    doubtful: Doubtful | None = None


def mended(words: Sequence[Word], tokens: Sequence[Token], vocabulary: Vocabulary) -> Mended:
    """The words with what the unclear ones were meant for, where that is certain."""
    unclear = {position: token for token in tokens for position in _unclear(token, words)}
    found: list[Word] = []
    told: list[tuple[str, str]] = []
    doubtful: list[Doubtful] = []
    for position, word in enumerate(words):
        meant = _meant(words, position, unclear[position], vocabulary) if position in unclear else ()
        found += cut(meant[0]) if len(meant) == 1 else [word]
        told += [(word.typed, meant[0])] if len(meant) == 1 else []
        lost = [each for each in meant if _says_nothing(each, vocabulary)]
        doubtful += (
            [Doubtful(typed=word.typed, words=meant, alike=len(lost) in (0, len(meant)))] if len(meant) > 1 else []
        )
    return Mended(words=tuple(found), slips=tuple(told), doubtful=doubtful[0] if len(doubtful) == 1 else None)


@per_language
def known_words() -> frozenset[str]:
    """Every folded word that any part of the language listens for."""
    vocabulary, times, amounts, manners = load_vocabulary(), load_time_words(), load_amount_words(), load_phrases()
    phrases = (
        *vocabulary.phrases, *times.the, *times.of, *(phrase for named in times.names.values() for phrase in named),
        *(p for form in (*times.spans, *times.bounds) for element in form.elements for p in element.phrases),
        *amounts.units, *amounts.roles, *amounts.times, *amounts.scales, *amounts.lots, *amounts.lines, *amounts.aside,
        *manners.leading, *(phrase for those in manners.by_first.values() for phrase, _ in those),
    )  # fmt: skip
    small = lexicon()
    single = (
        vocabulary.filler, vocabulary.firsts, outline_words(), all_words(), small.stop, small.turning, small.hints,
        times.leads, times.numbers, times.turned_by, times.sure,
        amounts.numbers, amounts.full, amounts.per, amounts.into, manners.filler, manners.spelled,
        manners.reasons, manners.polite,
    )  # fmt: skip
    every = (*(piece for phrase in phrases for piece in phrase), *(word for words in single for word in words))
    return frozenset(word for word in every if word.isalpha())


def _unclear(token: Token, words: Sequence[Word]) -> Collection[int]:
    """The places of words that mean nothing, or are at best like the word of a name."""
    if token.meanings or token.span or token.amount:
        return ()
    if token.reference is None:
        return token.positions
    named = token.reference.candidates
    return [position for position in token.positions if all(_but_like(each, position, words) for each in named)]


def _but_like(candidate: Candidate, position: int, words: Sequence[Word]) -> bool:
    """Whether the word at a position is none of a record's name, and only like one, or the beginning of one."""
    if candidate.by_number:
        return False
    return position not in candidate.positions or words[position].folded not in fold(candidate.name).split()


def _meant(words: Sequence[Word], position: int, token: Token, vocabulary: Vocabulary) -> tuple[str, ...]:
    """What the word at a position may have been meant for, each one word or two, and what was typed where that is as
    like a name; none where it is no slip."""
    typed, known, slips = words[position].folded, known_words(), load_slips()
    if typed in slips.words:
        return (" ".join(slips.words[typed]),)
    if typed in known or not typed.isalpha() or len(typed) < _SHORTEST or _is_capital(words, position):
        return ()
    parts = slips.parts(typed, known)
    near = [*slips.near(typed, known), *([" ".join(parts)] if parts else [])]
    if any(_turns(meant, vocabulary) for meant in near) or (near and slips.is_ordinary(typed)):
        return ()
    said = [meant for meant in near if not _says_nothing(meant, vocabulary)]
    leads = position > 0 and words[position - 1].folded in slips.leading
    meant = tuple(said if leads else near)
    named = any(_is_rather_a_name(token, position, each, words[position]) for each in meant)
    return (*meant, words[position].typed) if named else meant


def _turns(meant: str, vocabulary: Vocabulary) -> bool:
    """Whether it is a short word that turns a question into its opposite: "arent" is too near to too much."""
    meanings = vocabulary.phrases.get((meant,), ())
    return len(meant) < _LONG_TURNING and any(Sign(name) in meanings for name in ("not", "none_of"))


def _is_capital(words: Sequence[Word], position: int) -> bool:
    """Whether a word within begins with a capital, where not all do: then it is rather a name."""
    if position == 0 or not words[position].typed[0].isupper():
        return False
    return any(word.typed[0].islower() for word in words)


def _says_nothing(meant: str, vocabulary: Vocabulary) -> bool:
    """Whether a word would vanish: one in the place of a name must not."""
    meanings = vocabulary.phrases.get((meant,), ())
    return Sign("nothing") in meanings or (
        meant in vocabulary.filler and not meanings and meant not in words_for("people")
    )


def _is_rather_a_name(token: Token, position: int, meant: str, word: Word) -> bool:
    """Whether what was typed is as near to the word of a name, or its beginning: unless that is the same word."""
    those = [each for each in (token.reference.candidates if token.reference else ()) if position in each.positions]
    names = [fold(each.name).split() for each in those if each.doubt is not Doubt.GUESS]
    begun = any(name.startswith(word.folded) for said in names for name in said)
    slipped = any(each.doubt is Doubt.SLIP for each in those)
    return (begun or slipped) and not any(meant in said for said in names)
