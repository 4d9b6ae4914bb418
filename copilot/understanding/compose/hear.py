"""Hears a question: looks its words up in the language, and its names in the asker's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.understanding.amount_words import load_amount_words
from copilot.understanding.amounts import find_amounts
from copilot.understanding.compose.asker import Asker, read_asker
from copilot.understanding.compose.mending import mended
from copilot.understanding.compose.tokens import Heard, Token, tokens_of
from copilot.understanding.compose.values import find_values
from copilot.understanding.references import find_references
from copilot.understanding.time.language import load_time_words
from copilot.understanding.time.spans import find_spans
from copilot.understanding.vocabulary import Vocabulary, load_vocabulary
from copilot.understanding.words import Word


def _unexplained(vocabulary: Vocabulary, word: Word) -> bool:
    """Whether a word may be one that stands in a field of records: one that says something, and no figure."""
    return word.folded not in vocabulary.filler and word.folded.replace(" ", "").isalpha()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """A question's tokens and words, slips of the keyboard mended, and who asks it."""

    tokens: tuple[Token, ...]
    asker: Asker
    words: Sequence[Word] = ()


async def hear(
    connection: Connection,
    model: SemanticModel,
    words: Sequence[Word],
    now: datetime,
    digits: frozenset[int] = frozenset(),
) -> Hearing:
    """The tokens of a question; bare figures at `digits` may be numbers of records. Names are looked up in the scope of
    the connection's transaction."""
    vocabulary = load_vocabulary()
    matches = vocabulary.matches(words)
    known = frozenset(p for match in matches for p in match.positions)
    if any(_unexplained(vocabulary, word) for p, word in enumerate(words) if p not in known):
        matches = (*matches, *await find_values(connection, vocabulary, words))
    spans = find_spans(words, load_time_words())
    known = frozenset(p for match in matches for p in match.positions)
    references = await find_references(connection, model, words, known, digits)
    asker = await read_asker(connection, now)
    amounts = find_amounts(words, load_amount_words(), asker.convention)
    heard = Heard(words=words, matches=matches, references=references, spans=spans, amounts=amounts)
    tokens = tokens_of(heard, vocabulary)
    meant = mended(words, tokens, vocabulary)
    if [word.folded for word in meant] != [word.folded for word in words]:
        return await hear(connection, model, meant, now, digits)
    return Hearing(tokens=tokens, asker=asker, words=words)
