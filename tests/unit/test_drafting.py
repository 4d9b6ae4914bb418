"""Drafts of mappings: what names say is found, what they don't is left to a person, and the draft parses."""

from __future__ import annotations

import pytest

from connectors.base import SourceColumn, SourceTable
from connectors.mapping.parse import parse_mapping
from connectors.mapping.spec import Column, MappedEntity
from copilot.ingest.drafting import compact, draft, likeness, synonyms
from copilot.ingest.mapping import complaints
from copilot.semantic.model import load_model


def _table(name: str, *columns: str, key: tuple[str, ...] = (), **references: tuple[str, str]) -> SourceTable:
    parsed = [each.partition(":") for each in columns]
    return SourceTable(
        name=name,
        columns=tuple(SourceColumn(name=each, type=kind or "text", samples=("a", "b")) for each, _, kind in parsed),
        key=key,
        references=references,
    )


TABLES = (
    _table("dbo.tbl_Vendors", "VendorID:number", "VendorNo", "Name", "ActiveFlag:flag", "Fax", key=("VendorID",)),
    _table("dbo.tbl_Warehouse", "WhseCode", "Name", "RegionId", key=("WhseCode",)),
    _table("dbo.Products", "SKU", "Description", "UOM", "EAN", "UnitPrice:number", "Currency", key=("SKU",)),
    _table(
        "dbo.PurchaseOrderHeader", "PONumber", "VendorID:number", "WhseCode", "OrderDate:date", "UpdatedAt:instant",
        key=("PONumber",), VendorID=("dbo.tbl_Vendors", "VendorID"), WhseCode=("dbo.tbl_Warehouse", "WhseCode"),
    ),
    _table("dbo.PurchaseOrderLines", "PONumber", "LineNo:number", "SKU", "QtyOrdered:number", "DueDate:date", "UOM",
           key=("PONumber", "LineNo"), PONumber=("dbo.PurchaseOrderHeader", "PONumber"), SKU=("dbo.Products", "SKU")),
    _table("dbo.AuditLog", "Id:number", "Who"),
)  # fmt: skip


def _drafted() -> dict[str, MappedEntity]:
    return {part.entity: part for part in parse_mapping(draft("ERP", TABLES, load_model())).entities}


def test_tables_become_the_entities_they_are_named_after() -> None:
    parts = _drafted()
    assert parts["supplier"].table == "dbo.tbl_Vendors"
    assert parts["purchase_order"].table == "dbo.PurchaseOrderHeader"
    assert parts["purchase_line"].table == "dbo.PurchaseOrderLines"
    assert parts["item_price"].table == parts["item"].table == "dbo.Products"
    assert parts["purchase_line"].key == ("PONumber", "LineNo")
    assert parts["purchase_order"].changed == ("UpdatedAt",)


@pytest.mark.parametrize(
    ("entity", "field", "column"),
    [
        ("supplier", "number", "VendorNo"),
        ("supplier", "status", "ActiveFlag"),
        ("item", "number", "SKU"),
        ("item", "name", "Description"),
        ("item", "gtin", "EAN"),
        ("item", "base_unit", "UOM"),
        ("item_price", "price", "UnitPrice"),
        ("item_price", "currency", "Currency"),
        ("purchase_order", "number", "PONumber"),
        ("purchase_order", "supplier", "VendorID"),
        ("purchase_order", "site", "WhseCode"),
        ("purchase_order", "order_date", "OrderDate"),
        ("purchase_line", "purchase_order", "PONumber"),
        ("purchase_line", "item", "SKU"),
        ("purchase_line", "line_number", "LineNo"),
        ("purchase_line", "promised_date", "DueDate"),
    ],
)
def test_columns_become_the_fields_they_are_named_after(entity: str, field: str, column: str) -> None:
    assert _drafted()[entity].fields[field] == Column(column)


def test_what_is_not_understood_is_said() -> None:
    text = draft("ERP", TABLES, load_model())
    assert "# not recognised: dbo.AuditLog" in text
    assert "Fax" in text
    assert "TODO codes" in text


def test_a_draft_fits_the_semantic_model_but_for_its_todos() -> None:
    found = list(complaints(parse_mapping(draft("ERP", TABLES, load_model())), load_model()))
    assert found == []


def test_names_are_compared_without_their_dress() -> None:
    assert compact("sales.tbl_Purchase_Orders.csv") == "purchaseorders"
    assert likeness("categories", "category") == 1.0
    assert likeness("vendorid", "vendor") > likeness("vendorx", "customer")


def test_synonyms_name_only_what_the_model_has() -> None:
    model = load_model()
    assert set(synonyms().entities) <= set(model.entities)
    for entity, fields in synonyms().fields.items():
        known = {name for each in model.entities.values() for name in each.fields}
        assert set(fields) <= (known if entity == "*" else set(model[entity].fields)), entity
