"""Holds a mapping against the semantic model before a row moves: every complaint at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from connectors.mapping.spec import (
    Call,
    Choice,
    Complaint,
    Constant,
    Expression,
    FieldTypes,
    Lookup,
    MappedEntity,
    SourceMapping,
)
from copilot.errors import SourceConfigError
from copilot.semantic.model import HINTS, Entity, Field, SemanticModel


def field_types(model: SemanticModel) -> FieldTypes:
    """entity -> field -> type, in load order: all that a mapped connector needs to know of the semantic model."""
    return {
        entity.name: {field.name: field.type for field in entity.fields.values()}
        for entity in model.entities.values()
        if not entity.derived
    }


def check_mapping(mapping: SourceMapping, model: SemanticModel) -> None:
    """Raise SourceConfigError naming everything that the semantic model does not allow."""
    found = list(complaints(mapping, model))
    if found:
        lines = "\n".join(f"  {each.place}: {each.message}" for each in found)
        raise SourceConfigError(f"the mapping of {mapping.system!r} does not fit the semantic model:\n{lines}")


def complaints(mapping: SourceMapping, model: SemanticModel) -> Iterator[Complaint]:
    """All that is wrong with a mapping, in the order of the file."""
    brought = {part.entity for part in mapping.entities}
    for part in mapping.entities:
        place = f"entities.{part.entity}"
        entity = model.entities.get(part.entity)
        if entity is None or entity.derived:
            yield Complaint(place=place, message=_unknown("entity", part.entity, field_types(model)))
            continue
        if part.rows:
            yield from _rows(entity, part, place)
            continue
        yield from _fields(entity, part, place)
        yield from _references(entity, part, place, brought)
        yield from _labels(entity, part, place)


def _rows(entity: Entity, part: MappedEntity, place: str) -> Iterator[Complaint]:
    needed = {field.name for field in entity.fields.values() if field.required}
    for number, row in enumerate(part.rows):
        here = f"{place}.rows.{number}"
        for name, value in row.items():
            if name not in part.key and name not in entity.fields:
                yield Complaint(place=f"{here}.{name}", message=_unknown("field", name, entity.fields))
            elif name in entity.fields:
                yield from _code(entity.fields[name], value, f"{here}.{name}")
        for name in sorted(name for name in needed if row.get(name) is None):
            yield Complaint(place=here, message=f"{name!r} is required and not given")


def _fields(entity: Entity, part: MappedEntity, place: str) -> Iterator[Complaint]:
    for name, expression in part.fields.items():
        here = f"{place}.fields.{name}"
        field = entity.fields.get(name)
        if field is None:
            yield Complaint(place=here, message=_unknown("field", name, entity.fields))
            continue
        for value in _outcomes(expression):
            yield from _code(field, value, here)
        if field.unit_field and field.unit_field in entity.fields and field.unit_field not in part.fields:
            what = "currency" if field.type == "amount" else "unit"
            yield Complaint(place=here, message=f"without {field.unit_field!r} nobody knows its {what}; map that too")
    for field in entity.fields.values():
        if field.required and field.name not in part.fields:
            yield Complaint(place=f"{place}.fields", message=f"{field.name!r} is required and not mapped")


def _references(entity: Entity, part: MappedEntity, place: str, brought: set[str]) -> Iterator[Complaint]:
    for field in entity.refs():
        if field.name in part.fields and field.to not in brought:
            message = f"it refers to {field.to!r}, which this mapping does not bring"
            yield Complaint(place=f"{place}.fields.{field.name}", message=message)


def _labels(entity: Entity, part: MappedEntity, place: str) -> Iterator[Complaint]:
    hinted = {label for label, rule in entity.labels.own.items() if rule.startswith("hint")}
    for label in part.labels:
        if label not in HINTS:
            yield Complaint(place=f"{place}.labels.{label}", message=_unknown("label", label, HINTS))
        elif label not in hinted:
            message = f"{entity.name!r} takes no {label} from the source; it follows from what the record belongs to"
            yield Complaint(place=f"{place}.labels.{label}", message=message)
    for label in sorted(hinted):
        if label not in part.labels and entity.labels.own[label] == "hint":
            yield Complaint(
                place=f"{place}.labels", message=f"{label!r} is not said, and every {entity.title} needs one"
            )


def _code(field: Field, value: object, place: str) -> Iterator[Complaint]:
    if field.codes and value is not None and value not in field.codes:
        yield Complaint(place=place, message=f"{value!r} is none of {', '.join(field.codes)}")


def _outcomes(expression: Expression) -> Iterator[object]:
    """Every constant that an expression may come to."""
    match expression:
        case Constant(value):
            yield value
        case Lookup():
            yield from expression.table.values()
            if expression.otherwise is not None:
                yield from _outcomes(expression.otherwise)
        case Choice():
            yield from _outcomes(expression.then)
            yield from _outcomes(expression.otherwise)
        case Call(function="first"):
            for argument in expression.arguments:
                yield from _outcomes(argument)
        case _:
            return


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there is: {', '.join(names)}"
    return f"there is no {what} {name!r}; {hint}"
