"""Finds the records that words of a question may name, under the asker's scope: what is hidden is never suggested."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from copilot.semantic.compile import select
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.store.queries import query
from copilot.understanding.words import HINTS, STOP, Word, fold, is_place

_CHOSEN = re.compile(r"^([a-z_]+)#(\d{1,18})$")
_MEASURE = re.compile(r"^(\d+)([a-z]{1,4})$")
_CODE = re.compile(r"^[A-Z]{2,6}$")
_STRENGTH = {"number": 30, "loose": 25, "digits": 12}
_HINTED = 10
_PER_WORD = 5
_ALIKE = 0.75
_MOST_SHOWN = 200
_NAMED = frozenset({"item", "customer", "supplier", "site"})
"""What people call by name as well as by number."""
_MOST_WORDS = 60
_LONGEST_NAME = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A record that some words may mean. `strength` orders readings of the same words, larger is surer."""

    entity: str
    id: int
    positions: frozenset[int]
    strength: int
    by_number: bool
    matched: int = 0
    """How many words of its name the question has."""
    label: str = ""
    number: str = ""
    place: str = ""


async def find_candidates(
    connection: Connection, model: SemanticModel, words: Sequence[Word], cues: frozenset[int]
) -> tuple[Candidate, ...]:
    """Every record that the words may name; `cues` are positions of words that also ask for something."""
    chosen = tuple(_chosen(model, words))
    numbers = (*chosen, *await _by_number(connection, words))
    taken = frozenset(position for candidate in numbers for position in candidate.positions)
    whole = await _by_whole_name(connection, words, cues)
    certain = {(candidate.entity, candidate.id) for candidate in whole}
    names = [c for c in await _by_name(connection, model, words, cues, taken) if (c.entity, c.id) not in certain]
    return await _labelled(connection, model, (*numbers, *whole, *names))


def _chosen(model: SemanticModel, words: Sequence[Word]) -> Iterable[Candidate]:
    """A record picked from choices, written as entity#id."""
    for position, word in enumerate(words):
        match = _CHOSEN.match(word.typed)
        if match and match[1] in model.entities:
            yield Candidate(
                entity=match[1], id=int(match[2]), positions=frozenset({position}), strength=100, by_number=True
            )


async def _by_number(connection: Connection, words: Sequence[Word]) -> tuple[Candidate, ...]:
    spelled = _spellings(words)
    if not spelled:
        return ()
    bare = [text for text, at in spelled.items() if words[max(at)].bare_number and len(at) == 1]
    cursor = await connection.execute(query("find_numbers"), {"words": list(spelled), "bare": bare})
    found: dict[tuple[str, int], Candidate] = {}
    for row in await cursor.fetchall():
        at = spelled[row["word"]]
        if row["kind"] == "digits" and _contradicted(words, at, row["entity"]):
            continue
        strength = _STRENGTH[row["kind"]] + _hint(words, at, row["entity"]) + len(at)
        candidate = Candidate(
            entity=row["entity"], id=row["target_id"], positions=frozenset(at), strength=strength, by_number=True
        )
        best = found.get((candidate.entity, candidate.id))
        if best is None or best.strength < strength:
            found[candidate.entity, candidate.id] = candidate
    return tuple(found.values())


def _spellings(words: Sequence[Word]) -> dict[str, tuple[int, ...]]:
    """Texts that may be a number -> their positions: a word with a digit, alone or with the short word before it, and
    a short word in capitals, such as the code of a site."""
    found: dict[str, tuple[int, ...]] = {}
    for position, word in enumerate(words):
        if _CODE.match(word.typed) and word.folded not in STOP:
            found[word.typed] = (position,)
        if word.has_digit:
            found[word.typed] = (position,)
            before = words[position - 1] if position else None
            if before and not before.has_digit and len(before.folded) <= 5 and before.folded not in STOP:
                found[f"{before.typed}{word.typed}"] = (position - 1, position)
    return found


def _contradicted(words: Sequence[Word], at: tuple[int, ...], entity: str) -> bool:
    """Whether the words before bare digits say that they number something else: "transfer 948" is no order.

    Several such words narrow each other down ("purchase order"); where they exclude each other ("customer PO") the
    nearest says it.
    """
    said = [frozenset(HINTS[words[p].folded]) for p in range(max(0, min(at) - 2), min(at)) if words[p].folded in HINTS]
    return bool(said) and entity not in (frozenset[str].intersection(*said) or said[-1])


