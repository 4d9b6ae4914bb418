"""AdventureWorks' purchasing in a scratch database of its own, and what plain SQL says there about each question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.acceptance.asked import Asked, Place, Shown

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "adventureworks"
MAPPING = (Path(__file__).resolve().parents[2] / "evals" / "mappings" / "adventureworks.yaml").read_text()
TABLES: Mapping[str, LiteralString] = {
    "location": "locationid int primary key, name text, costrate numeric, availability numeric, modifieddate timestamp",
    "product": "productid int primary key, name text, productnumber text, makeflag boolean, finishedgoodsflag boolean, "
    "color text, safetystocklevel int, reorderpoint int, standardcost numeric, listprice numeric, size text, "
    "sizeunitmeasurecode text, weightunitmeasurecode text, weight numeric, daystomanufacture int, productline text, "
    "class text, style text, productsubcategoryid int, productmodelid int, sellstartdate timestamp, "
    "sellenddate timestamp, discontinueddate timestamp, rowguid text, modifieddate timestamp",
    "productsubcategory": "productsubcategoryid int primary key, productcategoryid int, name text, rowguid text, "
    "modifieddate timestamp",
    "productinventory": "productid int, locationid int, shelf text, bin int, quantity int, rowguid text, "
    "modifieddate timestamp, primary key (productid, locationid)",
    "productvendor": "productid int, businessentityid int, averageleadtime int, standardprice numeric, "
    "lastreceiptcost numeric, lastreceiptdate timestamp, minorderqty int, maxorderqty int, onorderqty int, "
    "unitmeasurecode char(3), modifieddate timestamp, primary key (productid, businessentityid)",
    "purchaseorderheader": "purchaseorderid int primary key, revisionnumber int, status int, employeeid int, "
    "vendorid int, shipmethodid int, orderdate timestamp, shipdate timestamp, subtotal numeric, taxamt numeric, "
    "freight numeric, modifieddate timestamp",
    "purchaseorderdetail": "purchaseorderid int, purchaseorderdetailid int primary key, duedate timestamp, "
    "orderqty int, productid int, unitprice numeric, receivedqty numeric, rejectedqty numeric, modifieddate timestamp",
    "vendor": "businessentityid int primary key, accountnumber text, name text, creditrating int, "
    "preferredvendorstatus boolean, activeflag boolean, purchasingwebserviceurl text, modifieddate timestamp",
}


def load(admin: psycopg.Connection[Any]) -> None:
    """Make the tables and copy the files into them."""
    for name, columns in TABLES.items():
        admin.execute(sql.SQL("create table {} ({})").format(sql.Identifier(name), sql.SQL(columns)))
        into = sql.SQL("copy {} from stdin (format csv, header true)").format(sql.Identifier(name))
        with admin.cursor() as cursor, cursor.copy(into) as copy:
            copy.write((FOLDER / f"{name}.csv").read_bytes())


def asked(admin: psycopg.Connection[Any]) -> Iterator[Asked]:
    """The questions with their expected values."""
    yield from _orders(admin)
    yield from _values(admin)
    yield from _suppliers(admin)
    yield from _items(admin)
    yield from _stock(admin)
    yield Asked(question="status of purchase order AWPO99999", declined="not_found")
    yield Asked(question="value of purchase order AWPO7", subject="planner", declined="not_found")
    yield Asked(question="cost of BK-M82S-38", subject="rep", declined="not_found")


def _rows(admin: psycopg.Connection[Any], statement: LiteralString, *parameters: object) -> list[dict[str, Any]]:
    return admin.cursor(row_factory=dict_row).execute(statement, parameters or None).fetchall()


def _orders(admin: psycopg.Connection[Any]) -> Iterator[Asked]:
    states = {1: "draft", 2: "sent", 3: "cancelled", 4: "received"}
    for row in _rows(admin, """
        (select * from purchaseorderheader where status = 4 order by md5(purchaseorderid::text) limit 4)
        union all (select * from purchaseorderheader where status = 2 order by md5(purchaseorderid::text) limit 3)
        union all (select * from purchaseorderheader where status = 1 order by md5(purchaseorderid::text) limit 2)
        union all (select * from purchaseorderheader where status = 3 order by md5(purchaseorderid::text) limit 2)
    """):  # fmt: skip
        order = row["purchaseorderid"]
        must: dict[Place, Shown] = {("purchase_order", str(order), "status"): (states[row["status"]], None)}
        for line in _rows(admin, "select * from purchaseorderdetail where purchaseorderid = %s", order):
            key = str(line["purchaseorderdetailid"])
            must["purchase_line", key, "ordered_quantity"] = Decimal(line["orderqty"]), "EA"
            if row["status"] < 3:
                open_ = max(0, line["orderqty"] - line["receivedqty"])
                must["purchase_line", key, "open_quantity"] = Decimal(open_), "EA"
                must["purchase_line", key, "promised_date"] = line["duedate"].date(), None
        (vendor,) = _rows(admin, "select name from vendor where businessentityid = %s", row["vendorid"])
        must["supplier", str(row["vendorid"]), "name"] = vendor["name"], None
        yield Asked(question=f"status of purchase order AWPO{order}", must=must)


def _values(admin: psycopg.Connection[Any]) -> Iterator[Asked]:
    for row in _rows(admin, "select * from purchaseorderheader order by md5('v' || purchaseorderid::text) limit 5"):
        key = str(row["purchaseorderid"])
        must: dict[Place, Shown] = {
            ("purchase_order_amount", key, "net"): (row["subtotal"], "USD"),
            ("purchase_order_amount", key, "total"): (row["subtotal"] + row["taxamt"] + row["freight"], "USD"),
        }
        for line in _rows(
            admin, "select * from purchaseorderdetail where purchaseorderid = %s", row["purchaseorderid"]
        ):
            must["purchase_line_price", str(line["purchaseorderdetailid"]), "unit_price"] = line["unitprice"], "USD"
        yield Asked(question=f"value of purchase order AWPO{key}", must=must)


def _suppliers(admin: psycopg.Connection[Any]) -> Iterator[Asked]:
    for row in _rows(admin, """
        select v.*, (select count(*) from purchaseorderheader h
                      where h.vendorid = v.businessentityid and h.status = 2) as open_orders
          from vendor v where (select count(*) from vendor w where w.name = v.name) = 1
         order by md5(v.name) limit 6
    """):  # fmt: skip
        key = str(row["businessentityid"])
        status = "active" if row["activeflag"] else "archived"
        must: dict[Place, Shown] = {("supplier", key, "name"): (row["name"], None)}
        yield Asked(question=f"supplier {row['name']}", must={**must, ("supplier", key, "status"): (status, None)})
        listed = _rows(admin, "select purchaseorderid from purchaseorderheader where vendorid = %s and status = 2",
                       row["businessentityid"])  # fmt: skip
        numbers = {("purchase_order", str(each["purchaseorderid"]), "number"): (f"AWPO{each['purchaseorderid']}", None)
                   for each in listed}  # fmt: skip
        none = ("none",) if not listed else ()
        shown = numbers if len(listed) <= 20 else {}
        yield Asked(
            question=f"open purchase orders of {row['accountnumber']}",
            must={**must, **shown} if shown else {},
            says=none,
        )


def _items(admin: psycopg.Connection[Any]) -> Iterator[Asked]:
    for row in _rows(admin, """
        select p.productid, p.productnumber from product p join productvendor pv using (productid)
         group by 1, 2 order by md5(p.productnumber) limit 6
    """):  # fmt: skip
        must: dict[Place, Shown] = {}
        for offer in _rows(admin, "select * from productvendor where productid = %s", row["productid"]):
            key = f"{offer['productid']}/{offer['businessentityid']}"
            must["supplier_item", key, "lead_time"] = Decimal(offer["averageleadtime"]), None
            must["supplier_item_price", key, "price"] = offer["standardprice"], "USD"
        yield Asked(question=f"who supplies {row['productnumber']}", must=must)
    for row in _rows(admin, "select * from product where standardcost > 0 order by md5('c' || productnumber) limit 3"):
        must = {("item_cost", str(row["productid"]), "cost"): (row["standardcost"], "USD")}
        yield Asked(question=f"cost of {row['productnumber']}", must=must)


def _stock(admin: psycopg.Connection[Any]) -> Iterator[Asked]:
    for row in _rows(admin, """
        select p.productnumber, sum(i.quantity) as quantity from product p join productinventory i using (productid)
         group by 1 order by md5('s' || p.productnumber) limit 4
    """):  # fmt: skip
        yield Asked(question=f"stock of {row['productnumber']}", says=(f"{row['quantity']:,} EA on hand",))
