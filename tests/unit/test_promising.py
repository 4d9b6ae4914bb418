"""What can be promised: the published rows of one item at one site, and the answers made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

import pytest

from copilot.domain.evidence import Record, Value
from copilot.domain.plan import Wanted
from copilot.domain.quantity import SCALE
from copilot.ingest.published_rows import Flow, Promise, promise, standing
from copilot.retrieval.measures.base import Context
from copilot.retrieval.measures.inventory import Units, held
from copilot.retrieval.measures.promising import promise_at, promise_bucket, promise_wanted, split_count, splitting
from copilot.semantic.kpis import load_kpis
from copilot.understanding.wanted import Refused, find_wanted
from copilot.understanding.words import cut
from tests.unit.records import NOW, SITE, context, record

TODAY = NOW.date()
HORIZON = timedelta(days=90)
STOCK = record("stock", "S3", row=3, item=7, site=SITE, unit="pcs", on_hand=12, reserved=2, available=10)
BOX = record("item_unit", "S4", row=4, item=7, unit="box", base_quantity=6, base_unit="pcs")
ITEM = record("item", "S9", row=7, name="Desk", base_unit="pcs")
PROMISE = context()
ERP = record("item", "S8")


def day(days: int) -> date:
    return TODAY + timedelta(days=days)


def flow(kind: Literal["demand", "receipt"], days: int | None, amount: float | None, unit: str | None = "pcs") -> Flow:
    when = None if days is None else day(days)
    return Flow(kind=kind, day=when, quantity=None if amount is None else int(amount * SCALE), unit=unit, voice=ERP)


def promised(*flows: Flow, stock: Record = STOCK, units: Sequence[Record] = (BOX,)) -> Promise | None:
    (place,) = held(PROMISE, [stock], Units(units))
    return promise(place, flows, Units(units), TODAY, HORIZON)


def steps(told: Promise | None) -> list[tuple[int, int, int, int, int]]:
    assert told is not None
    scaled = [(b.receipts, b.demand, b.balance, b.promisable) for b in told.buckets]
    return [
        ((b.day - TODAY).days, *(figure // SCALE for figure in row))
        for b, row in zip(told.buckets, scaled, strict=True)
    ]


def test_without_demand_or_supply_what_is_available_can_be_promised() -> None:
    assert steps(promised()) == [(0, 0, 0, 10, 10)]


def test_what_is_promised_for_later_may_not_be_given_away() -> None:
    told = promised(flow("demand", 5, 8), flow("receipt", 9, 20), flow("demand", 12, 3))
    assert steps(told) == [(0, 0, 0, 10, 2), (5, 0, 8, 2, 2), (9, 20, 0, 22, 19), (12, 0, 3, 19, 19)]


def test_late_and_undated_demand_counts_at_once_and_late_or_undated_supply_not_at_all() -> None:
    told = promised(flow("demand", -3, 4), flow("demand", None, 1), flow("receipt", -1, 50), flow("receipt", None, 7))
    assert steps(told) == [(0, 0, 5, 5, 5)]
    assert told is not None
    assert (told.demand, told.incoming, told.late) == (5 * SCALE, 0, 57 * SCALE)


def test_what_is_expected_today_counts_and_what_lies_beyond_the_horizon_does_not() -> None:
    told = promised(flow("receipt", 0, 5), flow("demand", 91, 100), flow("receipt", 90, 1))
    assert steps(told) == [(0, 5, 0, 15, 15), (90, 1, 0, 16, 16)]


def test_units_convert_by_the_items_own_and_nothing_is_promised_where_they_do_not() -> None:
    assert steps(promised(flow("demand", 1, 1, "box"))) == [(0, 0, 0, 10, 4), (1, 0, 6, 4, 4)]
    assert promised(flow("demand", 1, 1, "crate")) is None
    assert promised(flow("demand", 1, None)) is None
    assert promised(flow("demand", 1, 1, None)) is None


def test_missing_stock_is_never_zero() -> None:
    unknown = record("stock", "S3", row=3, item=7, site=SITE, unit="pcs", on_hand=12)
    assert promised(stock=unknown) is None


def test_figures_beyond_all_bounds_promise_nothing() -> None:
    assert promised(flow("receipt", 1, 9e12), flow("receipt", 2, 9e12)) is None


def test_two_systems_agree_or_not_only_where_both_say_it() -> None:
    def agree(system: str, **fields: Any) -> bool | None:
        other = record("stock", "S5", row=5, system=system, item=7, site=SITE, **fields)
        (found,) = standing(context(), [STOCK, other], Units((BOX,)))
        return found.agrees

    assert agree("WMS", unit="pcs", on_hand=12) is True
    assert agree("WMS", unit="box", on_hand=2) is True
    assert agree("WMS", unit="pcs", on_hand=11) is False
    assert agree("WMS", unit="crate", on_hand=12) is None
    assert agree("WMS", unit="pcs") is None


# --- answers -------------------------------------------------------------------------------------------------


def wanting(wanted: Wanted) -> Context:
    return replace(context(), wanted=wanted)


def bucket(days: int, promisable: float, ref: str, **fields: Any) -> Record:
    usual = {"item": 7, "site": SITE, "unit": "pcs", "kind": "change" if days > 0 else "opening", "balance": promisable}
    flows = {"receipts": 0, "demand": 0}
    return record(
        "atp_bucket", ref, row=int(ref[1:]), day=day(days), promisable=promisable, **{**usual, **flows, **fields}
    )


BUCKETS = [bucket(-4, 2, "S20"), bucket(5, 8, "S21", receipts=6), bucket(11, 30, "S22", receipts=22)]


def answered(quantity: float | None, by: int | None = None, units: tuple[str, ...] = ()) -> dict[str, Any]:
    scaled = None if quantity is None else int(quantity * SCALE)
    asking = wanting(Wanted(quantity=scaled, units=units, day=None if by is None else day(by)))
    asked = [_as_record(f.values) for f in promise_wanted(asking, [ITEM], [BOX])]
    (found,) = promise_at(asking, asked, BUCKETS, [BOX])
    return dict(found.values)


def _as_record(values: Any) -> Record:
    return replace(ITEM, values={name: Value("text", value) for name, value in values.items()})


@pytest.mark.parametrize(
    ("quantity", "by", "verdict", "then", "earliest"),
    [
        (2, None, "possible", 2, 0),
        (3, None, "later", 2, 5),
        (8, 4, "later", 2, 5),
        (8, 5, "possible", 8, 5),
        (9, 20, "possible", 30, 12),  # the eleventh day is a Sunday
        (31, 40, "none", 30, None),
    ],
)
def test_a_bucket_holds_until_the_next_one_and_the_earliest_day_is_a_working_day(
    quantity: float, by: int | None, verdict: str, then: int, earliest: int | None
) -> None:
    found = answered(quantity, by)
    assert (found["verdict"], found["promisable"]) == (verdict, then * SCALE)
    assert found["earliest"] == (None if earliest is None else day(earliest))


def test_a_quantity_in_boxes_is_converted_and_one_without_a_unit_is_said_to_be_of_the_base_unit() -> None:
    def asked(units: tuple[str, ...]) -> dict[str, Any]:
        asking = wanting(Wanted(quantity=3 * SCALE, units=units))
        return dict(next(iter(promise_wanted(asking, [ITEM], [BOX]))).values)

    assert (asked(("box", "bx"))["quantity"], asked(("box", "bx"))["basis"]) == (18 * SCALE, "converted")
    assert (asked(())["quantity"], asked(())["assumed"]) == (3 * SCALE, True)
    assert (asked(("pallet",))["quantity"], asked(("pallet",))["basis"]) == (None, "unknown_unit")


def test_the_working_shows_what_holds_now_and_what_comes_and_never_less_than_nothing() -> None:
    rows = [bucket(-4, -3, "S20", demand=5), bucket(5, 8, "S21", receipts=6)]
    found = [dict(f.values) for f in promise_bucket(context(), rows)]
    assert [(f["holds"], f["day"], f["promisable"], f["flow"]) for f in found] == [
        ("now", TODAY, 0, "out"),
        ("from", day(5), 8 * SCALE, "in"),
    ]


def line(number: int, open_quantity: float, reserved: float, item: int = 7) -> Record:
    fields = {"open_quantity": open_quantity, "reserved_quantity": reserved, "unit": "pcs", "status": "open"}
    return record("sales_order_line", f"S{60 + number}", row=number, order=1, line_number=number, item=item, **fields)


@pytest.mark.parametrize(
    ("complete", "lines", "verdict", "ready"),
    [
        (False, [(1, 4, 4), (2, 8, 0)], "splits", [4, 6]),
        (True, [(1, 4, 4), (2, 8, 0)], "complete_only", [4, 6]),
        (False, [(1, 4, 0), (2, 2, 0)], "all", [4, 2]),
        (False, [(1, 6, 0), (2, 5, 0)], "splits", [6, 0]),
    ],
)
def test_lines_are_served_by_what_is_reserved_and_then_in_their_order(
    *, complete: bool, lines: list[tuple[int, float, float]], verdict: str, ready: list[int]
) -> None:
    order = record("sales_order", "S50", row=1, number="SO-1", site=SITE, ship_complete=complete, status="confirmed")
    there = record("availability", "S51", row=2, item=7, site=SITE, available=6, unit="pcs")
    found = list(splitting(context(), [line(*each) for each in lines], [order], [there], []))
    assert [f.values["ready"] for f in found] == [each * SCALE for each in ready]
    (count,) = split_count(context(), [_as_record(f.values) for f in found], [order])
    assert count.values["verdict"] == verdict


def test_a_line_without_known_stock_makes_the_count_unknown() -> None:
    order = record("sales_order", "S50", row=1, number="SO-1", site=SITE, status="confirmed")
    found = list(splitting(context(), [line(1, 4, 0)], [order], [], []))
    assert [f.values["state"] for f in found] == ["unknown"]


# --- what is wanted ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "quantity", "unit", "days"),
    [
        ("promise 40 of BX-200 by Friday", 40, None, 2),
        ("promise 3 boxes of BX-200", 3, "box", None),
        ("promise 2.5 kg of BX-200 by tomorrow", 2.5, "kg", 1),
        ("promise a dozen BX-200 by 25 November", 12, None, 7),
        ("what can we promise of BX-200", None, None, None),
    ],
)
def test_a_question_names_a_quantity_its_unit_and_a_day(
    text: str, quantity: float | None, unit: str | None, days: int | None
) -> None:
    wanted = find_wanted(cut(text)).resolve([], NOW, "UTC")
    assert isinstance(wanted, Wanted)
    assert wanted.quantity == (None if quantity is None else int(quantity * SCALE))
    assert (unit in wanted.units) if unit else not wanted.units
    assert wanted.day == (None if days is None else day(days))


@pytest.mark.parametrize(
    "text", ["promise 40 by last Friday", "promise 40 or 50 of it", "promise $40 of it", "promise 40% of it"]
)
def test_what_is_no_quantity_or_no_day_to_come_is_refused(text: str) -> None:
    assert isinstance(find_wanted(cut(text)).resolve([], NOW, "UTC"), Refused)


def test_an_item_said_to_be_at_zero_is_no_zero_that_somebody_wants() -> None:
    text = "it is at zero can we promise 5"
    told = find_wanted(cut(text))
    assert isinstance(told.resolve([], NOW, "UTC"), Refused)
    wanted = told.without_none(frozenset({2, 3})).resolve([], NOW, "UTC")
    assert isinstance(wanted, Wanted)
    assert wanted.quantity == 5 * SCALE
    assert isinstance(
        find_wanted(cut("promise zero of it")).without_none(frozenset({0})).resolve([], NOW, "UTC"), Refused
    )


def test_wanted_is_kept_as_json_and_nothing_else_is() -> None:
    wanted = Wanted(quantity=5, units=("box",), day=TODAY)
    assert Wanted.from_json(wanted.to_json()) == wanted
    assert Wanted.from_json({"quantity": "5", "units": [], "day": None}) is None
    assert Wanted.from_json({"quantity": 5, "units": [], "day": "soon"}) is None


def test_rates_that_are_no_share_say_what_they_are_told_in() -> None:
    told_in = {name: kpi.unit for name, kpi in load_kpis().items() if kpi.unit}
    of_orders = {"lines_per_order": "order lines", "items_per_order": "items"}
    of_purchase_orders = {"lines_per_purchase_order": "lines", "items_per_purchase_order": "items"}
    assert told_in == {"days_of_supply": "days", "inventory_turns": "turns", **of_orders, **of_purchase_orders}
