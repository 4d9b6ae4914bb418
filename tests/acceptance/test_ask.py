"""Questions about orders and shipments to the demo company, checked against its database as the superuser sees it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from copilot.domain.answer import Reason, Verdict
from copilot.store.audit_verify import verify
from copilot.wiring import Runtime
from tests.acceptance.oracle import Late, Truth, day, items, moment, plain, quantity, truth_of, verified, words, working
from tests.company import NOW, Company, ask

OPEN = ("confirmed", "partly_shipped")
CAUSES = ("on_hold", "short_of_stock", "short_with_supply", "in_stock_not_shipped", "shipped_late", "unknown")


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


def order(truth: Truth, status: str) -> dict[str, Any]:
    return truth.one(
        """select o.*, c.name as customer, s.name as site, s.id as site_id
             from biz.sales_order o join biz.customer c on c.id = o.customer_id join biz.site s on s.id = o.site_id
            where o.status = %(status)s and o.customer_po is not null order by o.id desc""",
        status=status,
    )


async def test_an_order_is_found_by_its_number_loosely_typed(runtime: Runtime, truth: Truth) -> None:
    number = order(truth, "delivered")["number"]
    digits = number.split("-")[1]
    spelled = (number, number.lower(), f"SO {digits}", f"order {digits}", f"so{digits}", f"#{digits}", f"so - {digits}")
    for typed in spelled:
        answer = await verified(runtime, "planner", f"where is {typed}?")
        assert f"Order {number} of" in plain(answer), typed


@pytest.mark.parametrize("status", ["quotation", "confirmed", "partly_shipped", "shipped", "delivered", "cancelled"])
async def test_order_status_in_every_state(runtime: Runtime, truth: Truth, status: str) -> None:
    row = order(truth, status)
    said = plain(await verified(runtime, "planner", f"where is {row['number']}?"))
    head = f"Order {row['number']} of {row['customer']} is {words(status)}, ordered on {day(row['order_date'])}."
    assert said.startswith(head)
    promised = f"Promised for {day(row['promised_date'])} from {row['site']}." if row["promised_date"] else ""
    tail = {
        "quotation": "It is a quotation, not yet an order.",
        "confirmed": promised,
        "partly_shipped": promised,
        "cancelled": "It was cancelled.",
    }.get(status) or f"Shipped on {day(row['shipped_date'])}. It was promised for {day(row['promised_date'])}."
    assert tail in said
    until = row["shipped_date"] if status in ("shipped", "delivered") else truth.today(row["site_id"], NOW)
    days = (
        truth.days_late(row["site_id"], row["promised_date"], until) if status in (*OPEN, "shipped", "delivered") else 0
    )
    assert ("Late:" in said.split("\n\n")[0] or "Shipped late:" in said) is bool(days)
    assert not days or f"{working(days)} " in said


async def test_the_same_order_by_every_name_it_has(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select o.number, o.customer_po, h.tracking_number, h.number as shipment, i.number as invoice
             from biz.sales_order o join biz.shipment h on h.order_id = o.id join biz.invoice i on i.order_id = o.id
            where o.status = 'shipped' and h.tracking_number is not null and h.label_region = o.label_region
              and (select count(*) from biz.sales_order p where p.customer_po = o.customer_po) = 1
            order by o.id desc"""
    )
    names = {"planner": (row["customer_po"], f"PO {row['customer_po']}", row["shipment"]), "finance": (row["invoice"],)}
    for subject, typed in ((subject, each) for subject, those in names.items() for each in those):
        said = plain(await verified(runtime, subject, f"order status {typed}"))
        assert f"Order {row['number']} of" in said, typed
    tracked = await verified(runtime, "planner", f"where is {row['tracking_number']}")
    assert f"Shipment {row['shipment']} of order {row['number']} is" in plain(tracked)


async def test_the_open_orders_of_a_customer_by_name_and_number(runtime: Runtime, truth: Truth) -> None:
    who = truth.one(
        """select c.id, c.number, c.name from biz.customer c join biz.sales_order o on o.customer_id = c.id
            where o.status in ('confirmed', 'partly_shipped')
            group by c.id having count(*) between 2 and 20 order by count(*) desc, c.id"""
    )
    rows = truth.all(
        """select * from biz.sales_order where customer_id = %(id)s and status in ('confirmed', 'partly_shipped')
            order by promised_date, number""",
        id=who["id"],
    )
    listed = [
        f"{row['number']}, {who['name']}: {words(row['status'])}, promised {day(row['promised_date'])}." for row in rows
    ]
    for typed in (who["number"], who["name"], who["name"].upper(), who["name"].lower()):
        answer = await verified(runtime, "planner", f"open orders for {typed}")
        said = f"Open sales orders of {who['name']}: {len(rows)} sales orders, in the records you may see."
        assert plain(answer).startswith(said)
        assert answer.understood == f"open sales orders; of {who['name']}"
        assert items(answer) == listed


