"""Questions about stock, prices and costs, checked against the database as the superuser sees it."""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import date
from typing import Any

import pytest

from copilot.domain.answer import Reason, Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import (
    Truth,
    amount,
    day,
    items,
    percent,
    plain,
    printed,
    quantity,
    sound,
    span,
    truth_of,
    verified,
)
from tests.company import NOW, Company, ask

STOCK = """
    select s.name, s.code, t.unit, sum(t.on_hand)::bigint as on_hand, sum(t.reserved)::bigint as reserved,
           sum(t.available)::bigint as available, sum(t.in_transit)::bigint as in_transit
      from biz.stock t join biz.site s on s.id = t.site_id
     where t.item_id = %(item)s and t.source_id = 1 and (%(region)s = 0 or t.label_region = %(region)s)
     group by s.id, t.unit order by s.id"""
INCOMING = """
    select l.open_quantity, l.unit, coalesce(l.promised_date, o.promised_date) as due, o.number, s.name as site
      from biz.purchase_line l join biz.purchase_order o on o.id = l.purchase_order_id
      join biz.site s on s.id = o.site_id
     where l.item_id = %(item)s and l.status in ('open', 'partly_received') and l.open_quantity > 0
       and o.status in ('sent', 'confirmed', 'partly_received') and (%(region)s = 0 or o.label_region = %(region)s)
     order by l.promised_date, l.id"""
DIFFERENT = """
    with sums as (select item_id, site_id, source_id, sum(on_hand)::bigint as on_hand, min(unit) as unit
                    from biz.stock group by 1, 2, 3)
    select i.id, i.number, i.name, s.name as site, a.on_hand as erp, b.on_hand as wms, a.unit
      from sums a join sums b using (item_id, site_id) join biz.item i on i.id = a.item_id
      join biz.site s on s.id = a.site_id
     where a.source_id = 1 and b.source_id = 2 and a.on_hand <> b.on_hand
     order by i.id, s.id"""
AGREED = """
    select i.id, i.number, i.name from biz.item i
     where i.id not in (select a.item_id from biz.stock a join biz.stock b using (item_id, site_id)
                         where a.source_id < b.source_id group by a.item_id, a.site_id
                        having (select sum(on_hand) from biz.stock e where e.item_id = a.item_id
                                   and e.site_id = a.site_id and e.source_id = 1)
                            <> (select sum(on_hand) from biz.stock w where w.item_id = a.item_id
                                   and w.site_id = a.site_id and w.source_id = 2))
       and (select count(*) from biz.purchase_line l join biz.purchase_order o on o.id = l.purchase_order_id
             where l.item_id = i.id and l.status in ('open', 'partly_received')
               and o.status in ('sent', 'confirmed', 'partly_received')) between %(least)s and 4
       and (select count(distinct site_id) from biz.stock t where t.item_id = i.id) > 2
       and exists (select from biz.stock t where t.item_id = i.id and (t.lot is not null) = %(lots)s)
     order by i.id"""


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


def totals(rows: list[dict[str, Any]], name: str = "") -> str:
    figures = {f: quantity(sum(r[f] for r in rows), rows[0]["unit"]) for f in ("available", "on_hand", "reserved")}
    shown = f"{figures['available']} available of {figures['on_hand']} on hand ({figures['reserved']} reserved)"
    return f"{name}: {shown}, in the records you may see."


def site_line(row: dict[str, Any]) -> str:
    figures = [quantity(row[f], row["unit"]) for f in ("available", "on_hand", "reserved", "in_transit")]
    return "{}: {} available, {} on hand, {} reserved, {} in transit.".format(row["name"], *figures)


def incoming_line(row: dict[str, Any]) -> str:
    what = f"{quantity(row['open_quantity'], row['unit'])} to {row['site']} with purchase order {row['number']}."
    return f"Incoming on {day(row['due'])}: {what}"


