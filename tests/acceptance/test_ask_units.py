"""Quantities in the unit asked for, single lines of documents and lots: by actor, against the base tables."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from copilot.domain.answer import Reason, Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import Row, Truth, day, plain, quantity, truth_of
from tests.company import Company, ask

BOXED = """
    select i.number, s.name as site, k.available, u.base_quantity as size
      from biz.stock k join biz.item i on i.id = k.item_id join biz.site s on s.id = k.site_id
      join biz.item_unit u on u.item_id = i.id and u.unit = 'box'
     where k.source_id = 1 and k.lot is null and k.unit = 'each' and s.country = 'DE' and k.reserved = 0
       and k.available > u.base_quantity and mod(k.available, u.base_quantity) > 0
       and not exists (select from biz.stock w where w.item_id = k.item_id and w.site_id = k.site_id
                         and w.source_id <> 1 and w.on_hand <> k.on_hand)
     order by i.number, s.name limit 1"""
LINE = """
    select o.number, l.line_number, i.number as item, l.ordered_quantity, l.open_quantity, l.unit, p.unit_price
      from biz.sales_order_line l join biz.sales_order o on o.id = l.order_id join biz.item i on i.id = l.item_id
      join biz.sales_line_price p on p.line_id = l.id
     where o.status = 'partly_shipped' and l.open_quantity > 0 and l.line_number = 2 and o.label_region = 3
       and l.unit = 'each' and (select count(*) from biz.sales_order_line x where x.order_id = o.id
                                and x.item_id = l.item_id) = 1
     order by o.id desc limit 1"""
LOT = """
    select i.number, k.lot, k.on_hand, k.unit, k.expires, s.name as site
      from biz.stock k join biz.item i on i.id = k.item_id join biz.site s on s.id = k.site_id
     where k.source_id = 1 and k.on_hand > 0 and k.expires > '2027-01-01' and s.country = 'DE'
       and not exists (select from biz.stock w where w.source_id <> 1 and w.item_id = k.item_id and w.lot = k.lot
                         and w.on_hand <> k.on_hand)
     order by k.id limit 1"""


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


@pytest.fixture(scope="module")
def boxed(truth: Truth) -> Row:
    """An item of which some boxes and some pieces are there."""
    return truth.one(BOXED)


@pytest.fixture(scope="module")
def line(truth: Truth) -> Row:
    return truth.one(LINE)


@pytest.fixture(scope="module")
def lot(truth: Truth) -> Row:
    return truth.one(LOT)


@pytest.mark.parametrize("text", ["how many boxes of {0} available in {1}", "{0} in {1}: available in boxes pls"])
async def test_stock_is_told_in_boxes_and_pieces(runtime: Runtime, boxed: Row, text: str) -> None:
    answer = await ask(runtime, "planner", text.format(boxed["number"], boxed["site"]))
    whole, rest = divmod(boxed["available"], boxed["size"])
    assert answer.verdict is Verdict.VERIFIED, answer.answer
    assert f"available: **{whole} box** and {quantity(rest, 'each')}" in answer.answer
    assert f"1 box = {quantity(boxed['size'], 'each')}" in answer.answer
    hidden = await ask(runtime, "rep.us", text.format(boxed["number"], boxed["site"]))
    assert quantity(boxed["available"], "each") not in hidden.answer


@pytest.mark.parametrize(
    "text", ["how many pieces in a box of {}", "pcs per box {}", "how many {} fit in a box", "1 box {} = how many pcs"]
)
async def test_a_unit_holds_what_the_item_s_own_table_says(runtime: Runtime, boxed: Row, text: str) -> None:
    answer = await ask(runtime, "planner", text.format(boxed["number"]))
    assert f"is **{quantity(boxed['size'], 'each')}**" in answer.answer
    assert answer.sources


@pytest.mark.parametrize(
    "text", ["how many rolls of {} do we have", "how many kg is a box of {}", "3 drums of {} in pieces"]
)
async def test_a_unit_the_item_does_not_have_declines_and_tells_those_it_has(
    runtime: Runtime, boxed: Row, text: str
) -> None:
    answer = await ask(runtime, "planner", text.format(boxed["number"]))
    assert (answer.verdict, answer.reason) == (Verdict.DECLINED, Reason.WRONG_PREMISE)
    assert f"Recorded for it: box = {quantity(boxed['size'], 'each')}" in answer.answer


@pytest.mark.parametrize(
    "text",
    [
        "how many boxes of {} do we need",
        "how many boxes of {} outside Hamburg",
        "how many boxes of {} did we sell last month",
        "how many boxes of {} in pallets",
        "how many shiny boxes of {}",
    ],
)
async def test_what_would_change_the_figure_declines_it(runtime: Runtime, boxed: Row, text: str) -> None:
    answer = await ask(runtime, "planner", text.format(boxed["number"]))
    assert answer.verdict is not Verdict.VERIFIED, answer.answer
    assert " box**" not in answer.answer


async def test_a_line_is_asked_for_by_its_number_or_its_item(runtime: Runtime, line: Row) -> None:
    for text in ("line {2} of {0}, which item and how many are open", "how many of {1} are still open on {0}"):
        answer = await ask(runtime, "rep.us", text.format(line["number"], line["item"], line["line_number"]))
        assert answer.verdict is Verdict.VERIFIED, answer.answer
        assert line["item"].replace("-", "") in answer.answer.replace("-", "").replace("\\", "")
        assert f"**{quantity(line['open_quantity'], 'each')} open**" in answer.answer
    absent = await ask(runtime, "rep.us", f"line 999 of {line['number']}")
    assert (absent.verdict, absent.reason) == (Verdict.DECLINED, Reason.WRONG_PREMISE)


async def test_the_price_of_a_line_is_only_for_those_who_may_see_prices(runtime: Runtime, line: Row) -> None:
    text = f"unit price of {line['item']} on {line['number']}"
    price = quantity(line["unit_price"], "").strip()
    rep = await ask(runtime, "rep.us", text)
    assert price in rep.answer
    for subject in ("planner", "rep.de"):
        other = await ask(runtime, subject, text)
        assert other.verdict is Verdict.DECLINED
        assert price not in other.answer


async def test_a_lot_is_told_by_its_number_and_by_its_expiry(runtime: Runtime, lot: Row) -> None:
    left = await ask(runtime, "planner", f"how much is left of lot {lot['lot'].lower()} of {lot['number']}")
    assert f"**{quantity(lot['on_hand'], lot['unit'])}** on hand" in left.answer
    assert day(lot["expires"]) in left.answer
    listed = await ask(runtime, "planner", f"which lots of {lot['number']} expire after 2027-01-01")
    assert f"{lot['lot']} at {lot['site']}" in listed.answer.replace("\\", "")
    earlier = await ask(runtime, "planner", f"which lots of {lot['number']} expire before 2020-01-01")
    assert earlier.answer.startswith("No lot of")
    other = await ask(runtime, "rep.us", f"how much is left of lot {lot['lot']} of {lot['number']}")
    assert quantity(lot["on_hand"], lot["unit"]) not in other.answer


async def test_a_lot_leads_to_its_purchase_order(runtime: Runtime, truth: Truth) -> None:
    came = truth.one("""
        select l.lot, i.number as item, p.number from biz.receipt_line l join biz.receipt r on r.id = l.receipt_id
          join biz.purchase_order p on p.id = r.purchase_order_id join biz.item i on i.id = l.item_id
         where l.lot is not null and (select count(*) from biz.receipt_line x
                                       where x.lot = l.lot and x.item_id = l.item_id) = 1
         order by l.id desc limit 1""")
    answer = await ask(runtime, "buyer", f"which po did lot {came['lot']} of {came['item']} come from")
    assert f"**{came['number']}**" in answer.answer
    nothing = await ask(runtime, "buyer", "which po did lot L000000-XXX come from")
    assert nothing.verdict is Verdict.DECLINED


@pytest.mark.parametrize("text", ["do we have {n} boxes of {item}", "{n} boxes of {item} in stock?"])
async def test_stock_against_a_quantity_is_yes_or_no_first(runtime: Runtime, truth: Truth, text: str) -> None:
    """Converted by the item's own table; what is available and what is asked for are both printed."""
    row = truth.one(
        """select i.number, u.base_quantity / 1000000 as size, sum(a.available) / 1000000 as free
             from biz.item i join biz.item_unit u on u.item_id = i.id and u.unit = 'box'
             join biz.availability a on a.item_id = i.id where i.base_unit = 'each'
            group by i.id, u.base_quantity
           having bool_and(a.agrees is not false) and sum(a.available) > 5 * u.base_quantity order by i.id limit 1"""
    )
    boxes, free = int(row["free"] // row["size"]), int(row["free"])
    for count, verdict in ((boxes, "Yes"), (boxes + 1, "No")):
        answer = await ask(runtime, "planner", text.format(n=count, item=row["number"]))
        asked = int(count * row["size"])
        assert answer.verdict is Verdict.VERIFIED, answer.answer
        assert plain(answer).startswith(f"{verdict}: {free:,} each available"), answer.answer
        assert f"for the {asked:,} each asked for" in plain(answer)
        more = await ask(runtime, "planner", f"and {boxes + 1}?", conversation=answer.conversation)
        assert plain(more).startswith(("No", "Yes")), more.answer
