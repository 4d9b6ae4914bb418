"""A full reload by code of its own: what should stand in the copy, worked out record by record in plain Python.

Nothing of the ingest is used. Keys stand for our ids: a reference and a label are the key of the record meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from connectors.base import SourceRecord
from copilot.semantic.model import LABELS, Entity, Field, SemanticModel

Place = tuple[str, str]
Label = str | int
"""The key of a region, site, channel or customer; 0 for shared by all or of none in particular."""
_SCALED = ("quantity", "amount", "ratio", "days")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "ident": (str,), "text": (str,), "code": (str,), "ref": (str,), "count": (int,), "flag": (bool,),
    "date": (date,), "instant": (datetime,), **dict.fromkeys(_SCALED, (Decimal, int)),
}  # fmt: skip
_LABEL_ENTITY = {"region": "region", "site": "site", "channel": "channel", "account": "customer"}


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it should stand."""

    values: Mapping[str, object]
    labels: tuple[Label, ...]


def reload(model: SemanticModel, records: Iterable[SourceRecord]) -> dict[Place, Row]:
    """What stands after everything was read once; a record that can't be placed is left out."""
    by_entity: dict[str, list[SourceRecord]] = {}
    for record in records:
        by_entity.setdefault(record.entity, []).append(record)
    rows: dict[Place, Row] = {}
    # Whatever gives labels stands before what is labelled; else an entity comes after those it refers to.
    for entity in sorted(model.entities.values(), key=lambda each: each.name not in _LABEL_ENTITY):
        for record in by_entity.get(entity.name, ()):
            row = _row(entity, record, rows)
            if row is not None:
                rows[entity.name, record.key] = row
    return rows


def standing(admin: psycopg.Connection[Any], model: SemanticModel, source: int) -> dict[Place, Row]:
    """What stands of one source, in the same form."""
    keys = {entity: dict(admin.execute(_keys(entity)).fetchall()) for entity in model.entities}
    found: dict[Place, Row] = {}
    for entity in model.entities.values():
        if entity.derived:
            continue
        statement = sql.SQL("select * from {} where source_id = %s").format(sql.Identifier("biz", entity.name))
        for row in admin.cursor(row_factory=dict_row).execute(statement, (source,)).fetchall():
            values = {field.name: _kept(field, row[field.column], keys) for field in entity.fields.values()}
            labels = tuple(_label(keys, name, row[f"label_{name}"]) for name in LABELS)
            found[entity.name, row["source_key"]] = Row(values, labels)
    return found


def differences(should: Mapping[Place, Row], stands: Mapping[Place, Row]) -> Iterator[str]:
    """What is missing, too much, or other than it should be."""
    for place in sorted(should.keys() | stands.keys()):
        if place not in stands:
            yield f"{place} is missing"
        elif place not in should:
            yield f"{place} should not be there"
        elif should[place] != stands[place]:
            yield f"{place} is {_apart(stands[place], should[place])}"


def _row(entity: Entity, record: SourceRecord, rows: Mapping[Place, Row]) -> Row | None:
    if set(record.values) - set(entity.fields):
        return None
    values: dict[str, object] = {}
    for field in entity.fields.values():
        value = record.values.get(field.name)
        if value is not None and not _fits(field, value):
            return None
        value = _canonical(field, value, rows)
        if field.required and value is None:
            return None
        values[field.name] = value
    labels = [_derived(entity, name, record, values, rows) for name in LABELS]
    return None if None in labels else Row(values, tuple(label for label in labels if label is not None))


def _fits(field: Field, value: object) -> bool:
    if not isinstance(value, _TYPES[field.type]) or (field.type != "flag" and isinstance(value, bool)):
        return False
    if field.type == "date" and isinstance(value, datetime):
        return False
    return not field.codes or value in field.codes


def _canonical(field: Field, value: object, rows: Mapping[Place, Row]) -> object:
    if field.type == "ref":
        return value if (field.to, value) in rows else None
    if isinstance(value, str) and not value.strip():
        return None
    if field.type in _SCALED and isinstance(value, Decimal | int):
        return int(value * 1_000_000)
    return value


def _derived(
    entity: Entity, name: str, record: SourceRecord, values: Mapping[str, object], rows: Mapping[Place, Row]
) -> Label | None:
    """One label by the entity's rule; None where it can't be said."""
    rule = entity.labels.own.get(name)
    if rule == "self":
        return record.key
    if rule in ("hint", "hint?"):
        hint = record.labels.get(name)
        if hint == "*":
            return 0 if rule == "hint?" else None
        return hint if (name, hint) in rows else None
    if rule is not None:
        through = rule.removesuffix("?")
        if not rule.endswith("?") or record.values.get(through) is not None:
            return _label_of(entity.fields[through], values, name, rows)
    parent = entity.labels.parent
    return 0 if parent is None else _label_of(entity.fields[parent], values, name, rows)


def _label_of(field: Field, values: Mapping[str, object], name: str, rows: Mapping[Place, Row]) -> Label | None:
    row = rows.get((str(field.to), str(values[field.name])))
    return None if row is None else row.labels[LABELS.index(name)]


def _keys(entity: str) -> sql.Composed:
    return sql.SQL("select id, source_key from {}").format(sql.Identifier("biz", entity))


def _kept(field: Field, value: object, keys: Mapping[str, Mapping[int, str]]) -> object:
    if field.type != "ref" or not isinstance(value, int):
        return value
    return keys[str(field.to)].get(value, f"dangling {value}")


def _label(keys: Mapping[str, Mapping[int, str]], name: str, ident: int) -> Label:
    return keys[_LABEL_ENTITY[name]].get(ident, f"dangling {ident}") if ident else 0


def _apart(stands: Row, should: Row) -> str:
    fields = [
        f"{name}: {value!r} instead of {should.values[name]!r}"
        for name, value in stands.values.items()
        if value != should.values[name]
    ]
    if stands.labels != should.labels:
        fields.append(f"labels {stands.labels} instead of {should.labels}")
    return "; ".join(fields)
