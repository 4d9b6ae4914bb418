"""What a desk asks all day, checked against the demo company's database as the superuser sees it, by actor."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from copilot.domain.answer import Reason, Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, amount, day, items, moment, plain, quantity, span, truth_of, words, working
from tests.acceptance.oracle import verified as asked
from tests.company import NOW, Company, ask

OPEN_ORDER = """
    select o.*, c.name as customer, s.time_zone from biz.sales_order o join biz.customer c on c.id = o.customer_id
      join biz.site s on s.id = o.site_id
     where o.status in ('confirmed', 'partly_shipped')
       and exists (select from biz.order_hold h where h.order_id = o.id and h.released_at is null) = %(held)s
     order by o.id desc"""
HOLDS = "select * from biz.order_hold where order_id = %(id)s and released_at is null order by placed_at"


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


# --- what is holding it, and why ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["what's holding {}?", "is {} on hold", "why hasn't {} shipped", "what is {} waiting for"]
)
async def test_what_holds_an_order_is_its_holds_and_what_its_lines_wait_for(
    runtime: Runtime, truth: Truth, text: str
) -> None:
    row = truth.one(OPEN_ORDER, held=True)
    answer = await asked(runtime, "planner", text.format(row["number"]))
    assert answer.kind == "order_hold_ups"
    said = items(answer)
    for hold in truth.all(HOLDS, id=row["id"]):
        assert f"On hold since {moment(hold['placed_at'], row['time_zone'])}: {words(hold['reason'])}." in said
    waiting = truth.all(
        "select * from biz.sales_order_line where order_id = %(id)s and status in ('open', 'backordered', "
        "'partly_shipped') order by line_number",
        id=row["id"],
    )
    told = [line for line in said if line.startswith("Line ")]
    assert [line.split(",")[0] for line in told] == [f"Line {line['line_number']}" for line in waiting]
    for line, wanted in zip(told, waiting, strict=True):
        assert f": {quantity(wanted['open_quantity'], wanted['unit'])} open" in line


async def test_a_short_line_says_how_short_it_is_and_which_purchase_order_brings_the_next(
    runtime: Runtime, truth: Truth
) -> None:
    rows = truth.all(
        """select o.id, o.number from biz.sales_order o where o.status in ('confirmed', 'partly_shipped')
              and o.promised_date < %(today)s order by o.id desc limit 40""",
        today=NOW.date(),
    )
    late = [
        (row, each) for row in rows for each in truth.late_lines(row["id"], NOW) if each.cause == "short_with_supply"
    ]
    row, line = late[0]
    answer = await asked(runtime, "planner", f"why is {row['number']} late")
    assert answer.kind == "order_why_late"
    said = [each for each in items(answer) if f"{line.missing} short" in each]
    assert any(f"the next supply there is due {day(line.supply)}" in each for each in said if line.supply), said


# --- what is taken for granted and is not so ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("why was {} cancelled", "was not called off: it is confirmed"),
        ("why was {} canceled?", "was not called off: it is confirmed"),
        ("why is {} on hold", "has no hold: it is confirmed"),
        ("why is {} late", "is confirmed and in time"),
        ("reason for the delay of {}", "is confirmed and in time"),
    ],
)
async def test_a_wrong_premise_is_corrected_and_the_reason_declined(
    runtime: Runtime, truth: Truth, text: str, says: str
) -> None:
    row = truth.one(
        """select o.* from biz.sales_order o where o.status = 'confirmed' and o.promised_date > %(today)s
              and not exists (select from biz.order_hold h where h.order_id = o.id)
              and not exists (select from biz.sales_order_line l
                               where l.order_id = o.id and l.promised_date < %(today)s)
            order by o.id desc""",
        today=NOW.date(),
    )
    answer = await ask(runtime, "planner", text.format(row["number"]))
    assert (answer.verdict, answer.reason) == (Verdict.DECLINED, Reason.WRONG_PREMISE), answer.answer
    assert says in plain(answer)
    assert {fact.value for fact in answer.facts} >= {row["number"], "confirmed"}
    assert answer.sources
    assert answer.next_steps


async def test_a_cancelled_order_has_no_reason_on_record(runtime: Runtime, truth: Truth) -> None:
    row = truth.one("select * from biz.sales_order where status = 'cancelled' order by id desc")
    answer = await asked(runtime, "planner", f"why was {row['number']} cancelled?")
    assert plain(answer) == f"Order {row['number']} was cancelled; why is not recorded."


async def test_a_hold_that_was_released_is_told_with_its_time(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select o.number, h.*, s.time_zone from biz.order_hold h join biz.sales_order o on o.id = h.order_id
             join biz.site s on s.id = o.site_id where h.released_at is not null and not exists (select from
                  biz.order_hold x where x.order_id = o.id and x.released_at is null) order by h.id desc"""
    )
    answer = await asked(runtime, "planner", f"why was {row['number']} on hold")
    held = f"from {moment(row['placed_at'], row['time_zone'])} to {moment(row['released_at'], row['time_zone'])}"
    assert f"{held}: {words(row['reason'])}" in plain(answer)


