"""Looks words up in the names that the asker may see: which there are, and which records have them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from psycopg.rows import DictRow

from copilot.understanding.candidates import Key
from copilot.understanding.fuzzy import keys_between
from copilot.understanding.lookup import Lookup

_MOST = 400
"""Names of one entity that are read for a word; one that has more of them is common."""
_SHORTEST_BEGINNING = 3


async def known(lookup: Lookup, words: Collection[str]) -> frozenset[str]:
    """Those of the words that occur in a name in scope."""

    async def find(new: Collection[str]) -> Mapping[str, bool]:
        return {row["word"]: True for row in await lookup.run("known_words", {"words": [*new]})}

    return frozenset(await lookup.known("known_words", words, find))


async def whole_names(lookup: Lookup, names: Collection[str]) -> Mapping[str, Collection[Key]]:
    """For each of the names the records that are called just so."""

    async def find(new: Collection[str]) -> Mapping[str, Collection[Key]]:
        found: dict[str, list[Key]] = {}
        for row in await lookup.run("whole_names", {"names": [*new]}):
            found.setdefault(row["key"], []).append((row["entity"], row["target_id"]))
        return found

    return await lookup.known("whole_names", names, find)


async def beginning(lookup: Lookup, words: Collection[str]) -> dict[str, set[str]]:
    """For each word the words of names that begin with it."""
    ranges = {word: word + "~" for word in words if len(word) >= _SHORTEST_BEGINNING and word.isalpha()}
    found: dict[str, set[str]] = {}
    if ranges:
        for start, keys in (await keys_between(lookup, "word", ranges)).items():
            found[start] = set(keys)
    return found


async def read_names(lookup: Lookup, words: Mapping[str, Collection[str]]) -> Iterable[tuple[Key, frozenset[str]]]:
    """The records whose names have the words, of each entity those with most of them, and which words they have.

    `words` are words of names with what was typed for them. Of a common word only some names are read, unless a rarer
    one that was typed beside it leads to all that have both; of two common words some of those that have both, unless a
    record of another kind has more of what was typed.
    """
    if not words:
        return ()
    entities = {f.find_as or e.name for e in lookup.model.entities.values() for f in e.finders() if f.find == "name"}
    rows = await lookup.rows("names_with_words", words=words, entities=entities, most=_MOST)
    found: dict[Key, frozenset[str]] = {
        (row["entity"], row["target_id"]): frozenset(row["words"]) for row in rows if row["total"] is None
    }
    for entity, common in _common(rows).items():
        said = {part for word in common for part in words[word]}
        rare = {row["words"][0] for row in rows if row["entity"] == entity and (row["total"] or _MOST) < _MOST}
        more = (said < {part for word in held for part in words[word]} for held in found.values())
        if any(said.isdisjoint(words[word]) for word in rare) or any(more):
            continue
        for row_id, held in await _with_both(lookup, entity, common, words):
            found[entity, row_id] = found.get((entity, row_id), frozenset()) | held
    return found.items()


def _common(rows: Iterable[DictRow]) -> dict[str, list[str]]:
    """Per entity the words that more names have than were read, the rarest first: the further its ids reach, the rarer
    a word is. Only where there are two of them."""
    found: dict[str, list[str]] = {}
    for row in sorted((row for row in rows if row["total"] == _MOST), key=lambda row: -row["target_id"]):
        found.setdefault(row["entity"], []).extend(row["words"])
    return {entity: those for entity, those in found.items() if len(those) > 1}


async def _with_both(
    lookup: Lookup, entity: str, common: list[str], words: Collection[str]
) -> Iterable[tuple[int, frozenset[str]]]:
    """Records of an entity whose names have its two rarest common words, with whatever other words they have."""
    one, other = common[:2]
    rest = [word for word in words if word not in (one, other)]
    rows = await lookup.rows("names_with_both", one=one, other=other, entity=entity, rest=rest)
    return [(row["target_id"], frozenset({one, other, *row["words"]})) for row in rows]
