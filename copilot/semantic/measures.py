"""The definitions of measures that are computed for one question, read from measures.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from copilot.domain.evidence import FieldType
from copilot.errors import ModelDefinitionError
from copilot.semantic.language import per_language
from copilot.semantic.reading import read_yaml
from copilot.semantic.titles import load_titles


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureField:
    """One figure of a measure: its type, and its unit as a word (counts) or as the field that holds it."""

    type: FieldType
    unit: str | None
    unit_field: str | None
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure's definition. `population` says over which records it is true: those visible to the asker, or all."""

    name: str
    title: str
    owner: str
    version: int
    population: Literal["visible", "published"]
    formula: str
    fields: Mapping[str, MeasureField]


@per_language
def load_measures() -> Mapping[str, Measure]:
    """All measures by name, in the language in force. Raises ModelDefinitionError naming the one that is not well
    formed."""
    bodies = read_yaml(files("copilot.semantic") / "measures.yaml")
    said = load_titles().measures
    return {name: _measure(name, {**body, **said.get(name, {})}) for name, body in bodies.items()}


def _measure(name: str, body: dict[str, Any]) -> Measure:
    try:
        return Measure(
            name=name, title=body["title"], owner=body["owner"], version=body["version"], formula=body["formula"],
            population=body["population"], fields={field: _field(spec) for field, spec in body["fields"].items()},
        )  # fmt: skip
    except KeyError as error:
        raise ModelDefinitionError(f"the measure {name!r} says nothing about {error}") from error


def _field(spec: dict[str, Any]) -> MeasureField:
    scaled = spec["type"] == "quantity"
    return MeasureField(
        type=spec["type"],
        to=spec.get("to"),
        unit=None if scaled else spec.get("unit"),
        unit_field=spec.get("unit") if scaled else spec.get("currency"),
    )