@pytest.mark.parametrize("text", ["why was {} cancelled", "what's holding {}", "why is {} on hold", "timeline of {}"])
async def test_an_order_of_another_region_is_as_unknown_as_one_that_does_not_exist(
    runtime: Runtime, truth: Truth, text: str
) -> None:
    hidden = truth.one("select number from biz.sales_order where label_region = 1 order by id desc")["number"]
    shown = await ask(runtime, "rep.us", text.format(hidden))
    missing = await ask(runtime, "rep.us", text.format("SO-99999"))
    assert shown.answer.replace(hidden, "…") == missing.answer.replace("SO-99999", "…")
    assert (shown.verdict, shown.sources, shown.facts) == (Verdict.DECLINED, (), ())


# --- shipped, complete, arriving ----------------------------------------------------------------------------


async def test_what_is_missing_and_what_has_shipped_add_up_to_the_order(runtime: Runtime, truth: Truth) -> None:
    row = truth.one("select * from biz.sales_order where status = 'partly_shipped' order by id desc")
    lines = truth.all(
        "select * from biz.sales_order_line where order_id = %(id)s and status <> 'cancelled' order by line_number",
        id=row["id"],
    )
    left = [line for line in lines if line["status"] != "shipped"]
    missing = await asked(runtime, "planner", f"what is missing on {row['number']}?")
    counted = f"{len(left)} of {len(lines)} {'line' if len(lines) == 1 else 'lines'} open"
    assert counted in plain(missing)
    gone = await asked(runtime, "planner", f"what did we ship so far on {row['number']}")
    told = [line for line in items(gone) if line.startswith("Line ")]
    shipped = [line for line in lines if line["shipped_quantity"]]
    assert len(told) == len(shipped)
    for text, line in zip(told, shipped, strict=True):
        both = (
            f"{quantity(line['shipped_quantity'], line['unit'])} of {quantity(line['ordered_quantity'], line['unit'])}"
        )
        assert both in text


async def test_when_it_arrives_and_who_has_it(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select h.*, o.number as order_number from biz.shipment h join biz.sales_order o on o.id = h.order_id
            where h.status = 'in_transit' and h.carrier is not null and h.expected_delivery is not null
            order by h.id desc"""
    )
    arrives = await asked(runtime, "planner", f"when will {row['order_number']} arrive?")
    expected = f"Shipment {row['number']} with {row['carrier']}: expected {day(row['expected_delivery'])}."
    assert expected in items(arrives)
    carrier = await asked(runtime, "planner", f"which carrier has {row['order_number']}")
    assert any(row["carrier"] in line and row["tracking_number"] in line for line in items(carrier))


# --- a customer's orders ------------------------------------------------------------------------------------


async def test_where_a_customers_order_is(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select c.id, c.number, count(*) as orders from biz.sales_order o join biz.customer c on c.id = o.customer_id
            where o.status in ('confirmed', 'partly_shipped') and o.label_region = 3
              and not exists (select from biz.sales_order x where x.customer_id = c.id and x.status = 'shipped')
            group by c.id having count(*) > 1 order by c.id"""
    )
    wanted = truth.all(
        "select number from biz.sales_order where customer_id = %(id)s and status in ('confirmed', 'partly_shipped')",
        id=row["id"],
    )
    for text in ("where is {}'s order?", "where are the orders of {}", "eta for {}"):
        answer = await asked(runtime, "rep.us", text.format(row["number"]))
        assert answer.kind == "customer_order_status"
        assert {fact.value for fact in answer.facts} >= {each["number"] for each in wanted}


