"""Measures: what is late and why, what is counted, what is in stock, and what they leave unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.domain.evidence import Record
from copilot.domain.plan import Computation
from copilot.domain.scope import Scope
from copilot.retrieval.calendar import Calendar
from copilot.retrieval.measures import MEASURES, Context, Figures
from copilot.retrieval.retrieve import _compute
from copilot.retrieval.run import Run, Sources
from copilot.semantic.measures import load_measures
from copilot.semantic.model import load_model
from copilot.store.queries import named_queries
from copilot.understanding.kinds import load_kinds
from tests.unit.records import NOW, SITE, context, day, record, scaled

TODAY = NOW.date()
LAST_WEEK = day("2026-11-10")


def _all(name: str, *inputs: Sequence[Record], with_context: Context | None = None) -> list[Figures]:
    found = list(MEASURES[name](with_context or context(), *inputs))
    assert all(set(f.values) <= set(load_measures()[name].fields) for f in found), "a figure that has no definition"
    return found


def _one(name: str, *inputs: Sequence[Record], with_context: Context | None = None) -> dict[str, Any]:
    (figures,) = _all(name, *inputs, with_context=with_context)
    return dict(figures.values)


def _order(**fields: Any) -> Record:
    return record("sales_order", "S1", row=24, **{"status": "confirmed", "promised_date": LAST_WEEK, **fields})


def _line(ref: str = "S2", row: int = 2, **fields: Any) -> Record:
    usual = {
        "order": 24,
        "item": 7,
        "site": SITE,
        "line_number": 1,
        "status": "open",
        "unit": "pcs",
        "open_quantity": 10,
    }
    return record("sales_order_line", ref, row=row, **{**usual, **fields})


def _stock(ref: str = "S3", row: int = 3, system: str = "ERP", **fields: Any) -> Record:
    usual = {"item": 7, "site": SITE, "unit": "pcs", "on_hand": 4, "reserved": 1, "available": 3, "in_transit": 2}
    return record("stock", ref, row=row, system=system, **{**usual, **fields})


def _supply(ref: str = "S5", row: int = 5, **fields: Any) -> Record:
    usual = {"purchase_order": 6, "item": 7, "unit": "pcs", "open_quantity": 20, "promised_date": day("2026-12-01")}
    return record("purchase_line", ref, row=row, **{**usual, "status": "open", **fields})


def _purchase(**fields: Any) -> Record:
    return record("purchase_order", "S6", row=6, **{"site": SITE, "status": "confirmed", **fields})


HOLD = record("order_hold", "S4", row=4, order=24, reason="credit")


def _late(
    line: Record | None = None,
    *,
    order: Record | None = None,
    holds: Sequence[Record] = (),
    stock: Sequence[Record] = (),
    supply: Sequence[Record] = (),
    orders: Sequence[Record] = (),
    with_context: Context | None = None,
) -> list[Figures]:
    inputs = ([order or _order()], [line or _line()], holds, stock, supply, orders)
    return _all("line_delay", *inputs, with_context=with_context)


def test_every_measure_is_defined_and_every_definition_computed() -> None:
    surveyed = {body["survey"] for kind in load_kinds().values() for body in kind.steps.values() if "survey" in body}
    assert {*MEASURES, *surveyed} == set(load_measures())
    assert {f"survey_{name}" for name in surveyed} <= set(named_queries())


# The delay of an order


def test_an_open_order_is_late_by_the_working_days_since_its_promise() -> None:
    values = _one("order_delay", [_order()], [])
    assert values == {"order": 24, "state": "overdue", "promised_date": LAST_WEEK, "days_late": 6}


def test_the_site_decides_which_days_count_and_which_day_it_is() -> None:
    closed = Calendar("Asia/Singapore", "12345", frozenset({day("2026-11-11"), day("2026-11-12")}))
    evening = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)
    there = context(calendars={SITE: closed}, now=evening)
    assert _one("order_delay", [_order()], with_context=there)["days_late"] == 5  # Thursday there already


@pytest.mark.parametrize("status", ["quotation", "cancelled"])
def test_what_was_never_promised_for_good_is_not_late(status: str) -> None:
    assert _all("order_delay", [_order(status=status)]) == []
    assert _late(order=_order(status=status)) == []


@pytest.mark.parametrize(
    "fields", [{"promised_date": None}, {"promised_date": TODAY}, {"promised_date": day("2026-12-01")}]
)
def test_an_order_in_time_or_without_a_promise_is_not_late(fields: dict[str, Any]) -> None:
    assert _all("order_delay", [_order(**fields)]) == []


def test_a_shipped_order_is_judged_by_the_day_it_left() -> None:
    late = _one("order_delay", [_order(status="delivered", shipped_date=day("2026-11-12"))])
    assert (late["state"], late["days_late"]) == ("shipped_late", 2)
    assert _all("order_delay", [_order(status="shipped", shipped_date=LAST_WEEK)]) == []
    assert _all("order_delay", [_order(status="shipped", shipped_date=None)]) == []


def test_each_order_is_judged_alone_with_its_own_lines() -> None:
    other = record("sales_order", "S9", row=25, status="confirmed", promised_date=day("2026-11-17"))
    first, second = _all("order_delay", [_order(), other], [_line(), _line("S8", 8, order=25)])
    assert (first.values["days_late"], first.inputs) == (6, ("S1", "S2"))
    assert (second.values["days_late"], second.inputs) == (1, ("S9", "S8"))


# The delay of a line and its cause


def test_a_hold_comes_before_every_other_cause() -> None:
    (found,) = _late(holds=[HOLD], stock=[_stock()], supply=[_supply()], orders=[_purchase()])
    assert (found.values["cause"], found.values["hold_reason"]) == ("on_hold", "credit")
    assert found.inputs == ("S2", "S4")


def test_too_little_stock_with_supply_on_its_way() -> None:
    (found,) = _late(stock=[_stock()], supply=[_supply()], orders=[_purchase()])
    assert found.values["cause"] == "short_with_supply"
    assert (found.values["missing"], found.values["supply_date"]) == (scaled(6), day("2026-12-01"))
    assert {"S2", "S3", "S5"} <= set(found.inputs)


def test_too_little_stock_and_nothing_on_its_way() -> None:
    (found,) = _late(stock=[_stock()])
    assert (found.values["cause"], found.values["missing"], found.values["on_hand"]) == (
        "short_of_stock", scaled(6), scaled(4),
    )  # fmt: skip


def test_enough_stock_and_still_not_shipped() -> None:
    (found,) = _late(stock=[_stock(on_hand=10)])
    assert (found.values["cause"], found.values["missing"]) == ("in_stock_not_shipped", 0)


def test_a_line_that_left_late_needs_no_other_cause() -> None:
    (found,) = _late(_line(status="shipped", shipped_date=day("2026-11-13")), holds=[HOLD])
    assert (found.values["cause"], found.values["days_late"]) == ("shipped_late", 3)


@pytest.mark.parametrize(
    "line",
    [
        _line(status="cancelled"),
        _line(status="shipped", shipped_date=LAST_WEEK),
        _line(status="shipped", shipped_date=None),
        _line(promised_date=day("2026-12-01")),  # its own promise counts, not the order's
    ],
    ids=["cancelled", "in time", "day unknown", "promised later"],
)
def test_a_line_that_is_not_late_has_no_delay(line: Record) -> None:
    assert _late(line) == []


def test_stock_and_supply_elsewhere_or_of_other_items_does_not_help() -> None:
    (found,) = _late(
        stock=[_stock(site=99, on_hand=50), _stock("S8", 8, item=8, on_hand=50)],
        supply=[_supply(), _supply("S10", 10, item=8)],
        orders=[_purchase(site=99)],
    )
    assert (found.values["cause"], found.values["on_hand"], found.values["supply_date"]) == ("short_of_stock", 0, None)


def test_a_line_from_no_site_of_its_own_ships_from_its_orders() -> None:
    (found,) = _late(_line(site=None), stock=[_stock(on_hand=10)])
    assert found.values["cause"] == "in_stock_not_shipped"


def test_the_first_dated_supply_counts() -> None:
    undated, sooner = _supply(promised_date=None), _supply("S9", 9, promised_date=day("2026-11-25"))
    (found,) = _late(supply=[undated, sooner, _supply("S8", 8)], orders=[_purchase()])
    assert found.values["supply_date"] == day("2026-11-25")


def test_the_governing_system_says_what_is_on_hand() -> None:
    rows = [_stock(system="WMS", on_hand=4), _stock("S8", 8, on_hand=50)]
    (found,) = _late(stock=rows)
    assert found.values["on_hand"] == scaled(4)


def test_what_no_system_records_on_hand_is_not_taken_for_nothing() -> None:
    (found,) = _late(stock=[_stock(on_hand=None)])
    assert (found.values["cause"], found.values["on_hand"]) == ("unknown", None)


@pytest.mark.parametrize(
    "line",
    [_line(unit="box"), _line(unit=None, open_quantity=None)],
    ids=["stock in another unit", "open quantity unknown"],
)
def test_a_cause_is_not_guessed_from_figures_that_cannot_be_compared(line: Record) -> None:
    """Ten boxes are not short because the stock is counted in pieces, nor in stock because nobody knows how many."""
    for found in _late(line, stock=[_stock(on_hand=5000)]):
        assert found.values["cause"] not in ("short_of_stock", "short_with_supply", "in_stock_not_shipped")


def test_a_cause_is_not_guessed_from_a_list_that_was_cut() -> None:
    for found in _late(stock=[_stock()], with_context=context(complete=False)):
        assert found.values["cause"] not in ("short_of_stock", "short_with_supply")


def test_a_measure_over_what_may_not_be_read_finds_nothing() -> None:
    """Finance reads orders but no stock: that is no reason to say that there is none."""
    steps = {"order": (_order(),), "lines": (_line(),)}
    run = Run(
        model=load_model(),
        scope=Scope(),
        sources=Sources({1: "ERP"}, {}),
        context=context(),
        linker=lambda *_: None,
        steps=dict(steps),
        refused={"stock"},
    )
    inputs = ("order", "lines", "holds", "stock", "supply", "supply_orders")
    assert _compute(Computation(name="line_delays", measure="line_delay", inputs=inputs), run) == ()
    assert "line_delays" in run.refused


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_line_is_short_by_exactly_what_is_open_less_what_is_on_hand(wanted: int, here: int) -> None:
    (found,) = _late(_line(open_quantity=wanted), stock=[_stock(on_hand=here)])
    assert found.values["missing"] == scaled(max(0, wanted - here))
    assert (found.values["cause"] == "in_stock_not_shipped") == (here >= wanted)


# Counts


def test_lines_are_counted_and_the_open_ones_among_them() -> None:
    states = ["open", "backordered", "partly_shipped", "shipped", "cancelled"]
    lines = [_line(f"S{n + 10}", n + 10, status=state) for n, state in enumerate(states)]
    assert _one("line_count", [_order()], lines) == {"lines": 5, "open_lines": 3, "complete": True}


def test_a_cut_list_of_lines_says_so_and_tells_no_number_of_open_ones() -> None:
    (found,) = _all("line_count", [_order()], [_line()], with_context=context(complete=False))
    assert found.values == {"lines": 1, "open_lines": None, "complete": False}


@pytest.mark.parametrize(
    ("name", "figure"), [("order_count", "orders"), ("purchase_count", "orders"), ("invoice_count", "invoices")]
)
def test_a_count_says_whether_it_is_complete(name: str, figure: str) -> None:
    owner = record("customer", "S1", name="Acme")
    assert _one(name, [owner], [_order(), _line()]) == {figure: 2, "complete": True}
    assert _one(name, [owner], [_order()], with_context=context(complete=False)) == {figure: 1, "complete": False}
    assert _all(name, [owner], []) == []


# Purchasing and invoices


def test_incoming_is_what_open_lines_of_sent_orders_still_bring() -> None:
    rows = [_supply(), _supply("S7", 7, open_quantity=0), _supply("S8", 8, purchase_order=99)]
    assert _one("incoming_supply", rows, [_purchase()]) == {
        "purchase_order": 6, "site": SITE, "quantity": scaled(20), "unit": "pcs", "date": day("2026-12-01"),
    }  # fmt: skip


def test_incoming_without_a_date_of_its_own_comes_when_the_order_does() -> None:
    dated = _one("incoming_supply", [_supply(promised_date=None)], [_purchase(promised_date=day("2026-12-24"))])
    assert dated["date"] == day("2026-12-24")
    assert _one("incoming_supply", [_supply(promised_date=None)], [_purchase()])["date"] is None


@pytest.mark.parametrize(
    ("status", "late"),
    [("confirmed", 6), ("sent", 6), ("partly_received", 6), ("received", 0), ("draft", 0), ("cancelled", 0)],
)
def test_only_an_open_purchase_order_is_late(status: str, late: int) -> None:
    found = _all("purchase_delay", [_purchase(status=status, promised_date=LAST_WEEK)], [])
    assert [f.values["days_late"] for f in found] == ([late] if late else [])


@pytest.mark.parametrize(
    ("fields", "late"),
    [
        ({}, 8),  # calendar days, weekend and all
        ({"status": "partly_paid"}, 8),
        ({"status": "paid"}, None),
        ({"kind": "credit_note"}, None),
        ({"due_date": TODAY}, None),
        ({"due_date": TODAY - timedelta(days=1)}, 1),
        ({"due_date": None}, None),
    ],
)
def test_an_invoice_is_overdue_by_calendar_days(fields: dict[str, Any], late: int | None) -> None:
    invoice = record("invoice", "S1", row=3, **{"kind": "invoice", "status": "open", "due_date": LAST_WEEK, **fields})
    assert [f.values["days_late"] for f in _all("invoice_delay", [invoice])] == ([late] if late else [])


def test_lead_times_run_from_the_shortest_to_the_longest_quoted() -> None:
    offers = [
        record("supplier_item", f"S{n}", row=n, supplier=1, item=n, lead_time=d)
        for n, d in ((1, 10), (2, 3), (3, None))
    ]
    assert _one("quoted_lead_time", offers) == {"shortest": scaled(3), "longest": scaled(10), "same": False, "items": 2}
    alike = {"shortest": scaled(10), "longest": scaled(10), "same": True, "items": 1}
    assert _one("quoted_lead_time", offers[:1]) == alike
    assert _all("quoted_lead_time", offers, with_context=context(complete=False)) == []
    assert _all("quoted_lead_time", offers[2:]) == []


def test_a_figure_is_as_old_as_the_oldest_record_behind_it() -> None:
    old = NOW - timedelta(hours=30)
    (found,) = _all(
        "site_stock",
        [_stock("S1", 1), record("stock", "S2", row=2, confirmed_at=old, item=7, site=SITE, unit="pcs", on_hand=1)],
    )
    assert found.oldest == old