async def test_a_customer_without_open_orders_is_an_answer(runtime: Runtime, truth: Truth) -> None:
    who = truth.one(
        """select number, name from biz.customer c where not exists (select from biz.sales_order o
            where o.customer_id = c.id and o.status in ('confirmed', 'partly_shipped')) order by id"""
    )
    answer = await verified(runtime, "planner", f"open orders of {who['number']}")
    assert plain(answer).startswith(f"Open sales orders of {who['name']}: none, in the records you may see.")
    assert who["number"] in plain(answer)


async def test_the_lines_of_an_order(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select o.id, o.number, o.status, c.name as customer from biz.sales_order o
             join biz.customer c on c.id = o.customer_id join biz.sales_order_line l on l.order_id = o.id
            where o.status = 'partly_shipped' group by o.id, c.name order by count(distinct l.status) desc, o.id"""
    )
    lines = truth.all(
        """select l.*, i.name from biz.sales_order_line l join biz.item i on i.id = l.item_id
            where order_id = %(id)s order by line_number""",
        id=row["id"],
    )
    answer = await verified(runtime, "planner", f"what is on {row['number']}?")
    still = sum(line["status"] not in ("shipped", "cancelled") for line in lines)
    head = f"Order {row['number']} of {row['customer']} (partly shipped) has {len(lines)} lines, of which {still} open"
    assert plain(answer).startswith(f"{head}, in the records you may see.")
    assert items(answer)[: len(lines)] == [printed(line) for line in lines]


def printed(line: dict[str, Any]) -> str:
    figures = {name: quantity(line[f"{name}_quantity"], line["unit"]) for name in ("ordered", "shipped", "open")}
    head = f"Line {line['line_number']}, {line['name']}: {figures['ordered']} ordered"
    if line["status"] == "cancelled":
        return f"{head}, cancelled."
    if line["status"] == "shipped":
        return f"{head}, {figures['shipped']} shipped on {day(line['shipped_date'])}."
    promised = f"promised for {day(line['promised_date'])}"
    return f"{head}, {figures['shipped']} shipped, {figures['open']} open, {promised}."


@pytest.mark.parametrize("cause", CAUSES)
async def test_what_is_late_and_why(runtime: Runtime, truth: Truth, cause: str) -> None:
    number, late = example(truth, cause)
    answer = await verified(runtime, "planner", f"what is late on {number} and why?")
    said = [line for line in items(answer) if line.startswith("Late:") or (" shipped " in line and " after " in line)]
    assert said == [why(each) for each in late]
    assert cause in {each.cause for each in late}
    by_line = {source.fields["cause"] for source in answer.sources if source.entity == "line_delay"}
    assert by_line == {words(each.cause) for each in late}


def example(truth: Truth, cause: str) -> tuple[str, list[Late]]:
    """The youngest order that has a line late for this cause, with all its late lines."""
    if cause == "unknown":  # no order of the company has a unit that converts into nothing: take one's table away
        number, late = example(truth, "in_stock_not_shipped")
        line = truth.one(
            """select l.id from biz.sales_order_line l join biz.sales_order o on o.id = l.order_id
                where o.number = %(number)s and l.line_number = %(line)s""",
            number=number,
            line=next(each.line for each in late if each.cause == "in_stock_not_shipped"),
        )
        truth.change("update biz.sales_order_line set unit = 'crate' where id = %(id)s", id=line["id"])
        order_id = truth.number("select id from biz.sales_order where number = %(number)s", number=number)
        return number, list(truth.late_lines(order_id, NOW))
    states = ["shipped", "delivered"] if cause == "shipped_late" else [*OPEN]
    rows = truth.all(
        """select id, number from biz.sales_order where status = any (%(states)s) and promised_date < %(today)s
            order by id desc limit 300""",
        states=states,
        today=NOW.date(),
    )
    for row in rows:
        late = list(truth.late_lines(row["id"], NOW))
        if any(each.cause == cause for each in late):
            return row["number"], late
    raise AssertionError(f"no order is late because {cause}")


def why(late: Late) -> str:
    if late.cause == "shipped_late":
        return f"Line {late.line}, {late.item}, shipped {working(late.days)} after {day(late.promised)}."
    because = {
        "on_hold": f", because the order is on hold ({words(late.hold or '')}).",
        "short_of_stock": f": {late.missing} short at the ship-from site, and no supply is recorded to come there from "
        "today on.",
        "short_with_supply": f": {late.missing} short at the ship-from site; the next supply is due "
        f"{day(late.supply) if late.supply else ''}.",
        "in_stock_not_shipped": f", although {late.on_hand} are on hand at the ship-from site; not shipped yet.",
        "unknown": ".",
    }
    return f"Late: line {late.line}, {late.item}, {working(late.days)} past {day(late.promised)}{because[late.cause]}"


async def test_a_hold_is_named_with_its_reason_and_moment(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select o.number, h.reason, h.placed_at, s.time_zone from biz.order_hold h
             join biz.sales_order o on o.id = h.order_id join biz.site s on s.id = o.site_id
            where h.released_at is null order by h.id desc"""
    )
    answer = await verified(runtime, "planner", f"is {row['number']} on hold?")
    assert f"On hold since {moment(row['placed_at'], row['time_zone'])}: {words(row['reason'])}." in items(answer)


