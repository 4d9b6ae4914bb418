"""Looks words up in the names that the asker may see: which there are, and which records have them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.store.queries import query
from copilot.understanding.candidates import Key
from copilot.understanding.fuzzy import keys_between

_MOST = 400
"""Names of one entity that are read for a word; one that has more of them is common."""
_SHORTEST_BEGINNING = 3


async def known(connection: Connection, words: Collection[str]) -> frozenset[str]:
    """Those of the words that occur in a name in scope."""
    if not words:
        return frozenset()
    cursor = await connection.execute(query("known_words"), {"words": list(words)})
    return frozenset([row["word"] for row in await cursor.fetchall()])


async def beginning(connection: Connection, words: Collection[str]) -> dict[str, set[str]]:
    """For each word the words of names that begin with it."""
    ranges = {word: word + "~" for word in words if len(word) >= _SHORTEST_BEGINNING and word.isalpha()}
    found: dict[str, set[str]] = {}
    if ranges:
        for start, key in await keys_between(connection, "word", ranges):
            found.setdefault(start, set()).add(key)
    return found


async def read_names(
    connection: Connection, model: SemanticModel, words: Mapping[str, Collection[str]]
) -> Iterable[tuple[Key, frozenset[str]]]:
    """The records whose names have the words, of each entity those with most of them, and which words they have.

    `words` are words of names with what was typed for them. Of a common word only some names are read, unless a rarer
    one that was typed beside it leads to all that have both.
    """
    if not words:
        return ()
    entities = sorted({f.find_as or e.name for e in model.entities.values() for f in e.finders() if f.find == "name"})
    asked = {"words": list(words), "entities": entities, "most": _MOST}
    rows = await (await connection.execute(query("names_with_words"), asked)).fetchall()
    found: dict[Key, frozenset[str]] = {(row["entity"], row["target_id"]): frozenset(row["words"]) for row in rows}
    for entity, common in (await _common(connection, asked)).items():
        said = {part for word in common for part in words[word]}
        rare = {word for (of, _), held in found.items() if of == entity for word in held} - set(common)
        if any(said.isdisjoint(words[word]) for word in rare):
            continue
        for row_id, held in await _with_both(connection, entity, common, words):
            found[entity, row_id] = found.get((entity, row_id), frozenset()) | held
    return found.items()


async def _common(connection: Connection, asked: Mapping[str, object]) -> dict[str, list[str]]:
    """Per entity the words that more names have than were read, the rarest first: the further its ids reach, the rarer
    a word is. Only where there are two of them."""
    rows = await (await connection.execute(query("common_words"), asked)).fetchall()
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: -row["last"]):
        found.setdefault(row["entity"], []).append(row["word"])
    return {entity: those for entity, those in found.items() if len(those) > 1}


async def _with_both(
    connection: Connection, entity: str, common: list[str], words: Collection[str]
) -> Iterable[tuple[int, frozenset[str]]]:
    """Records of an entity whose names have its two rarest common words, with whatever other words they have."""
    one, other = common[:2]
    rest = [word for word in words if word not in (one, other)]
    asked = {"one": one, "other": other, "entity": entity, "rest": rest}
    cursor = await connection.execute(query("names_with_both"), asked)
    return [(row["target_id"], frozenset({one, other, *row["words"]})) for row in await cursor.fetchall()]
