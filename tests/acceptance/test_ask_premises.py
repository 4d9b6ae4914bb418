"""What a question takes for granted is looked at first; returns, cases, contracts and quotes answer for themselves."""

from __future__ import annotations

from collections.abc import Generator
from typing import LiteralString

import pytest

from copilot.domain.answer import Reason, Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, amount, day, quantity, truth_of, words
from tests.acceptance.oracle import verified as asked
from tests.company import Company, ask

NOT_LEFT = """
    select o.number, c.name as customer from biz.sales_order o join biz.customer c on c.id = o.customer_id
     where o.status = 'confirmed' and exists (select from biz.shipment s where s.order_id = o.id)
       and not exists (select from biz.shipment s where s.order_id = o.id
                          and s.status in ('shipped', 'in_transit', 'delivered', 'exception'))
     order by o.id desc limit 1"""
ON_THE_WAY = """
    select o.number from biz.sales_order o
     where o.status = 'shipped' and not exists (select from biz.shipment s where s.order_id = o.id
                                                   and s.status = 'delivered')
     order by o.id desc limit 1"""
NOT_RETURNED = """
    select o.number from biz.sales_order o
     where o.status = 'delivered' and not exists (select from biz.return_order r where r.order_id = o.id)
     order by o.id desc limit 1"""
IN_TIME = """
    select p.number, s.name as supplier from biz.purchase_order p join biz.supplier s on s.id = p.supplier_id
     where p.status = 'received' and p.received_date <= p.promised_date order by p.id desc limit 1"""
OPEN_CASE = """
    select c.number, lower(r.code) as region from biz.service_case c
      join biz.region r on r.id = c.label_region and r.code in ('US', 'DE')
     where c.status <> 'closed' order by c.id desc limit 1"""
CLOSED_CASE = """
    select c.number, lower(r.code) as region from biz.service_case c
      join biz.region r on r.id = c.label_region and r.code in ('US', 'DE')
     where c.status = 'closed' order by c.id desc limit 1"""
WAITED_FOR = "select number from biz.return_order where received_at is null and status <> 'cancelled' limit 1"
UNPAID = "select number from biz.invoice where status = 'open' and kind = 'invoice' order by id desc limit 1"
UNTROUBLED = "select number from biz.shipment where status = 'delivered' order by id desc limit 1"
PLANNED = "select number from biz.shipment where status = 'planned' order by id desc limit 1"


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


@pytest.mark.parametrize(
    ("statement", "text", "kind"),
    [
        (NOT_LEFT, "when did {number} arrive at the customer", "order_arrived_when"),
        (NOT_LEFT, "on what day did {customer} get {number}?", "order_arrived_when"),
        (ON_THE_WAY, "when was {number} handed over to the customer", "order_arrived_when"),
        (NOT_LEFT, "{number} went out already, with which carrier?", "order_carrier_gone"),
        (NOT_LEFT, "who picked up {number} when it left", "order_carrier_gone"),
        (NOT_LEFT, "proof of delivery of {number}", "delivery_proof"),
        (NOT_RETURNED, "why did they send {number} back", "order_why_returned"),
        (IN_TIME, "why was {supplier} late with {number}", "purchase_why_late"),
        (IN_TIME, "why is {number} late", "purchase_why_late"),
        (OPEN_CASE, "when was {number} closed", "case_closed_when"),
        (CLOSED_CASE, "why is {number} still open", "case_why_open"),
        (WAITED_FOR, "when was {number} received", "return_received_when"),
        (UNPAID, "on what day was {number} paid in full", "invoice_paid_when"),
        (UNTROUBLED, "why is {number} in exception", "shipment_why_exception"),
        (PLANNED, "when did {number} arrive", "shipment_arrived_when"),
    ],
)
async def test_what_is_taken_for_granted_wrongly_is_corrected_and_declined(
    runtime: Runtime, truth: Truth, statement: LiteralString, text: str, kind: str
) -> None:
    row = truth.one(statement)
    person = f"rep.{row['region']}" if "region" in row else "finance" if "invoice" in kind else "planner"
    answer = await ask(runtime, person, text.format_map(row))
    assert (answer.verdict, answer.reason) == (Verdict.DECLINED, Reason.WRONG_PREMISE), answer.answer
    assert answer.kind == kind
    assert str(row["number"]) in answer.answer or kind == "delivery_proof"


async def test_why_a_purchase_order_came_late_is_said_where_it_did(runtime: Runtime, truth: Truth) -> None:
    rows = truth.all(
        "select * from biz.purchase_order where status = 'received' and received_date > promised_date + 7 "
        "order by id desc limit 3"
    )
    for row in rows:
        answer = await asked(runtime, "buyer", f"why was {row['number']} late")
        late = truth.days_late(row["site_id"], row["promised_date"], row["received_date"])
        assert f"received on {day(row['received_date'])}, {late} working day" in answer.answer.replace("*", "")


