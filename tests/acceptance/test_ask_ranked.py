"""Rankings: of every currency by itself, of what is counted, and by how late; checked against plain SQL."""

from __future__ import annotations

import re
from collections.abc import Generator

import pytest

from copilot.domain.answer import Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, plain, truth_of
from tests.company import Company, ask

OPEN_BY_CUSTOMER = """select c.name, a.currency, sum(a.open) as n from biz.invoice v
    join biz.invoice_amount a on a.invoice_id = v.id join biz.customer c on c.id = v.customer_id
    where v.kind = 'invoice' and v.status in ('open', 'partly_paid') group by c.name, a.currency
    order by a.currency, n desc, c.name"""


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


async def test_money_is_ranked_within_each_currency(runtime: Runtime, truth: Truth) -> None:
    """24,000 USD are neither more nor less than 23,000 EUR."""
    rows = truth.all(OPEN_BY_CUSTOMER)
    currencies = sorted({row["currency"] for row in rows})
    best = [[row["name"] for row in rows if row["currency"] == each][:2] for each in currencies]
    answer = await ask(runtime, "finance", "top 2 customers by open receivables")
    assert "the first 2 of every currency" in plain(answer)
    assert re.findall(r"(?m)^- (.+?): [\d.,]+ [A-Z]{3}\.$", plain(answer)) == [name for each in best for name in each]
    one = await ask(runtime, "finance", "top 2 customers by open receivables in USD")
    assert "every currency" not in plain(one)
    assert all(name in plain(one) for name in best[currencies.index("USD")])


async def test_the_most_late_orders_are_many_and_the_most_overdue_one_is_late(runtime: Runtime, truth: Truth) -> None:
    late = """from biz.sales_order o join biz.customer c on c.id = o.customer_id join biz.site s on s.id = o.site_id
        where o.status in ('confirmed', 'partly_shipped') and o.promised_date < '2026-11-20' and o.label_region = 3"""
    most = truth.one(f"select count(*) as n {late} group by c.id order by n desc")
    counted = await ask(runtime, "rep.us", "which customer has the most late orders")
    assert f"{most['n']} sales orders" in plain(counted)
    overdue = await ask(runtime, "rep.us", "the most overdue order")
    assert overdue.verdict is not Verdict.DECLINED
    (number,) = set(re.findall(r"SO-\d+", plain(overdue)))
    row = truth.one(f"select o.promised_date as day {late} order by o.promised_date")
    assert truth.one("select promised_date as day from biz.sales_order where number = %(n)s", n=number) == row


async def test_only_the_first_keeps_the_ranking(runtime: Runtime) -> None:
    all_of_them = await ask(runtime, "rep.us", "top 3 customers by order value this year")
    first = await ask(runtime, "rep.us", "only the first", all_of_them.conversation)
    (name,) = re.findall(r"(?m)^- (.+?): ", plain(first))
    assert plain(all_of_them).index(name) == plain(all_of_them).index("- ") + 2
    assert "highest first" in plain(first)