@pytest.mark.parametrize("lots", [False, True])
@pytest.mark.parametrize("supplied", [0, 1])
async def test_stock_by_site_with_what_is_coming(runtime: Runtime, truth: Truth, supplied: int, *, lots: bool) -> None:
    item = truth.one(AGREED, least=supplied, lots=lots)
    for subject, region in (("planner", 0), ("rep.us", 3)):
        rows = truth.all(STOCK, item=item["id"], region=region)
        coming = truth.all(INCOMING, item=item["id"], region=region)
        answer = await verified(runtime, subject, f"stock of {item['number']}")
        assert plain(answer).startswith(totals(rows, item["name"]))
        assert sorted(items(answer)) == sorted([*map(site_line, rows), *map(incoming_line, coming)])
        assert ("No incoming purchase is recorded" in plain(answer)) is not bool(coming)


async def test_stock_at_one_site_by_its_name_and_code(runtime: Runtime, truth: Truth) -> None:
    item = truth.one(AGREED, least=0, lots=False)
    row = truth.all(STOCK, item=item["id"], region=0)[-1]
    for typed in (row["name"], row["code"], f"warehouse {row['name'].lower()}"):
        answer = await verified(runtime, "planner", f"how many {item['number']} do we have in {typed}?")
        assert plain(answer).startswith(totals([row], f"{item['name']} at {row['name']}")), typed
        assert [line for line in items(answer) if "reserved" in line] == [site_line(row)], typed


async def test_where_erp_and_wms_disagree_both_figures_are_given(runtime: Runtime, truth: Truth) -> None:
    first = truth.one(DIFFERENT)
    rows = [row for row in truth.all(DIFFERENT) if row["id"] == first["id"]]
    answer = sound(await ask(runtime, "planner", f"stock of {first['number']}"), NOW, Verdict.PARTIAL)
    assert answer.reason is Reason.CONFLICTING
    told = [line for line in items(answer) if line.startswith("The systems disagree")]
    said = [re.sub(r" \(confirmed 20 Nov 2026, \d\d:\d\d \w+\)", "", line) for line in told]
    assert sorted(said) == sorted(
        f"The systems disagree for {row['site']}: Demo WMS says {quantity(row['wms'], row['unit'])} on hand, "
        f"Demo ERP says {quantity(row['erp'], row['unit'])}. Demo WMS governs: policy baseline-7 puts the warehouse "
        "system before the ERP."
        for row in rows
    )
    stock = truth.all(STOCK, item=first["id"], region=0)
    counted = {row["site"]: row["wms"] for row in rows}
    for row in stock:
        row["on_hand"] = counted.get(row["name"], row["on_hand"])
        row["available"] = row["on_hand"] - row["reserved"]
    assert plain(answer).startswith(totals(stock, first["name"]))


async def test_an_item_without_stock_is_an_answer(runtime: Runtime, truth: Truth) -> None:
    item = truth.one(
        """select i.number, i.name from biz.item i left join biz.stock s on s.item_id = i.id and s.label_region = 3
            where s.id is null order by i.id"""
    )
    answer = sound(await ask(runtime, "rep.us", f"stock of {item['number']}"), NOW, Verdict.VERIFIED)
    assert plain(answer).startswith(f"No stock of {item['name']} is recorded, in the records you may see.")


PRICED = """
    select c.id as customer_id, c.number, c.name as customer, i.id as item_id, i.number as item_number, i.name as item,
           i.base_unit
      from biz.customer c
      join biz.customer_price_list a on a.customer_id = c.id
      join biz.price_list l on l.id = a.price_list_id
      join biz.price_rule r on r.price_list_id = l.id
      join biz.item i on i.id = r.item_id or (r.item_id is null and i.category = r.category)
        or (r.item_id is null and r.category is null and i.id %% 97 = 0)
     where c.label_region = 3 and coalesce(r.minimum_quantity, 0) <= 1000000
       and (r.item_id is not null, r.category is not null) = (%(item)s, %(category)s)
       and i.id not in (select t.item_id from biz.customer_contract t where t.customer_id = c.id)
     order by c.id, i.id limit 400"""
CONTRACTED = """
    select c.id as customer_id, c.number, c.name as customer, i.id as item_id, i.number as item_number, i.name as item,
           i.base_unit
      from biz.customer_contract t join biz.customer c on c.id = t.customer_id join biz.item i on i.id = t.item_id
     where c.label_region = 3 order by t.id"""


