"""Questions about invoices, purchase orders, suppliers and customers, checked against the database."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from copilot.domain.answer import Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import (
    Truth,
    amount,
    day,
    items,
    moment,
    percent,
    plain,
    printed,
    quantity,
    sound,
    span,
    truth_of,
    verified,
    words,
    working,
)
from tests.company import NOW, Company, ask


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


INVOICE = """
    select i.*, c.name as customer, a.total, a.open, a.currency
      from biz.invoice i join biz.customer c on c.id = i.customer_id join biz.invoice_amount a on a.invoice_id = i.id
     where i.kind = %(kind)s and i.status = %(status)s and (i.due_date < %(today)s) = %(overdue)s
     order by i.id desc"""
STATES = [
    ("invoice", "draft", False),
    ("invoice", "open", False),
    ("invoice", "open", True),
    ("invoice", "partly_paid", True),
    ("invoice", "in_payment", False),
    ("invoice", "paid", True),
    ("credit_note", "open", False),
]


@pytest.mark.parametrize(("kind", "status", "overdue"), STATES)
async def test_an_invoice(runtime: Runtime, truth: Truth, kind: str, status: str, *, overdue: bool) -> None:
    rows = truth.all(INVOICE, kind=kind, status=status, overdue=overdue, today=NOW.date())
    row = rows[0]
    answer = await verified(runtime, "finance", f"is {row['number']} paid?")
    name = "Invoice" if kind == "invoice" else "Credit note"
    said = plain(answer)
    assert said.startswith(f"{name} {row['number']} of {row['customer']} is {words(status)}.")
    figures = {"total": amount(row["total"], row["currency"]), "open": amount(row["open"], row["currency"])}
    assert printed(answer, "invoice_amount") == [figures]
    payments = truth.all("select * from biz.payment where invoice_id = %(id)s order by paid_date", id=row["id"])
    assert items(answer) == [f"{amount(p['amount'], p['currency'])} paid on {day(p['paid_date'])}." for p in payments]
    due = f"; it was due on {day(row['due_date'])}" if row["due_date"] else ""
    assert (f"Paid on {day(row['paid_date'])}{due}." in said) if status == "paid" else "Paid on" not in said
    late = (NOW.date() - row["due_date"]).days if overdue and status in ("open", "partly_paid") else 0
    assert (
        (f"Overdue: {row['number']} by {late} day{'' if late == 1 else 's'}." in said)
        if late
        else "Overdue" not in said
    )


async def test_the_invoices_of_an_order(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select o.number, array_agg(i.number) as invoices from biz.sales_order o
             join biz.invoice i on i.order_id = o.id group by o.id order by count(*) desc, o.id"""
    )
    answer = await verified(runtime, "finance", f"invoices of {row['number']}")
    assert sorted({fields["number"] for fields in printed(answer, "invoice")}) == sorted(row["invoices"])
    assert len(row["invoices"]) > 1


async def test_the_open_invoices_of_a_customer(runtime: Runtime, truth: Truth) -> None:
    who = truth.one(
        """select c.id, c.number, c.name from biz.customer c join biz.invoice i on i.customer_id = c.id
            where i.status in ('open', 'partly_paid') and i.kind = 'invoice'
              and not exists (select from biz.invoice j where j.customer_id = c.id and j.kind <> 'invoice')
            group by c.id having count(*) between 2 and 15 order by count(*) desc, c.id"""
    )
    rows = truth.all(
        """select i.number, i.status, i.due_date, a.open, a.total, a.currency from biz.invoice i
             join biz.invoice_amount a on a.invoice_id = i.id
            where i.customer_id = %(id)s and i.status in ('open', 'partly_paid')
            order by i.due_date, i.number""",
        id=who["id"],
    )
    answer = await verified(runtime, "finance", f"open invoices of {who['number']}")
    assert plain(answer).startswith(
        f"Open invoices of {who['name']}: {len(rows)} invoices, in the records you may see."
    )
    assert items(answer) == [
        f"{r['number']}, {who['name']}: {words(r['status'])}, due {day(r['due_date'])}, "
        f"{amount(r['open'], r['currency'])} open of {amount(r['total'], r['currency'])}."
        for r in rows
    ]


PURCHASE = """
    select p.*, v.name as supplier from biz.purchase_order p join biz.supplier v on v.id = p.supplier_id
     where p.status = %(status)s and p.supplier_reference is not null order by p.id desc"""


