"""A mapping held against the semantic model: every complaint at once, each with its place."""

from __future__ import annotations

import pytest

from connectors.mapping.parse import parse_mapping
from copilot.errors import SourceConfigError
from copilot.ingest.mapping import check_mapping, complaints, field_types
from copilot.semantic.model import load_model

GOOD = """
mapping: 1
system: Small
entities:
  supplier:
    from: vendor
    key: id
    fields: {number: no, name: name, status: {column: state, codes: {"1": active, "0": blocked}}}
    labels: {region: {constant: "*"}}
"""


def _found(text: str) -> dict[str, str]:
    return {each.place: each.message for each in complaints(parse_mapping(text), load_model())}


def test_a_mapping_that_fits_has_no_complaints() -> None:
    check_mapping(parse_mapping(GOOD), load_model())


@pytest.mark.parametrize(
    ("before", "after", "place", "message"),
    [
        ("supplier:", "suplier:", "entities.suplier", "did you mean 'supplier'?"),
        ("supplier:", "supplier_rate:", "entities.supplier_rate", "there is no entity"),
        ("number: no", "numbr: no", "entities.supplier.fields.numbr", "did you mean 'number'?"),
        (", name: name", "", "entities.supplier.fields", "'name' is required and not mapped"),
        ("blocked", "shut", "entities.supplier.fields.status", "'shut' is none of active, blocked, archived"),
        ("region:", "channel:", "entities.supplier.labels.channel", "takes no channel from the source"),
        ("region:", "realm:", "entities.supplier.labels.realm", "there is no label 'realm'"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(before: str, after: str, place: str, message: str) -> None:
    assert message in _found(GOOD.replace(before, after))[place]


def test_a_quantity_needs_its_unit_and_a_reference_its_entity() -> None:
    text = """
mapping: 1
system: Small
entities:
  stock:
    from: stock
    key: id
    fields: {item: sku, site: wh, on_hand: qty}
"""
    found = _found(text)
    assert "nobody knows its unit" in found["entities.stock.fields.on_hand"]
    assert "refers to 'item', which this mapping does not bring" in found["entities.stock.fields.item"]


def test_rows_of_the_mapping_s_own_are_checked_too() -> None:
    text = """
mapping: 1
system: Small
entities:
  item:
    rows: [{key: a, name: Bolt, base_unit: ea, status: gone}, {key: b, nam: Nut}]
"""
    found = _found(text)
    assert "'gone' is none of" in found["entities.item.rows.0.status"]
    assert "did you mean 'name'?" in found["entities.item.rows.1.nam"]
    assert "is required and not given" in found["entities.item.rows.1"]


def test_all_complaints_come_at_once() -> None:
    text = GOOD.replace("number: no", "numbr: no").replace("blocked", "shut")
    with pytest.raises(SourceConfigError) as refused:
        check_mapping(parse_mapping(text), load_model())
    assert "numbr" in str(refused.value)
    assert "shut" in str(refused.value)


def test_a_connector_knows_the_types_of_every_entity_a_source_can_deliver() -> None:
    types = field_types(load_model())
    assert types["stock"]["on_hand"] == "quantity"
    assert "supplier_rate" not in types