async def test_what_is_late_for_a_customer_and_why(runtime: Runtime, truth: Truth) -> None:
    rows = truth.all(
        """select c.number as customer, o.number, o.promised_date, o.site_id from biz.sales_order o
             join biz.customer c on c.id = o.customer_id where o.status in ('confirmed', 'partly_shipped')
              and o.promised_date < %(today)s and o.label_region = 3 order by o.promised_date limit 1""",
        today=NOW.date(),
    )
    row = rows[0]
    late = truth.days_late(row["site_id"], row["promised_date"], truth.today(row["site_id"], NOW))
    answer = await asked(runtime, "rep.us", f"what's late for {row['customer']} and why?")
    said = items(answer)
    assert any(line.startswith(f"{row['number']} is {working(late)} late") for line in said), said
    assert any(line.startswith(f"{row['number']}, line ") for line in said), said


# --- supply -------------------------------------------------------------------------------------------------


async def test_the_next_delivery_of_an_item_by_purchase_order_and_transfer(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select i.number, l.open_quantity, l.unit, l.promised_date, s.name as site, o.number as po,
                  v.name as supplier, o.status
             from biz.purchase_line l join biz.purchase_order o on o.id = l.purchase_order_id
             join biz.item i on i.id = l.item_id join biz.site s on s.id = o.site_id
             join biz.supplier v on v.id = o.supplier_id
            where l.status in ('open', 'partly_received') and o.status in ('sent', 'confirmed', 'partly_received')
              and l.promised_date >= %(today)s
            order by l.promised_date, l.id""",
        today=NOW.date(),
    )
    answer = await asked(runtime, "planner", f"when is the next delivery of {row['number']}?")
    wanted = (
        f"Next on {day(row['promised_date'])}: {quantity(row['open_quantity'], row['unit'])} to {row['site']} from "
        f"{row['supplier']}, purchase order {row['po']} ({words(row['status'])})."
    )
    assert wanted in items(answer)


RATED = """
    select i.number, i.name from biz.item i join biz.supplier_item o on o.item_id = i.id
      join biz.supplier_rate r on r.supplier_id = o.supplier_id and r.receipts >= 5
      join biz.supplier s on s.id = o.supplier_id and s.status = 'active'
     group by i.id having count(*) > 1 and count(distinct r.on_time_rate) = count(*) order by i.id"""


async def test_the_best_supplier_by_the_stated_rule_and_nothing_of_it_for_who_may_not_see_rates(
    runtime: Runtime, truth: Truth
) -> None:
    item = truth.one(RATED)
    best = truth.one(
        """select s.name, r.* from biz.supplier_item o join biz.supplier s on s.id = o.supplier_id
             join biz.supplier_rate r on r.supplier_id = s.id join biz.item i on i.id = o.item_id
            where i.number = %(number)s and r.receipts >= 5 order by r.on_time_rate desc""",
        number=item["number"],
    )
    text = f"who supplies {item['number']} and who is best?"
    answer = await asked(runtime, "planner", text)
    assert plain(answer).startswith(f"Best for {item['name']} by on-time rate")
    assert f": {best['name']}, " in plain(answer).split(".")[0] + "."
    assert "quotes" not in plain(answer)
    without = await asked(runtime, "warehouse.sg", text)
    assert not any(word in plain(without) for word in ("on time", "Best", "average", "quotes"))
    assert {source.entity for source in without.sources}.isdisjoint({"supplier_rate", "supplier_item_price"})


async def test_the_cheapest_supplier_is_for_those_who_may_see_prices(runtime: Runtime, truth: Truth) -> None:
    item = truth.one(
        """select i.number, min(p.price) as price, min(p.currency) as currency, min(p.unit) as unit from biz.item i
             join biz.supplier_item o on o.item_id = i.id join biz.supplier_item_price p on p.supplier_item_id = o.id
             join biz.supplier s on s.id = o.supplier_id and s.status = 'active'
            group by i.id having count(*) > 1 and count(distinct p.currency) = 1 and count(distinct p.price) = count(*)
            order by i.id"""
    )
    answer = await asked(runtime, "buyer", f"cheapest supplier of {item['number']}")
    assert f"{amount(item['price'], item['currency'])} per {item['unit']}" in plain(answer).split("\n")[0]
    refused = await ask(runtime, "planner", f"cheapest supplier of {item['number']}")
    assert (refused.verdict, refused.sources, refused.facts) == (Verdict.DECLINED, (), ())


# --- prices and notes ---------------------------------------------------------------------------------------


async def test_quantity_breaks_of_a_customers_price(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select i.number as item, c.number as customer, r.price, r.currency, r.minimum_quantity, r.unit
             from biz.price_rule r join biz.customer_price_list l on l.price_list_id = r.price_list_id
             join biz.customer c on c.id = l.customer_id join biz.item i on i.id = r.item_id
            where r.minimum_quantity > 3000000 and r.kind = 'fixed' and l.label_region = 1
              and not exists (select from biz.customer_contract k where k.customer_id = c.id and k.item_id = i.id)
            order by r.id, c.id"""
    )
    answer = await asked(runtime, "rep.de", f"what does {row['customer']} pay for {row['item']} and why?")
    step = f"From {quantity(row['minimum_quantity'], row['unit'])}: {amount(row['price'], row['currency'])}"
    assert any(line.startswith(step) for line in items(answer)), items(answer)