@pytest.mark.parametrize("status", ["confirmed", "partly_received", "received"])
async def test_a_purchase_order(runtime: Runtime, truth: Truth, status: str) -> None:
    row = truth.one(PURCHASE, status=status)
    lines = truth.all(
        """select l.*, i.name from biz.purchase_line l join biz.item i on i.id = l.item_id
            where purchase_order_id = %(id)s order by line_number""",
        id=row["id"],
    )
    receipts = truth.all(
        "select * from biz.receipt where purchase_order_id = %(id)s and status = 'received' order by received_at",
        id=row["id"],
    )
    name = truth.one("select id, name, time_zone from biz.site where id = %(id)s", id=row["site_id"])
    for typed in (row["number"], row["number"].lower().replace("-", " "), row["supplier_reference"]):
        answer = await verified(runtime, "planner", f"status of purchase order {typed}")
        said = plain(answer)
        assert said.startswith(f"Purchase order {row['number']} to {row['supplier']} is {words(status)}."), typed
        if status == "received":
            assert f"Received at {name['name']} on {day(row['received_date'])}." in said
        else:
            assert f"Promised for {day(row['promised_date'])} to {name['name']}." in said
        days = truth.days_late(name["id"], row["promised_date"], truth.today(name["id"], NOW))
        overdue = f"Overdue: {working(days)} past the promised {day(row['promised_date'])}."
        assert (overdue in said) is (status != "received" and days > 0)
        told = [purchase_line(line) for line in lines]
        told += [f"Receipt {r['number']} arrived on {moment(r['received_at'], name['time_zone'])}." for r in receipts]
        assert items(answer) == told


def purchase_line(line: dict[str, Any]) -> str:
    figures = {name: quantity(line[f"{name}_quantity"], line["unit"]) for name in ("ordered", "received", "open")}
    head = f"Line {line['line_number']}, {line['name']}: {figures['ordered']} ordered, {figures['received']} received"
    if line["status"] not in ("open", "partly_received"):
        return f"{head}."
    return f"{head}, {figures['open']} open, promised for {day(line['promised_date'])}."


async def test_the_value_of_a_purchase_order_is_for_those_who_buy(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select p.number, a.net, a.total, a.currency from biz.purchase_order p
             join biz.purchase_order_amount a on a.purchase_order_id = p.id order by p.id desc"""
    )
    answer = await verified(runtime, "buyer", f"value of {row['number']}")
    told = {name: amount(row[name], row["currency"]) for name in ("net", "total")}
    assert printed(answer, "purchase_order_amount") == [told]
    sound(await ask(runtime, "planner", f"value of {row['number']}"), NOW, Verdict.DECLINED)


async def test_a_suppliers_profile(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select v.*, r.on_time_rate, r.receipts, r.period_start, r.period_end, r.lead_time_mean,
                  min(o.lead_time) as shortest, max(o.lead_time) as longest, count(*) as items
             from biz.supplier v join biz.supplier_rate r on r.supplier_id = v.id
             join biz.supplier_item o on o.supplier_id = v.id
            where r.on_time_rate is not null and r.on_time_rate between 1 and 999999
              and (select count(*) from biz.purchase_order p where p.supplier_id = v.id
                    and p.status in ('sent', 'confirmed', 'partly_received')) between 2 and 9
            group by v.id, r.id order by v.id"""
    )
    contacts = truth.all(
        "select * from biz.supplier_contact where supplier_id = %(id)s order by role, name", id=row["id"]
    )
    orders = truth.all(
        """select * from biz.purchase_order where supplier_id = %(id)s
              and status in ('sent', 'confirmed', 'partly_received') order by promised_date, number""",
        id=row["id"],
    )
    answer = await verified(runtime, "buyer", f"tell me about {row['name']}")
    said = plain(answer)
    period = f"{day(row['period_start'])} and {day(row['period_end'])}"
    same = row["shortest"] == row["longest"]
    quoted = span(row["shortest"]) if same else f"{span(row['shortest'])} to {span(row['longest'])}"
    for sentence in (
        f"{row['name']} ({row['country']}) is {words(row['status'])}.",
        f"Quoted lead time: {quoted}, over {row['items']} items.",
        f"On time: {percent(row['on_time_rate'])} of {row['receipts']} received between {period}.",
        f"Measured lead time: {span(row['lead_time_mean'])} on average, order to receipt.",
        f"{len(orders)} open purchase orders with {row['name']}, in the records you may see:",
    ):
        assert sentence in said
    told = [f"{words(c['role'])}: {c['name']}, {c['email']}, {c['phone']}" for c in contacts]
    told += [f"{o['number']}, {words(o['status'])}, promised for {day(o['promised_date'])}." for o in orders]
    assert contacts
    assert items(answer) == told


async def test_the_on_time_rate_is_what_the_receipts_say(runtime: Runtime, truth: Truth) -> None:
    """The published rate itself, worked out again from purchase orders: of those received in the period, how many by
    the day promised."""
    rate = truth.one("select * from biz.supplier_rate where receipts between 4 and 12 order by id")
    counted = truth.one(
        """select count(*) as receipts, count(*) filter (where l.received_date <= l.promised_date) as on_time
             from biz.purchase_line l join biz.purchase_order p on p.id = l.purchase_order_id
            where p.supplier_id = %(supplier)s and l.status = 'received'
              and l.received_date between %(start)s and %(end)s""",
        supplier=rate["supplier_id"],
        start=rate["period_start"],
        end=rate["period_end"],
    )
    assert (rate["receipts"], rate["on_time"]) == (counted["receipts"], counted["on_time"])
    assert rate["on_time_rate"] == round(counted["on_time"] * 1_000_000 / counted["receipts"])


