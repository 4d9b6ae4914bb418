"""The semantic model says the same as the tables: columns, types, classes, both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from copilot.errors import ModelDefinitionError
from copilot.policy.policy import load_policy
from copilot.semantic import model as model_module
from copilot.semantic.measures import load_measures
from copilot.semantic.model import LABELS, Entity, Field, load_model
from copilot.semantic.reading import read_folder
from copilot.store.migrate import migrations

MODEL = load_model()
_COLUMN_TYPES: Mapping[str, str] = {
    "ident": "text", "text": "text", "code": "text", "ref": "bigint", "date": "date", "instant": "timestamptz",
    "quantity": "bigint", "amount": "bigint", "ratio": "bigint", "days": "bigint", "count": "integer",
    "flag": "boolean",
}  # fmt: skip


@dataclass(frozen=True)
class _Table:
    record_class: str
    columns: Mapping[str, tuple[str, bool]]
    """Name -> (type, not null)"""
    indexes: frozenset[str]


def _tables() -> dict[str, _Table]:
    text = "".join(m.text for m in migrations())
    guards = dict(re.findall(r"^call ddl\.guard\('(\w+)', '(\w+)'\);", text, re.MULTILINE))
    indexes = re.findall(r"^create index on biz\.(\w+) \((\w+)\);", text, re.MULTILINE)
    found: dict[str, _Table] = {}
    for name, body in re.findall(r"^create table biz\.(\w+) \(\n(.*?)^\);", text, re.MULTILINE | re.DOTALL):
        if "like ddl.record" in body:
            lines = [re.sub(r"\s*--.*", "", line).strip().rstrip(",") for line in body.splitlines()]
            columns = [line.split() for line in lines if line and not line.startswith("like ")]
            found[name] = _Table(
                guards.get(name, ""),
                {c[0]: (c[1], c[2:] == ["not", "null"]) for c in columns},
                frozenset(column for table, column in indexes if table == name),
            )
    return found


TABLES = _tables()


def test_every_entity_has_a_table_and_every_table_an_entity() -> None:
    assert set(TABLES) == set(MODEL.entities)
    assert len(TABLES) > 40  # the reader of the DDL did read it


@pytest.mark.parametrize("entity", MODEL.entities.values(), ids=lambda e: e.name)
def test_columns_types_and_class_are_those_of_the_table(entity: Entity) -> None:
    table = TABLES[entity.name]
    wanted = {f.column: (_COLUMN_TYPES[f.type], f.required) for f in entity.fields.values()}
    assert dict(table.columns) == wanted
    assert table.record_class == entity.record_class


@pytest.mark.parametrize("entity", MODEL.entities.values(), ids=lambda e: e.name)
def test_every_reference_has_an_index(entity: Entity) -> None:
    assert {f.column for f in entity.refs()} <= TABLES[entity.name].indexes


@pytest.mark.parametrize("entity", MODEL.entities.values(), ids=lambda e: e.name)
def test_units_keys_labels_and_lookups_name_fields_that_fit(entity: Entity) -> None:
    fields = entity.fields
    for field in fields.values():
        if field.unit_field:
            assert fields[field.unit_field].type == "code", field.name
        assert not field.codes or field.type == "code", field.name
        assert field.find is None or field.type in ("ident", "text"), field.name
        assert field.find_as is None or field.find_as in MODEL.entities, field.name
        if field.find_as and field.find_as != entity.name:
            assert any(ref.to == field.find_as for ref in entity.refs()), f"{field.name} can't lead to its record"
    assert entity.key is None or fields[entity.key].type in ("ident", "text")
    for label, rule in entity.labels.own.items():
        assert label in LABELS
        assert rule.rstrip("?") in {"hint", "self"} or fields[rule.rstrip("?")].type == "ref"


@pytest.mark.parametrize("entity", MODEL.entities.values(), ids=lambda e: e.name)
def test_a_class_table_lies_beside_the_record_it_belongs_to(entity: Entity) -> None:
    if entity.beside is None:
        return
    plain = MODEL[entity.beside]
    assert plain.record_class != entity.record_class
    assert any(ref.to == plain.name for ref in entity.refs())


def test_sensitive_fields_lie_in_tables_of_their_own_class() -> None:
    """What DESIGN.md keeps apart never sits in a table of a plainer class."""
    sensitive = {
        "email": {"contact", "supplier_contact"}, "phone": {"contact", "supplier_contact"}, "street": {"address"},
        "signed_by": {"address"}, "credit_limit": {"credit"}, "exposure": {"credit"}, "cost": {"item_cost"},
        "body": {"free_text"}, "discount": {"price_list", "sales_price"}, "minimum_order": {"supplier_terms"},
    }  # fmt: skip
    misplaced = [
        f"{entity.name}.{name}"
        for entity in MODEL.entities.values()
        for name in entity.fields
        if name in sensitive and entity.record_class not in sensitive[name]
    ]
    assert misplaced == []
    money = {e.record_class for e in MODEL.entities.values() for f in e.fields.values() if f.type == "amount"}
    plain = {"reference", "customer", "item", "stock", "sales", "shipping", "returns", "purchasing", "supplier"}
    assert not money & plain


def test_an_entity_comes_after_those_it_refers_to() -> None:
    order = list(MODEL.entities)
    early = [
        (entity.name, ref.to)
        for entity in MODEL.entities.values()
        for ref in entity.refs()
        if ref.to != entity.name and order.index(str(ref.to)) > order.index(entity.name)
    ]
    assert early == []


def test_children_are_those_that_take_their_labels_from_a_parent() -> None:
    children = {entity.name: field.name for entity, field in MODEL.children("sales_order")}
    assert children["sales_order_line"] == "order"
    assert children["shipment"] == "order"
    assert "customer" not in children


def test_every_class_of_the_model_is_known_to_the_policy_or_kept_from_everybody_on_purpose() -> None:
    granted = frozenset().union(*map(load_policy().classes_of, load_policy().roles))
    assert granted <= MODEL.classes
    assert MODEL.classes - granted == frozenset()


def test_measures_name_units_references_and_codes_that_exist() -> None:
    for measure in load_measures().values():
        assert measure.population in ("visible", "published")
        assert measure.formula
        assert measure.version >= 1
        for name, field in measure.fields.items():
            assert field.type in _COLUMN_TYPES, f"{measure.name}.{name}"
            if field.unit_field:
                assert measure.fields[field.unit_field].type == "code", f"{measure.name}.{name}"
            if field.type in ("quantity", "amount"):
                assert field.unit_field, f"{measure.name}.{name} has no unit"


def _read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "read_folder", lambda _: read_folder(folder))
    load_model.__wrapped__()


_FAULTS = {
    "an unknown type": ("{type: number}", "number"),
    "a reference to nothing": ("{type: ref, to: nowhere}", "nowhere"),
    "a quantity without a unit": ("{type: quantity}", "unit or currency"),
}


@pytest.mark.parametrize(("field", "words"), _FAULTS.values(), ids=_FAULTS.keys())
def test_a_model_that_is_not_well_formed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, words: str
) -> None:
    (tmp_path / "a.yaml").write_text(f"thing: {{class: item, title: thing, fields: {{x: {field}}}}}\n")
    with pytest.raises(ModelDefinitionError, match=words):
        _read(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("labels", "words"),
    [("{from: x}", "takes its labels"), ("{from: nobody}", "takes its labels"), ("{country: hint}", "unknown labels")],
)
def test_labels_from_no_reference_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: str, words: str
) -> None:
    body = f"thing: {{class: item, title: thing, labels: {labels}, fields: {{x: {{type: text}}}}}}\n"
    (tmp_path / "a.yaml").write_text(body)
    with pytest.raises(ModelDefinitionError, match=words):
        _read(tmp_path, monkeypatch)


def test_references_in_a_circle_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text(
        "one: {class: item, title: one, fields: {other: {type: ref, to: two}}}\n"
        "two: {class: item, title: two, fields: {other: {type: ref, to: one}}}\n"
    )
    with pytest.raises(ModelDefinitionError, match="circle"):
        _read(tmp_path, monkeypatch)


def test_an_unknown_entity_is_named() -> None:
    with pytest.raises(ModelDefinitionError, match="'order'"):
        MODEL["order"]


def test_a_reference_column_ends_with_id() -> None:
    assert Field(name="site", type="ref", title="site", to="site").column == "site_id"
    assert Field(name="unit", type="code", title="unit").column == "unit"
