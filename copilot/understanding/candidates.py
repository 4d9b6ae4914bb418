"""A record that some words may mean, and how it is shown to the person who wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from copilot.domain.plan import ReadAs
from copilot.semantic.compile import select
from copilot.semantic.forms import load_forms
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.understanding.lookup import Lookup
from copilot.understanding.words import Word, fold

_MOST_SHOWN = 200

Key = tuple[str, int]
"""An entity and the id of one of its records."""
Called = tuple[str, str, str]
"""Number, name, and source with company and key."""


class Doubt(IntEnum):
    """How far the words typed are from the name or number of the record."""

    NONE = 0
    """As written, or loosely: case, accents, punctuation, leading zeros, the beginning or the plural of a word."""
    SLIP = 1
    """A slip of the keyboard away: may be taken where it is the only one, and has to be said."""
    GUESS = 2
    """Like it, and no more: only to be suggested."""


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
    name: str = ""
    place: str = ""
    via: str = ""
    """For a number the field that holds it, such as sales_order.customer_po."""
    doubt: Doubt = Doubt.NONE
    slipped: frozenset[int] = frozenset()
    """Positions of the words that are not quite those of its name."""
    full: bool = False
    """Whether every word of its name was typed."""

    @property
    def key(self) -> Key:
        """What it is, whichever words led to it."""
        return self.entity, self.id


def read_as(candidates: Iterable[Candidate], words: Sequence[Word]) -> tuple[ReadAs, ...]:
    """What was typed with a slip and taken for a record's name, to be said in the answer."""
    return tuple(
        ReadAs(typed=" ".join(words[p].typed for p in sorted(c.slipped)), entity=c.entity, id=c.id, label=c.label)
        for c in candidates
        if c.doubt is Doubt.SLIP
    )


async def labelled(lookup: Lookup, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that exist in scope, the strongest of them, with number and name to show, full names first."""
    strongest = sorted(candidates, key=lambda c: -c.strength)[:_MOST_SHOWN]
    names = await called(lookup, {c.key for c in strongest})
    shown: list[Candidate] = []
    for c in strongest:
        if c.key in names:
            number, name, place = names[c.key]
            full = not c.by_number and c.matched >= len(fold(name).split())
            label = " · ".join(part for part in (number, name) if part)
            strength = c.strength + full
            shown.append(replace(c, strength=strength, label=label, number=number, name=name, place=place, full=full))
    return tuple(_told_apart(shown))


def _told_apart(candidates: Sequence[Candidate]) -> Iterable[Candidate]:
    """Where two read alike, as documents of two companies do, each says its source and where it stands there."""
    alike = Counter((entity, label) for entity, label, _ in {(c.entity, c.label, c.id) for c in candidates})
    for c in candidates:
        yield replace(c, label=f"{c.label} · {c.place}") if alike[c.entity, c.label] > 1 else c


async def called(lookup: Lookup, keys: Collection[Key]) -> Mapping[Key, Called]:
    """How records in scope are called, each read once in a message."""
    return await lookup.known("called", keys, lambda new: display(lookup.connection, lookup.model, new))


async def display(connection: Connection, model: SemanticModel, keys: Iterable[Key]) -> dict[Key, Called]:
    """How records are called, of those in scope."""
    by_entity: dict[str, list[int]] = {}
    for entity, row_id in keys:
        by_entity.setdefault(entity, []).append(row_id)
    found: dict[Key, Called] = {}
    for name, ids in by_entity.items():
        entity = model[name]
        fields = tuple(f for f in dict.fromkeys((entity.key, "name")) if f and f in entity.fields)
        cursor = await connection.execute(select(entity, fields), {"ids": ids})
        for row in await cursor.fetchall():
            number = row.get(entity.key or "", "") or ""
            company = load_forms().said["company"].format(row["company"]) if row["company"] else ""
            place = ", ".join(part for part in (row["system"], company, row["source_key"]) if part)
            found[name, row["id"]] = ("" if entity.key == "name" else str(number), str(row.get("name") or ""), place)
    return found
