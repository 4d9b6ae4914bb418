"""What is told as one when somebody asks whether data is sound, and who may be told: held against the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from copilot.domain.scope import SPREAD, UNLABELLED
from copilot.errors import ModelDefinitionError
from copilot.ingest.quality.checks import Checks, load_checks
from copilot.semantic.model import Entity, SemanticModel, load_model
from copilot.semantic.reading import read_yaml

_ENDING = "_soundness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some entities of one record class and one area; `title` is what their data is called in an answer."""

    title: str
    area: str
    entities: tuple[str, ...]
    published: str
    """The derived entity that holds what their checks found, of the same class as they are."""


@cache
def load_parts() -> Mapping[str, Part]:
    """Entity with a check -> its part. Raises ModelDefinitionError naming what does not fit."""
    return parse_parts(read_yaml(files("copilot.ingest.quality") / "parts.yaml"), load_checks(), load_model())


def parse_parts(body: Mapping[str, Any], checks: Checks, model: SemanticModel) -> Mapping[str, Part]:
    """Parts from the YAML's mapping, by entity."""
    found: dict[str, Part] = {}
    for title, spec in body.items():
        part = _part(str(title), spec, model)
        for entity in part.entities:
            if entity in found:
                raise ModelDefinitionError(f"{entity!r} is in the parts {found[entity].title!r} and {title!r}")
            found[entity] = part
    checked = {check.entity for check in checks.checks.values()}
    if checked != found.keys():
        raise ModelDefinitionError(f"in only one of checks and parts: {sorted(checked ^ found.keys())}")
    return found


def published_entities(model: SemanticModel) -> tuple[str, ...]:
    """The derived entities that hold what checks found."""
    return tuple(e.name for e in model.entities.values() if e.derived and e.name.endswith(_ENDING))


def spread(model: SemanticModel, entity: Entity, label: str) -> int:
    """The label under which figures over many rows of an entity are published, in a dimension they are not kept by.

    Where rows of the entity belong to channels or accounts, a figure over all of them is for those only who may see
    every one. That is decided by the model, not by the rows: else a figure would show whose rows come and go.
    """
    return SPREAD if _labelled(model, entity, label) else UNLABELLED


def _labelled(model: SemanticModel, entity: Entity, label: str) -> bool:
    rule = entity.labels.own.get(label, "")
    if rule.removesuffix("?") in ("self", "hint"):
        return True
    sources = [rule.removesuffix("?")] if rule else []
    if entity.labels.parent is not None and (not rule or rule.endswith("?")):
        sources.append(entity.labels.parent)
    return any(_labelled(model, model[str(entity.fields[name].to)], label) for name in sources)


def _part(title: str, spec: Mapping[str, Any], model: SemanticModel) -> Part:
    if set(spec) != {"area", "entities"}:
        raise ModelDefinitionError(f"the part {title!r} needs `area` and `entities`, and nothing else")
    classes = {model[entity].record_class for entity in spec["entities"]}
    if len(classes) != 1:
        raise ModelDefinitionError(f"the part {title!r} has entities of several classes: {sorted(classes)}")
    published = f"{classes.pop()}{_ENDING}"
    for fault in _faults(model, published, spec["area"], model[spec["entities"][0]].record_class):
        raise ModelDefinitionError(f"the part {title!r} {fault}")
    return Part(title=title, area=spec["area"], entities=tuple(spec["entities"]), published=published)


def _faults(model: SemanticModel, published: str, area: str, record_class: str) -> Iterator[str]:
    if published not in published_entities(model):
        yield f"is published as {published!r}, which is no derived entity"
    elif model[published].record_class != record_class:
        yield f"would be published under another class than {record_class!r}"
    elif area not in model[published].fields["area"].codes:
        yield f"is of the area {area!r}, which {published} does not know"
