"""Checks everything that the semantic model is written in, and names all faults at once with their files and places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

from copilot.domain.query import Query
from copilot.errors import ModelDefinitionError
from copilot.semantic.computed import Expression, load_computed, read_computed
from copilot.semantic.conditions import conditions, load_segments
from copilot.semantic.documents import Document, Fault, Place, documents_in
from copilot.semantic.kpis import load_kpis, read_kpi
from copilot.semantic.measures import load_measures
from copilot.semantic.model import SemanticModel, load_model
from copilot.semantic.paths import leaf_of
from copilot.semantic.queries import compile_figures, compile_list

_HERE = files("copilot.semantic")
_SCHEMAS = {f"{name}.yaml": name for name in ("computed", "segments", "measures", "kpis")}
_SCALED = ("quantity", "amount")


def semantic_documents() -> tuple[Document, ...]:
    """The shipped files of the semantic model."""
    schemas = _HERE / "schemas"
    return (
        *documents_in(_HERE / "model", "copilot/semantic/model", schemas, {"*": "model"}),
        *documents_in(_HERE, "copilot/semantic", schemas, _SCHEMAS),
    )


def check_semantics(documents: Sequence[Document]) -> tuple[Fault, ...]:
    """All that is wrong with the files. What is built on others is held against those that are shipped."""
    faults = [fault for document in documents for fault in document.faults()]
    broken = {fault.file for fault in faults}
    entities = {
        name: body for document in documents if document.schema == "model" for name, body in document.body.items()
    }
    for document in documents:
        if document.file not in broken and (check := _CHECKS.get(document.schema)):
            faults += check(document, entities)
    faults += _said_twice(documents)
    return tuple(sorted(set(faults))) or tuple(_loading())


def _loading() -> Iterator[Fault]:
    """That the files, each right by itself, make a whole."""
    for load in (load_model, load_computed, load_segments, load_measures, load_kpis):
        try:
            load()
        except ModelDefinitionError as error:
            yield Fault("copilot/semantic", 0, "", str(error))


def _said_twice(documents: Sequence[Document]) -> Iterator[Fault]:
    """Names that two files define."""
    seen: dict[tuple[str, str], str] = {}
    for document in documents:
        for name in document.body:
            first = seen.setdefault((document.schema, str(name)), document.file)
            if first != document.file:
                yield document.fault(f"{first} defines {name!r} too", str(name))


def _model_faults(document: Document, entities: Mapping[str, Any]) -> Iterator[Fault]:
    for name, body in document.body.items():
        fields = body["fields"]
        for key in ("key", "beside"):
            known = fields if key == "key" else entities
            if key in body and body[key] not in known:
                yield document.fault(f"there is no {'field' if key == 'key' else 'entity'} {body[key]!r}", name, key)
        yield from _label_faults(document, name, body)
        for field, spec in fields.items():
            yield from _field_faults(document, (name, "fields", field), spec, fields, entities)


def _label_faults(document: Document, name: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    for label, source in body["labels"].items():
        field = source.removesuffix("?")
        if label != "from" and field in ("self", "hint"):
            continue
        if body["fields"].get(field, {}).get("type") != "ref":
            yield document.fault(f"{field!r} is no reference of it", name, "labels", label)


def _field_faults(
    document: Document, place: Place, spec: Mapping[str, Any], fields: Mapping[str, Any], entities: Mapping[str, Any]
) -> Iterator[Fault]:
    for key in ("to", "of"):
        if key in spec and spec[key] not in entities:
            yield document.fault(f"there is no entity {spec[key]!r}", *place, key)
    if spec["type"] in _SCALED:
        key = "unit" if spec["type"] == "quantity" else "currency"
        if spec[key] not in fields:
            yield document.fault(f"there is no field {spec[key]!r} beside it", *place, key)


def _computed_faults(document: Document, entities: Mapping[str, Any]) -> Iterator[Fault]:
    model = load_model()
    for entity, those in document.body.items():
        if entity not in entities:
            yield document.fault(f"there is no entity {entity!r}", entity)
            continue
        for name, spec in those.items():
            yield from _told(document, (entity, name), partial(_computed, model, entity, name, spec))


def _computed(model: SemanticModel, entity: str, name: str, spec: dict[str, Any]) -> None:
    if name in model[entity].fields:
        raise ModelDefinitionError("a field of the entity has this name")
    field = read_computed(f"{entity}.{name}", name, spec)
    for path in _paths_of(field.expression):
        leaf_of(model, entity, path)
    if field.type in _SCALED:
        leaf_of(model, entity, (str(field.unit),))


def _paths_of(expression: Expression) -> Iterator[tuple[str, ...]]:
    if expression.operation == "path":
        yield expression.path
    for part in expression.parts:
        yield from _paths_of(part)


def _segment_faults(document: Document, entities: Mapping[str, Any]) -> Iterator[Fault]:
    for entity, those in document.body.items():
        if entity not in entities:
            yield document.fault(f"there is no entity {entity!r}", entity)
            continue
        for name, body in those.items():
            unmade = tuple(_unmade(document, entity, name, body))
            yield from unmade or _told(document, (entity, name), partial(_compiled_segment, entity, body))


def _unmade(document: Document, entity: str, name: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    """Segments that this one is made of and that are not there, or that are made of it."""
    seen: set[tuple[str, str]] = set()
    left = list(_made_of(entity, body))
    while left:
        part = left.pop()
        if part == (entity, name):
            yield document.fault("is made of itself", entity, name)
        elif part[1] not in document.body.get(part[0], {}):
            yield document.fault(f"{part[0]!r} has no segment {part[1]!r}", entity, name)
        elif part not in seen:
            seen.add(part)
            left += _made_of(part[0], document.body[part[0]][part[1]])


def _made_of(entity: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((entity, name) for name in body.get("is", ()))
    for inner in body.get("any", ()):
        yield from _made_of(entity, inner)
    for linked in ("with", "without"):
        for place, inner in body.get(linked, {}).items():
            yield from _made_of(place.partition(".")[0], inner)


def _compiled_segment(entity: str, body: Mapping[str, Any]) -> None:
    compile_list(load_model(), Query(entity=entity, where=tuple(conditions(entity, body))))


def _measure_faults(document: Document, entities: Mapping[str, Any]) -> Iterator[Fault]:
    for name, body in document.body.items():
        for field, spec in body["fields"].items():
            place = (name, "fields", field)
            if "to" in spec and spec["to"] not in entities:
                yield document.fault(f"there is no entity {spec['to']!r}", *place, "to")
            key = "currency" if spec["type"] == "amount" else "unit"
            if spec["type"] in _SCALED and spec.get(key) not in body["fields"]:
                yield document.fault(f"there is no field {spec.get(key)!r} beside it for its {key}", *place)


def _kpi_faults(document: Document, entities: Mapping[str, Any]) -> Iterator[Fault]:
    for name, body in document.body.items():
        if body["of"] not in entities:
            yield document.fault(f"there is no entity {body['of']!r}", name, "of")
            continue
        parameters, used = body.get("parameters", {}), str({**body, "parameters": {}, "variants": {}})
        for parameter in parameters:
            if f"${parameter}" not in used:
                yield document.fault("nothing uses this parameter", name, "parameters", parameter)
        yield from _told(document, (name,), partial(_compiled_kpi, name, body, ""))
        for region, variant in body.get("variants", {}).items():
            for parameter in variant.keys() - parameters.keys():
                yield document.fault("varies a parameter that there is not", name, "variants", region, parameter)
            yield from _told(document, (name, "variants", region), partial(_compiled_kpi, name, body, region))


def _compiled_kpi(name: str, body: dict[str, Any], region: str) -> None:
    kpi = read_kpi(name, body, region)
    query = Query(entity=kpi.entity, where=kpi.where, figures=(kpi.figure,))
    compile_figures(load_model(), query)
    if kpi.date and leaf_of(load_model(), kpi.entity, kpi.date).type not in ("date", "instant"):
        raise ModelDefinitionError(f"{'.'.join(kpi.date)!r} is no date")


def _told(document: Document, place: Place, check: Callable[[], None]) -> Iterator[Fault]:
    """What a check finds wrong, as a fault at its place."""
    try:
        check()
    except ModelDefinitionError as error:
        yield document.fault(str(error), *place)
    except RecursionError:
        yield document.fault("is made of itself", *place)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        yield document.fault(f"is not well formed: {error}", *place)


_CHECKS: Mapping[str, Callable[[Document, Mapping[str, Any]], Iterator[Fault]]] = {
    "model": _model_faults,
    "computed": _computed_faults,
    "segments": _segment_faults,
    "measures": _measure_faults,
    "kpis": _kpi_faults,
}
