"""Moves of promised dates and changes since a moment, from versions that are all there, and from some that are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from copilot.domain.evidence import Record
from copilot.domain.plan import Period
from copilot.retrieval.measures import MEASURES, Context, Figures
from copilot.retrieval.measures.history import chains, unbroken
from tests.unit.records import context, day, record, scaled

LOADED = datetime(2026, 11, 1, tzinfo=UTC)
"""When the first load was over."""
A, B, C = day("2026-11-20"), day("2026-11-25"), day("2026-11-23")


def at(days: int) -> datetime:
    return LOADED + timedelta(days=days)


def versions(
    *stood: tuple[int, dict[str, Any]], row: int = 24, began: int | None = None, ended: int | None = None,
    removed: bool = False, entity: str = "sales_order", **always: Any,
) -> list[Record]:  # fmt: skip
    """The versions of one record: each (day it began on, its fields); the last one stands unless it ended."""
    starts = [start for start, _ in stood]
    found: list[Record] = []
    for place, (start, fields) in enumerate(stood):
        last = place == len(stood) - 1
        end = (None if ended is None else at(ended)) if last else at(starts[place + 1])
        one = record(entity, f"S{row}{place}", row=row, **{**always, **fields})
        first = at(starts[0] if began is None else began)
        found.append(replace(one, version=at(start), ended=end, removed=last and removed, began=first))
    return found


def asked(since: int | None = None, until: int | None = None, *, complete: bool = True) -> Context:
    period = Period(since=None if since is None else at(since), until=None if until is None else at(until))
    loads = {("ERP", entity): LOADED for entity in ("sales_order", "sales_order_line", "shipment")}
    return replace(context(complete=complete), period=period, first_loads=loads)


def computed(name: str, with_context: Context, *inputs: Sequence[Record]) -> list[Figures]:
    return list(MEASURES[name](with_context, *inputs))


MOVED = versions((0, {"promised_date": A}), (3, {"promised_date": B}), (5, {"promised_date": C}), number="SO-1")


def test_every_move_is_counted_with_its_days() -> None:
    (found,) = computed("date_moves", asked(), MOVED[-1:], MOVED)
    assert found.values == {
        "moves": 2, "since": at(0), "until": None, "first_date": A, "last_date": C, "direction": "later", "days": 3,
        "working_days": 1,
    }  # fmt: skip
    assert set(found.inputs) == {version.id for version in MOVED}
    moves = computed("date_move", asked(), MOVED)
    assert [(m.values["from_date"], m.values["to_date"], m.values["noticed_at"]) for m in moves] == [
        (A, B, at(3)),
        (B, C, at(5)),
    ]


def test_only_moves_of_the_time_asked_about_count() -> None:
    (found,) = computed("date_moves", asked(4), MOVED[-1:], MOVED)
    assert (found.values["moves"], found.values["since"], found.values["direction"]) == (1, at(4), "earlier")
    (found,) = computed("date_moves", asked(4, 5), MOVED[-1:], MOVED)
    assert (found.values["moves"], found.values["last_date"], found.values["until"]) == (0, B, at(5))
    assert computed("date_move", asked(4, 5), MOVED) == []


def test_other_changes_and_a_date_taken_back_and_given_again_are_no_moves() -> None:
    stood = versions(
        (0, {"promised_date": None}), (1, {"promised_date": A}), (2, {"promised_date": A, "status": "shipped"}),
        (3, {"promised_date": None}), (4, {"promised_date": A}),
    )  # fmt: skip
    (found,) = computed("date_moves", asked(), stood[-1:], stood)
    assert (found.values["moves"], found.values["last_date"]) == (0, A)
    assert computed("date_move", asked(), stood) == []


def test_of_a_chain_that_is_not_whole_nothing_is_counted() -> None:
    whole = MOVED
    gap, headless = [whole[0], whole[2]], whole[1:]
    tailless = [whole[0], whole[1]]  # the last one seen ended, and the record is not gone: it went out of sight
    for part in (gap, headless, tailless):
        assert computed("date_moves", asked(), whole[-1:], part) == []
        assert computed("date_move", asked(), part) == []
    assert computed("date_moves", asked(complete=False), whole[-1:], whole) == []
    assert computed("date_move", asked(complete=False), whole) == []


def test_a_chain_that_ends_with_a_removal_is_whole() -> None:
    gone = versions((0, {"promised_date": A}), (2, {"promised_date": B}), ended=4, removed=True)
    assert all(unbroken(chain) for chain in chains(gone))
    assert len(computed("date_move", asked(), gone)) == 1
    moved_away = versions((0, {"promised_date": A}), ended=4)
    assert not any(unbroken(chain) for chain in chains(moved_away))


def _told(found: Sequence[Figures]) -> list[tuple[Any, ...]]:
    return [(f.values["subject"], f.values["change"], f.values.get("what"), f.values["noticed_at"]) for f in found]


def test_changes_are_told_in_the_order_noticed() -> None:
    order = versions(
        (0, {"status": "confirmed", "promised_date": A}), (2, {"status": "partly_shipped", "promised_date": A}),
        (4, {"status": "shipped", "promised_date": B}), number="SO-1",
    )  # fmt: skip
    found = computed("record_change", asked(1), order)
    assert _told(found) == [
        ("Order SO-1", "status", "status", at(2)),
        ("Order SO-1", "status", "status", at(4)),
        ("Order SO-1", "date", "promised date", at(4)),
    ]
    assert (found[0].values["from_code"], found[0].values["to_code"]) == ("confirmed", "partly_shipped")
    assert (found[2].values["from_date"], found[2].values["to_date"]) == (A, B)
    assert set(found[2].inputs) == {order[1].id, order[2].id}
    assert _told(computed("record_change", asked(3, 4), order)) == []


def test_a_change_at_the_very_moment_counts_from_it_on_and_not_up_to_it() -> None:
    order = versions((0, {"status": "confirmed"}), (2, {"status": "shipped"}), number="SO-1")
    assert len(computed("record_change", asked(2), order)) == 1
    assert computed("record_change", asked(0, 2), order) == []


def test_what_the_first_load_brought_is_not_new_and_what_came_later_is() -> None:
    loaded = versions((0, {"status": "confirmed"}), row=1, number="SO-1")
    came = versions((2, {"status": "confirmed"}), row=2, number="SO-2")
    found = computed("record_change", asked(-5), [*loaded, *came])
    assert _told(found) == [("Order SO-2", "new", None, at(2))]
    unknown = replace(asked(-5), first_loads={})
    assert computed("record_change", unknown, came) == []


def test_what_comes_into_sight_is_not_new_and_what_leaves_it_is_not_removed() -> None:
    came_into_sight = versions((3, {"status": "confirmed"}), began=-20, row=1, number="SO-1")
    out_of_sight = versions((2, {"status": "confirmed"}), began=-20, ended=3, row=2, number="SO-2")
    removed = versions((0, {"status": "confirmed"}), ended=3, removed=True, row=3, number="SO-3")
    found = computed("record_change", asked(1), [*came_into_sight, *out_of_sight, *removed])
    assert _told(found) == [("Order SO-3", "removed", None, at(3))]


def test_across_a_gap_nothing_is_compared() -> None:
    order = versions((0, {"status": "confirmed"}), (2, {"status": "partly_shipped"}), (4, {"status": "shipped"}))
    assert computed("record_change", asked(1), [order[0], order[2]]) == []


def test_lines_are_named_by_their_order_and_come_and_go_with_it() -> None:
    orders = [
        *versions((0, {"status": "confirmed"}), row=24, number="SO-1"),
        *versions((2, {"status": "confirmed"}), row=25, number="SO-2"),
        *versions((0, {"status": "confirmed"}), row=26, number="SO-3", ended=2, removed=True),
    ]
    lines = [
        *versions((0, {"ordered_quantity": 5}), (2, {"ordered_quantity": 7}), entity="sales_order_line", row=1,
                  order=24, line_number=3, unit="pcs"),
        *versions((2, {}), entity="sales_order_line", row=2, order=24, line_number=4),
        *versions((2, {}), entity="sales_order_line", row=3, order=25, line_number=1),
        *versions((0, {}), entity="sales_order_line", row=4, order=26, line_number=1, ended=2, removed=True),
        *versions((2, {}), entity="sales_order_line", row=5, order=99),
    ]  # fmt: skip
    found = computed("record_change", asked(1), lines, orders)
    assert _told(found) == [
        ("Line 3 of SO-1", "quantity", "ordered quantity", at(2)),
        ("Line 4 of SO-1", "new", None, at(2)),
        ("Line", "new", None, at(2)),
    ]
    first = found[0].values
    assert (first["from_quantity"], first["to_quantity"], first["to_unit"]) == (scaled(5), scaled(7), "pcs")


def test_values_that_come_or_go_are_told_as_such() -> None:
    order = versions(
        (0, {"promised_date": None}), (2, {"promised_date": A}), (3, {"promised_date": None}), number="SO-1"
    )
    found = computed("record_change", asked(1), order)
    assert [f.values["change"] for f in found] == ["date_set", "cleared"]


def test_a_long_list_is_cut_and_says_so() -> None:
    many = [v for row in range(30) for v in versions((2, {}), row=row + 1, entity="shipment", number=f"SH-{row:02}")]
    found = computed("record_change", asked(1), many)
    assert (len(found), found[-1].values["change"], found[-1].values["left"]) == (26, "more", 5)
    cut = computed("record_change", asked(1, complete=False), many[:3])
    assert (len(cut), cut[-1].values["change"], cut[-1].values["subject"]) == (4, "cut", "shipment")


def test_the_time_asked_about_and_since_when_there_is_history() -> None:
    order = record("sales_order", number="SO-1")
    (before,) = computed("history_period", asked(-5), [order])
    assert (before.values["since"], before.values["kept_since"]) == (at(-5), LOADED)
    (after,) = computed("history_period", asked(5, 6), [order])
    assert (after.values["until"], after.values["kept_since"], after.values["assumed"]) == (at(6), None, False)
    (ever,) = computed("history_period", asked(), [record("customer", name="Acme")])
    assert (ever.values["since"], ever.values["kept_since"], ever.values["begins"]) == (None, None, LOADED)
    assert computed("history_period", asked(), []) == []


def test_moments_are_printed_in_the_zone_of_the_question() -> None:
    zoned = replace(asked(1), period=Period(since=at(1), time_zone="America/Chicago"))
    (found,) = computed("history_period", zoned, [record("customer", name="Acme")])
    assert found.time_zone == "America/Chicago"
