"""What a path over the semantic model leads to."""

from __future__ import annotations

from dataclasses import dataclass

from copilot.domain.evidence import FieldType
from copilot.domain.query import Path
from copilot.errors import ModelDefinitionError
from copilot.semantic.computed import ComputedField, Expression, load_computed
from copilot.semantic.model import SemanticModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """The last field of a path: the entity it is of, its type, its column where it has one, the entity it refers to."""

    entity: str
    type: FieldType
    title: str
    column: str = ""
    to: str = ""
    unit: str | None = None
    """The unit as a word, of counts."""
    unit_path: Path | None = None
    """Where the unit or currency stands, of quantities and amounts."""
    computed: ComputedField | None = None
    codes: tuple[str, ...] = ()
    label: bool = False
    """Whether it is one of the record's labels, where 0 is none."""


LABELLED = {"@region": "region", "@site": "site", "@channel": "channel", "@account": "customer"}
"""What stands for a label in a path -> the entity that it names."""
_TODAY = ComputedField(name="today", type="date", title="today", unit=None, expression=Expression("today"))


def leaf_of(model: SemanticModel, entity: str, path: Path) -> Leaf:
    """What a path from an entity leads to. Raises ModelDefinitionError naming the part that leads nowhere."""
    here = entity
    for step in path[:-1]:
        field = model[here].fields.get(step)
        if field is None or field.type != "ref" or field.to is None:
            raise ModelDefinitionError(f"{'.'.join(path)!r} of {entity!r}: {here!r} has no reference {step!r}")
        here = field.to
    return _leaf(model, here, path)


def _leaf(model: SemanticModel, entity: str, path: Path) -> Leaf:
    name, prefix = path[-1], path[:-1]
    if name == "id":
        return Leaf(entity=entity, type="ref", title=model[entity].title, column="id", to=entity)
    if name == "today":
        return Leaf(entity=entity, type="date", title="today", computed=_TODAY)
    if name in LABELLED:
        to = LABELLED[name]
        return Leaf(entity=entity, type="ref", title=to, column=f"label_{name[1:]}", to=to, label=True)
    if found := load_computed().get(entity, {}).get(name):
        scaled = found.type in ("quantity", "amount")
        return Leaf(
            entity=entity, type=found.type, title=found.title, computed=found,
            unit=None if scaled else found.unit, unit_path=(*prefix, str(found.unit)) if scaled else None,
        )  # fmt: skip
    field = model[entity].fields.get(name)
    if field is None:
        raise ModelDefinitionError(f"{'.'.join(path)!r}: {entity!r} has no field {name!r}")
    return Leaf(
        entity=entity, type=field.type, title=field.title, column=field.column, to=field.to or "",
        codes=field.codes,
        unit_path=(*prefix, field.unit_field) if field.unit_field else None,
    )  # fmt: skip
