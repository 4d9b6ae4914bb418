"""Figures in the unit asked for: by the item's own table, exact, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from copilot.domain.evidence import Record
from copilot.domain.plan import Wanted
from copilot.retrieval.measures import MEASURES
from copilot.semantic.measures import load_measures
from tests.unit.records import SITE, context, measure, record, scaled

ITEM = record("item", "S9", row=7, name="Hose", base_unit="each")


def _unit(unit: str, size: float | None, ref: str, **fields: Any) -> Record:
    usual = {"item": 7, "unit": unit, "base_quantity": size, "base_unit": "each"}
    system = fields.pop("system", "ERP")
    return record("item_unit", ref, row=int(ref[1:]), system=system, **{**usual, **fields})


BOX, PALLET = _unit("box", 12, "S90"), _unit("pallet", 480, "S91")


def _all(name: str, *inputs: Sequence[Record], wanted: Wanted, complete: bool = True) -> list[dict[str, Any]]:
    found = list(MEASURES[name](replace(context(complete=complete), wanted=wanted), *inputs))
    assert all(set(f.values) <= set(load_measures()[name].fields) for f in found), "a figure that has no definition"
    return [dict(f.values) for f in found]


def _asked(unit: str = "box", basis: str = "known") -> Record:
    return measure("unit_asked", item=7, unit=unit, base_unit="each", basis=basis, said=unit)


def _amount(number: float, unit: str, into: str, units: Sequence[Record] = (BOX, PALLET)) -> dict[str, Any] | None:
    wanted = Wanted(quantity=scaled(str(number)), units=(unit,), into=(into,))
    found = _all("amount_in_unit", [_asked(into)], [ITEM], units, wanted=wanted)
    return found[0] if found else None


def test_the_unit_asked_for_is_one_of_the_item_s_own_or_unknown() -> None:
    def basis(into: tuple[str, ...], units: Sequence[Record]) -> Any:
        (found,) = _all("unit_asked", [ITEM], units, wanted=Wanted(into=into))
        return found["basis"], found["unit"]

    assert basis(("box", "bx"), [BOX]) == ("known", "box")
    assert basis(("each", "pcs"), []) == ("known", "each")
    assert basis(("roll",), [BOX]) == ("unknown_unit", None)
    assert basis((), [BOX]) == ("known", "each"), "no unit named: the base unit"
    assert basis(("box",), [BOX, _unit("box", 10, "S92", system="WMS")]) == ("unclear", "box")
    assert basis(("box",), [_unit("box", None, "S93")]) == ("unclear", "box")


def test_an_amount_converts_to_whole_units_and_what_is_left_over() -> None:
    exact = _amount(3, "box", "each")
    assert exact is not None
    assert (exact["result"], exact["exact"]) == (scaled(36), "exact")
    rest = _amount(100, "each", "box")
    assert rest is not None
    assert (rest["result"], rest["rest"], rest["up"], rest["exact"]) == (scaled(8), scaled(4), scaled(9), "rest")
    less = _amount(5, "each", "box")
    assert less is not None
    assert (less["result"], less["up"], less["exact"]) == (0, scaled(1), "less")
    same = _amount(5, "box", "box")
    assert same is not None
    assert (same["result"], same["exact"]) == (scaled(5), "same")
    unknown = _amount(5, "drum", "box")
    assert unknown is not None
    assert (unknown["exact"], unknown.get("result")) == ("unknown_unit", None)


def test_nothing_is_rounded() -> None:
    """A third of a millionth of a piece can't be told."""
    assert _amount(0.000001, "box", "each", (_unit("box", 0.3, "S94"),)) is None


@given(
    number=st.integers(min_value=-(10**9), max_value=10**9),
    size=st.integers(min_value=1, max_value=5000),
    into=st.integers(min_value=1, max_value=5000),
)
def test_what_is_told_adds_up_to_what_was_asked(number: int, size: int, into: int) -> None:
    units = (_unit("crate", size, "S95"), _unit("tray", into, "S96"))
    found = _amount(number, "crate", "tray", units)
    assert found is not None
    based = Fraction(found["result"]) * into + found["rest"]
    assert based == Fraction(scaled(number)) * size
    assert abs(found["rest"]) < scaled(into)


def test_stock_converts_each_figure_by_the_table_of_its_own_system() -> None:
    place = measure("site_stock", item=7, site=SITE, on_hand=30, available=24, reserved=6, unit="each")
    few = measure("site_stock", item=7, site=SITE, on_hand=7, unit="each")
    found = _all("stock_in_unit", [_asked()], [ITEM], [place], [BOX], wanted=Wanted(into=("box",)))
    told = {each["figure"]: (each["result"], each["rest"], each["exact"]) for each in found}
    assert told == {
        "available": (scaled(2), 0, "exact"),
        "on_hand": (scaled(2), scaled(6), "rest"),
        "reserved": (scaled("0.5"), 0, "exact"),
    }
    (less,) = _all("stock_in_unit", [_asked()], [ITEM], [few], [BOX], wanted=Wanted(into=("box",)))
    assert (less["result"], less["rest"], less["exact"]) == (0, scaled(7), "less")  # 7/12 has no end
    assert not _all("stock_in_unit", [_asked()], [ITEM], [place], [BOX], wanted=Wanted(into=("box",)), complete=False)


def test_open_lines_are_added_up_in_one_unit_or_not_at_all() -> None:
    def line(ref: str, order: int, quantity: int, unit: str) -> Record:
        return record("sales_order_line", ref, row=int(ref[1:]), order=order, item=7, open_quantity=quantity, unit=unit)

    orders = [record("sales_order", "S1", row=1), record("sales_order", "S2", row=2)]
    lines = [line("S11", 1, 2, "box"), line("S12", 2, 10, "each"), line("S13", 3, 99, "each")]
    wanted = Wanted(into=("each",))
    (found,) = _all("open_in_unit", [_asked("each")], [ITEM], lines, orders, [BOX], wanted=wanted)
    assert (found["result"], found["lines"], found["orders"]) == (scaled(34), 2, 2), "the third order is not open"
    drum = [*lines, line("S14", 1, 1, "drum")]
    assert not _all("open_in_unit", [_asked("each")], [ITEM], drum, orders, [BOX], wanted=wanted)
    (none,) = _all("open_in_unit", [_asked("each")], [ITEM], [], orders, [BOX], wanted=wanted)
    assert (none["result"], none["lines"]) == (0, 0)
