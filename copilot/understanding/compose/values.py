"""Finds what is written in fields of records that people tell them apart by: carriers, categories, incoterms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from copilot.understanding.lexicon import lexicon
from copilot.understanding.lookup import Lookup
from copilot.understanding.vocabulary import CodeWord, Match, Meaning, Vocabulary
from copilot.understanding.words import Word, fold

_NOUNS = frozenset({"category"})
"""Fields whose values are words for the records: "hand tools" are items."""
_LEAST = 4
"""Letters of a first word that stands for the whole: "Kornfeld" for "Kornfeld Spedition"."""

Pieces = tuple[str, ...]


async def find_values(lookup: Lookup, vocabulary: Vocabulary, words: Sequence[Word]) -> tuple[Match, ...]:
    """The values that the words hold, in the scope of the transaction."""
    rows = await lookup.rows("said_values")
    found: dict[Pieces, list[Meaning]] = {}
    values = [CodeWord(row["entity"], (row["field"],), row["value"], row["field"] in _NOUNS) for row in rows]
    firsts = Counter(fold(word.code).split()[0] for word in values if fold(word.code))
    for word in values:
        if word.path[-1] in vocabulary.value_fields.get(word.entity, ()):
            for pieces in _said(word.code, firsts):
                found.setdefault(pieces, []).append(word)
    return tuple(_matches(found, words))


def _said(value: str, firsts: Counter[str]) -> Iterator[Pieces]:
    """A value as people write it: whole, in the other number, or by a first word that no other has."""
    pieces = tuple(fold(value).split())
    if not pieces:
        return
    yield pieces
    if pieces[-1].endswith("s"):
        yield (*pieces[:-1], pieces[-1][:-1])
    else:
        yield from ((*pieces[:-1], pieces[-1] + ending) for ending in lexicon().plural)
    if len(pieces) > 1 and firsts[pieces[0]] == 1 and len(pieces[0]) >= _LEAST:
        yield pieces[:1]


def _matches(found: dict[Pieces, list[Meaning]], words: Sequence[Word]) -> Iterator[Match]:
    longest = max(map(len, found), default=0)
    folded = [word.folded for word in words]
    for start in range(len(words)):
        for length in range(1, min(longest, len(words) - start) + 1):
            said = tuple(piece for word in folded[start : start + length] for piece in word.split())
            if said in found:
                yield Match(tuple(range(start, start + length)), tuple(found[said]))
