"""What is at risk, what ships, what arrives, what runs out: asked without a record, counted over all in scope."""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import date

import pytest

from copilot.domain.answer import Answer, Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, truth_of
from tests.company import Company, ask

TODAY = "2026-11-20"
SHORT = """
    select distinct l.id, o.number, o.label_region as region from biz.sales_order_line l
      join biz.sales_order o on o.id = l.order_id
     where o.status in ('confirmed', 'partly_shipped') and l.status in ('open', 'backordered', 'partly_shipped')
       and coalesce(l.promised_date, o.promised_date) between '2026-11-20' and '2026-11-26'
       and l.open_quantity > l.reserved_quantity
       and (select b.balance from biz.atp_bucket b
             where b.item_id = l.item_id and b.site_id = coalesce(l.site_id, o.site_id)
               and b.day = (select max(x.day) from biz.atp_bucket x
                             where x.item_id = b.item_id and x.site_id = b.site_id
                               and x.day <= coalesce(l.promised_date, o.promised_date))) < 0"""
PAST = """
    select count(*) from biz.sales_order o
     where o.status in ('confirmed', 'partly_shipped') and o.promised_date < '2026-11-20'
       and (%(site)s::bigint is null or o.site_id = %(site)s)"""
DUE = """
    select o.number from biz.sales_order o
     where o.status in ('confirmed', 'partly_shipped') and o.promised_date = %(day)s
       and (%(site)s::bigint is null or o.site_id = %(site)s)"""
BOUGHT = """
    select p.number, p.site_id, coalesce(l.promised_date, p.promised_date) as day
      from biz.purchase_line l join biz.purchase_order p on p.id = l.purchase_order_id
     where p.status in ('sent', 'confirmed', 'partly_received') and l.status in ('open', 'partly_received')"""


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


def counts(answer: Answer) -> list[str]:
    """The figures that are counted, as printed."""
    return re.findall(r"\*\*([\d,]+ [a-z]+(?: [a-z]+)*)\*\*", answer.answer)


def orders_named(answer: Answer) -> set[str]:
    return set(re.findall(r"SO-\d+", answer.answer))


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


async def test_risks_are_counted_over_everything_and_the_usual_week_is_said(runtime: Runtime, truth: Truth) -> None:
    short = truth.all(SHORT)
    out = truth.number("select count(*) from biz.availability where available <= 0 and live and demand > 0")
    answer = await ask(runtime, "planner", "what is at risk?")
    assert answer.verdict is Verdict.VERIFIED, answer.answer
    assert "You named no time, so this is the coming week." in answer.answer
    assert len(short) > 5, "more than are listed"
    assert counted(len(short), "open order line") in counts(answer)
    assert counted(out, "item") in counts(answer)


async def test_a_rep_s_risks_hold_nothing_of_another_region(runtime: Runtime, truth: Truth) -> None:
    own = [row for row in truth.all(SHORT) if row["region"] == 3]
    foreign = {row["number"] for row in truth.all("select number from biz.sales_order where label_region <> 3")}
    answer = await ask(runtime, "rep.us", "what is at risk")
    assert counted(len(own), "open order line") in counts(answer)
    assert orders_named(answer)
    assert not orders_named(answer) & foreign


async def test_who_may_not_see_stock_reads_nothing_of_it(runtime: Runtime) -> None:
    answer = await ask(runtime, "finance", "what is at risk")
    assert answer.verdict is Verdict.VERIFIED
    assert "stock" not in answer.answer
    assert "Nothing available" not in answer.answer


async def test_a_person_of_one_site_sees_what_ships_there_overdue_apart(runtime: Runtime, truth: Truth) -> None:
    answer = await ask(runtime, "warehouse.sg", "what needs to ship today")
    due = {row["number"] for row in truth.all(DUE, day=TODAY, site=8)}
    past = truth.number(PAST, site=8)
    assert answer.answer.startswith("Open orders to ship on **20 Nov 2026**")
    assert counts(answer)[:2] == [counted(past, "open order"), counted(len(due), "open order")]
    assert due <= orders_named(answer)


async def test_orders_to_ship_are_those_promised_not_those_shipped_or_placed(runtime: Runtime, truth: Truth) -> None:
    due = truth.all(DUE, day=TODAY, site=8)
    for text in ("orders to ship today", "which orders have to leave today", "how many orders ship today"):
        answer = await ask(runtime, "warehouse.sg", text)
        assert counted(len(due), "open order") in counts(answer), text


async def test_another_place_or_day_keeps_the_rest_of_the_question(runtime: Runtime, truth: Truth) -> None:
    first = await ask(runtime, "planner", "what needs to ship today")
    there = await ask(runtime, "planner", "and in Dallas?", first.conversation)
    assert "from **Dallas** on **20 Nov 2026**" in there.answer
    later = await ask(runtime, "planner", "what about Monday", first.conversation)
    assert "from **Dallas** on **23 Nov 2026**" in later.answer
    due = truth.all(DUE, day="2026-11-23", site=4)
    assert {row["number"] for row in due} <= orders_named(later)


