"""What a desk is told: where orders stand, what lines wait for, what comes next, who is best, what was paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from copilot.domain.evidence import Record
from copilot.domain.plan import Period, Wanted
from copilot.retrieval.measures import MEASURES, Context
from copilot.semantic.measures import load_measures
from tests.unit.records import NOW, SITE, context, day, measure, record, scaled

LAST_WEEK, NEXT_WEEK, TODAY = day("2026-11-10"), day("2026-11-25"), NOW.date()


def _all(name: str, *inputs: Sequence[Record], with_context: Context | None = None) -> list[dict[str, Any]]:
    found = list(MEASURES[name](with_context or context(), *inputs))
    assert all(set(f.values) <= set(load_measures()[name].fields) for f in found), "a figure that has no definition"
    return [dict(figures.values) for figures in found]


def _order(ref: str = "S1", row: int = 24, **fields: Any) -> Record:
    usual = {"status": "confirmed", "promised_date": NEXT_WEEK, "number": f"SO-{row}", "order_date": LAST_WEEK}
    return record("sales_order", ref, row=row, **{**usual, **fields})


def _line(ref: str = "S2", row: int = 2, **fields: Any) -> Record:
    usual = {
        "order": 24, "item": 7, "site": SITE, "line_number": 1, "status": "open", "unit": "pcs", "open_quantity": 10,
        "shipped_quantity": 0,
    }  # fmt: skip
    return record("sales_order_line", ref, row=row, **{**usual, **fields})


def _hold(ref: str = "S9", **fields: Any) -> Record:
    return record("order_hold", ref, row=9, **{"order": 24, "reason": "credit", "placed_at": NOW, **fields})


def _stock(on_hand: int, available: int | None = None, **fields: Any) -> Record:
    reserved = None if available is None else on_hand - available
    usual = {"item": 7, "site": SITE, "unit": "pcs", "on_hand": on_hand, "available": available, "reserved": reserved}
    return record("stock", "S3", row=3, **{**usual, **fields})


SUPPLY = record(
    "purchase_line", "S5", row=5, purchase_order=6, item=7, unit="pcs", open_quantity=20, promised_date=NEXT_WEEK
)
BOUGHT = record("purchase_order", "S6", row=6, number="PO-6", site=SITE, supplier=8, status="sent")


# --- where an order stands ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "holds", "state", "days"),
    [
        (_order(), [], "in_time", None),
        (_order(promised_date=None), [], "undated", None),
        (_order(promised_date=LAST_WEEK), [], "overdue", 6),
        (_order(promised_date=LAST_WEEK), [_hold()], "on_hold", 6),
        (_order(), [_hold(released_at=NOW)], "in_time", None),
        (_order(), [_hold(order=99)], "in_time", None),
        (_order(status="cancelled", promised_date=LAST_WEEK), [], "cancelled", None),
        (_order(status="quotation", promised_date=LAST_WEEK), [], "quotation", None),
        (_order(status="shipped", promised_date=LAST_WEEK, shipped_date=day("2026-11-12")), [], "shipped", 2),
        (_order(status="delivered", promised_date=LAST_WEEK, shipped_date=LAST_WEEK), [], "delivered", None),
    ],
)
def test_an_order_stands_where_its_status_holds_and_dates_put_it(
    order: Record, holds: list[Record], state: str, days: int | None
) -> None:
    (found,) = _all("order_standing", [order], [], holds)
    assert (found["state"], found["days_late"], found["late"]) == (state, days, days is not None)


def test_an_order_is_as_late_as_its_latest_open_line() -> None:
    late, gone = _line(promised_date=LAST_WEEK), _line("S4", 4, status="shipped", promised_date=day("2026-10-01"))
    (found,) = _all("order_standing", [_order()], [late, gone])
    assert (found["state"], found["days_late"], found["promised_date"]) == ("overdue", 6, LAST_WEEK)


def test_lines_are_counted_without_cancelled_ones_and_not_at_all_where_the_list_was_cut() -> None:
    lines = [
        _line(), _line("S4", 4, status="partly_shipped", shipped_quantity=3),
        _line("S7", 7, status="shipped", shipped_quantity=10), _line("S8", 8, status="cancelled"),
    ]  # fmt: skip
    (found,) = _all("order_standing", [_order()], lines)
    assert (found["lines"], found["open_lines"], found["shipped_lines"], found["whole"]) == (3, 2, 2, False)
    (cut,) = _all("order_standing", [_order()], lines, with_context=context(complete=False))
    assert "lines" not in cut
    (whole,) = _all("order_standing", [_order(status="shipped")], [lines[2]])
    assert whole["whole"] is True


# --- what lines wait for ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "stock", "supply", "holds", "cause"),
    [
        ({}, [_stock(4)], [SUPPLY], [], "short_with_supply"),
        ({}, [_stock(4)], [], [_hold()], "short_of_stock"),
        ({}, [], [], [], "short_of_stock"),
        ({}, [_stock(40)], [], [_hold()], "held"),
        ({}, [_stock(40)], [], [_hold(released_at=NOW)], "in_stock"),
        ({"reserved_quantity": 0}, [_stock(40, 3)], [], [], "taken"),
        ({"reserved_quantity": 8}, [_stock(40, 3)], [], [], "in_stock"),
        ({"reserved_quantity": None}, [_stock(40, 3)], [], [], "in_stock"),
        ({"unit": "box"}, [_stock(40)], [], [], "unknown"),
    ],
)
def test_a_line_waits_for_the_first_cause_that_holds(
    line: dict[str, Any], stock: list[Record], supply: list[Record], holds: list[Record], cause: str
) -> None:
    (found,) = _all("line_wait", [_order()], [_line(**line)], holds, stock, supply, [BOUGHT])
    assert found["cause"] == cause
    assert found["supply_date"] == (NEXT_WEEK if cause == "short_with_supply" else None)
    assert found["purchase_order"] == (6 if cause == "short_with_supply" else None)
    assert found["missing"] == {"short_with_supply": scaled(6), "unknown": None}.get(
        cause, scaled(10 if not stock else 6) if cause == "short_of_stock" else 0
    )


def test_in_an_order_that_ships_complete_only_lines_in_stock_wait_for_the_short_ones() -> None:
    lines = [_line(), _line("S4", 4, item=8)]
    stock = [_stock(40)]
    whole = _all("line_wait", [_order(ship_complete=True)], lines, [], stock, [], [])
    parts = _all("line_wait", [_order(ship_complete=False)], lines, [], stock, [], [])
    assert [each["cause"] for each in whole] == ["rest", "short_of_stock"]
    assert [each["cause"] for each in parts] == ["in_stock", "short_of_stock"]


def test_lines_of_several_orders_keep_to_their_own_holds() -> None:
    orders, lines = [_order(), _order("S11", 25)], [_line(), _line("S12", 12, order=25)]
    found = _all("line_wait", orders, lines, [_hold()], [_stock(40)], [], [])
    assert [(each["sales_order"], each["cause"]) for each in found] == [(24, "held"), (25, "in_stock")]


@pytest.mark.parametrize("status", ["quotation", "cancelled", "shipped", "delivered"])
def test_nothing_waits_in_an_order_that_is_not_open(status: str) -> None:
    assert _all("line_wait", [_order(status=status)], [_line()], [], [], [], []) == []


def test_a_cut_list_of_stock_tells_no_cause() -> None:
    cut = context(complete=False)
    (found,) = _all("line_wait", [_order()], [_line()], [], [_stock(4)], [], [], with_context=cut)
    assert (found["cause"], found["missing"], found["on_hand"]) == ("unknown", None, None)


# --- a customer's orders ------------------------------------------------------------------------------------

MOVING = record("shipment", "S30", row=30, order=25, status="in_transit")


def test_a_customer_asks_about_what_is_open_or_on_its_way() -> None:
    orders = [_order(), _order("S2", 25, status="shipped"), _order("S3", 26, status="shipped")]
    found = _all("customer_order", orders, [], [_hold()], [MOVING])
    assert {each["sales_order"]: each["state"] for each in found} == {24: "on_hold", 25: "on_its_way"}


def test_a_time_picks_the_orders_placed_in_it_whatever_became_of_them() -> None:
    period = Period(since=datetime(2026, 11, 9, tzinfo=UTC), until=datetime(2026, 11, 16, tzinfo=UTC))
    asked = replace(context(), period=period)
    gone = _order("S2", 25, status="delivered", order_date=day("2026-11-15"))
    after, before = _order("S3", 26, order_date=day("2026-11-16")), _order("S4", 27, order_date=day("2026-11-08"))
    found = _all("customer_order", [_order(), after], [gone, before], [], [], with_context=asked)
    assert [each["sales_order"] for each in found] == [25, 24]
    (count,) = _all("customer_order_count", [record("customer", "S5")], _some_orders(2), [], with_context=asked)
    assert (count["orders"], count["placed"], count["complete"]) == (2, True, True)


def _some_orders(number: int) -> list[Record]:
    return [_order(f"S{n + 50}", n + 50) for n in range(number)]


def test_a_customers_late_and_held_orders_are_counted() -> None:
    standings = [
        measure("order_standing", "M1", late=True, held=True),
        measure("order_standing", "M2", late=True, held=False),
        measure("order_standing", "M3", late=False, held=False),
    ]
    (found,) = _all("customer_standing", [record("customer", "S5")], standings, _some_orders(3), [])
    assert (found["orders"], found["late"], found["held"], found["complete"]) == (3, 2, 1, True)


# --- what comes next ----------------------------------------------------------------------------------------


def _due(ref: str, row: int, when: str | None, **fields: Any) -> Record:
    usual = {"purchase_order": 6, "item": 7, "unit": "pcs", "open_quantity": 5, "promised_date": when and day(when)}
    return record("purchase_line", ref, row=row, **{**usual, **fields})


def test_the_next_delivery_is_the_first_from_today_on_and_what_is_overdue_comes_last() -> None:
    lines = [
        _due("S1", 1, "2026-11-10"), _due("S2", 2, "2026-12-01"), _due("S3", 3, "2026-11-18"), _due("S4", 4, None),
        _due("S7", 7, "2026-11-20", open_quantity=0),
    ]  # fmt: skip
    found = _all("next_supply", lines, [BOUGHT])
    assert [(each["state"], each["date"], each["days_late"]) for each in found] == [
        ("next", day("2026-11-18"), None),
        ("later", day("2026-12-01"), None),
        ("undated", None, None),
        ("overdue", day("2026-11-10"), 6),
    ]
    assert {each["supplier"] for each in found} == {8}
    assert _all("next_supply", lines, [BOUGHT], with_context=context(complete=False)) == []
    assert _all("next_supply", lines, []) == []


def test_a_transfer_counts_for_what_has_not_arrived() -> None:
    moved = record("transfer", "S6", row=6, number="TR-6", to_site=SITE, status="in_transit", expected_date=NEXT_WEEK)
    line = record("transfer_line", "S1", transfer=6, item=7, unit="pcs", quantity=9, received_quantity=4)
    done = record("transfer_line", "S2", row=2, transfer=6, item=7, unit="pcs", quantity=9, received_quantity=9)
    (found,) = _all("next_transfer", [line, done], [moved])
    assert (found["quantity"], found["state"], found["transfer"]) == (scaled(5), "next", 6)


# --- suppliers ----------------------------------------------------------------------------------------------

ITEM = record("item", "S1", row=7, name="Hose", base_unit="pcs")


def _supplier(row: int, **fields: Any) -> Record:
    return record("supplier", f"S1{row}", row=row, **{"name": f"V{row}", "status": "active", **fields})


def _offer(row: int, lead_time: int | None = 10) -> Record:
    return record("supplier_item", f"S2{row}", row=row + 100, supplier=row, item=7, lead_time=lead_time)


def _rate(row: int, share: str, receipts: int = 9, mean: int | None = 12) -> Record:
    return record("supplier_rate", f"S3{row}", supplier=row, on_time_rate=share, receipts=receipts, lead_time_mean=mean)


def _best(suppliers: list[Record], offers: list[Record], rates: list[Record]) -> list[tuple[int, bool]]:
    return [(each["supplier"], each["alone"]) for each in _all("best_supplier", [ITEM], offers, suppliers, rates)]


def test_the_best_supplier_is_the_most_often_on_time_then_the_quicker_one() -> None:
    suppliers, offers = [_supplier(1), _supplier(2)], [_offer(1), _offer(2, 8)]
    assert _best(suppliers, offers, [_rate(1, "0.9"), _rate(2, "0.8")]) == [(1, True)]
    assert _best(suppliers, offers, [_rate(1, "0.9", mean=13), _rate(2, "0.9")]) == [(2, True)]
    assert _best(suppliers, offers, [_rate(1, "0.9"), _rate(2, "0.9")]) == [(2, True)]
    alike = [_offer(1), _offer(2)]
    assert _best(suppliers, alike, [_rate(1, "0.9"), _rate(2, "0.9")]) == [(1, False), (2, False)]


def test_no_supplier_is_best_that_is_blocked_hardly_measured_or_has_no_rival() -> None:
    suppliers, offers = [_supplier(1), _supplier(2)], [_offer(1), _offer(2)]
    assert _best(suppliers, offers, [_rate(1, "0.9"), _rate(2, "1", receipts=4)]) == []
    assert _best([_supplier(1), _supplier(2, status="blocked")], offers, [_rate(1, "0.5"), _rate(2, "1")]) == []
    assert _best(suppliers, offers[:1], [_rate(1, "0.9"), _rate(2, "1")]) == []


def test_quotes_are_compared_only_where_they_can_be() -> None:
    suppliers, offers = [_supplier(1), _supplier(2)], [_offer(1, 10), _offer(2, 8)]

    def price(row: int, value: str, currency: str = "EUR") -> Record:
        return record(
            "supplier_item_price", f"S4{row}", supplier_item=row + 100, price=value, currency=currency, unit="pcs"
        )

    def lowest(*prices: Record) -> list[Any]:
        return [each["supplier"] for each in _all("lowest_quote", [ITEM], offers, suppliers, list(prices))]

    assert lowest(price(1, "4"), price(2, "5")) == [1]
    assert lowest(price(1, "4"), price(2, "4")) == []
    assert lowest(price(1, "4"), price(2, "5", "USD")) == []
    assert lowest(price(1, "4")) == []
    (quick,) = _all("quickest_quote", [ITEM], offers, suppliers)
    assert (quick["supplier"], quick["lead_time"]) == (2, scaled(8))
    assert _all("quickest_quote", [ITEM], [_offer(1), _offer(2)], suppliers) == []
    assert _all("quickest_quote", [ITEM], [_offer(1), _offer(2, None)], suppliers) == []


# --- prices -------------------------------------------------------------------------------------------------

CUSTOMER = record("customer", "S2", row=9, name="Acme")
LIST = record("price_list", "S3", row=3, name="DE list A", currency="EUR")
ASSIGNED = record("customer_price_list", "S4", row=4, customer=9, price_list=3)
LISTED = record("item_price", "S5", row=5, item=7, price=100, currency="EUR", unit="pcs")
CONTRACT = record(
    "customer_contract", "S10", row=10, number="K-1", customer=9, item=7, price=80, currency="EUR",
    starts=day("2026-01-01"), ends=day("2026-12-31"),
)  # fmt: skip


def _rule(ref: str, row: int, **fields: Any) -> Record:
    usual = {"price_list": 3, "kind": "fixed", "label": ref, "currency": "EUR", "item": 7}
    return record("price_rule", ref, row=row, **{**usual, **fields})


def _priced(name: str, *rules: Record, contracts: Sequence[Record] = ()) -> list[dict[str, Any]]:
    return _all(name, [ITEM], [CUSTOMER], contracts, [ASSIGNED], [LIST], rules, [LISTED])


def test_quantity_breaks_are_the_quantities_from_which_the_price_is_another() -> None:
    rules = [
        _rule("S20", 20, price=60), _rule("S21", 21, price=55, minimum_quantity=100, unit="pcs"),
        _rule("S22", 22, price=50, minimum_quantity=500, unit="pcs"),
        _rule("S23", 23, price=58, minimum_quantity=700, unit="pcs"),
    ]  # fmt: skip
    found = _priced("price_break", *rules)
    assert [(each["from_quantity"], each["price"], each["rule"]) for each in found] == [
        (scaled(100), scaled(55), "S21"),
        (scaled(500), scaled(50), "S22"),
    ]


def test_a_nearer_rule_from_a_quantity_on_counts_even_where_it_is_dearer() -> None:
    everything = _rule("S20", 20, price=40, item=None)
    found = _priced("price_break", everything, _rule("S21", 21, price=55, minimum_quantity=100, unit="pcs"))
    assert [each["price"] for each in found] == [scaled(55)]


def test_no_break_is_told_under_a_contract_in_another_unit_or_over_a_formula() -> None:
    step = _rule("S21", 21, price=55, minimum_quantity=100, unit="pcs")
    assert len(_priced("price_break", step)) == 1
    assert _priced("price_break", step, contracts=[CONTRACT]) == []
    assert _priced("price_break", _rule("S21", 21, price=55, minimum_quantity=100, unit="box")) == []
    assert _priced("price_break", step, _rule("S22", 22, kind="formula", minimum_quantity=200, unit="pcs")) == []


@pytest.mark.parametrize(
    ("wanted", "quantity", "price", "total"),
    [
        (Wanted(quantity=scaled(99)), 99, 60, 5940),
        (Wanted(quantity=scaled(100)), 100, 55, 5500),
        (Wanted(quantity=scaled(9), units=("box", "bx")), 108, 55, 5940),
        (Wanted(quantity=scaled(100), units=("pcs",)), 100, 55, 5500),
        (Wanted(quantity=scaled(3), units=("pallet",)), 3, None, None),
    ],
)
def test_the_price_for_a_quantity_is_by_the_items_own_units(
    wanted: Wanted, quantity: int, price: int | None, total: int | None
) -> None:
    rules = [_rule("S20", 20, price=60), _rule("S21", 21, price=55, minimum_quantity=100, unit="pcs")]
    box = record("item_unit", "S40", item=7, unit="BOX", base_quantity=12, base_unit="pcs")
    asked = replace(context(), wanted=wanted)
    inputs = ([ITEM], [CUSTOMER], [], [LIST], rules, [LISTED], [box])
    (found,) = _all("price_at", *inputs, with_context=asked)
    assert found["quantity"] == scaled(quantity)
    assert found.get("price") == (None if price is None else scaled(price))
    assert found.get("total") == (None if total is None else scaled(total))
    assert _all("price_at", *inputs) == []
    later = replace(context(), wanted=replace(wanted, day=day("2026-12-24")))
    assert _all("price_at", *inputs, with_context=later) == []
    assert _priced("customer_price", *rules) != []
    price = replace(context(), wanted=Wanted(quantity=scaled("12.8")))
    assert _all("price_at", *inputs, with_context=price) == []


def test_what_may_set_a_price_is_told_in_the_order_that_counts() -> None:
    off = _rule("S30", 30, kind="discount", discount="0.1", item=None)
    over = _rule("S31", 31, price=1, ends=day("2026-01-01"))
    found = _priced("price_option", off, over, _rule("S20", 20, price=60), contracts=[CONTRACT])
    assert [(each["basis"], each["price"]) for each in found] == [
        ("contract", scaled(80)),
        ("fixed_rule", scaled(60)),
        ("discount_rule", scaled(90)),
        ("list_price", scaled(100)),
    ]
    assert (found[0]["starts"], found[0]["ends"]) == (day("2026-01-01"), day("2026-12-31"))
    (price,) = _priced("customer_price", off, over, _rule("S20", 20, price=60), contracts=[CONTRACT])
    assert price["price"] == found[0]["price"]


def test_the_last_sales_are_the_newest_orders_without_quotations_and_cancelled_lines() -> None:
    orders = [
        _order("S1", 1, order_date=day("2026-01-01")), _order("S2", 2, order_date=day("2026-03-01")),
        _order("S3", 3, order_date=day("2026-04-01"), status="quotation"),
    ]  # fmt: skip
    lines = [
        _line("S4", 4, order=1, ordered_quantity=5), _line("S5", 5, order=2, ordered_quantity=6),
        _line("S6", 6, order=3), _line("S7", 7, order=2, status="cancelled"),
    ]  # fmt: skip
    found = _all("recent_sale", orders, lines)
    assert [(each["sales_order"], each["sales_order_line"], each["quantity"]) for each in found] == [
        (2, 5, scaled(6)),
        (1, 4, scaled(5)),
    ]
    assert _all("recent_sale", orders, lines, with_context=context(complete=False)) == []


@pytest.mark.parametrize(
    ("fields", "state", "late"),
    [
        ({"status": "confirmed", "promised_date": NEXT_WEEK}, "in_time", None),
        ({"status": "sent", "promised_date": LAST_WEEK}, "overdue", 6),
        ({"status": "received", "promised_date": NEXT_WEEK, "received_date": TODAY}, "received_in_time", None),
        ({"status": "received", "promised_date": LAST_WEEK, "received_date": day("2026-11-12")}, "received_late", 2),
        ({"status": "received", "promised_date": LAST_WEEK}, "undated", None),
        ({"status": "confirmed"}, "undated", None),
        ({"status": "cancelled", "promised_date": LAST_WEEK}, "cancelled", None),
    ],
)
def test_a_purchase_order_stands_against_its_promise_by_today_or_by_the_day_it_came(
    fields: dict[str, Any], state: str, late: int | None
) -> None:
    order = record("purchase_order", "S1", row=1, **{"number": "PO-1", "site": SITE, **fields})
    (found,) = _all("purchase_standing", [order])
    assert (found["state"], found["days_late"]) == (state, late)
