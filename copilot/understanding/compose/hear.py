"""Hears a question: looks its words up in the language, and its names in the asker's scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from copilot.understanding.amount_words import load_amount_words
from copilot.understanding.amounts import find_amounts
from copilot.understanding.compose.asker import Asker, read_asker
from copilot.understanding.compose.mending import Doubtful, mended
from copilot.understanding.compose.tokens import Heard, Token, tokens_of
from copilot.understanding.compose.values import find_values
from copilot.understanding.lookup import Lookup
from copilot.understanding.references import Reference, find_references
from copilot.understanding.time.language import load_time_words
from copilot.understanding.time.spans import find_spans
from copilot.understanding.vocabulary import Match, Vocabulary, load_vocabulary
from copilot.understanding.words import Word, is_place


def _unexplained(vocabulary: Vocabulary, word: Word) -> bool:
    """Whether a word may be one that stands in a field of records: one that says something, and no figure."""
    return word.folded not in vocabulary.filler and word.folded.replace(" ", "").isalpha()


def _named_whole(reference: Reference) -> bool:
    """Whether words are a number or a whole name as written."""
    first = reference.candidates[0]
    return not first.doubt and (first.by_number or first.full)


def _positions(matches: Iterable[Match]) -> frozenset[int]:
    return frozenset(p for match in matches for p in match.positions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """A question's tokens and words, slips of the keyboard mended, and who asks it."""

    tokens: tuple[Token, ...]
    asker: Asker
    words: Sequence[Word] = ()
    slips: tuple[tuple[str, str], ...] = ()
    """What was typed with a slip, and the word it was taken for."""
    doubtful: Doubtful | None = None


async def hear(lookup: Lookup, words: Sequence[Word], digits: frozenset[int] = frozenset()) -> Hearing:
    """The tokens of a question; bare figures at `digits` may be numbers of records. Names are looked up in the scope of
    the transaction."""
    return await lookup.once(("heard", tuple(words), digits), lambda: _hear(lookup, words, digits))


async def _hear(lookup: Lookup, words: Sequence[Word], digits: frozenset[int]) -> Hearing:
    vocabulary = load_vocabulary()
    matches = vocabulary.matches(words)
    plain = frozenset(p for p, word in enumerate(words) if word.folded in vocabulary.filler and not is_place(words, p))
    references = await find_references(lookup, words, _positions(matches) | plain, digits)
    named = frozenset(p for r in references if _named_whole(r) for p in r.positions)
    clear = _positions(matches) | named
    if any(_unexplained(vocabulary, word) for p, word in enumerate(words) if p not in clear):
        values = await find_values(lookup, vocabulary, words)
        matches = (*matches, *values)
        references = await find_references(lookup, words, _positions(matches) | plain, digits) if values else references
    spans = find_spans(words, load_time_words())
    asker = await read_asker(lookup)
    amounts = find_amounts(words, load_amount_words(), asker.convention)
    heard = Heard(words=words, matches=matches, references=references, spans=spans, amounts=amounts)
    tokens = tokens_of(heard, vocabulary)
    meant = mended(words, tokens, vocabulary)
    if meant.slips:
        figures = {words[position] for position in digits}
        again = await hear(lookup, meant.words, frozenset(p for p, word in enumerate(meant.words) if word in figures))
        return replace(again, slips=(*meant.slips, *again.slips))
    return Hearing(tokens=tokens, asker=asker, words=words, doubtful=meant.doubtful)