SOLD = """
    select i.number as item, c.number as customer, o.number, o.order_date, p.unit_price, p.currency, l.ordered_quantity,
           l.unit from biz.sales_order_line l join biz.sales_order o on o.id = l.order_id
      join biz.item i on i.id = l.item_id join biz.customer c on c.id = o.customer_id
      join biz.sales_line_price p on p.line_id = l.id
     where l.label_region = 3 and o.status not in ('quotation', 'cancelled') and l.status <> 'cancelled'
     order by o.order_date desc, l.id desc"""


async def test_what_a_customer_paid_last_is_for_those_who_may_see_prices(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(SOLD)
    text = f"what did {row['customer']} pay last time for {row['item']}"
    answer = await asked(runtime, "rep.us", text)
    first = items(answer)[0]
    assert first.startswith(f"{day(row['order_date'])}, order {row['number']}: ")
    assert amount(row["unit_price"], row["currency"]) in first
    refused = await ask(runtime, "planner", text)
    assert refused.verdict is Verdict.DECLINED
    assert refused.facts == ()
    assert amount(row["unit_price"], row["currency"]) not in plain(refused)


async def test_what_we_told_them_about_an_order_is_free_text_for_those_granted_it(
    runtime: Runtime, truth: Truth
) -> None:
    row: dict[str, Any] = truth.one(
        """select n.body, o.number from biz.customer_note n join biz.sales_order o on o.id = n.order_id
            where n.label_region = 3 order by n.id desc"""
    )
    text = f"what did we tell them about {row['number']}?"
    assert row["body"] in plain(await asked(runtime, "rep.us", text))
    for subject in ("planner", "buyer", "finance"):
        without = await ask(runtime, subject, text)
        assert row["body"] not in plain(without)
        assert "customer_note" not in {source.entity for source in without.sources}


async def test_a_timeline_shows_to_each_what_they_may_see(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select o.number, v.number as invoice from biz.sales_order o join biz.invoice v on v.order_id = o.id
             join biz.shipment h on h.order_id = o.id where o.label_region = 3 and h.status = 'delivered'
            order by o.id desc"""
    )
    whole = await asked(runtime, "rep.us", f"timeline of {row['number']}")
    assert row["invoice"] in plain(whole)
    less = await asked(runtime, "planner", f"timeline of {row['number']}")
    assert row["invoice"] not in plain(less)
    assert "invoice" not in {source.entity for source in less.sources}


async def test_lead_times_are_told_fastest_first(runtime: Runtime, truth: Truth) -> None:
    item = truth.one(
        """select i.number, min(o.lead_time) as least from biz.item i join biz.supplier_item o on o.item_id = i.id
             join biz.supplier s on s.id = o.supplier_id and s.status = 'active'
            group by i.id having count(*) > 1 and count(distinct o.lead_time) = count(*) order by i.id"""
    )
    answer = await asked(runtime, "planner", f"fastest supplier of {item['number']}")
    assert span(item["least"]) in plain(answer).split("\n")[0]
