"""What can be promised, asked by those who may see stock and by those who may not."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from copilot.domain.answer import Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import Row, Truth, day, plain, quantity, truth_of
from tests.company import Company, ask

COMING = """
    select i.number, i.name, s.name as site, c.day, o.promisable as now, c.promisable as then, c.unit,
           o.item_id, o.site_id
      from biz.atp_bucket c
      join biz.atp_bucket o on o.item_id = c.item_id and o.site_id = c.site_id and o.kind = 'opening'
      join biz.item i on i.id = c.item_id join biz.site s on s.id = c.site_id
     where c.kind = 'change' and c.receipts > 0 and c.promisable > greatest(o.promisable, 0) + 2000000
       and o.promisable >= 0 and extract(isodow from c.day) < 6 and s.country = 'DE'
       and (select count(*) from biz.atp_bucket b where b.item_id = c.item_id and b.site_id = c.site_id) = 2
       and not exists (select from biz.site_closure x where x.site_id = c.site_id and x.day = c.day)
     order by c.id"""


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


@pytest.fixture(scope="module")
def coming(truth: Truth) -> Row:
    """An item at a site of the first region of which more can be promised from a working day on."""
    return truth.one(COMING)


def one_more(coming: Row) -> int:
    return int(coming["now"] // 1_000_000 + 1)


async def test_what_is_not_there_yet_is_promised_from_the_day_it_comes(runtime: Runtime, coming: Row) -> None:
    amount = one_more(coming)
    text = f"can I promise {amount} of {coming['number']} from {coming['site']}"
    answer = await ask(runtime, "planner", f"{text} by {coming['day'].isoformat()}")
    assert answer.verdict is Verdict.VERIFIED, answer.answer
    assert f"**Yes** from {coming['site']} by {day(coming['day'])}" in answer.answer
    assert quantity(coming["then"], coming["unit"]) in answer.answer
    earlier = await ask(runtime, "planner", f"{text} by tomorrow")
    assert f"all of it from **{day(coming['day'])}**" in earlier.answer
    assert "counted in its base unit" in earlier.answer


async def test_a_rep_gets_the_planner_s_figure_and_who_sees_no_stock_gets_none(runtime: Runtime, coming: Row) -> None:
    text = f"when can we have {one_more(coming)} of {coming['number']} from {coming['site']}"
    planner = await ask(runtime, "planner", text)
    rep = await ask(runtime, "rep.de", text)
    assert rep.answer == planner.answer
    for subject in ("rep.us", "finance"):
        other = await ask(runtime, subject, text)
        assert other.verdict is Verdict.DECLINED
        assert quantity(coming["then"], coming["unit"]) not in other.answer


@pytest.mark.parametrize(
    "text", ["{} by last Friday", "{} and 12 of them", "{} and paint it blue", "{} in light years"]
)
async def test_words_that_nothing_took_account_of_decline_a_promise(runtime: Runtime, coming: Row, text: str) -> None:
    answer = await ask(runtime, "planner", text.format(f"can I promise 5 of {coming['number']}"))
    assert answer.verdict is Verdict.DECLINED, answer.answer


async def test_a_unit_that_the_item_does_not_have_is_not_guessed(runtime: Runtime, coming: Row) -> None:
    answer = await ask(runtime, "planner", f"can I promise 5 drums of {coming['number']}")
    assert "no unit called drum is recorded" in answer.answer
    assert "Yes" not in answer.answer


async def test_whether_to_split_an_order_is_told_by_what_could_leave(runtime: Runtime, truth: Truth) -> None:
    found = truth.one(
        """select o.number, count(*) as lines from biz.sales_order o join biz.sales_order_line l on l.order_id = o.id
            where o.status = 'confirmed' and l.status in ('open', 'backordered') and l.open_quantity > 0
              and o.label_region = (select id from biz.region where code = 'DE')
            group by o.id having bool_and(l.reserved_quantity >= l.open_quantity) and count(*) > 1 order by o.id"""
    )
    answer = await ask(runtime, "rep.de", f"is it worth splitting {found['number']}?")
    assert answer.verdict is Verdict.VERIFIED, answer.answer
    assert f"**need not be split**: all of its {found['lines']} open lines" in answer.answer
    hidden = await ask(runtime, "rep.us", f"is it worth splitting {found['number']}?")
    assert hidden.verdict is Verdict.DECLINED


async def test_whether_an_order_can_ship_today_is_yes_or_no_first(runtime: Runtime, truth: Truth) -> None:
    """A hold stops it whatever there is in stock; that there is stock for it is another question."""
    held = truth.one(
        """select o.number from biz.sales_order o join biz.order_hold h on h.order_id = o.id and h.released_at is null
            where o.status = 'confirmed' and o.label_region = 3 order by o.id limit 1"""
    )["number"]
    answer = await ask(runtime, "rep.us", f"where is {held}")
    for text, head in (("can we ship it today?", "No: order"), ("is everything in stock for it?", ("Yes", "No: "))):
        said = await ask(runtime, "rep.us", text, conversation=answer.conversation)
        assert said.verdict is Verdict.VERIFIED, said.answer
        assert plain(said).startswith(head), said.answer
        assert ("on hold" in plain(said)) is ("ship" in text)
    gone = truth.one("select number from biz.sales_order where status = 'delivered' and label_region = 3 limit 1")
    said = await ask(runtime, "rep.us", f"can {gone['number']} ship today")
    assert plain(said).startswith(f"Order {gone['number']} is delivered"), said.answer
