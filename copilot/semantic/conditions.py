"""Reads conditions written in YAML, and the named segments that segments.yaml makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, cast

from copilot.domain.quantity import to_scaled
from copilot.domain.query import AnyOf, Compare, Condition, Is, Linked, Path, Relate, Scalar
from copilot.errors import ModelDefinitionError
from copilot.semantic.model import load_model
from copilot.semantic.paths import Leaf, leaf_of
from copilot.semantic.reading import read_yaml

_HOW: Mapping[str, Is] = {"less": Is.LESS, "at_most": Is.AT_MOST, "more": Is.MORE, "at_least": Is.AT_LEAST}
_SCALED = ("quantity", "amount", "ratio", "days")
Body = Mapping[str, Any]


@cache
def load_segments() -> Mapping[str, Mapping[str, tuple[Condition, ...]]]:
    """Entity -> segment -> what it means. Raises ModelDefinitionError naming the one that is not well formed."""
    return {
        entity: {name: tuple(conditions(entity, body)) for name, body in segments.items()}
        for entity, segments in _bodies().items()
    }


def segment(entity: str, name: str) -> tuple[Condition, ...]:
    """What a segment means. Raises ModelDefinitionError for one that does not exist."""
    try:
        return tuple(conditions(entity, _bodies()[entity][name]))
    except KeyError:
        raise ModelDefinitionError(f"{entity!r} has no segment {name!r}") from None


def conditions(entity: str, body: Body) -> Iterator[Condition]:
    """The conditions of a mapping as segments.yaml explains it."""
    for key, value in body.items():
        match key:
            case "is":
                for name in value:
                    yield from segment(entity, name)
            case "any":
                each = [tuple(conditions(entity, part)) for part in value]
                if any(len(part) != 1 for part in each):
                    raise ModelDefinitionError(f"{entity}: each part of 'any' is one condition: {value!r}")
                yield AnyOf(tuple(part[0] for part in each))
            case "with" | "without":
                yield from _linked(value, none=key == "without")
            case _:
                yield from _of_field(entity, tuple(key.split(".")), value)


@cache
def _bodies() -> Mapping[str, Mapping[str, Body]]:
    return read_yaml(files("copilot.semantic") / "segments.yaml")


def _linked(body: Body, *, none: bool) -> Iterator[Linked]:
    for place, inner in body.items():
        named, _, at = place.partition("@")
        entity, _, by = named.partition(".")
        if leaf_of(load_model(), entity, (by,)).type != "ref":
            raise ModelDefinitionError(f"{place!r} is no reference")
        path = tuple(at.split(".")) if at else ()
        yield Linked(entity, by, tuple(conditions(entity, inner)), none=none, at=path)


def _of_field(entity: str, path: Path, value: Any) -> Iterator[Condition]:
    leaf = leaf_of(load_model(), entity, path)
    if not isinstance(value, dict):
        yield _equal(path, leaf, value, same=True)
        return
    body = cast("dict[str, Any]", value)
    days = int(body.get("plus", 0))
    for key, given in body.items():
        if key == "known":
            yield Compare(path, Is.KNOWN if given else Is.UNKNOWN)
        elif key == "not":
            yield _equal(path, leaf, given, same=False)
        elif key in _HOW and isinstance(given, str) and given.startswith("="):
            yield Relate(path, _HOW[key], tuple(given[1:].split(".")), days)
        elif key in _HOW:
            yield Compare(path, _HOW[key], _value(path, leaf, given))
        elif key != "plus":
            raise ModelDefinitionError(f"{entity}.{'.'.join(path)}: there is no comparison {key!r}")


def _equal(path: Path, leaf: Leaf, value: Any, *, same: bool) -> Compare:
    if isinstance(value, list):
        values = tuple(_value(path, leaf, each) for each in cast("list[Any]", value))
        return Compare(path, Is.IN if same else Is.NOT_IN, values)
    return Compare(path, Is.EQUAL if same else Is.NOT_EQUAL, _value(path, leaf, value))


def _value(path: Path, leaf: Leaf, value: Any) -> Scalar:
    """A value as it is stored: figures are written as people write them."""
    if leaf.codes and value not in leaf.codes:
        raise ModelDefinitionError(f"{'.'.join(path)} is never {value!r}; it is one of {', '.join(leaf.codes)}")
    if leaf.type in _SCALED:
        return to_scaled(Decimal(str(value)))
    if not isinstance(value, str | int | bool):
        raise ModelDefinitionError(f"{'.'.join(path)} can't be compared with {value!r}")
    return value
