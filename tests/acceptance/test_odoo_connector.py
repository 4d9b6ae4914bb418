"""The Odoo connector against a real Odoo 19, over both protocols. Leaves Odoo as it was."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from connectors.base import Cursor, SourceRecord
from connectors.errors import SourceAccessDeniedError
from connectors.http import Limits
from connectors.odoo.connector import OdooConnector, OdooSettings
from connectors.odoo.mapping import SPECS
from connectors.odoo.transport import Account, Transport, Version, XmlTransport
from connectors.testing import ConnectorConformance, all_keys
from copilot.semantic.model import load_model

pytestmark = pytest.mark.odoo

MODEL = load_model()
# What a site's region is, is decided when the source is added.
OURS = {"site": frozenset({"region"})}
STARTER = Path(__file__).resolve().parents[3] / "shared" / "odoo" / "odoo"


@cache
def odoo() -> dict[str, str]:
    """How to reach Odoo: from the environment, or from what starts it."""
    if "ODOO_URL" in os.environ:
        return {name: os.environ[name] for name in ("ODOO_URL", "ODOO_DB", "ODOO_API_KEY")}
    if not STARTER.exists():
        pytest.skip("no Odoo: set ODOO_URL, ODOO_DB and ODOO_API_KEY")
    said = subprocess.run([STARTER, "start"], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in shlex.split(said, comments=True))


class OverXml(OdooConnector):
    """Speaks XML-RPC, as it does to Odoo 14 to 18."""

    def _speak(self, version: Version) -> Transport:
        return XmlTransport(self._http, self._settings.account)


def settings(**changes: Any) -> OdooSettings:
    place = odoo()
    account = Account(database=place["ODOO_DB"], login="admin", api_key=place["ODOO_API_KEY"])
    return replace(OdooSettings(url=place["ODOO_URL"], account=account), **changes)


def call(model: str, method: str, **arguments: Any) -> Any:
    place = odoo()
    headers = {"Authorization": f"bearer {place['ODOO_API_KEY']}", "X-Odoo-Database": place["ODOO_DB"]}
    url = f"{place['ODOO_URL']}/json/2/{model}/{method}"
    answer = httpx.post(url, json=arguments, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


def database() -> psycopg.Connection[tuple[Any, ...]]:
    """Odoo's own database, for what its API can't do: hold a transaction open."""
    port = os.environ.get("ODOO_PGPORT", "55439")
    return psycopg.connect(
        f"host=127.0.0.1 port={port} dbname={odoo()['ODOO_DB']} user=odoo password=odoo", autocommit=False
    )


class OdooConformance(ConnectorConformance):
    speaks: type[OdooConnector] = OdooConnector
    late_entity = "sales_order"
    references: ClassVar[Mapping[str, Mapping[str, str]]] = {
        entity.name: {field.name: field.to or "" for field in entity.refs() if field.to in SPECS}
        for entity in MODEL.entities.values()
    }
    required: ClassVar[Mapping[str, frozenset[str]]] = {
        entity.name: frozenset(f.name for f in entity.fields.values() if f.required) - OURS.get(entity.name, set())
        for entity in MODEL.entities.values()
    }
    codes: ClassVar[Mapping[str, Mapping[str, frozenset[str]]]] = {
        entity.name: {field.name: frozenset(field.codes) for field in entity.fields.values() if field.codes}
        for entity in MODEL.entities.values()
    }
    fields: ClassVar[Mapping[str, frozenset[str]]] = {
        entity.name: frozenset(entity.fields) for entity in MODEL.entities.values()
    }

    @pytest.fixture(autouse=True)
    def place(self) -> None:
        type(self).host = urlsplit(odoo()["ODOO_URL"]).netloc
        type(self).secrets = (odoo()["ODOO_API_KEY"], "a-wrong-key")

    def connect(self) -> OdooConnector:
        return self.speaks(settings(page_size=60))

    def connect_broken(self, how: str) -> OdooConnector:
        quick = Limits(tries=1)
        match how:
            case "unreachable":
                return self.speaks(settings(url="http://127.0.0.1:9", limits=quick))
            case "slow":
                return self.speaks(settings(limits=Limits(tries=1, timeout=0.001)))
            case _:
                wrong = replace(settings().account, api_key="a-wrong-key")
                return self.speaks(settings(account=wrong, limits=quick))

    @asynccontextmanager
    async def late_change(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """A transaction that begins before a pass and commits after it: Odoo dates it by its beginning."""
        set_to = "update sale_order set client_order_ref = %s, write_date = %s where id = 24"
        with database() as long:
            old = long.execute(
                "select client_order_ref, write_date, now() at time zone 'UTC' from sale_order where id = 24"
            ).fetchone()
            assert old is not None

            async def commit() -> None:
                long.execute(set_to, ("PO-LATE", old[2]))
                long.commit()

            try:
                yield commit
            finally:
                long.execute(set_to, old[:2])
                long.commit()
        call("sale.order", "read", ids=[24], fields=["name"])


class TestOverJson(OdooConformance):
    pass


class TestOverXmlRpc(OdooConformance):
    speaks = OverXml


async def all_of(source: OdooConnector, entity: str, cursor: Cursor | None = None) -> dict[str, SourceRecord]:
    return {r.key: r async for page in source.changes(entity, cursor) for r in page.records}


async def cursor_of(source: OdooConnector, entity: str) -> Cursor | None:
    return [page.cursor async for page in source.changes(entity, None)][-1]


async def test_both_protocols_give_the_same() -> None:
    assert await TestOverJson().known() == await TestOverXmlRpc().known()


@contextmanager
def order_of_a_stranger() -> Iterator[tuple[int, int]]:
    """A new contact of a new company, and a confirmed order of theirs for a dozen; all gone afterwards."""
    [company] = call("res.partner", "create", vals_list=[{"name": "Nordhaven Supply", "is_company": True}])
    [person] = call("res.partner", "create", vals_list=[{"name": "Lea Moss", "parent_id": company}])
    line = {"product_id": call("product.product", "search", domain=[["default_code", "=", "E-COM07"]])[0]}
    wanted = {"partner_id": person, "order_line": [[0, 0, {**line, "product_uom_qty": 12}]]}
    [order] = call("sale.order", "create", vals_list=[wanted])
    try:
        yield company, order
    finally:
        call("sale.order", "unlink", ids=call("sale.order", "search", domain=[["id", "=", order]]))
        call("res.partner", "unlink", ids=[person, company])


async def test_a_new_order_makes_a_customer_and_a_deleted_one_is_missed() -> None:
    source = OdooConnector(settings(overlap=timedelta(seconds=2)))
    cursors = {entity: await cursor_of(source, entity) for entity in ("customer", "sales_order", "sales_order_line")}
    await asyncio.sleep(3)
    with order_of_a_stranger() as (company, order):
        orders = await all_of(source, "sales_order", cursors["sales_order"])
        assert orders[f"sale.order/{order}"].values["customer"] == f"res.partner/{company}"
        assert set(orders) == {f"sale.order/{order}"}
        assert f"res.partner/{company}" in await all_of(source, "customer", cursors["customer"])
        [line] = (await all_of(source, "sales_order_line", cursors["sales_order_line"])).values()
        assert line.values["open_quantity"] == 12
        held = await all_keys(source, "sales_order")
        call("sale.order", "unlink", ids=[order])
        assert held - await all_keys(source, "sales_order") == {("1", f"sale.order/{order}")}
        assert await source.read("sales_order", [f"sale.order/{order}"]) == ()
        # No order, no customer.
        assert ("", f"res.partner/{company}") not in await all_keys(source, "customer")
    await source.aclose()


async def test_archived_partners_are_still_named() -> None:
    source = OdooConnector(settings())
    [key] = {str(r.values["customer"]) for r in await source.read("sales_order", ["sale.order/24"])}
    ident = int(key.split("/")[1])
    people = call("res.partner", "search", domain=[["id", "=", ident]])
    call("res.partner", "write", ids=people, vals={"active": False})
    try:
        [record] = await source.read("customer", [key])
        assert record.values["status"] == "archived"
        assert ("", key) in await all_keys(source, "customer")
    finally:
        call("res.partner", "write", ids=people, vals={"active": True})
    await source.aclose()


async def test_stock_agrees_with_odoo_item_by_item() -> None:
    source = OdooConnector(settings())
    held: dict[str, Any] = {}
    for record in (await all_of(source, "stock")).values():
        item = str(record.values["item"])
        held[item] = held.get(item, 0) + record.values["on_hand"]
    await source.aclose()
    ids = [int(item.split("/")[1]) for item in held]
    for product in call("product.product", "read", ids=ids, fields=["qty_available"]):
        assert float(held[f"product.product/{product['id']}"]) == product["qty_available"], product


async def test_a_limited_user_is_told_what_is_refused() -> None:
    account = replace(settings().account, login="portal", api_key="portal")
    source = OverXml(settings(account=account, limits=Limits(tries=1)))
    with pytest.raises(SourceAccessDeniedError, match=r"on '[a-z.]+'.*groups"):
        await all_keys(source, "purchase_line")
    await source.aclose()


async def test_a_link_leads_to_the_record() -> None:
    source = OdooConnector(settings())
    place = odoo()
    async with httpx.AsyncClient(base_url=place["ODOO_URL"]) as browser:
        said = {"db": place["ODOO_DB"], "login": "admin", "password": "admin"}
        await browser.post("/web/session/authenticate", json={"jsonrpc": "2.0", "params": said})
        for entity, key in (
            ("sales_order", "sale.order/24"),
            ("item", "product.product/20"),
            ("shipment", "stock.picking/46"),
        ):
            answer = await browser.get(source.link(entity, key) or "")
            assert urlsplit(answer.headers["location"]).path == f"/odoo/{key}"
    await source.aclose()
