"""The Odoo connector against the Odoo in memory: both protocols, both sets of names, and what can go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from connectors.base import SourceRecord
from connectors.errors import (
    SourceAccessDeniedError,
    SourceAuthFailedError,
    SourceProtocolError,
    SourceSettingsError,
)
from connectors.http import Answer, Limits
from connectors.odoo.cells import JsonObject
from connectors.odoo.connector import OdooConnector, OdooSettings
from connectors.odoo.fake import FakeOdoo, Model
from connectors.odoo.items import is_gtin
from connectors.odoo.notes import plain
from connectors.odoo.transport import Account, read_json, read_xml
from connectors.testing import ConnectorConformance

EARLIER = "2026-02-01 08:00:00"
REFUSAL = (
    "You are not allowed to access 'Sales Order' (sale.order) records.\n\n"
    "This operation is allowed for the following groups:\n\t- Sales/User\n\nContact your administrator."
)
# Which name a field has where it was renamed: (14, 19).
NAMES = {
    "unit": ("product_uom", "product_uom_id"),
    "seller": ("name", "partner_id"),
    "reserved": ("reserved_availability", "quantity"),
    "done": ("quantity_done", "quantity"),
    "moved": ("qty_done", "quantity"),
}


def model(fields: str, *rows: JsonObject) -> Model:
    """A model from "name type[>relation]" words; every one has a company and a date of change."""
    described: dict[str, JsonObject] = {
        "id": {"type": "integer"},
        "write_date": {"type": "datetime"},
        "company_id": {"type": "many2one", "relation": "res.company"},
        "active": {"type": "boolean"},
    }
    for word in fields.split():
        name, kind = word.split(":")
        kind, _, relation = kind.partition(">")
        described[name] = {"type": kind, **({"relation": relation} if relation else {})}
    return Model(fields=described, rows={int(str(row["id"])): {"write_date": EARLIER, **row} for row in rows})


def odoo(version: str) -> FakeOdoo:
    """One order of a company's contact: four desks (one delivered), a dozen bins from stock; one purchase order."""
    old = version < "19"
    name = {key: names[0 if old else 1] for key, names in NAMES.items()}
    company: list[object] = [1, "Main"]
    factor = (1.0 / 12) if old else 12.0
    family: JsonObject = {"category_id": [1, "Unit"]} if old else {}
    larger: JsonObject = {} if old else {"relative_uom_id": [1, "Units"]}
    models = {
        "res.company": model(
            "name:char currency_id:many2one>res.currency partner_id:many2one>res.partner",
            {"id": 1, "name": "Main", "currency_id": [1, "USD"], "partner_id": [1, "Main"]},
        ),
        "crm.team": model("name:char", {"id": 5, "name": "Direct", "active": True}),
        "res.country": model("code:char", {"id": 1, "code": "US"}),
        "stock.warehouse": model(
            "name:char code:char view_location_id:many2one>stock.location partner_id:many2one>res.partner",
            {"id": 1, "name": "West", "code": "WH", "company_id": company, "view_location_id": [4, "WH"],
             "partner_id": [1, "Main"]},
        ),
        "stock.location": model(
            "usage:selection parent_path:char",
            {"id": 2, "usage": "customer", "parent_path": "2/"},
            {"id": 4, "usage": "view", "parent_path": "4/"},
            {"id": 5, "usage": "internal", "parent_path": "4/5/"},
            {"id": 1, "usage": "supplier", "parent_path": "1/"},
        ),
        "uom.uom": model(
            "name:char factor:float " + ("category_id:many2one>uom.category" if old else
                                         "relative_uom_id:many2one>uom.uom"),
            {"id": 1, "name": "Units", "factor": 1.0, "active": True, **family},
            {"id": 2, "name": "Dozens", "factor": factor, "active": True, **family, **larger},
        ),
        "res.partner": model(
            "name:char ref:char vat:char is_company:boolean parent_id:many2one>res.partner type:selection "
            "commercial_partner_id:many2one>res.partner customer_rank:integer supplier_rank:integer email:char "
            "phone:char function:char street:char street2:char zip:char city:char tz:char "
            "country_id:many2one>res.country",
            {"id": 1, "name": "Main", "is_company": True, "commercial_partner_id": [1, "Main"],
             "tz": "America/Los_Angeles"},
            {"id": 10, "name": "Acme", "is_company": True, "commercial_partner_id": [10, "Acme"], "ref": "C-10",
             "active": True, "customer_rank": 0, "city": "Reno", "country_id": [1, "US"]},
            {"id": 11, "name": "Ann", "parent_id": [10, "Acme"], "commercial_partner_id": [10, "Acme"],
             "type": "contact", "email": "ann@acme.example", "function": "Purchasing Manager", "active": True},
            {"id": 12, "name": "Dock", "parent_id": [10, "Acme"], "commercial_partner_id": [10, "Acme"],
             "type": "delivery", "street": "1 Way", "zip": "89501", "city": "Reno", "country_id": [1, "US"],
             "active": True},
            {"id": 20, "name": "Timber", "is_company": True, "commercial_partner_id": [20, "Timber"],
             "active": False, "supplier_rank": 1},
        ),
        "product.template": model("name:char", {"id": 3, "name": "Desk"}, {"id": 4, "name": "Bin"}),
        "product.product": model(
            "default_code:char name:char display_name:char barcode:char tracking:selection type:selection "
            "uom_id:many2one>uom.uom categ_id:many2one>product.category product_tmpl_id:many2one>product.template "
            "stock_quant_ids:one2many>stock.quant stock_move_ids:one2many>stock.move sale_ok:boolean "
            "lst_price:float standard_price:float cost_method:selection currency_id:many2one>res.currency "
            "cost_currency_id:many2one>res.currency",
            {"id": 30, "default_code": "D-1", "name": "Desk", "display_name": "Desk (Oak)", "active": True,
             "barcode": "4006381333931", "uom_id": [1, "Units"], "product_tmpl_id": [3, "Desk"], "sale_ok": True,
             "lst_price": 300.0, "standard_price": 200.1, "cost_method": "average", "type": "product",
             "currency_id": [1, "USD"], "cost_currency_id": [1, "USD"], "tracking": "lot",
             "stock_quant_ids": [1, 2], "stock_move_ids": [70, 71]},
            {"id": 31, "default_code": False, "name": "Bin", "display_name": "Bin", "active": False,
             "uom_id": [1, "Units"], "product_tmpl_id": [4, "Bin"], "type": "product", "tracking": "none",
             "stock_quant_ids": [3], "stock_move_ids": [72]},
        ),
        "product.supplierinfo": model(
            f"{name['seller']}:many2one>res.partner product_id:many2one>product.product price:float delay:integer "
            f"product_tmpl_id:many2one>product.template min_qty:float sequence:integer {name['unit']}:many2one>uom.uom "
            "product_code:char currency_id:many2one>res.currency",
            {"id": 8, name["seller"]: [20, "Timber"], "product_tmpl_id": [3, "Desk"], "delay": 14, "price": 180.0,
             "min_qty": 2.0, "sequence": 1, name["unit"]: [1, "Units"], "currency_id": [1, "USD"],
             "product_code": "T-77"},
        ),
        "stock.lot": model("name:char", {"id": 1, "name": "L1"}, {"id": 2, "name": "L2"}),
        "stock.quant": model(
            "product_id:many2one>product.product location_id:many2one>stock.location lot_id:many2one>stock.lot "
            "quantity:float reserved_quantity:float",
            {"id": 1, "product_id": [30, "D"], "location_id": [5, "S"], "lot_id": [1, "L1"], "quantity": 7.0,
             "reserved_quantity": 3.0},
            {"id": 2, "product_id": [30, "D"], "location_id": [5, "S"], "lot_id": [2, "L2"], "quantity": 0.3,
             "reserved_quantity": 0.1},
            {"id": 3, "product_id": [31, "B"], "location_id": [5, "S"], "quantity": 24.0, "reserved_quantity": 0.0},
        ),
        "sale.order": model(
            "name:char client_order_ref:char state:selection partner_id:many2one>res.partner amount_total:monetary "
            "warehouse_id:many2one>stock.warehouse team_id:many2one>crm.team date_order:datetime "
            "commitment_date:datetime picking_policy:selection amount_untaxed:monetary amount_tax:monetary "
            "currency_id:many2one>res.currency" + ("" if old else " delivery_status:selection"),
            {"id": 24, "name": "S00024", "client_order_ref": "PO-9", "state": "sale", "partner_id": [11, "Acme, Ann"],
             "warehouse_id": [1, "West"], "team_id": [5, "Direct"], "company_id": company, "picking_policy": "one",
             "date_order": "2026-02-01 03:00:00", "commitment_date": "2026-02-10 20:00:00",
             "delivery_status": "partial", "amount_untaxed": 1200.0, "amount_tax": 0.1 + 0.2,
             "amount_total": 1200.3, "currency_id": [1, "USD"]},
        ),
        "sale.order.line": model(
            f"order_id:many2one>sale.order product_id:many2one>product.product {name['unit']}:many2one>uom.uom "
            "product_uom_qty:float qty_delivered:float display_type:selection sequence:integer state:selection "
            "price_unit:float discount:float price_subtotal:monetary currency_id:many2one>res.currency",
            {"id": 45, "order_id": [24, "S00024"], "product_id": [30, "D"], name["unit"]: [1, "Units"],
             "product_uom_qty": 4.0, "qty_delivered": 1.0, "sequence": 10, "state": "sale", "company_id": company,
             "price_unit": 300.0, "discount": 10.0, "price_subtotal": 1080.0, "currency_id": [1, "USD"]},
            {"id": 46, "order_id": [24, "S00024"], "product_id": [31, "B"], name["unit"]: [2, "Dozens"],
             "product_uom_qty": 1.0, "qty_delivered": 0.0, "sequence": 10, "state": "sale", "company_id": company},
            {"id": 47, "order_id": [24, "S00024"], "display_type": "line_note", "company_id": company},
        ),
        "stock.picking.type": model(
            "code:selection warehouse_id:many2one>stock.warehouse",
            {"id": 2, "code": "outgoing", "warehouse_id": [1, "West"]},
            {"id": 1, "code": "incoming", "warehouse_id": [1, "West"]},
        ),
        "stock.picking": model(
            "name:char state:selection sale_id:many2one>sale.order picking_type_id:many2one>stock.picking.type "
            "picking_type_code:selection date_done:datetime date_deadline:datetime scheduled_date:datetime "
            "location_id:many2one>stock.location location_dest_id:many2one>stock.location signature:binary "
            "partner_id:many2one>res.partner purchase_id:many2one>purchase.order create_date:datetime",
            {"id": 60, "name": "WH/OUT/1", "state": "done", "sale_id": [24, "S"], "picking_type_id": [2, "Out"],
             "picking_type_code": "outgoing", "date_done": "2026-02-05 23:30:00", "location_id": [5, "S"],
             "location_dest_id": [2, "C"], "company_id": company, "signature": "1.2 Kb", "partner_id": [12, "Dock"]},
            {"id": 61, "name": "WH/OUT/2", "state": "assigned", "sale_id": [24, "S"], "picking_type_id": [2, "Out"],
             "picking_type_code": "outgoing", "date_done": "2026-02-05 23:30:00", "location_id": [5, "S"],
             "location_dest_id": [2, "C"], "company_id": company, "scheduled_date": "2026-02-08 09:00:00",
             "date_deadline": "2026-02-10 20:00:00"},
        ),
        "stock.move": model(
            "product_id:many2one>product.product state:selection product_uom:many2one>uom.uom date:datetime "
            f"product_uom_qty:float {name['reserved']}:float {name['done']}:float picking_id:many2one>stock.picking "
            "location_id:many2one>stock.location location_dest_id:many2one>stock.location date_deadline:datetime "
            "sale_line_id:many2one>sale.order.line lot_ids:many2many>stock.lot "
            "purchase_line_id:many2one>purchase.order.line",
            {"id": 70, "product_id": [30, "D"], "state": "done", "product_uom": [1, "U"], "product_uom_qty": 1.0,
             name["reserved"]: 0.0, name["done"]: 1.0, "picking_id": [60, "1"], "location_id": [5, "S"],
             "location_dest_id": [2, "C"], "sale_line_id": [45, "l"], "lot_ids": [1], "date": "2026-02-05 23:30:00"},
            {"id": 71, "product_id": [30, "D"], "state": "partially_available", "product_uom": [1, "U"],
             "product_uom_qty": 3.0, name["reserved"]: 2.0, "picking_id": [61, "2"], "location_id": [5, "S"],
             "location_dest_id": [2, "C"], "sale_line_id": [45, "l"], "lot_ids": []},
            {"id": 72, "product_id": [31, "B"], "state": "assigned", "product_uom": [1, "U"],
             "product_uom_qty": 12.0, name["reserved"]: 12.0, "picking_id": [61, "2"], "location_id": [5, "S"],
             "location_dest_id": [2, "C"], "sale_line_id": [46, "l"], "lot_ids": []},
        ),
        "stock.move.line": model(
            f"move_id:many2one>stock.move product_id:many2one>product.product {name['moved']}:float state:selection "
            "product_uom_id:many2one>uom.uom location_id:many2one>stock.location lot_id:many2one>stock.lot "
            "location_dest_id:many2one>stock.location reference:char date:datetime"
            + (" product_uom_qty:float" if old else ""),
            {"id": 80, "move_id": [70, "m"], "product_id": [30, "D"], name["moved"]: 1.0, "state": "done",
             "product_uom_id": [1, "U"], "location_id": [5, "S"], "location_dest_id": [2, "C"], "lot_id": [1, "L1"],
             "reference": "WH/OUT/1", "date": "2026-02-05 23:30:00", "company_id": company},
            {"id": 81, "move_id": [72, "m"], "product_id": [31, "B"], "product_uom_id": [1, "U"], "state": "assigned",
             ("product_uom_qty" if old else "quantity"): 12.0, "location_id": [5, "S"], "location_dest_id": [2, "C"],
             "company_id": company},
        ),
        "mail.message": model(
            "model:char res_id:many2one_reference message_type:selection body:html date:datetime "
            "author_id:many2one>res.partner",
            {"id": 90, "model": "sale.order", "res_id": 24, "message_type": "comment", "author_id": [11, "Ann"],
             "body": "<p>Please  hurry &amp; call</p><p>Ann</p>", "date": "2026-02-02 08:00:00"},
        ),
    }
    return FakeOdoo(version=version, models=models)


