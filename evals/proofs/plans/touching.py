"""The model's YAML as the slow evaluation reads it, by itself, and what a query touches of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

import yaml

from copilot.domain.query import AnyOf, Compare, Condition, Linked, Path, Query, Relate
from evals.proofs.oracle import Actor


@cache
def model_yaml() -> Mapping[str, Mapping[str, Any]]:
    """Entity -> its definition."""
    folder = files("copilot.semantic") / "model"
    bodies = (yaml.safe_load(file.read_text()) for file in folder.iterdir() if file.name.endswith(".yaml"))
    return {name: body for each in bodies for name, body in each.items()}


@cache
def computed_yaml() -> Mapping[str, Mapping[str, Any]]:
    """Entity -> computed field -> its definition."""
    return yaml.safe_load((files("copilot.semantic") / "computed.yaml").read_text())


def definition(entity: str, path: Path) -> tuple[str, Mapping[str, Any]]:
    """The entity that a path ends in, and the definition of its last field."""
    for step in path[:-1]:
        entity = model_yaml()[entity]["fields"][step]["to"]
    if path[-1] == "id" or path[-1].startswith("@"):
        return entity, {"type": "ref"}
    if path[-1] == "today":
        return entity, {"type": "date"}
    return entity, computed_yaml().get(entity, {}).get(path[-1]) or model_yaml()[entity]["fields"][path[-1]]


def allowed(query: Query, actor: Actor) -> bool:
    """Whether an actor may read every class that the query touches, be it by several grants."""
    return touched_classes(query) <= actor.all_classes


def touched_classes(query: Query) -> frozenset[str]:
    """The record classes of everything that a query reads."""
    return frozenset(model_yaml()[entity]["class"] for entity in touched(query))


def touched(query: Query) -> Iterator[str]:
    """The entities of which a query reads records, some of them more than once."""
    yield query.entity
    measured = [path for figure in query.figures for path in (figure.path, figure.over)]
    for path in (*(g.path for g in query.groups), *(o.by for o in query.order), *measured):
        if path and not any(path == (figure.name,) for figure in query.figures):
            yield from _along(query.entity, path)
    for condition in (*query.where, *(each for figure in query.figures for each in figure.where)):
        yield from _tested(query.entity, condition)


def _tested(entity: str, condition: Condition) -> Iterator[str]:
    match condition:
        case Compare(path, _, _):
            yield from _along(entity, path)
        case Relate(path, _, other, _):
            yield from _along(entity, path)
            yield from _along(entity, other)
        case AnyOf(conditions):
            for each in conditions:
                yield from _tested(entity, each)
        case Linked(child, _, where, _, at):
            yield from _along(entity, (*at, "id"))
            yield child
            for each in where:
                yield from _tested(child, each)


def _along(entity: str, path: Path) -> Iterator[str]:
    """The entities on the way, and those that a computed field at the end is made of."""
    for place in range(1, len(path)):
        yield definition(entity, path[:place])[1]["to"]
    last, spec = definition(entity, path)
    if path[-1] in computed_yaml().get(last, {}):
        yield from _made_of(last, {k: v for k, v in spec.items() if k not in ("type", "title", "unit")})
    if spec["type"] in ("quantity", "amount") and (unit := spec.get("unit") or spec.get("currency")):
        yield from _along(last, (unit,))


def _made_of(entity: str, body: Any) -> Iterator[str]:
    if isinstance(body, str):
        yield from _along(entity, tuple(body.split(".")))
    elif isinstance(body, dict) and "number_of" in body:
        child, *fields = cast("dict[str, list[str]]", body)["number_of"]
        yield child
        for name in fields[1:]:
            yield from _along(child, (name,))
    elif isinstance(body, dict):
        for part in cast("dict[str, Any]", body).values():
            yield from _made_of(entity, part)
    elif isinstance(body, list):
        for part in cast("list[Any]", body):
            yield from _made_of(entity, part)
