"""What a language calls the things of the semantic model, read from its titles.yaml.

What a language has no title for keeps the one that stands in the model, and a code or another of our names its own
word. English has no such file: the model is written in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from copilot.errors import ModelDefinitionError
from copilot.semantic.language import in_force, per_language

_OF_MEASURES = ("title", "formula", "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Titles:
    """The titles of one language."""

    entities: Mapping[str, str]
    fields: Mapping[tuple[str, str], str]
    """(Entity or measure, field) -> its title."""
    segments: Mapping[tuple[str, str], str]
    """(Entity, named part) -> what its records are called: open, late."""
    words: Mapping[str, str]
    """Others of our own names: the codes of fields, kinds of questions, spans of the calendar."""
    measures: Mapping[str, Mapping[str, str]]
    """Measure -> what is said of it otherwise: title, formula, the unit of a rate."""

    def segment(self, entity: str, name: str) -> str:
        """A named part in words."""
        return self.segments.get((entity, name), plain(name))

    def word(self, name: str) -> str:
        """Another of our own names in words, such as a code."""
        return self.words.get(name, plain(name))

    def field(self, entity: str, name: str) -> str:
        """A field in words."""
        return self.fields.get((entity, name), plain(name))


def plain(name: str) -> str:
    """One of our own names in words."""
    return name.replace("_", " ")


@per_language
def load_titles() -> Titles:
    """The titles of the language in force. Raises ModelDefinitionError naming what is not well formed."""
    return read_titles(in_force().read("titles.yaml"))


def read_titles(body: Mapping[str, Any]) -> Titles:
    """The titles as a file holds them. Raises ModelDefinitionError naming what is not well formed."""
    try:
        entities, measures = body.get("entities", {}), body.get("measures", {})
        return Titles(
            entities={name: of["title"] for name, of in entities.items() if "title" in of},
            fields=_within({**entities, **measures}, "fields"),
            segments=_within(entities, "segments"),
            words=body.get("words", {}),
            measures={name: {k: of[k] for k in _OF_MEASURES if k in of} for name, of in measures.items()},
        )
    except (TypeError, AttributeError) as error:
        raise ModelDefinitionError(f"the titles are not well formed: {error!r}") from error


def _within(bodies: Mapping[str, Any], part: str) -> dict[tuple[str, str], str]:
    return {(name, inner): title for name, of in bodies.items() for inner, title in of.get(part, {}).items()}
