"""Compositions as JSON and back: what a conversation keeps of a question, references and never a record's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, cast

from copilot.domain import composition, query
from copilot.domain.composition import Composition
from copilot.domain.json import Json

_CLASSES: Mapping[str, type] = {
    each.__name__: each
    for each in (
        query.Compare, query.Relate, query.Linked, query.AnyOf, composition.Part, composition.Split,
        composition.Column, composition.Composition,
    )
}  # fmt: skip
_ENUMS: Mapping[str, type[Enum]] = {each.__name__: each for each in (query.Is, query.Bucket)}


def to_kept(value: object) -> Json:
    """A composition, or a part of one, as JSON."""
    if isinstance(value, Enum):
        return {"is": type(value).__name__, "value": str(value.value)}
    if isinstance(value, date):
        return {"is": "date", "value": value.isoformat()}
    if is_dataclass(value):
        told = {field.name: to_kept(getattr(value, field.name)) for field in fields(value)}
        return {"is": type(value).__name__, **told}
    if isinstance(value, tuple):
        return [to_kept(each) for each in cast("tuple[object, ...]", value)]
    return cast("Json", value)


def from_kept(kept: Json) -> Composition | None:
    """The composition that `to_kept` told; None for anything else."""
    try:
        found = _read(kept)
    except (KeyError, TypeError, ValueError):
        return None
    return found if isinstance(found, Composition) else None


def _read(kept: Any) -> Any:
    if isinstance(kept, list):
        return tuple(_read(each) for each in cast("list[Any]", kept))
    if not isinstance(kept, dict):
        return kept
    body = cast("dict[str, Any]", kept)
    name = body["is"]
    if name == "date":
        return date.fromisoformat(body["value"])
    if name in _ENUMS:
        return _ENUMS[name](body["value"])
    return _CLASSES[name](**{key: _read(value) for key, value in body.items() if key != "is"})
