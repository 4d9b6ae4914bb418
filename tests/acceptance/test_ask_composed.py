"""Composed questions, checked against plain SQL as the superuser reads it: figures as they stand in the facts."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Any, LiteralString

import pytest

from copilot.domain.answer import Answer, Reason, Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, plain, truth_of
from tests.company import Company, ask

COUNTS: list[tuple[str, str, LiteralString]] = [
    ("planner", "how many confirmed orders ship from Dallas",
     ("select count(*) as n from biz.sales_order o join biz.site s on s.id = o.site_id"
     " where o.status = 'confirmed' and s.code = 'DAL'")),
    ("planner", "number of orders entered in October, cancelled ones not counted",
     ("select count(*) as n from biz.sales_order"
     " where order_date between '2026-10-01' and '2026-10-31' and status <> 'cancelled'")),
    ("planner", "how many confirmed or partly shipped orders are there",
     "select count(*) as n from biz.sales_order where status in ('confirmed', 'partly_shipped')"),
    ("planner", "how many suppliers are in Germany", "select count(*) as n from biz.supplier where country = 'DE'"),
    ("planner", "how many shipments are waiting", "select count(*) as n from biz.shipment where status = 'waiting'"),
    ("planner", "how many items are in the category Bearings",
     "select count(*) as n from biz.item where category = 'Bearings'"),
    ("rep.de", "how many quotations are there",
     "select count(*) as n from biz.sales_order where status = 'quotation' and label_region = 1"),
    ("planner", "how many items are out of stock at Hamburg",
     ("select count(distinct a.item_id) as n from biz.availability a join biz.site s on s.id = a.site_id"
     " where s.code = 'HAM' and a.available <= 0 and a.live")),
    ("planner", "how many transfers go from Chicago to Dallas",
     ("select count(*) as n from biz.transfer t join biz.site f on f.id = t.from_site_id"
     " join biz.site s on s.id = t.to_site_id where f.code = 'CHI' and s.code = 'DAL'")),
    ("planner", "how many purchase lines were received late last week",
     ("select count(*) as n from biz.purchase_line l join biz.purchase_order p on p.id = l.purchase_order_id"
     " where l.status = 'received' and l.received_date between '2026-11-09' and '2026-11-15'"
     " and l.received_date > coalesce(l.promised_date, p.promised_date)")),
    ("rep.us", "how many items cost less than 100 dollars",
     ("select count(distinct p.item_id) as n from biz.item_price p"
     " where p.currency = 'USD' and p.price < 100000000 and p.label_region = 3")),
    ("buyer", "how many items have a minimum order quantity over 20",
     "select count(distinct item_id) as n from biz.supplier_item where minimum_quantity > 20000000"),
    ("buyer", "how many purchase orders were issued to suppliers last month",
     ("select count(*) as n from biz.purchase_order where status not in ('draft', 'cancelled')"
     " and order_date between '2026-10-01' and '2026-10-31'")),
]  # fmt: skip
OF_TWO_DATES: LiteralString = (
    "select count(*) as n from biz.sales_order where status not in ('quotation', 'cancelled')"
    " and order_date between '2026-09-01' and '2026-09-30' and promised_date between '2026-10-01' and '2026-10-31'"
)
COUNTS += [
    ("planner", text, OF_TWO_DATES)
    for text in (
        "how many orders placed in September were promised in October",
        "orders placed in September and promised in October",
        "how many orders promised in October were placed in September",
        "number of orders placed in September, promised in October",
    )
]
COUNTS += [
    ("planner", "how many orders placed after 5 Sep 2026 were promised before 1 Oct 2026",
     ("select count(*) as n from biz.sales_order where status not in ('quotation', 'cancelled')"
     " and order_date > '2026-09-05' and promised_date < '2026-10-01'")),
    ("planner", "purchase orders placed in September received in October",
     ("select count(*) as n from biz.purchase_order where status not in ('draft', 'cancelled')"
     " and order_date between '2026-09-01' and '2026-09-30' and received_date between '2026-10-01' and '2026-10-31'")),
]  # fmt: skip
SUMS: list[tuple[str, str, LiteralString]] = [
    ("finance", "total open amount of overdue invoices in the US",
     ("select sum(a.open) as n from biz.invoice v join biz.invoice_amount a on a.invoice_id = v.id"
     " where v.kind = 'invoice' and v.status in ('open', 'partly_paid') and v.due_date < '2026-11-20'"
     " and v.label_region = 3")),
    ("rep.us", "what is the total value of all open orders in USD",
     ("select sum(a.net) as n from biz.sales_order o join biz.sales_order_amount a on a.order_id = o.id"
     " where o.status in ('confirmed', 'partly_shipped') and o.label_region = 3 and a.currency = 'USD'")),
    ("finance", "payments received in October in USD",
     ("select sum(amount) as n from biz.payment where amount > 0 and currency = 'USD'"
     " and paid_date between '2026-10-01' and '2026-10-31'")),
]  # fmt: skip
OF_CUSTOMERS: LiteralString = """
    select o.number, c.name as own, (select x.name from biz.customer x where x.id <> c.id and x.label_region = 3
                                       and x.kind = 'business' order by x.id limit 1) as other
      from biz.sales_order o join biz.customer c on c.id = o.customer_id
     where o.label_region = 3 and o.status = 'confirmed' and c.kind = 'business' order by o.id desc limit 1"""


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


def figures(answer: Answer) -> list[Decimal]:
    """The numbers printed."""
    shown = [fact.value for fact in answer.facts]
    texts = [str(each) for each in shown if isinstance(each, int | str) and not isinstance(each, bool)]
    return [Decimal(text) for text in texts if text.replace(".", "", 1).isdecimal()]


@pytest.mark.parametrize(("person", "text", "statement"), COUNTS)
async def test_counts(runtime: Runtime, truth: Truth, person: str, text: str, statement: LiteralString) -> None:
    """How many there are is what plain SQL counts."""
    answer = await ask(runtime, person, text)
    assert answer.verdict is Verdict.VERIFIED, answer.answer
    assert truth.one(statement)["n"] in figures(answer), answer.answer


@pytest.mark.parametrize(("person", "text", "statement"), SUMS)
async def test_sums(runtime: Runtime, truth: Truth, person: str, text: str, statement: LiteralString) -> None:
    """Money of one currency, to the cent."""
    answer = await ask(runtime, person, text)
    assert answer.verdict is Verdict.VERIFIED, answer.answer
    expected: Any = truth.one(statement)["n"]
    assert Decimal(expected) / 1_000_000 in figures(answer), answer.answer


@pytest.mark.parametrize(
    ("person", "text", "head"),
    [
        ("rep.us", "open orders over 10k promised last week",
         "Open sales orders over 10k (USD) promised from 9 to 15 Nov 2026: none"),
        ("planner", "orders on hold in Chicago", "Sales orders on hold at Chicago: "),
        ("finance", "payments received in October", "Payments received in Oct 2026: "),
        ("rep.us", "which customer placed the most orders this year",
         "Sales orders placed in 2026 by customer, highest first, in the records you may see, the first:"),
    ],
)  # fmt: skip
async def test_the_first_line_says_what_was_counted(runtime: Runtime, person: str, text: str, head: str) -> None:
    answer = await ask(runtime, person, text)
    assert plain(answer).startswith(head), answer.answer


async def test_bare_money_asks_in_which_currency(runtime: Runtime) -> None:
    """Nothing is guessed for somebody who has several; each choice is the question with one of them."""
    answer = await ask(runtime, "finance", "invoices over 10k")
    assert answer.reason is Reason.AMBIGUOUS
    assert {choice.label[-3:] for choice in answer.choices} == {"EUR", "SGD", "USD"}
    told = await ask(runtime, "finance", answer.choices[0].question)
    assert told.verdict is not Verdict.DECLINED


@pytest.mark.parametrize(
    ("person", "text"),
    [
        ("planner", "overdue receivables by customer"),
        ("rep.us", "purchase value by supplier this year"),
        ("rep.us", "haunted orders in Dallas"),
        ("finance", "what share of orders was cancelled"),
        ("rep.us", "orders with items over 500 EUR"),
        ("planner", "which orders will be placed in February 2028"),
        ("planner", "how many orders in September promised, October placed"),
        ("planner", "how many orders were placed in September and how many shipped in October"),
    ],
)
async def test_what_may_not_be_told_or_is_not_understood_is_declined(runtime: Runtime, person: str, text: str) -> None:
    answer = await ask(runtime, person, text)
    assert answer.verdict is Verdict.DECLINED, answer.answer
    assert not answer.facts


async def test_a_name_beside_a_number_has_to_be_of_that_record(runtime: Runtime, truth: Truth) -> None:
    """The customer of an order may be named with it; another one may not."""
    row = truth.one(OF_CUSTOMERS)
    right = await ask(runtime, "rep.us", f"is {row['number']} of {row['own']} shipped")
    assert right.verdict is not Verdict.DECLINED, right.answer
    wrong = await ask(runtime, "rep.us", f"is {row['number']} of {row['other']} shipped")
    assert wrong.verdict is Verdict.DECLINED, wrong.answer
    assert not wrong.facts


async def test_a_mean_of_money_is_told_to_the_cent(runtime: Runtime, truth: Truth) -> None:
    row = truth.one(
        "select round(avg(a.net) / 1000000, 2) as n from biz.sales_order o"
        " join biz.sales_order_amount a on a.order_id = o.id where o.status not in ('quotation', 'cancelled')"
        " and o.label_region = 3 and a.currency = 'USD' and o.order_date between '2026-10-01' and '2026-10-31'"
    )
    answer = await ask(runtime, "rep.us", "average order value in October in USD")
    assert figures(answer)[0] == row["n"]


async def test_a_supplier_s_published_rate_is_the_measure_over_that_year(runtime: Runtime, truth: Truth) -> None:
    """Two ways to one definition: the worker's statement, and the measure compiled for whoever sees every site."""
    suppliers = truth.all(
        "select s.name, r.on_time_rate, r.period_start, r.period_end from biz.supplier_rate r"
        " join biz.supplier s on s.id = r.supplier_id where r.receipts > 20 and r.on_time < r.receipts"
        " order by md5(s.name) limit 4"
    )
    for row in suppliers:
        published = await ask(runtime, "planner", f"on time rate of {row['name']}")
        text = f"on time rate of {row['name']} from {row['period_start']} to {row['period_end']}"
        measured = await ask(runtime, "planner", text)
        assert figures(published)[0] == figures(measured)[0] == Decimal(row["on_time_rate"]) / 1_000_000
