"""One inventory truth: whose figure counts, what is added up, and which systems disagree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.domain.evidence import Record
from copilot.policy.policy import PURPOSES, load_policy
from copilot.retrieval.measures import MEASURES, Context, Figures
from copilot.semantic.measures import load_measures
from tests.unit.records import NOW, SITE, context, record, scaled

ITEM = record("item", "S9", row=7, name="Desk")


def _all(name: str, *inputs: Sequence[Record], with_context: Context | None = None) -> list[Figures]:
    found = list(MEASURES[name](with_context or context(), *inputs))
    assert all(set(f.values) <= set(load_measures()[name].fields) for f in found), "a figure that has no definition"
    return found


def _one(name: str, *inputs: Sequence[Record], with_context: Context | None = None) -> dict[str, Any]:
    (figures,) = _all(name, *inputs, with_context=with_context)
    return dict(figures.values)


def _stock(ref: str = "S3", row: int = 3, system: str = "ERP", **fields: Any) -> Record:
    usual = {"item": 7, "site": SITE, "unit": "pcs", "on_hand": 4, "reserved": 1, "available": 3, "in_transit": 2}
    return record("stock", ref, row=row, system=system, **{**usual, **fields})


def _counted(ref: str, row: int, system: str, on_hand: float, **fields: Any) -> Record:
    """Stock of a system that records nothing but what is on hand."""
    return _stock(
        ref, row, system, **{"reserved": None, "available": None, "in_transit": None, **fields}, on_hand=on_hand
    )


def _unit(unit: str = "box", size: int | None = 10, *, system: str = "ERP", ref: str = "S90", **fields: Any) -> Record:
    usual = {"item": 7, "unit": unit, "base_quantity": size, "base_unit": "pcs"}
    return record("item_unit", ref, row=int(ref[1:]), system=system, **{**usual, **fields})


def _figures(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("on_hand", "reserved", "available", "in_transit", "unit")}


# Whose figure counts


def test_every_kind_of_system_has_a_rank_for_every_figure() -> None:
    policy = load_policy().everywhere
    assert set(policy.stock_governed_by) == {"on_hand", "reserved", "available", "in_transit"}
    for order in policy.stock_governed_by.values():
        assert sorted(order) == sorted(PURPOSES)
    assert policy.stock_kept_whole_by <= set(PURPOSES)
    assert policy.stock_rank("on_hand", "nobody") == len(PURPOSES)


def test_the_warehouse_system_counts_and_the_erp_reserves() -> None:
    """What is available is what is there less what is promised, not the ERP's own idea of it."""
    rows = [_stock("S1", 1, on_hand=12, reserved=5, available=7), _counted("S2", 2, "WMS", 9)]
    (found,) = _all("site_stock", rows)
    assert _figures(dict(found.values)) == {
        "on_hand": scaled(9), "reserved": scaled(5), "available": scaled(4), "in_transit": scaled(2), "unit": "pcs",
    }  # fmt: skip
    assert set(found.inputs) == {"S1", "S2"}


def test_more_promised_than_there_is_is_said_as_it_is() -> None:
    rows = [_stock("S1", 1, on_hand=12, reserved=5, available=7), _counted("S2", 2, "WMS", 3)]
    assert _one("site_stock", rows)["available"] == scaled(-2)


def test_a_system_that_governs_all_three_keeps_its_own_figures() -> None:
    """An ERP may hold back more than is reserved: what it says is available is its to say."""
    assert _one("site_stock", [_stock(on_hand=9, reserved=2, available=5)])["available"] == scaled(5)


def test_of_two_systems_of_a_kind_the_one_added_first_counts() -> None:
    rows = [_stock("S1", 1, "Old ERP", on_hand=8, available=7), _stock("S2", 2, on_hand=6, available=5)]
    assert _one("site_stock", rows)["on_hand"] == scaled(6)


def test_what_is_not_recorded_is_not_taken_for_nothing() -> None:
    assert _figures(_one("site_stock", [_counted("S1", 1, "WMS", 9)])) == {
        "on_hand": scaled(9), "reserved": None, "available": None, "in_transit": None, "unit": "pcs",
    }  # fmt: skip
    lots = [_stock("S1", 1, lot="A"), _stock("S2", 2, lot="B", reserved=None)]
    assert _one("site_stock", lots)["reserved"] is None
    shop = _stock("S1", 1, "Shop", on_hand=None, reserved=None, available=4, in_transit=None)
    assert _figures(_one("site_stock", [shop])) == {
        "on_hand": None, "reserved": None, "available": scaled(4), "in_transit": None, "unit": "pcs",
    }  # fmt: skip


def test_stock_without_any_figure_is_no_stock_to_speak_of() -> None:
    empty = dict.fromkeys(("on_hand", "reserved", "available", "in_transit"))
    assert _all("site_stock", [_stock(**empty)]) == []
    assert _all("stock_total", [ITEM], [_stock(**empty)]) == []


