"""Parts of plans as JSON and back, by the names of their classes. A conversation keeps compositions: references, and
never a record's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, cast

from copilot.domain import composition, query
from copilot.domain.composition import Composition
from copilot.domain.json import Json


@dataclass(frozen=True, slots=True)
class Form:
    """What may be read back: classes and enumerations by their names."""

    classes: Mapping[str, type]
    enums: Mapping[str, type[Enum]]


_CLASSES: Mapping[str, type] = {
    each.__name__: each
    for each in (
        query.Compare, query.Relate, query.Linked, query.AnyOf, composition.Part, composition.Split,
        composition.Column, composition.Composition,
    )
}  # fmt: skip
_COMPOSITIONS = Form(_CLASSES, {each.__name__: each for each in (query.Is, query.Bucket)})


def to_kept(value: object) -> Json:
    """A value of frozen classes, enumerations, days and tuples as JSON."""
    if isinstance(value, Enum):
        return {"is": type(value).__name__, "value": str(value.value)}
    if isinstance(value, datetime):
        return {"is": "datetime", "value": value.isoformat()}
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
        found = read(kept, _COMPOSITIONS)
    except (KeyError, TypeError, ValueError):
        return None
    return found if isinstance(found, Composition) else None


def read(kept: Any, form: Form) -> Any:
    """What `to_kept` told. Raises KeyError, TypeError or ValueError for what has no such form."""
    if isinstance(kept, list):
        return tuple(read(each, form) for each in cast("list[Any]", kept))
    if not isinstance(kept, dict):
        return kept
    body = cast("dict[str, Any]", kept)
    match body["is"]:
        case "date":
            return date.fromisoformat(body["value"])
        case "datetime":
            return datetime.fromisoformat(body["value"])
        case name if name in form.enums:
            return form.enums[name](body["value"])
        case name:
            return form.classes[name](**{key: read(value, form) for key, value in body.items() if key != "is"})