def priced(truth: Truth, basis: str, near: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """A customer and an item whose price has this basis, and the price."""
    rows = truth.all(CONTRACTED) if basis == "contract" else truth.all(PRICED, item=near == 3, category=near == 2)
    for row in rows:
        price = truth.price(row["customer_id"], row["item_id"], date(2026, 11, 20))
        if price["basis"] == basis and price.get("near") == near:
            return row, price
    raise AssertionError(f"nobody pays by {basis} {near}")


@pytest.mark.parametrize(("basis", "near"), [("contract", None), ("rule", 3), ("discount", 2), ("discount", 1)])
async def test_a_customers_price_with_the_rule_that_gives_it(
    runtime: Runtime, truth: Truth, basis: str, near: int | None
) -> None:
    row, price = priced(truth, basis, near)
    told = {"price": amount(price["price"], price["currency"]), "unit": row["base_unit"], "rule": price["rule"]}
    if basis != "contract":
        told["price_list"] = price["price_list"]
    if basis == "discount":
        told |= {"discount": percent(price["discount"]), "list_price": amount(price["list_price"], price["currency"])}
    for text in ("what does {c} pay for {i}?", "price of {i} for {c}"):
        answer = await verified(runtime, "rep.us", text.format(c=row["number"], i=row["item_number"]))
        assert printed(answer, "customer_price") == [told]
        assert (printed(answer, "customer"), printed(answer, "item")) == (
            [{"name": row["customer"]}],
            [{"name": row["item"]}],
        )


async def test_a_customer_that_no_rule_covers_pays_the_list_price(runtime: Runtime, truth: Truth) -> None:
    row, _ = priced(truth, "discount", 1)
    truth.change(
        """delete from biz.price_rule where price_list_id = (select price_list_id from biz.customer_price_list
            where customer_id = %(customer)s)""",
        customer=row["customer_id"],
    )
    price = truth.price(row["customer_id"], row["item_id"], date(2026, 11, 20))
    assert price["basis"] == "list"
    answer = await verified(runtime, "rep.us", f"price of {row['item_number']} for {row['number']}")
    told = {"price": amount(price["price"], price["currency"]), "unit": row["base_unit"]}
    assert printed(answer, "customer_price") == [told]
    assert "list price" in plain(answer)


async def test_list_price_and_cost_of_an_item(runtime: Runtime, truth: Truth) -> None:
    item = truth.one("select * from biz.item order by id desc")
    price = truth.one("select * from biz.item_price where item_id = %(id)s and label_region = 3", id=item["id"])
    answer = await verified(runtime, "rep.us", f"list price of {item['number']}")
    told = {"price": amount(price["price"], price["currency"]), "unit": price["unit"]}
    assert printed(answer, "item_price") == [told]
    costs = truth.all("select * from biz.item_cost where item_id = %(id)s order by id", id=item["id"])
    answer = await verified(runtime, "buyer", f"cost of {item['number']}")
    told_costs = [amount(cost["cost"], cost["currency"]) for cost in costs]
    assert sorted(fields["cost"] for fields in printed(answer, "item_cost")) == sorted(told_costs)


async def test_who_supplies_an_item(runtime: Runtime, truth: Truth) -> None:
    item = truth.one(
        """select i.id, i.number, i.name from biz.item i join biz.supplier_item s on s.item_id = i.id
            group by i.id having count(*) > 1 order by i.id"""
    )
    rows = truth.all(
        """select s.name, o.lead_time, o.minimum_quantity, o.unit, o.preferred, r.* from biz.supplier_item o
             join biz.supplier s on s.id = o.supplier_id left join biz.supplier_rate r on r.supplier_id = s.id
            where o.item_id = %(id)s""",
        id=item["id"],
    )
    answer = await verified(runtime, "planner", f"who supplies {item['number']}?")
    told = [
        f"{row['name']}: quoted lead time {span(row['lead_time'])}, at least "
        f"{quantity(row['minimum_quantity'], row['unit'])} an order; measured between {day(row['period_start'])} and "
        f"{day(row['period_end'])}: {percent(row['on_time_rate'])} of {row['receipts']} receipts on time, "
        f"{span(row['lead_time_mean'])} from order to receipt on average."
        for row in rows
    ]
    told += [f"{row['name']} is marked as preferred." for row in rows if row["preferred"]]
    assert f"{item['name']} is supplied by:" in plain(answer)
    assert sorted(items(answer)) == sorted(told)