SHIPMENT = """
    select h.*, o.number as order_number, s.time_zone, r.signed_by from biz.shipment h
      join biz.sales_order o on o.id = h.order_id join biz.site s on s.id = h.site_id
      left join biz.shipment_recipient r on r.shipment_id = h.id
     where h.status = %(status)s and h.proof_of_delivery is not distinct from %(proof)s
     order by h.id desc"""


@pytest.mark.parametrize(
    ("status", "proof"),
    [
        ("in_transit", "pending"),
        ("exception", "refused"),
        ("delivered", "signed"),
        ("delivered", "pending"),
        ("delivered", None),
        ("waiting", None),
    ],
)
async def test_tracking_and_proof_of_delivery(runtime: Runtime, truth: Truth, status: str, proof: str | None) -> None:
    row = truth.one(SHIPMENT, status=status, proof=proof)
    region = truth.number("select code from biz.region where id = %(id)s", id=row["label_region"])
    seller = {"US": "rep.us", "DE": "rep.de"}.get(region, "planner")
    answer = await verified(runtime, seller, f"track {row['tracking_number'] or row['number']}")
    said = items(answer)
    head = f"Shipment {row['number']} of order {row['order_number']} is {words(status)}."
    assert plain(answer).startswith(head)
    if status == "delivered":
        at = moment(row["delivered_at"], row["time_zone"])
        assert f"Shipment {row['number']} was delivered on {at}." in said
    elif status == "waiting":
        assert f"Shipment {row['number']} is waiting, planned for {day(row['planned_date'])}." in said
    else:
        left = f"Shipment {row['number']} left on {moment(row['shipped_at'], row['time_zone'])} with {row['carrier']}"
        assert any(line.startswith(f"{left}, tracking {row['tracking_number']}") for line in said)
    assert proof_line(row, seller) in said or (status != "delivered" and proof is None)
    steps = truth.all(
        "select * from biz.tracking_event where shipment_id = %(id)s order by happened_at desc", id=row["id"]
    )
    shown = [f"{moment(e['happened_at'], row['time_zone'])}, {e['place']}: {words(e['event'])}." for e in steps]
    assert said[len(said) - len(shown) :] == shown


def proof_line(row: dict[str, Any], seller: str) -> str:
    """Who signed is for those who may see addresses; that it was signed is for all."""
    if row["proof_of_delivery"] is None:
        return f"No proof of delivery is recorded for {row['number']}."
    signed = row["proof_of_delivery"] == "signed" and row["signed_by"] and seller != "planner"
    return f"Proof of delivery for {row['number']}: " + (
        f"signed by {row['signed_by']}." if signed else f"{words(row['proof_of_delivery'])}."
    )


async def test_a_return(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select r.number, r.status, o.number as order_number from biz.return_order r
             join biz.sales_order o on o.id = r.order_id order by r.id desc"""
    )
    for typed in (row["number"], f"for order {row['order_number']}"):
        said = plain(await verified(runtime, "planner", f"return {typed}"))
        assert said.startswith(f"Return {row['number']} for order {row['order_number']}")
        assert words(row["status"]) in said


@pytest.mark.parametrize("subject", ["auditor", "admin"])
async def test_roles_without_business_records_get_none(runtime: Runtime, subject: str) -> None:
    answer = await ask(runtime, subject, "where is SO-10482?")
    assert (answer.verdict, answer.reason, answer.sources, answer.facts) == (
        Verdict.DECLINED,
        Reason.NO_ACCESS,
        (),
        (),
    )


async def test_the_audit_of_all_this_holds(runtime: Runtime) -> None:
    report = await verify(runtime.database, runtime.settings.home)
    assert report.ok, report.findings
    assert report.rows >= 20
