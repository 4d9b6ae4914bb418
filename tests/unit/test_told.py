"""What a question tells beside names: amounts, the unit asked for, lines, lots; and a message that only tells such."""

from __future__ import annotations

import pytest

from copilot.domain.dialogue import State
from copilot.domain.plan import Filter, Operator, RecordQuery, Wanted
from copilot.understanding.dialogue.retelling import retold
from copilot.understanding.planner import replan
from copilot.understanding.told import AMOUNT, LINE, LOT, UNIT, find_told
from copilot.understanding.words import cut

NONE = frozenset[int]()


@pytest.mark.parametrize(
    ("text", "amounts", "units"),
    [
        ("how many boxes of X", [], ["box"]),
        ("X in single pieces", [], ["each"]),
        ("how many pieces in a box of X", [(1, "box")], ["each"]),
        ("pcs per pallet of X", [(1, "pallet")], ["each"]),
        ("a full pallet of X, how many pieces is that", [(1, "pallet")], ["each"]),
        ("2 full pallets of X in boxes", [(2, "pallet")], ["box"]),
        ("how many pallets would 14400 kg be", [(14400, "kg")], ["pallet"]),
        ("total in each, boxes converted", [], ["each"]),
        ("how many units of X", [], []),
        ("each order", [], []),
        ("where is the package", [], []),
        ("3 weeks of X at 5 EUR", [], []),
    ],
)
def test_amounts_and_the_unit_asked_for(text: str, amounts: list[tuple[int, str]], units: list[str]) -> None:
    told = find_told(cut(text))
    assert [(int(a.number), a.unit) for a in told.amounts] == amounts
    assert [unit for unit, _ in told.units] == units


@pytest.mark.parametrize(
    ("text", "lines", "lots"),
    [
        ("line 2 of SO-1", [2], []),
        ("line item #12 on SO-1", [12], []),
        ("how much is left of lot L251027-CHI", [], ["L251027-CHI"]),
        ("batch no 4711 of X", [], ["4711"]),
        ("a lot of orders", [], []),
        ("lines of SO-1", [], []),
        ("line 20000", [], []),
    ],
)
def test_lines_and_lots(text: str, lines: list[int], lots: list[str]) -> None:
    told = find_told(cut(text))
    assert [number for number, _ in told.lines] == lines
    assert [lot for lot, _ in told.lots] == lots


def test_what_is_told_twice_or_is_part_of_a_name_fits_no_kind() -> None:
    told = find_told(cut("how many boxes of X in pallets"))
    assert told.fitting({UNIT: True}, NONE) is None
    assert told.fitting({UNIT: True}, frozenset({2})) is not None
    assert find_told(cut("3 boxes of X in pieces")).fitting({AMOUNT: True}, NONE) is None, "a unit nobody accounts for"
    assert find_told(cut("line 2")).fitting({LINE: True, LOT: True}, NONE) is None


def test_a_kept_question_is_made_again_with_what_was_told_or_not_at_all() -> None:
    wanted = Wanted(lot="l1-chi", into=("box", "bx"), line=3)
    assert Wanted.from_json(wanted.to_json()) == wanted
    assert Wanted.from_json({"quantity": None, "units": [], "day": None, "lot": 7}) is None
    assert replan("lot_standing", {}) is None, "without its lot it would read every lot"
    plan = replan("lot_standing", {}, wanted=wanted)
    assert plan is not None
    (stock,) = [step for step in plan.steps if isinstance(step, RecordQuery) and step.name == "stock"]
    assert stock.where == (Filter("lot", Operator.IN, ("l1-chi", "L1-CHI")),)


def _after(
    text: str, kind: str, wanted: Wanted | None = None, **references: tuple[int, ...]
) -> tuple[str, Wanted] | None:
    words = cut(text)
    aside = frozenset(p for p, word in enumerate(words) if word.folded == "and")
    plan = retold(State(kind=kind, references=references, wanted=wanted), words, aside)
    return (plan.kind, plan.wanted) if plan and plan.wanted else None


def test_a_message_that_only_tells_something_changes_the_last_question() -> None:
    boxes = Wanted(into=("box",))
    assert _after("and in pallets?", "unit_stock", boxes, item=(1,)) == (
        "unit_stock",
        find_told(cut("in pallets")).wanted(),
    )
    kind, wanted = _after("in boxes", "order_line_of", Wanted(line=2), sales_order=(1,)) or ("", Wanted())
    assert (kind, wanted.line, wanted.into[:1]) == ("order_line_units", 2, ("box",))
    assert _after("in boxes", "item_stock", item=(1,), site=(2,)) is not None
    assert _after("in blue boxes", "item_stock", item=(1,)) is None
    assert _after("and line 3", "item_stock", item=(1,)) is None
