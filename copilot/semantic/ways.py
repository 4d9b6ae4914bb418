"""How records of one entity are connected with those of another: by references, or through records that name both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from copilot.domain.query import Compare, Condition, Is, Linked, Path
from copilot.errors import ModelDefinitionError
from copilot.semantic.model import SemanticModel, load_model
from copilot.semantic.paths import leaf_of
from copilot.semantic.reading import read_yaml

_WIDE = ("region", "channel")
"""What records belong to by their labels, whatever they refer to."""
_NOWHERE = "nowhere"
_FAR = 3
_STEPS = 4


@dataclass(frozen=True, slots=True)
class Link:
    """Through records of `entity` whose field `by` names the record that `at` leads to."""

    entity: str
    by: str
    at: Path = ()


@dataclass(frozen=True, slots=True)
class Way:
    """Links to be followed one after the other, and from the last of them a path to the record."""

    links: tuple[Link, ...]
    path: Path

    def condition(self, ids: tuple[int, ...], *, negated: bool = False) -> Condition:
        """That the record is one of these; negated, that it is none of them, where it is known."""
        if not self.links:
            return Compare(self.path, Is.NOT_IN if negated else Is.IN, ids)
        return self.linked((Compare(self.path, Is.IN, ids),), none=negated)

    def linked(self, where: tuple[Condition, ...], *, none: bool = False) -> Linked:
        """That there is a record at the end of the links for which this holds."""
        for place, link in reversed(list(enumerate(self.links))):
            where = (Linked(link.entity, link.by, where, none=none and place == 0, at=link.at),)
        found = where[0]
        assert isinstance(found, Linked)  # noqa: S101 -- there is at least one link
        return found


@cache
def way(origin: str, target: str) -> Way | None:
    """From records of one entity to those of another; None where nothing leads there, or several things do."""
    return _way(load_model(), origin, target, _STEPS)


def path_to(origin: str, target: str) -> Path | None:
    """The run of references from one entity to another; None where there is none."""
    found = way(origin, target)
    return found.path if found and not found.links else None


def check_ways() -> Iterator[str]:
    """Sentences about entries of ways.yaml that lead nowhere."""
    for origin, targets in _ways().items():
        for target, text in targets.items():
            try:
                if text != _NOWHERE and way(origin, target) is None:
                    yield f"ways.yaml: {origin} to {target} by {text!r} leads nowhere"
            except (ModelDefinitionError, KeyError) as error:
                yield f"ways.yaml: {origin} to {target} by {text!r}: {error}"


@cache
def _ways() -> Mapping[str, Mapping[str, str]]:
    return read_yaml(files("copilot.semantic") / "ways.yaml")


def _way(model: SemanticModel, origin: str, target: str, steps: int) -> Way | None:
    if origin == target:
        return Way((), ("id",))
    told = _ways().get(origin, {}).get(target)
    if told == _NOWHERE:
        return None
    if told is None:
        path = _shortest(model, origin, target)
        return Way((), path) if path else _back(model, origin, target)
    link = None if told.partition(".")[0] in model[origin].fields else _link(model, told)
    if link is None:
        path = tuple(told.split("."))
        return Way((), path) if _ends_in(model, origin, path, target) else None
    rest = _way(model, link.entity, target, steps - 1) if steps else None
    return Way((link, *rest.links), rest.path) if rest else None


def _back(model: SemanticModel, origin: str, target: str) -> Way | None:
    """The way from the records that refer to these, turned round."""
    told = _ways().get(target, {}).get(origin)
    path = tuple(told.split(".")) if told and "@" not in told else _shortest(model, target, origin)
    if not path or path[0] not in model[target].fields:
        return None
    entity, links = target, list[Link]()
    for step in path:
        links.insert(0, Link(entity, step))
        entity = str(model[entity].fields[step].to)
    return Way(tuple(links), ("id",)) if entity == origin else None


def _link(model: SemanticModel, text: str) -> Link | None:
    """`sales_order_line.order`, or with what it hangs on: `sales_order_line.order@order`."""
    place, _, at = text.partition("@") if not text.startswith("@") else ("", "", "")
    entity, _, by = place.partition(".")
    if entity not in model.entities or by not in model[entity].fields:
        return None
    return Link(entity, by, tuple(at.split(".")) if at else ())


def _ends_in(model: SemanticModel, origin: str, path: Path, target: str) -> bool:
    return leaf_of(model, origin, path).to == target


def _shortest(model: SemanticModel, origin: str, target: str) -> Path | None:
    """The only shortest run of references; of what all records are labelled with, the label."""
    if target in _WIDE and not model[origin].master:
        return (f"@{target}",)
    level: list[tuple[str, Path]] = [(origin, ())]
    for _ in range(_FAR):
        following = [
            (str(spec.to), (*path, spec.name))
            for entity, path in level
            for spec in model[entity].fields.values()
            if spec.type == "ref"
        ]
        found = [path for entity, path in following if entity == target]
        if found:
            return found[0] if len(found) == 1 else None
        level = following
    return ("@site",) if target == "site" and not model[origin].master else None