@pytest.mark.parametrize(
    "text", ["status of return {number}", "why was {number} sent back", "which order does {number} belong to"]
)
async def test_a_return_answers_for_itself_and_not_for_its_order(runtime: Runtime, truth: Truth, text: str) -> None:
    row = truth.one(
        "select r.*, o.number as sales_order from biz.return_order r join biz.sales_order o on o.id = r.order_id "
        "where r.status <> 'closed' order by r.id desc limit 1"
    )
    answer = await asked(runtime, "planner", text.format_map(row))
    said = answer.answer.replace("*", "")
    assert answer.kind == "return_details"
    assert f"Return {row['number']} for order {row['sales_order']}" in said
    assert f"is {words(row['status'])}." in said
    assert f"reason: {words(row['reason'])}" in said


async def test_a_return_of_another_customer_is_not_told_as_theirs(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        "select r.number, o.customer_id from biz.return_order r join biz.sales_order o on o.id = r.order_id "
        "order by r.id desc limit 1"
    )
    other = truth.one(
        "select name from biz.customer where id <> %(c)s and kind = 'business' limit 1", c=row["customer_id"]
    )
    answer = await ask(runtime, "planner", f"status of return {row['number']} of {other['name']}")
    assert answer.verdict is Verdict.DECLINED or "none" in answer.answer, answer.answer


CONTRACT = """
    select k.*, c.name as customer, i.name as item from biz.customer_contract k
      join biz.customer c on c.id = k.customer_id join biz.item i on i.id = k.item_id
     order by k.id desc limit 1"""


@pytest.mark.parametrize(
    "text", ["what did {customer} commit to under {number}", "until when does {number} run and at what price"]
)
async def test_a_contract_says_what_for_how_much_and_until_when(runtime: Runtime, truth: Truth, text: str) -> None:
    row = truth.one(CONTRACT)
    said = (await asked(runtime, "finance", text.format_map(row))).answer.replace("*", "")
    assert quantity(row["committed_quantity"], row["unit"]) in said
    assert amount(row["price"], row["currency"]) in said
    assert f"until {day(row['ends'])}" in said


async def test_a_contract_looks_like_one_that_is_not_there_to_a_role_that_may_not_read_it(
    runtime: Runtime, truth: Truth
) -> None:
    row = truth.one(CONTRACT)
    answer = await ask(runtime, "buyer", f"until when does {row['number']} run")
    missing = await ask(runtime, "buyer", "until when does K-99999999 run")
    assert (answer.verdict, answer.reason) == (missing.verdict, missing.reason) == (Verdict.DECLINED, Reason.NOT_FOUND)
    assert not answer.sources


async def test_contracts_that_expire_in_a_month_to_come_are_those_of_that_month(runtime: Runtime, truth: Truth) -> None:
    count = truth.number(
        "select count(*) from biz.customer_contract where ends between date '2026-12-01' and date '2026-12-31'"
    )
    answer = await asked(runtime, "finance", "which contracts expire in December")
    assert f"{count} contract commitments" in answer.answer


async def test_a_payment_names_the_invoice_it_settled_for_those_who_may_read_it(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        "select p.reference, i.number from biz.payment p join biz.invoice i on i.id = p.invoice_id "
        "where p.reference is not null order by p.id desc limit 1"
    )
    answer = await asked(runtime, "finance", f"which invoice was settled by payment {row['reference']}")
    assert row["number"] in answer.answer
    barred = await ask(runtime, "buyer", f"which invoice was settled by payment {row['reference']}")
    assert (barred.verdict, barred.reason) == (Verdict.DECLINED, Reason.NOT_FOUND), barred.answer
    assert row["number"] not in barred.answer


async def test_a_supplier_is_asked_for_its_own_quote(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        "select i.number as item, s.name as supplier, p.price, p.currency from biz.supplier_item_price p "
        "join biz.supplier_item o on o.id = p.supplier_item_id join biz.item i on i.id = o.item_id "
        "join biz.supplier s on s.id = o.supplier_id order by p.id desc limit 1"
    )
    answer = await asked(runtime, "buyer", f"what does {row['supplier']} quote for {row['item']}")
    assert answer.kind == "supplier_quote"
    assert amount(row["price"], row["currency"]) in answer.answer


async def test_the_goods_a_customer_waits_for_are_also_those_on_their_way(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        "select o.number, c.name from biz.sales_order o join biz.customer c on c.id = o.customer_id "
        "where o.status = 'shipped' and exists (select from biz.shipment s where s.order_id = o.id "
        "and s.status = 'in_transit') and c.kind = 'business' order by o.id desc limit 1"
    )
    text = f"Good morning, {row['name']} would like to know where the goods are that they are waiting for."
    answer = await asked(runtime, "planner", text)
    assert row["number"] in answer.answer
