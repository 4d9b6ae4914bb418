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
from connectors.odoo.connector import OdooConnector, OdooSettings
from connectors.odoo.fake import FakeOdoo
from connectors.odoo.items import is_gtin
from connectors.odoo.notes import plain
from connectors.odoo.transport import Account, read_json, read_xml
from connectors.testing import ConnectorConformance, all_keys
from tests.unit.odoo_company import odoo

REFUSAL = (
    "You are not allowed to access 'Sales Order' (sale.order) records.\n\n"
    "This operation is allowed for the following groups:\n\t- Sales/User\n\nContact your administrator."
)


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
    assert order.labels == {
        "company": "1",
        "warehouse": "1",
        "team": "5",
        "region": "res.company/1",
        "channel": "crm.team/5",
    }
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
    assert customers["res.partner/10"].labels == {
        "company": "1",
        "warehouse": "1",
        "team": "5",
        "country": "US",
        "region": "res.company/1",
        "channel": "crm.team/5",
    }
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
        await all_keys(connector(fake), "sales_order")
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
