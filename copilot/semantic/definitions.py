"""What a measure is, whether it is computed for one question or over many records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from copilot.errors import ModelDefinitionError
from copilot.semantic.kpis import load_kpis
from copilot.semantic.measures import load_measures
from copilot.semantic.titles import load_titles


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """The part of a measure's definition that a person reads."""

    title: str
    formula: str
    owner: str
    version: int
    population: Literal["visible", "published"]


RECORD_COUNT, RECORD_FIELD = "record_count", "record_field"
PLAIN = {
    RECORD_COUNT: Definition(
        title="number of records", formula="records that fulfil what was asked", owner="operations", version=1,
        population="visible",
    ),
    RECORD_FIELD: Definition(
        title="field of a record", formula="the field as the record's own system has it", owner="operations",
        version=1, population="visible",
    ),
}  # fmt: skip
"""What is told of records without a measure of the company."""


def definition_of(name: str) -> Definition:
    """The definition of a measure. Raises ModelDefinitionError for one that there is not."""
    if name in PLAIN:
        said = load_titles().measures.get(name, {})
        return replace(PLAIN[name], **said) if said else PLAIN[name]
    found = load_measures().get(name) or load_kpis().get(name)
    if found is None:
        raise ModelDefinitionError(f"there is no measure {name!r}")
    return Definition(
        title=found.title, formula=found.formula, owner=found.owner, version=found.version,
        population=found.population,
    )  # fmt: skip


def refers_to(name: str, field: str) -> str:
    """The entity that a field of a measure refers to; empty where it is no reference."""
    measure = load_measures().get(name)
    return (measure.fields[field].to or "") if measure and field in measure.fields else ""