async def test_every_restriction_stands_in_the_first_line(runtime: Runtime, truth: Truth) -> None:
    row = truth.one("""select c.number, c.name from biz.sales_order o join biz.customer c on c.id = o.customer_id
                        where o.status = 'confirmed' and o.site_id = 4 order by o.id""")
    ships = await ask(runtime, "planner", f"what ships from Dallas for {row['number']} next week")
    risks = await ask(runtime, "planner", f"what is at risk for {row['number']} in Dallas")
    for answer in (ships, risks):
        first = answer.answer.partition("records you may see")[0]
        assert row["name"] in first.replace("\\", "")
        assert "**Dallas**" in first


async def test_what_arrives_is_what_is_open_by_its_day(runtime: Runtime, truth: Truth) -> None:
    lines = truth.all(BOUGHT)
    week = [row for row in lines if TODAY <= str(row["day"]) <= "2026-11-22"]
    past = [row for row in lines if str(row["day"]) < TODAY]
    answer = await ask(runtime, "planner", "inbound this week")
    assert counts(answer)[0] == counted(len(past), "purchase line")
    assert counted(len(week), "purchase line") in counts(answer)
    here = await ask(runtime, "planner", "what's coming in this week at TUA")
    assert counted(sum(row["site_id"] == 8 for row in week), "purchase line") in counts(here)


async def test_what_runs_out_is_told_by_the_published_days_of_supply(runtime: Runtime, truth: Truth) -> None:
    low = "select count(*) from biz.availability where available > 0 and days_of_supply < 15000000"
    answer = await ask(runtime, "planner", "which items will run out in the next 2 weeks")
    assert counts(answer)[0] == counted(truth.number(low), "item")


async def test_what_is_lacking_only_before_the_days_asked_about_does_not_count(runtime: Runtime, truth: Truth) -> None:
    rows = truth.all("select item_id, site_id, day, balance from biz.atp_bucket order by item_id, site_id, day")
    since, last = date(2026, 11, 23), date(2026, 11, 29)
    lacking: dict[tuple[int, int], bool] = {}
    for row in rows:
        key, low = (row["item_id"], row["site_id"]), row["balance"] < 0
        if row["day"] <= since:
            lacking[key] = low  # what another row follows by then is over
        elif row["day"] <= last:
            lacking[key] = lacking.get(key, False) or low
    answer = await ask(runtime, "planner", "what will we be short of next week")
    assert counts(answer) == [counted(sum(lacking.values()), "stock position")]


@pytest.mark.parametrize(
    "text",
    [
        "which customers are at risk of leaving",
        "what was at risk last week",
        "what is at risk on the balcony",
        "what ships late",
        "who ships today",
        "what arrives by carrier pigeon tomorrow",
        "which items never run out this week",
    ],
)
async def test_words_that_nothing_took_account_of_decline(runtime: Runtime, text: str) -> None:
    answer = await ask(runtime, "planner", text)
    assert answer.verdict is Verdict.DECLINED, answer.answer


async def test_a_credit_hold_is_told_by_yes_or_no(runtime: Runtime, truth: Truth) -> None:
    held = """select o.number from biz.order_hold h join biz.sales_order o on o.id = h.order_id
               where h.released_at is null and h.reason {} 'credit' and o.status = 'confirmed' and not exists (
                   select from biz.order_hold x where x.order_id = o.id and x.id <> h.id) order by o.id"""
    credit = truth.number(held.format("="))  # pyright: ignore[reportArgumentType] -- made of two literals
    other = truth.number(held.format("<>"))  # pyright: ignore[reportArgumentType]
    free = truth.number(
        """select number from biz.sales_order o where status = 'confirmed' and not exists (
               select from biz.order_hold h where h.order_id = o.id) order by id"""
    )
    yes = await ask(runtime, "planner", f"is {credit} on credit hold")
    assert yes.answer.startswith("Yes: ")
    elsewise = await ask(runtime, "planner", f"is {other} on credit hold?")
    assert elsewise.answer.startswith("No credit hold is recorded")
    no = await ask(runtime, "planner", f"is {free} on credit hold")
    assert no.answer.startswith(f"No: order **{free}** has no hold")


async def test_a_quantity_by_a_day_is_a_promise(runtime: Runtime, truth: Truth) -> None:
    item = truth.number("select i.number from biz.item i join biz.item_unit u on u.item_id = i.id and u.unit = 'box' "
                        "join biz.availability a on a.item_id = i.id and a.promised order by i.id")  # fmt: skip
    answer = await ask(runtime, "planner", f"do we have 3 boxes of {item} by Friday")
    assert answer.kind == "item_have_by"
    assert "27 Nov 2026" in answer.answer
    changed = await ask(
        runtime, "planner", f"can {truth.number('select number from biz.sales_order')} still be changed"
    )
    assert changed.verdict is Verdict.DECLINED