def _hint(words: Sequence[Word], at: tuple[int, ...], entity: str) -> int:
    before = {words[p].folded for p in range(max(0, min(at) - 2), max(at) + 1)}
    hinted = [HINTS[word] for word in before if word in HINTS]
    return max((_HINTED - 2 * kinds.index(entity) for kinds in hinted if entity in kinds), default=0)


_Hit = tuple[int, str]
"""The position of a word and the part of it that a name has."""


async def _by_whole_name(connection: Connection, words: Sequence[Word], cues: frozenset[int]) -> tuple[Candidate, ...]:
    """Records whose whole name stands in the question: its single letters and digits count as well."""
    spelled = {
        " ".join(word.folded for word in words[start:end]): range(start, end)
        for start in range(min(len(words), _MOST_WORDS))
        for end in range(start + 2, min(len(words), start + _LONGEST_NAME) + 1)
    }
    if not spelled:
        return ()
    cursor = await connection.execute(query("whole_names"), {"names": list(spelled)})
    found = [(row["entity"], row["target_id"], frozenset(spelled[row["key"]])) for row in await cursor.fetchall()]
    return tuple(
        _named((entity, row_id), at, words, matched=len(at), strength=_PER_WORD * (len(at) + 1))
        for entity, row_id, at in found
        if not at <= cues
    )


async def _by_name(
    connection: Connection, model: SemanticModel, words: Sequence[Word], cues: frozenset[int], taken: frozenset[int]
) -> tuple[Candidate, ...]:
    asked = {
        part: position
        for position, word in enumerate(words)
        if position not in taken and not _of_a_document(words, position)
        for part in _parts(word)
        if part not in STOP or is_place(words, position)
    }
    if not asked:
        return ()
    meant = await _meant(connection, asked, cues)
    hits: dict[tuple[str, int], set[_Hit]] = {}
    cursor = await connection.execute(query("names_with_words"), {"words": list(meant)})
    for row in await cursor.fetchall():
        hits.setdefault((row["entity"], row["target_id"]), set()).update(h for w in row["words"] for h in meant[w])
    known = {position for those in meant.values() for position, _ in those} | cues
    slips = {w: p for w, p in asked.items() if p not in known and len(w) > 3 and w.isalpha()}
    for key, hit in await _alike(connection, model, slips):
        hits.setdefault(key, set()).add(hit)
    kept = ((key, _without_numbers(those, words)) for key, those in hits.items())
    return tuple(
        _named(key, at, words, matched=len(those), strength=_PER_WORD * len(those))
        for key, those in kept
        if not (at := frozenset(position for position, _ in those)) <= cues
    )


def _without_numbers(hits: set[_Hit], words: Sequence[Word]) -> set[_Hit]:
    """Without hits in a word whose figures the name does not have: "LUM-0815" is a number, not Lumber Inc."""
    held = {part for _, part in hits}
    figures = {p: {part for part in _parts(words[p]) if any(c.isdigit() for c in part)} for p, _ in hits}
    return {(p, part) for p, part in hits if figures[p] <= held}


def _of_a_document(words: Sequence[Word], position: int) -> bool:
    """Whether a word is bare digits after a word such as "order": a number, and no part of a name."""
    hinted = HINTS.get(words[position - 1].folded, ()) if position else ()
    return words[position].bare_number and bool(hinted) and _NAMED.isdisjoint(hinted)


def _parts(word: Word) -> Iterable[str]:
    """The words that a name would have for it: "10mm" stands in names as "10 mm"."""
    parts = [part for part in word.folded.split() if len(part) > 1]
    return [piece for part in parts for piece in _MEASURE.sub(r"\1 \2", part).split()]


def _named(
    key: tuple[str, int], at: frozenset[int], words: Sequence[Word], *, matched: int, strength: int
) -> Candidate:
    """A record called by name; a word such as "customer" before it tips the scales between two of one name."""
    hint = 1 if _hint(words, (min(at), max(at)), key[0]) else 0
    return Candidate(entity=key[0], id=key[1], positions=at, strength=strength + hint, by_number=False, matched=matched)