# Sums


def test_stock_of_a_site_is_summed_over_lots() -> None:
    rows = [
        _stock("S1", 1, lot="A"), _stock("S2", 2, lot="B", on_hand=6), _stock("S4", 4, site=8, on_hand=7),
    ]  # fmt: skip
    here, there = sorted(_all("site_stock", rows), key=lambda f: str(f.values["site"]))
    assert here.values == {
        "item": 7, "site": SITE, "unit": "pcs", "on_hand": scaled(10), "reserved": scaled(2), "available": scaled(6),
        "in_transit": scaled(4),
    }  # fmt: skip
    assert here.inputs == ("S1", "S2")
    assert there.values["on_hand"] == scaled(7)


def test_lots_in_several_units_are_added_up_as_the_item_converts_them() -> None:
    rows = [_stock("S1", 1, on_hand=4), _stock("S2", 2, unit="box", on_hand=1)]
    (found,) = _all("site_stock", rows, [_unit()])
    assert (found.values["on_hand"], found.values["unit"]) == (scaled(14), "pcs")
    assert "S90" in found.inputs


def test_stock_in_units_that_do_not_convert_is_not_added_up() -> None:
    rows = [_stock("S1", 1), _stock("S2", 2, unit="box", on_hand=1)]
    for units in ([], [_unit(item=8)], [_unit(size=0)], [_unit(size=None)], [_unit(base_unit=None)]):
        assert {(f.values["unit"], f.values["on_hand"]) for f in _all("site_stock", rows, units)} == {
            ("pcs", scaled(4)), ("box", scaled(1)),
        }  # fmt: skip
        assert _all("stock_total", [ITEM], rows, units) == []


def test_each_system_converts_by_its_own_units() -> None:
    rows = [_stock("S1", 1, unit="box", on_hand=1), _counted("S2", 2, "WMS", 12)]
    units = [_unit(size=12), _unit(size=10, system="Shop", ref="S91")]
    assert _all("stock_difference", rows, units) == []
    other = [_counted("S1", 1, "WMS", 1, unit="box"), _stock("S2", 2, on_hand=12)]
    assert _all("stock_difference", other, units) == [], "nobody knows which box the warehouse means"
    assert len(_all("stock_incomparable", other, units)) == 1


def test_a_total_is_per_item_over_all_sites() -> None:
    chair = record("item", "S8", row=8, name="Chair")
    rows = [_stock("S1", 1), _stock("S2", 2, site=8), _stock("S3", 3, item=8, on_hand=1)]
    totals = {f.values["item"]: f.values["on_hand"] for f in _all("stock_total", [ITEM, chair], rows)}
    assert totals == {7: scaled(8), 8: scaled(1)}


def test_a_total_speaks_only_of_figures_that_every_site_has() -> None:
    rows = [_stock("S1", 1), _counted("S2", 2, "WMS", 6, site=8)]
    assert _figures(_one("stock_total", [ITEM], rows)) == {
        "on_hand": scaled(10), "reserved": None, "available": None, "in_transit": None, "unit": "pcs",
    }  # fmt: skip


def test_a_total_over_sites_in_several_units_is_in_the_base_unit() -> None:
    rows = [_stock("S1", 1), _stock("S2", 2, site=8, unit="box", on_hand=2, reserved=0, available=2, in_transit=0)]
    assert _figures(_one("stock_total", [ITEM], rows, [_unit()])) == {
        "on_hand": scaled(24), "reserved": scaled(1), "available": scaled(23), "in_transit": scaled(2), "unit": "pcs",
    }  # fmt: skip
    assert _all("stock_total", [ITEM], rows) == []


@pytest.mark.parametrize("name", ["site_stock", "stock_difference", "stock_incomparable", "stock_absent"])
def test_a_cut_list_of_stock_has_no_figures(name: str) -> None:
    rows = {
        "stock_incomparable": [_stock("S1", 1), _stock("S2", 2, "WMS", unit="box")], "stock_absent": [_stock("S1", 1)]
    }.get(name, [_stock("S1", 1), _stock("S2", 2, "WMS", on_hand=9)])  # fmt: skip
    keepers = {SITE: frozenset({"ERP", "WMS"})}
    assert _all(name, rows, with_context=context(keepers=keepers))
    assert _all(name, rows, with_context=context(complete=False, keepers=keepers)) == []


def test_a_cut_list_of_stock_has_no_total() -> None:
    assert _all("stock_total", [ITEM], [_stock()])
    assert _all("stock_total", [ITEM], [_stock()], with_context=context(complete=False)) == []


@given(st.lists(st.tuples(st.sampled_from(["ERP", "WMS"]), st.integers(0, 3), st.integers(0, 50)), max_size=12))
def test_the_sum_over_sites_is_the_total(rows: list[tuple[str, int, int]]) -> None:
    stock = [_stock(f"S{n}", n, system=system, site=site, on_hand=q) for n, (system, site, q) in enumerate(rows, 1)]
    by_site = sum(int(str(f.values["on_hand"])) for f in _all("site_stock", stock))
    totals = _all("stock_total", [ITEM], stock)
    assert [f.values["on_hand"] for f in totals] == ([by_site] if stock else [])


