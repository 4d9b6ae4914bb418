"""The company's measures over many records, read from kpis.yaml: each one a figure of a query, defined once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

from copilot.domain.query import Condition, Figure, Function, Path
from copilot.errors import ModelDefinitionError
from copilot.semantic.conditions import conditions
from copilot.semantic.language import per_language
from copilot.semantic.model import load_model
from copilot.semantic.paths import leaf_of
from copilot.semantic.reading import read_yaml
from copilot.semantic.titles import load_titles

_PARAMETER = re.compile(r"\$(\w+)")
_OF_FIELD = ("sum", "mean", "spread", "least", "most")
_COUNTED = ("count", "share")
_NO_PART = ("parameters", "variants")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One measure, with the parameters of one region put in."""

    name: str
    title: str
    formula: str
    owner: str
    version: int
    population: Literal["visible", "published"]
    direction: Literal["up", "down"] | None
    entity: str
    where: tuple[Condition, ...]
    figure: Figure
    date: Path | None
    subject: Path
    """From a record measured to the one that people mean by it; empty where that is itself."""
    unit: str = ""
    """What a rate is told in, a word in the plural; empty where it is a share or carries a unit of its own."""
    present: bool = False
    """Whether it is of how things stand now."""
    widened: str = ""
    """The measure of the same without these conditions, for who asks for what they leave out; empty where none is."""
    listed: bool = False
    """Whether who names it without asking how many wants to see the records it counts."""
    listed_as: str = ""
    """The entity that people call these records by; empty where they have their own name alone."""


@per_language
def load_kpis(region: str = "") -> Mapping[str, Kpi]:
    """All measures as they hold for a region's code, in the language in force. Raises ModelDefinitionError naming one
    that is not well formed."""
    said = load_titles().measures
    return {name: read_kpi(name, {**body, **said.get(name, {})}, region) for name, body in _bodies().items()}


@cache
def _bodies() -> Mapping[str, dict[str, Any]]:
    return read_yaml(files("copilot.semantic") / "kpis.yaml")


def read_kpi(name: str, body: dict[str, Any], region: str) -> Kpi:
    """A measure as it is written. Raises ModelDefinitionError where it is not well formed."""
    try:
        given = body.get("parameters", {})
        filled = _filled(body, {**given, **body.get("variants", {}).get(region, {})})
        entity, date = filled["of"], filled.get("date")
        kpi = Kpi(
            name=name, title=filled["title"], formula=filled["formula"], owner=filled["owner"],
            version=filled["version"], population=filled["population"], direction=filled.get("direction"),
            entity=entity, where=tuple(conditions(entity, filled.get("where", {}))),
            figure=_figure(name, entity, filled["figure"]), date=_path(date) if date else None,
            subject=_path(filled["subject"]) if "subject" in filled else (), listed=filled.get("listed", False),
            listed_as=filled.get("listed_as", ""), present=filled.get("present", False),
            unit=filled.get("unit", ""), widened=filled.get("widened", ""),
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        raise ModelDefinitionError(f"the measure {name!r} is not well formed: {error}") from error
    for path in (kpi.date, kpi.subject or None, kpi.figure.path, kpi.figure.over):
        if path:
            leaf_of(load_model(), entity, path)
    return kpi


def _figure(name: str, entity: str, body: Mapping[str, Any]) -> Figure:
    ((function, given),) = body.items()
    if function in _COUNTED:
        return Figure(name=name, function=Function(function), where=tuple(conditions(entity, given)))
    if function == "rate":
        path, over = given
        return Figure(name=name, function=Function.RATE, path=_path(path), over=_path(over))
    if function not in _OF_FIELD:
        raise ValueError(f"there is no figure {function!r}")
    return Figure(name=name, function=Function(function), path=_path(given))


def _filled(body: Any, parameters: Mapping[str, Any]) -> Any:
    """A definition with its parameters put in. Raises ValueError for one that has no number."""
    if isinstance(body, dict):
        inner = cast("dict[str, Any]", body)
        return {
            key: _filled(value, parameters) for key, value in inner.items() if key not in ("parameters", "variants")
        }
    if isinstance(body, list):
        return [_filled(value, parameters) for value in cast("list[Any]", body)]
    if not isinstance(body, str):
        return body
    unknown = [name for name in _PARAMETER.findall(body) if name not in parameters]
    if unknown:
        raise ValueError(f"the parameter {unknown[0]!r} has no number")
    whole = _PARAMETER.fullmatch(body)
    return parameters[whole[1]] if whole else _PARAMETER.sub(lambda found: str(parameters[found[1]]), body)


def _path(text: str) -> Path:
    return tuple(text.split("."))
