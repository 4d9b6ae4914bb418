"""The words by which a hidden record would show: names, numbers, texts and keys that nothing visible explains."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from copilot.ingest.quality import load_checks, load_parts
from copilot.semantic.definitions import PLAIN, definition_of
from copilot.semantic.kpis import load_kpis
from copilot.semantic.measures import load_measures
from copilot.semantic.model import Entity
from evals.proofs.oracle import Actor, Row, World

_MOST_WORDS = 6
_EDGES = ".,:;()*[]{}\"'!?“”–-|·→"
_SPOKEN = ("ident", "text")


class Phrases:
    """What only hidden rows hold, seen from one actor."""

    def __init__(self, world: World, actor: Actor) -> None:
        hidden: set[str] = set()
        visible: set[str] = set(_own_words())
        for row, said in world.spoken(_spoken):
            (visible if actor.sees(row) else hidden).update(said)
        self._hidden = hidden - visible
        self._visible = visible
        self._explained: dict[str, bool] = {}

    def leaked(self, shown: str, question: str, amounts: frozenset[str]) -> list[str]:
        """The phrases of a text that only hidden rows explain; `amounts` are those that this question could leak."""
        asked = f" {normal(question)} "
        found = [phrase for phrase in _grams(shown) if phrase in self._hidden or phrase in amounts]
        return sorted({phrase for phrase in found if f" {phrase} " not in asked and not self._explains(phrase)})

    def _explains(self, phrase: str) -> bool:
        """Whether something visible holds the phrase within a longer text."""
        if phrase not in self._explained:
            inside = f" {phrase} "
            self._explained[phrase] = any(inside in f" {text} " for text in self._visible)
        return self._explained[phrase]


def amounts_of(rows: Iterable[tuple[Entity, Row]]) -> frozenset[str]:
    """The amounts of some rows as phrases."""
    return frozenset(phrase for entity, row in rows for phrase in _amounts(entity, row))


def normal(text: str) -> str:
    """Lower case, without markdown's escapes, the words without punctuation at their edges."""
    plain = (re.sub(r"\\([^\w\s]|_)", r"\1", text) if "\\" in text else text).casefold()
    return " ".join(word for word in (part.strip(_EDGES) for part in plain.split()) if word)


def texts(value: Any) -> Iterator[str]:
    """Every text within a JSON value."""
    if isinstance(value, Mapping):
        for each in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from texts(each)
    elif isinstance(value, list | tuple):
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            yield from texts(each)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value, default=str)


def _grams(shown: str) -> Iterator[str]:
    for line in shown.split("\n"):
        words = normal(line).split()
        for start in range(len(words)):
            for end in range(start + 1, min(start + _MOST_WORDS, len(words)) + 1):
                yield " ".join(words[start:end])


def _spoken(entity: Entity, row: Row) -> Iterator[str]:
    values = [row[field.column] for field in entity.fields.values() if field.type in _SPOKEN]
    for value in (*values, row["source_key"]):
        phrase = " ".join(normal(str(value or "")).split()[:_MOST_WORDS])
        if len(phrase) >= (6 if phrase.isdigit() else 4):
            yield phrase


def _amounts(entity: Entity, row: Row) -> Iterator[str]:
    for field in entity.fields.values():
        value, currency = row.get(field.column), row.get(field.unit_field or "")
        if field.type == "amount" and value and currency:
            yield normal(f"{Decimal(value) / 1_000_000:,.2f} {currency}")


@cache
def _own_words() -> frozenset[str]:
    """Every sentence of our own templates and what we call our checks and measures: what they say is no record's."""
    found = {normal(text) for check in load_checks().checks.values() for text in (check.id, check.title, check.entity)}
    found |= {normal(part.title) for part in load_parts().values()}
    defined = [definition_of(name) for name in (*load_measures(), *load_kpis(), *PLAIN)]
    found |= {normal(text) for each in defined for text in (each.title, each.formula, each.owner)}
    found |= {normal(name) for name in load_measures()}
    for file in (files("prompts") / "claims").iterdir():
        if file.name.endswith(".yaml"):
            found.update(normal(str(text)) for text in yaml.safe_load(file.read_text()).values())
    return frozenset(found)
