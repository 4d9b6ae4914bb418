"""Fields computed from others, read from computed.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal, cast

from copilot.domain.evidence import FieldType
from copilot.domain.query import Path
from copilot.errors import ModelDefinitionError
from copilot.semantic.language import per_language
from copilot.semantic.reading import read_yaml
from copilot.semantic.titles import load_titles, plain

Operation = Literal["path", "first_of", "days", "minus", "days_late", "day_of", "today", "number_of"]
_ARITY: Mapping[str, int | None] = {"first_of": None, "days": 2, "minus": 2, "days_late": 2, "day_of": 1, "today": 0}
_LINKS = 2, 3
"""How many names say which records are numbered: their entity, the field of it, and what is told apart."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An operation on other expressions, or the path of a field; of a number of records, `path` is their entity, the
    field by which they name this one, and where only different ones count, the field that tells them apart."""

    operation: Operation
    parts: tuple[Expression, ...] = ()
    path: Path = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedField:
    """A computed field: its type, its unit (a word for counts, else the field that holds it) and its expression."""

    name: str
    type: FieldType
    title: str
    unit: str | None
    expression: Expression


@per_language
def load_computed() -> Mapping[str, Mapping[str, ComputedField]]:
    """Entity -> name -> computed field. Raises ModelDefinitionError naming the one that is not well formed."""
    body = read_yaml(files("copilot.semantic") / "computed.yaml")
    return {
        entity: {name: read_computed(f"{entity}.{name}", name, spec) for name, spec in fields.items()}
        for entity, fields in body.items()
    }


def read_computed(place: str, name: str, spec: dict[str, Any]) -> ComputedField:
    """A computed field as it is written. Raises ModelDefinitionError where it is not well formed."""
    entity = place.partition(".")[0]
    known = {key: value for key, value in spec.items() if key not in ("type", "title", "unit")}
    return ComputedField(
        name=name,
        type=spec["type"],
        title=load_titles().fields.get((entity, name)) or spec.get("title", plain(name)),
        unit=spec.get("unit"),
        expression=_expression(place, known),
    )


def _expression(place: str, body: Any) -> Expression:
    if isinstance(body, str):
        return Expression("path", path=tuple(body.split(".")))
    operations = cast("dict[Any, Any]", body) if isinstance(body, dict) else {}
    if len(operations) != 1:
        raise ModelDefinitionError(f"{place} is made of {body!r}, which is no single operation")
    ((operation, given),) = operations.items()
    if operation not in (*_ARITY, "number_of"):
        raise ModelDefinitionError(f"{place} uses {operation!r}; there is: {', '.join(_ARITY)}, number_of")
    if operation == "number_of":
        return _number_of(place, given)
    parts = _parts(operation, given)
    wanted = _ARITY[operation]
    if (wanted is None and not parts) or (wanted is not None and len(parts) != wanted):
        raise ModelDefinitionError(f"{place} gives {operation!r} {len(parts)} parts; it takes {wanted or 'some'}")
    return Expression(operation, tuple(_expression(place, part) for part in parts))


def _number_of(place: str, given: Any) -> Expression:
    names = tuple(map(str, cast("list[Any]", given))) if isinstance(given, list) else ()
    if len(names) not in _LINKS:
        raise ModelDefinitionError(
            f"{place} takes the number of {given!r}, not of [entity, field] or with a third field"
        )
    return Expression("number_of", path=names)


def _parts(operation: str, given: Any) -> tuple[Any, ...]:
    if operation == "today":
        return ()
    return tuple(cast("list[Any]", given)) if isinstance(given, list) else (given,)