# Where the systems disagree


def test_both_figures_are_told_with_their_ages_and_why_one_governs() -> None:
    earlier = NOW - timedelta(hours=3)
    rows = [
        _counted("S1", 1, "WMS", 9),
        _stock("S2", 2, on_hand=3, confirmed_at=earlier),
        _stock("S3", 3, lot="B", on_hand=1),
    ]
    assert _one("stock_difference", rows) == {
        "item": 7, "site": SITE, "figure": "on_hand", "quantity": scaled(9), "unit": "pcs", "as_of": NOW,
        "governing_system": "WMS", "governing_kind": "warehouse system",
        "other_system": "ERP", "other_kind": "ERP", "other_quantity": scaled(4), "other_unit": "pcs",
        "other_as_of": earlier, "policy": load_policy().version, "basis": "kind",
    }  # fmt: skip


def test_two_of_a_kind_disagree_too() -> None:
    found = _one("stock_difference", [_stock("S1", 1), _stock("S2", 2, "Old ERP", on_hand=5)])
    assert (found["governing_system"], found["basis"]) == ("ERP", "added_first")


def test_every_system_that_differs_is_named() -> None:
    rows = [_stock("S1", 1), _counted("S2", 2, "WMS", 5), _counted("S3", 3, "Old ERP", 5), _counted("S4", 4, "Shop", 6)]
    assert {f.values["other_system"] for f in _all("stock_difference", rows)} == {"ERP", "Shop"}


def test_a_shop_that_knows_only_what_it_may_sell_is_compared_by_that() -> None:
    shop = {"system": "Shop", "on_hand": None, "reserved": None, "in_transit": None}
    rows = [_stock("S1", 1, on_hand=12, reserved=5, available=7), _counted("S2", 2, "WMS", 12)]
    assert _all("stock_difference", [*rows, _stock("S3", 3, **shop, available=7)]) == []
    found = _one("stock_difference", [*rows, _stock("S3", 3, **shop, available=8)])
    assert (found["figure"], found["quantity"], found["other_quantity"]) == ("available", scaled(7), scaled(8))
    assert (found["governing_system"], found["other_system"]) == ("WMS", "Shop")


@pytest.mark.parametrize(
    "other",
    [_counted("S2", 2, "WMS", 4), _stock("S2", 2, lot="B"), _counted("S2", 2, "WMS", 0.4, unit="box")],
    ids=["same figure", "same system", "same in another unit"],
)
def test_systems_that_agree_do_not_disagree(other: Record) -> None:
    rows = [_stock("S1", 1), other]
    for name in ("stock_difference", "stock_incomparable"):
        assert _all(name, rows, [_unit()]) == []


def test_a_difference_in_another_unit_is_told_in_both() -> None:
    found = _one("stock_difference", [_stock("S1", 1, on_hand=12), _counted("S2", 2, "WMS", 1, unit="box")], [_unit()])
    assert (found["quantity"], found["unit"], found["other_quantity"]) == (scaled(1), "box", scaled(12))
    assert (found["compared"], found["other_compared"], found["compared_unit"]) == (scaled(10), scaled(12), "pcs")


def test_what_cannot_be_compared_is_no_conflict_and_is_said() -> None:
    rows = [_stock("S1", 1), _counted("S2", 2, "WMS", 4, unit="pallet")]
    assert _all("stock_difference", rows, [_unit()]) == []
    found = _one("stock_incomparable", rows, [_unit()])
    assert (found["governing_system"], found["unit"], found["other_unit"]) == ("WMS", "pallet", "pcs")


# A system that should have a record and has none


def test_a_system_that_keeps_the_whole_site_and_has_no_record_disagrees() -> None:
    here = context(keepers={SITE: frozenset({"ERP", "WMS", "Shop"})})
    (found,) = _all("stock_absent", [_stock("S1", 1, on_hand=40)], with_context=here)
    assert (found.values["system"], found.values["other_system"], found.values["on_hand"]) == ("ERP", "WMS", scaled(40))


@pytest.mark.parametrize(
    ("row", "keepers"),
    [
        (_stock(on_hand=0), {"ERP", "WMS"}),
        (_stock(on_hand=4), {"ERP"}),
        (_stock(on_hand=4), {"ERP", "Shop"}),
        (_stock(on_hand=None), {"ERP", "WMS"}),
    ],
    ids=["nothing there anyway", "no other keeps stock there", "a shop shows what it likes", "no figure"],
)
def test_a_missing_record_is_not_always_a_disagreement(row: Record, keepers: set[str]) -> None:
    assert _all("stock_absent", [row], with_context=context(keepers={SITE: frozenset(keepers)})) == []