async def _meant(connection: Connection, asked: Mapping[str, int], cues: frozenset[int]) -> dict[str, set[_Hit]]:
    """Words of names -> the words that mean them: the same word, or one that begins so."""
    cursor = await connection.execute(query("known_words"), {"words": list(asked)})
    meant = {row["word"]: {(asked[row["word"]], row["word"])} for row in await cursor.fetchall()}
    singular = {w[:-1]: w for w in asked if w not in meant and len(w) > 3 and w.endswith("s") and w.isalpha()}
    if singular:
        cursor = await connection.execute(query("known_words"), {"words": list(singular)})
        for row in await cursor.fetchall():
            plural = singular[row["word"]]
            meant.setdefault(row["word"], set()).add((asked[plural], plural))
    said = {part for hits in meant.values() for _, part in hits}
    rest = [w for w, at in asked.items() if w not in said and at not in cues and len(w) > 2 and w.isalpha()]
    if rest:
        ranges = {"words": rest, "ends": [word + "~" for word in rest]}
        cursor = await connection.execute(query("words_beginning"), ranges)
        for row in await cursor.fetchall():
            meant.setdefault(row["meant"], set()).add((asked[row["word"]], row["word"]))
    return meant


async def _alike(
    connection: Connection, model: SemanticModel, slips: Mapping[str, int]
) -> list[tuple[tuple[str, int], _Hit]]:
    """Records whose name has a word so like one nobody knows that it was probably meant."""
    if not slips:
        return []
    cursor = await connection.execute(query("words_alike"), {"words": list(slips)})
    rows = [((row["entity"], row["target_id"]), row["word"]) for row in await cursor.fetchall()]
    names = await _display(connection, model, {key for key, _ in rows})
    return [(key, (slips[word], word)) for key, word in rows if _like(word, names.get(key, ("", "", ""))[1])]


def _like(word: str, name: str) -> bool:
    """A slip of the keyboard is rarely in the first letter."""
    parts = (part for part in fold(name).split() if part[0] == word[0])
    return any(SequenceMatcher(None, word, part).ratio() >= _ALIKE for part in parts)


async def _labelled(
    connection: Connection, model: SemanticModel, candidates: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    """The candidates that exist in scope, the strongest of them, with number and name to show, full names first."""
    strongest = sorted(candidates, key=lambda c: -c.strength)[:_MOST_SHOWN]
    names = await _display(connection, model, {(c.entity, c.id) for c in strongest})
    labelled: list[Candidate] = []
    for c in strongest:
        if (c.entity, c.id) in names:
            number, name, place = names[c.entity, c.id]
            full = not c.by_number and c.matched >= len(fold(name).split())
            label = " · ".join(part for part in (number, name) if part)
            labelled.append(replace(c, strength=c.strength + full, label=label, number=number, place=place))
    return tuple(_told_apart(labelled))


def _told_apart(candidates: Sequence[Candidate]) -> Iterable[Candidate]:
    """Where two read alike, as documents of two companies do, each says its source and where it stands there."""
    alike = Counter((c.entity, c.label) for c in candidates)
    for c in candidates:
        yield replace(c, label=f"{c.label} · {c.place}") if alike[c.entity, c.label] > 1 else c


async def _display(
    connection: Connection, model: SemanticModel, keys: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], tuple[str, str, str]]:
    """(entity, id) -> (number, name, source with company and key) of those in scope."""
    by_entity: dict[str, list[int]] = {}
    for entity, row_id in keys:
        by_entity.setdefault(entity, []).append(row_id)
    found: dict[tuple[str, int], tuple[str, str, str]] = {}
    for name, ids in by_entity.items():
        entity = model[name]
        fields = tuple(f for f in dict.fromkeys((entity.key, "name")) if f and f in entity.fields)
        cursor = await connection.execute(select(entity, fields), {"ids": ids})
        for row in await cursor.fetchall():
            number = row.get(entity.key or "", "") or ""
            company = f"company {row['company']}" if row["company"] else ""
            place = ", ".join(part for part in (row["system"], company, row["source_key"]) if part)
            found[name, row["id"]] = ("" if entity.key == "name" else str(number), str(row.get("name") or ""), place)
    return found