async def test_a_supplier_without_open_orders_is_an_answer(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select number, name from biz.supplier v where not exists (select from biz.purchase_order p
            where p.supplier_id = v.id and p.status in ('sent', 'confirmed', 'partly_received')) order by id"""
    )
    said = plain(await verified(runtime, "buyer", f"open purchase orders of {row['number']}"))
    assert said.startswith(f"Open purchase orders of {row['name']}: none, in the records you may see.")


async def test_terms_and_contacts(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select v.number, v.name, t.* from biz.supplier v join biz.supplier_terms t on t.supplier_id = v.id
            where t.payment_terms is not null and t.incoterm is not null and t.minimum_order is not null
            order by v.id"""
    )
    answer = await verified(runtime, "buyer", f"payment terms of {row['number']}")
    told = {
        "payment_terms": row["payment_terms"],
        "incoterm": row["incoterm"],
        "minimum_order": amount(row["minimum_order"], row["currency"]),
    }
    assert printed(answer, "supplier_terms") == [told]
    who = truth.one(
        """select c.id, c.number, c.name from biz.customer c join biz.customer_contact k on k.customer_id = c.id
            where c.label_region = 3 group by c.id having count(*) > 1 order by c.id"""
    )
    people = truth.all(
        "select * from biz.customer_contact where customer_id = %(id)s order by role, name", id=who["id"]
    )
    answer = await verified(runtime, "rep.us", f"who do I call at {who['name']}?")
    assert plain(answer).startswith(f"Contacts at {who['name']}:")
    assert items(answer) == [f"{words(p['role'])}: {p['name']}, {p['email']}, {p['phone']}" for p in people]


async def test_credit_is_for_finance(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select c.number, c.name, k.* from biz.customer c join biz.customer_credit k on k.customer_id = c.id
            where c.label_region = 3 and k.credit_limit is not null and k.exposure > 0 order by c.id"""
    )
    answer = await verified(runtime, "finance", f"credit of {row['number']}")
    told = printed(answer, "customer_credit")[0]
    figures = {name: amount(row[name], row["currency"]) for name in ("credit_limit", "exposure")}
    assert {name: told[name] for name in figures} == figures
    sound(await ask(runtime, "rep.us", f"credit of {row['number']}"), NOW, Verdict.DECLINED)


async def test_whether_a_customer_is_on_credit_hold_is_yes_or_no_first(runtime: Runtime, truth: Truth) -> None:
    """From the credit standing; who may not read that gets no yes and no no."""
    statement = """select c.number, c.name, k.blocked from biz.customer c join biz.customer_credit k
                       on k.customer_id = c.id where k.blocked = %(blocked)s order by c.id limit 1"""
    for blocked, head in ((True, "Yes: {} is on credit hold"), (False, "No: {} is not on credit hold")):
        row = truth.one(statement, blocked=blocked)
        answer = await verified(runtime, "finance", f"is {row['number']} on credit hold?")
        assert plain(answer).startswith(head.format(row["name"]))
        hidden = await ask(runtime, "rep.us", f"is {row['number']} on credit hold?")
        assert hidden.verdict is Verdict.DECLINED, hidden.answer
    count = truth.one("select count(*) as n from biz.customer_credit where blocked")["n"]
    many = await verified(runtime, "finance", "which customers are on credit hold")
    assert plain(many).startswith(f"Customers on credit hold: {count} customers")


async def test_a_role_after_contacts_asks_for_those_of_that_role(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        """select c.number, c.name, p.name as person, p.email from biz.customer c
             join biz.customer_contact p on p.customer_id = c.id and p.role = 'accounts_payable'
            where c.label_region = 3 and not exists (select from biz.customer_contact t
                  where t.customer_id = c.id and t.role = 'technical') order by c.id limit 1"""
    )
    first = await verified(runtime, "rep.us", f"contacts at {row['number']}")
    for text, said in (
        ("and accounts payable?", row["email"]),
        ("the AP contact", row["email"]),
        ("and the technical contact?", "no contact of that role"),
    ):
        answer = await ask(runtime, "rep.us", text, conversation=first.conversation)
        assert answer.verdict is Verdict.VERIFIED, answer.answer
        assert said in plain(answer), (text, answer.answer)
        assert len(items(answer)) <= 1
    alone = await verified(runtime, "rep.us", f"who do I call at {row['number']} about payables")
    assert row["email"] in plain(alone)