def connector(fake: FakeOdoo, **account: str) -> OdooConnector:
    given = {"database": fake.database, "login": fake.login, "api_key": fake.api_key, **account}
    settings = OdooSettings(
        url="https://erp.example", account=Account(**given), page_size=2, limits=Limits(tries=2, pause=0)
    )
    return OdooConnector(settings, fake.transport())


async def everything(fake: FakeOdoo, entity: str) -> dict[str, SourceRecord]:
    return {r.key: r async for page in connector(fake).changes(entity, None) for r in page.records}


class OdooConformance(ConnectorConformance):
    host = "erp.example"
    secrets = ("a-key-never-to-be-shown", "a-wrong-key")
    late_entity = "sales_order"
    version = ""

    def connect(self) -> OdooConnector:
        self.fake = odoo(self.version)
        return connector(self.fake)

    def connect_broken(self, how: str) -> OdooConnector | None:
        fake = odoo(self.version)
        if how == "unauthorised":
            return connector(fake, api_key="a-wrong-key")
        fake.fail = [503] * 20
        return connector(fake)

    @asynccontextmanager
    async def late_change(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        async def commit() -> None:
            begun = self.fake.now - timedelta(minutes=5)
            row = self.fake.models["sale.order"].rows[24]
            row |= {"client_order_ref": "PO-10", "write_date": begun.strftime("%Y-%m-%d %H:%M:%S")}

        yield commit


class TestOdoo14(OdooConformance):
    version = "14.0"


class TestOdoo19(OdooConformance):
    version = "19.0"


@pytest.mark.parametrize("version", ["14.0", "19.0"])
async def test_an_order_with_its_lines(version: str) -> None:
    fake = odoo(version)
    order = (await everything(fake, "sales_order"))["sale.order/24"]
    assert order.labels == {"company": "1", "warehouse": "1", "team": "5"}
    # 03:00 UTC is still the day before at the warehouse in Los Angeles.
    assert order.values == {
        "number": "S00024", "customer": "res.partner/10", "customer_po": "PO-9", "site": "stock.warehouse/1",
        "status": "partly_shipped", "order_date": date(2026, 1, 31), "promised_date": date(2026, 2, 10),
        "shipped_date": None, "ship_complete": True,
    }  # fmt: skip
    lines = await everything(fake, "sales_order_line")
    desk, bins = (lines[f"sale.order.line/{ident}"].values for ident in (45, 46))
    assert set(lines) == {"sale.order.line/45", "sale.order.line/46"}
    assert (desk["open_quantity"], desk["reserved_quantity"], desk["status"]) == (3, 2, "partly_shipped")
    # Twelve single bins are reserved for an order of one dozen.
    assert (bins["open_quantity"], bins["reserved_quantity"], bins["unit"]) == (1, 1, "Dozens")
    assert [desk["line_number"], bins["line_number"]] == [1, 2]
    assert (await everything(fake, "sales_line_price"))["sale.order.line/45"].values["discount"] == Decimal("0.1")
    assert (await everything(fake, "sales_order_amount"))["sale.order/24"].values["tax"] == Decimal("0.3")


@pytest.mark.parametrize("version", ["14.0", "19.0"])
async def test_stock_is_summed_by_site_and_lot(version: str) -> None:
    stock = await everything(odoo(version), "stock")
    lot = stock["product.product/30/stock.warehouse/1/lot/2"].values
    assert (lot["lot"], lot["on_hand"], lot["available"]) == ("L2", Decimal("0.3"), Decimal("0.2"))
    assert stock["product.product/31/stock.warehouse/1"].values["on_hand"] == 24
    moves = await everything(odoo(version), "stock_move")
    assert moves["stock.move.line/80/out"].values["quantity"] == -1
    assert moves["stock.move.line/80/out"].values["kind"] == "shipment"


@pytest.mark.parametrize("version", ["14.0", "19.0"])
async def test_partners_become_customers_and_suppliers(version: str) -> None:
    fake = odoo(version)
    customers = await everything(fake, "customer")
    assert set(customers) == {"res.partner/10"}
    assert customers["res.partner/10"].labels == {"company": "1", "warehouse": "1", "team": "5", "country": "US"}
    contacts = await everything(fake, "customer_contact")
    assert contacts["res.partner/11"].values["role"] == "purchasing"
    assert (await everything(fake, "customer_address"))["res.partner/12"].values["kind"] == "ship_to"
    supplier = (await everything(fake, "supplier"))["res.partner/20"]
    assert supplier.values["status"] == "archived"
    offer = (await everything(fake, "supplier_item"))["product.supplierinfo/8/product.product/30"].values
    assert (offer["supplier"], offer["part_number"], offer["lead_time"]) == ("res.partner/20", "T-77", 14)


@pytest.mark.parametrize("version", ["14.0", "19.0"])
async def test_shipments_units_and_notes(version: str) -> None:
    fake = odoo(version)
    shipments = await everything(fake, "shipment")
    signed, waiting = shipments["stock.picking/60"].values, shipments["stock.picking/61"].values
    assert (signed["status"], signed["proof_of_delivery"]) == ("shipped", "signed")
    assert signed["shipped_at"] == datetime(2026, 2, 5, 23, 30, tzinfo=UTC)
    # Odoo has a date of transfer on some that weren't transferred.
    assert (waiting["status"], waiting["shipped_at"]) == ("ready", None)
    assert (await everything(fake, "shipment_line"))["stock.move/70"].values["lot"] == "L1"
    units = await everything(fake, "item_unit")
    assert units["product.product/30/uom.uom/2"].values["base_quantity"] == 12
    note = (await everything(fake, "customer_note"))["mail.message/90/sale.order/24"].values
    assert note["body"] == "Please hurry & call\nAnn"
    assert (note["customer"], note["order"]) == ("res.partner/10", "sale.order/24")
    assert connector(fake).link("customer_note", "mail.message/90/sale.order/24") == (
        "https://erp.example/mail/view?model=sale.order&res_id=24"
    )


async def test_a_changed_child_brings_its_parent() -> None:
    fake = odoo("19.0")
    source = connector(fake)
    cursor = [page async for page in source.changes("sales_order_line", None)][-1].cursor
    assert [r async for page in source.changes("sales_order_line", cursor) for r in page.records] == []
    fake.models["stock.move"].rows[71] |= {"quantity": 3.0, "write_date": "2026-03-02 12:01:00"}
    found = [r async for page in source.changes("sales_order_line", cursor) for r in page.records]
    assert [(r.key, r.values["reserved_quantity"]) for r in found] == [("sale.order.line/45", 3)]


async def test_what_one_import_changed_in_the_same_instant_is_read_whole() -> None:
    fake = odoo("19.0")
    lines = fake.models["sale.order.line"].rows
    lines |= {i: {**lines[45], "id": i} for i in range(100, 131)}
    source = connector(fake)
    pages = [page async for page in source.changes("sales_order_line", None)]
    assert max(len(page.records) for page in pages) == 2
    assert {r.key for page in pages for r in page.records} == {
        f"sale.order.line/{i}" for i in (45, 46, *range(100, 131))
    }


async def test_what_changes_during_a_pass_is_in_the_next() -> None:
    fake = odoo("19.0")
    source = connector(fake)
    cursor = None
    async for page in source.changes("sales_order_line", None):
        if cursor is None:
            fake.now += timedelta(hours=1)
            fake.models["sale.order.line"].rows[45] |= {
                "product_uom_qty": 9.0,
                "write_date": fake.now.strftime("%Y-%m-%d %H:%M:%S"),
            }
        cursor = page.cursor
    found = [r async for page in source.changes("sales_order_line", cursor) for r in page.records]
    assert ("sale.order.line/45", 9) in [(r.key, r.values["ordered_quantity"]) for r in found]


@pytest.mark.parametrize("version", ["14.0", "19.0"])
async def test_a_refusal_names_model_operation_and_group(version: str) -> None:
    fake = odoo(version)
    fake.refuse = {"sale.order": REFUSAL}
    with pytest.raises(SourceAccessDeniedError, match=r"'search_read' on 'sale.order'.*Sales/User") as caught:
        await connector(fake).keys("sales_order")
    assert fake.api_key not in str(caught.value)


async def test_check_says_what_cannot_be_read() -> None:
    fake = odoo("19.0")
    fake.refuse = {"mail.message": REFUSAL.replace("sale.order", "mail.message")}
    del fake.models["product.product"].fields["standard_price"]
    info = await connector(fake).check()
    unreadable = {found.entity: found for found in info.unreadable}
    assert "Sales/User" in unreadable["customer_note"].reason
    assert unreadable["item_cost"].fields == ("cost",)
    assert "not installed" in unreadable["purchase_order"].reason
    assert ("warehouse", "1") in {(option.kind, option.key) for option in info.labels}


async def test_older_than_14_and_no_login_are_said() -> None:
    with pytest.raises(SourceProtocolError, match=r"13\.0"):
        await connector(FakeOdoo(version="13.0", models={})).check()
    with pytest.raises(SourceSettingsError, match="login"):
        await connector(odoo("16.0"), login="").check()
    with pytest.raises(SourceAuthFailedError):
        await connector(odoo("16.0"), login="someone-else").check()


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe<", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>'])
def test_a_body_that_is_no_answer_is_refused(body: bytes) -> None:
    answer = Answer(status=200, body=body, content_type="text/html", at=datetime.now(UTC))
    for read in (read_xml, read_json):
        with pytest.raises(SourceProtocolError, match="address"):
            read(answer)


async def test_a_page_from_something_else_is_not_odoo() -> None:
    settings = OdooSettings(url="https://x.example", account=Account(database="d", login="l", api_key="k"))
    strange = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>hello</html>"))
    with pytest.raises(SourceProtocolError, match="Odoo's address"):
        await OdooConnector(settings, strange).check()


def test_small_things() -> None:
    assert is_gtin("4006381333931")
    assert not is_gtin("4006381333932")
    assert plain("<div>a<br>b</div><script></script>") == "a\nb"
    assert plain("<p> </p>") is None
