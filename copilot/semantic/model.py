"""Reads the semantic model's YAML into frozen values and checks that it is well formed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal, get_args

from copilot.domain.evidence import FieldType
from copilot.errors import ModelDefinitionError
from copilot.semantic.language import per_language
from copilot.semantic.reading import read_folder
from copilot.semantic.titles import load_titles, plain

HINTS = ("region", "site", "channel")
LABELS = ("region", "site", "channel", "account")
_MASTERS = ("item", "customer", "supplier", "site")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its type, and per type the entity a `ref` names or the field that holds the unit or currency."""

    name: str
    type: FieldType
    title: str
    to: str | None = None
    unit_field: str | None = None
    codes: tuple[str, ...] = ()
    required: bool = False
    find: Literal["number", "name"] | None = None
    find_as: str | None = None
    """For a `find` field: the entity that a match names (an alias names the item), else the entity itself."""
    personal: str | None = None
    """What kind of personal data it holds, and how that is written; see model/organisation.yaml."""

    @property
    def column(self) -> str:
        """The column of the business table."""
        return f"{self.name}_id" if self.type == "ref" else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRule:
    """How a row gets its labels: from a parent row, and per label from a hint, a reference or itself."""

    parent: str | None
    own: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # one of a model is itself: a key of what is made of it
class Entity:
    """One entity: a table of the schema `biz` with one record class."""

    name: str
    title: str
    record_class: str
    key: str | None
    beside: str | None
    derived: bool
    labels: LabelRule
    fields: Mapping[str, Field]

    @property
    def master(self) -> bool:
        """Whether several sources may describe one and the same record (identity is ours)."""
        return self.name in _MASTERS

    def refs(self) -> Iterator[Field]:
        """The fields that name records of other entities."""
        return (field for field in self.fields.values() if field.type == "ref")

    def personal(self) -> Iterator[Field]:
        """The fields that are masked wherever text leaves."""
        return (field for field in self.fields.values() if field.personal)

    def finders(self) -> Iterator[Field]:
        """The fields by which people name a record."""
        return (field for field in self.fields.values() if field.find)


@dataclass(frozen=True, slots=True)
class SemanticModel:
    """All entities by name, in load order: an entity comes after those it refers to."""

    entities: Mapping[str, Entity]

    def __getitem__(self, name: str) -> Entity:
        try:
            return self.entities[name]
        except KeyError:
            raise ModelDefinitionError(f"there is no entity {name!r} in the semantic model") from None

    @property
    def classes(self) -> frozenset[str]:
        """Every record class that some entity has."""
        return frozenset(entity.record_class for entity in self.entities.values())

    def children(self, parent: str) -> Iterator[tuple[Entity, Field]]:
        """Entities that take their labels from `parent`, each with the field that names it."""
        for entity in self.entities.values():
            field = entity.fields.get(entity.labels.parent or "")
            if field is not None and field.to == parent:
                yield entity, field


@per_language
def load_model() -> SemanticModel:
    """The shipped model, with the titles of the language in force. Raises ModelDefinitionError naming the file, the
    entity and the fault."""
    entities = {name: _entity(name, body) for name, body in read_folder(files("copilot.semantic") / "model")}
    for entity in entities.values():
        _check(entity, entities)
    return SemanticModel(_in_load_order(entities))


def _entity(name: str, body: dict[str, Any]) -> Entity:
    labels = dict(body.get("labels", {}))
    return Entity(
        name=name,
        title=load_titles().entities.get(name, body["title"]),
        record_class=body["class"],
        key=body.get("key"),
        beside=body.get("beside"),
        derived=body.get("derived", False),
        labels=LabelRule(parent=labels.pop("from", None), own=labels),
        fields={field: _field(name, field, spec) for field, spec in body["fields"].items()},
    )


def _field(entity: str, name: str, spec: dict[str, Any]) -> Field:
    if spec["type"] not in get_args(FieldType):
        raise ModelDefinitionError(f"{entity}.{name} has the unknown type {spec['type']!r}")
    return Field(
        name=name,
        type=spec["type"],
        title=load_titles().fields.get((entity, name)) or spec.get("title", plain(name)),
        to=spec.get("to"),
        unit_field=spec.get("unit") or spec.get("currency"),
        codes=tuple(spec.get("codes", ())),
        required=spec.get("required", False),
        find=spec.get("find"),
        find_as=spec.get("of", entity if spec.get("find") else None),
        personal=spec.get("personal"),
    )


def _check(entity: Entity, entities: Mapping[str, Entity]) -> None:
    for field in entity.fields.values():
        if field.type == "ref" and field.to not in entities:
            raise ModelDefinitionError(f"{entity.name}.{field.name} refers to the unknown entity {field.to!r}")
        if field.type in ("quantity", "amount") and field.unit_field not in entity.fields:
            raise ModelDefinitionError(f"{entity.name}.{field.name} has no unit or currency field")
    parent = entity.labels.parent
    if parent is not None and (parent not in entity.fields or entity.fields[parent].type != "ref"):
        raise ModelDefinitionError(f"{entity.name} takes its labels from {parent!r}, which is no reference of it")
    unknown = set(entity.labels.own) - set(LABELS)
    if unknown:
        raise ModelDefinitionError(f"{entity.name} sets unknown labels {sorted(unknown)!r}")


def _in_load_order(entities: Mapping[str, Entity]) -> dict[str, Entity]:
    ordered: dict[str, Entity] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in ordered:
            return
        if name in trail:
            raise ModelDefinitionError(f"the references {' > '.join((*trail, name))!r} form a circle")
        for field in entities[name].refs():
            if field.to != name:
                visit(str(field.to), (*trail, name))
        ordered[name] = entities[name]

    for name in entities:
        visit(name, ())
    return ordered
