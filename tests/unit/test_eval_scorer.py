"""The scorer, on answers made by hand: right ones, and those that are wrong in every way it has to find."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from copilot.domain.answer import Answer, Fact, Reason, Source, Verdict
from evals.scoring.case import Case, Expect
from evals.scoring.said import Said, Shown, read_answer
from evals.scoring.scorer import Outcome, score
from evals.scoring.truth import Column, Truth

RIGHT, WRONG, UNFINISHED = Outcome.RIGHT, Outcome.WRONG, Outcome.UNFINISHED
STATUS = Column(name="status", table="sales_order", field="status")
PROMISED = Column(name="promised_date", table="sales_order", field="promised_date")
NUMBER = Column(name="number", table="sales_order", field="number")
QUANTITY = Column(name="quantity")


def case(**more: Any) -> Case:
    return Case(id="c", family="f", user="rep", turns=("?",), sql="select", **more)


def truth(columns: tuple[Column, ...], *rows: tuple[Any, ...], turns: tuple[str, ...] = ("?",)) -> Truth:
    return Truth(turns=turns, columns=columns, rows=rows)


def shown(entity: str, field: str, value: Any, unit: str | None = None, *, source: str = "S1", text: str = "") -> Shown:
    return Shown(source=source, entity=entity, field=field, value=value, unit=unit, text=text or str(value))


def said(*values: Shown, text: str = "", verdict: Verdict = Verdict.VERIFIED, **more: Any) -> Said:
    return Said(text=text, verdict=verdict, shown=values, **more)


DECLINED = said(verdict=Verdict.DECLINED, reason=Reason.UNSUPPORTED)
ASKED = said(verdict=Verdict.DECLINED, reason=Reason.AMBIGUOUS, choices=("one", "another"))
CONFIRMED = shown("sales_order", "status", "confirmed")
DUE = shown("sales_order", "promised_date", date(2026, 11, 25))


# Single values.


def test_every_value_has_to_be_there() -> None:
    expected = truth((STATUS, PROMISED), ("confirmed", date(2026, 11, 25)))
    assert score(case(), expected, said(CONFIRMED, DUE)).outcome is RIGHT
    assert score(case(), expected, said(CONFIRMED, DUE, verdict=Verdict.PARTIAL)).outcome is RIGHT
    part = score(case(), expected, said(CONFIRMED))
    assert (part.outcome, part.missing) == (UNFINISHED, ("promised_date 2026-11-25",))


def test_another_value_of_the_field_is_wrong() -> None:
    expected = truth((STATUS, PROMISED), ("confirmed", date(2026, 11, 25)))
    other = shown("sales_order", "promised_date", date(2026, 11, 24))
    found = score(case(), expected, said(CONFIRMED, other))
    assert (found.outcome, found.surplus) == (WRONG, ("sales_order.promised_date 2026-11-24",))


def test_the_same_value_in_another_field_does_not_make_up_for_it() -> None:
    expected = truth((PROMISED,), (date(2026, 11, 25),))
    answer = said(
        shown("sales_order", "promised_date", date(2026, 11, 24)), shown("shipment", "planned_date", date(2026, 11, 25))
    )
    assert score(case(), expected, answer).outcome is WRONG


def test_an_answer_to_something_else_is_wrong() -> None:
    assert score(case(), truth((QUANTITY,), (Decimal(40),)), said(CONFIRMED, DUE)).outcome is WRONG
    assert score(case(), truth((QUANTITY,), (Decimal(40),)), said(text="There is none.")).outcome is WRONG


def test_declines_and_questions_back_are_no_answers() -> None:
    expected = truth((STATUS,), ("confirmed",))
    assert score(case(), expected, DECLINED).outcome is Outcome.DECLINED
    assert score(case(), expected, ASKED).outcome is Outcome.ASKED_BACK


@pytest.mark.parametrize(
    ("expected", "value", "unit", "column", "same"),
    [
        (Decimal("40.0000000000000000"), "40", "each", "quantity", True),
        (Decimal("40.0000000000000000"), "40.4", "each", "quantity", False),
        (Decimal("12.3333333333333333"), "12.333333", None, "days", True),
        (Decimal("12.3"), "12.333333", None, "days", True),
        (Decimal("12.4"), "12.333333", None, "days", False),
        (12, "12.333333", None, "orders", False),
        (3, 3, "order", "orders", True),
        (3, 4, "order", "orders", False),
        (1, True, None, "flag", False),
        (True, True, None, "flag", True),
        (Decimal("894.72"), "894.72", "EUR", "open_eur", True),
        (Decimal("894.72"), "894.72", "USD", "open_eur", False),
        ("10482", "10482", None, "number", True),
        ("USD", "894.72", "USD", "currency", True),
        (date(2026, 11, 25), datetime(2026, 11, 25, 9, tzinfo=UTC), None, "left", True),
        (date(2026, 11, 25), datetime(2026, 11, 26, 9, tzinfo=UTC), None, "left", False),
        ("Meyer", "Meyer AG", None, "name", False),
    ],
)
def test_values_are_compared_by_their_type(expected: Any, value: Any, unit: str, column: str, same: bool) -> None:  # noqa: FBT001
    found = score(case(), truth((Column(name=column),), (expected,)), said(shown("x", "y", value, unit)))
    assert (found.outcome is RIGHT) is same


def test_a_record_may_be_named_by_what_it_alone_is_called() -> None:
    number = Column(name="number", table="item", field="number", other={"BX-1": frozenset({"Blue hose"})})
    assert score(case(), truth((number,), ("BX-1",)), said(shown("item", "name", "Blue hose"))).outcome is RIGHT
    assert score(case(), truth((number,), ("BX-1",)), said(shown("item", "name", "Red hose"))).outcome is WRONG
    assert score(case(), truth((number,), ("BX-1",)), said(shown("site", "name", "Blue hose"))).outcome is WRONG
    grouped = said(shown("open_value", "group", "Blue hose"))
    assert score(case(), truth((number,), ("BX-1",)), grouped).outcome is RIGHT


def test_a_flag_may_be_said_in_words() -> None:
    blocked = Column(name="blocked", table="customer_credit", field="blocked")
    yes, no = "Acme is **blocked** for credit.", "Acme is not blocked."
    assert score(case(), truth((blocked,), (True,)), said(text=yes)).outcome is RIGHT
    assert score(case(), truth((blocked,), (True,)), said(text=no)).outcome is WRONG
    assert score(case(), truth((blocked,), (False,)), said(text=no)).outcome is RIGHT
    assert score(case(), truth((blocked,), (False,)), said(text=yes)).outcome is WRONG
    only_understood = said(text="Acme has no orders. *Understood as: customers, blocked.*")
    assert score(case(), truth((blocked,), (True,)), only_understood).outcome is WRONG


def test_a_code_in_words_does_not_outweigh_a_printed_one() -> None:
    answer = said(CONFIRMED, text="It is confirmed and was to be delivered.")
    assert score(case(), truth((STATUS,), ("delivered",)), answer).outcome is WRONG
    assert score(case(), truth((STATUS,), ("partly_shipped",)), said(text="It is partly shipped.")).outcome is RIGHT


def test_sources_have_to_be_named() -> None:
    expected = truth((STATUS,), ("confirmed",))
    wanted = case(sources=("sales_order", "shipment"))
    assert score(wanted, expected, said(CONFIRMED, sources=frozenset({"sales_order", "shipment"}))).outcome is RIGHT
    found = score(wanted, expected, said(CONFIRMED, sources=frozenset({"sales_order"})))
    assert (found.outcome, found.missing) == (UNFINISHED, ("a source shipment",))


# Lists.


def order(number: str, n: int) -> Shown:
    return shown("sales_order", "number", number, source=f"S{n}")


def items(*numbers: str) -> Said:
    text = "Meyer has orders:\n\n" + "\n".join(f"- **{number}**" for number in numbers)
    return said(*(order(number, n) for n, number in enumerate(numbers)), text=text)


def test_a_list_names_all_rows_and_no_others() -> None:
    expected = truth((NUMBER,), ("SO-1",), ("SO-2",))
    assert score(case(listed=True), expected, items("SO-2", "SO-1")).outcome is RIGHT
    short = score(case(listed=True), expected, items("SO-1"))
    assert (short.outcome, short.missing) == (WRONG, ("SO-2",))
    long = score(case(listed=True), expected, items("SO-1", "SO-2", "SO-3"))
    assert (long.outcome, long.surplus) == (WRONG, ("sales_order.number SO-3",))
    assert score(case(listed=True), expected, items("SO-8", "SO-9")).outcome is WRONG
    assert score(case(listed=True), expected, said(CONFIRMED)).outcome is WRONG


def test_a_list_that_says_it_is_partial_is_unfinished() -> None:
    answer = items("SO-1")
    partial = Said(text=answer.text, verdict=Verdict.PARTIAL, shown=answer.shown)
    assert score(case(listed=True), truth((NUMBER,), ("SO-1",), ("SO-2",)), partial).outcome is UNFINISHED


def test_other_fields_and_entities_are_no_rows() -> None:
    answer = items("SO-1")
    more = (*answer.shown, shown("customer", "number", "C-1"), shown("sales_order", "customer_po", "4711"))
    assert score(case(listed=True), truth((NUMBER,), ("SO-1",)), said(*more, text=answer.text)).outcome is RIGHT


def test_what_a_list_is_about_is_no_row() -> None:
    number = Column(name="number", table="item", field="number")
    expected = truth((number,), ("BX-2",), turns=("what instead of BX-1",))
    about, row = shown("item", "number", "BX-1", source="S1"), shown("item", "number", "BX-2", source="S2")
    assert score(case(listed=True), expected, said(about, row, text="Instead of BX-1:\n\n- BX-2")).outcome is RIGHT
    assert score(case(listed=True), expected, said(about, row, text="Instead:\n\n- BX-1\n- BX-2")).outcome is WRONG
    assert score(case(listed=True), expected, said(about, row, text="Instead of BX-1: BX-2")).outcome is RIGHT


def test_the_order_of_a_list_counts_where_it_is_asked_for() -> None:
    expected = truth((NUMBER,), ("SO-2",), ("SO-1",))
    assert score(case(listed=True, ordered=True), expected, items("SO-2", "SO-1")).outcome is RIGHT
    assert score(case(listed=True, ordered=True), expected, items("SO-1", "SO-2")).outcome is WRONG


def test_values_have_to_stand_with_their_row() -> None:
    site, orders = Column(name="name", table="site", field="name"), Column(name="count")
    expected = truth((site, orders), ("Dallas", 3), ("Chicago", 13))

    def grouped(dallas: str, chicago: str) -> Said:
        values = (
            shown("site", "name", "Dallas", source="S1"),
            shown("count", "n", int(dallas), source="S2"),
            shown("site", "name", "Chicago", source="S3"),
            shown("count", "n", int(chicago), source="S4"),
        )
        return said(*values, text=f"By site:\n\n- Dallas: {dallas}\n- Chicago: {chicago}")

    assert score(case(listed=True), expected, grouped("3", "13")).outcome is RIGHT
    assert score(case(), expected, grouped("3", "13")).outcome is RIGHT
    for swapped in (score(case(listed=each), expected, grouped("13", "3")) for each in (True, False)):
        assert (swapped.outcome, swapped.missing) == (WRONG, ("Dallas, 3", "Chicago, 13"))


def test_another_figure_of_the_same_rows_is_wrong() -> None:
    site, available = Column(name="name", table="site", field="name"), Column(name="available")
    expected = truth((site, available), ("Dallas", Decimal(37)))
    group = shown("record_count", "group", "Dallas")
    assert score(case(), expected, said(group, shown("record_count", "value", 1))).outcome is WRONG
    assert score(case(), expected, said(group)).outcome is UNFINISHED
    assert score(case(), expected, said(group, shown("available", "value", "37", "each"))).outcome is RIGHT


def test_a_rows_other_values_may_be_named_by_what_else_they_are_called() -> None:
    item = Column(name="item", table="item", field="number", other={"BX-1": frozenset({"Blue hose"})})
    expected = truth((NUMBER, item), ("SO-1", "BX-1"))
    hose = shown("item", "name", "Blue hose", source="S9")
    assert score(case(listed=True), expected, said(order("SO-1", 1), hose, text="- SO-1: Blue hose")).outcome is RIGHT
    assert score(case(listed=True), expected, said(order("SO-1", 1), hose, text="- SO-1\n- Blue hose")).outcome is WRONG


def test_an_empty_list_is_said_to_be_empty() -> None:
    expected = truth((NUMBER,))
    none = "Meyer has no open orders."
    named = shown("customer", "name", "Meyer")
    assert score(case(listed=True), expected, said(named, text=none)).outcome is RIGHT
    assert score(case(listed=True), expected, items("SO-1")).outcome is WRONG
    assert score(case(listed=True), expected, said(text=none, verdict=Verdict.PARTIAL)).outcome is UNFINISHED
    assert score(case(listed=True), expected, DECLINED).outcome is Outcome.DECLINED


# Where no answer is right.


def test_what_must_be_declined() -> None:
    must = case(expect=Expect.DECLINE)
    nothing = truth(())
    assert score(must, nothing, DECLINED).outcome is RIGHT
    assert score(must, nothing, ASKED).outcome is RIGHT
    assert score(must, nothing, ASKED, hidden=["another"]).outcome is WRONG
    assert score(must, nothing, said(CONFIRMED)).outcome is WRONG
    assert score(must, nothing, said(text="There is none.")).outcome is WRONG
    leaking = said(CONFIRMED, verdict=Verdict.DECLINED, reason=Reason.UNSUPPORTED)
    assert score(must, nothing, leaking).outcome is WRONG
    correcting = said(CONFIRMED, verdict=Verdict.DECLINED, reason=Reason.WRONG_PREMISE)
    assert score(must, nothing, correcting).outcome is RIGHT
    believing = said(CONFIRMED, verdict=Verdict.PARTIAL, reason=Reason.WRONG_PREMISE)
    assert score(must, nothing, believing).outcome is WRONG


def test_what_must_be_asked_back() -> None:
    must = case(expect=Expect.ASK_BACK)
    assert score(must, truth(()), ASKED).outcome is RIGHT
    assert score(must, truth(()), DECLINED).outcome is Outcome.DECLINED
    without = said(verdict=Verdict.DECLINED, reason=Reason.AMBIGUOUS)
    assert score(must, truth(()), without).outcome is Outcome.DECLINED
    assert score(must, truth(()), said(CONFIRMED)).outcome is WRONG


# Manners.


def test_words_are_found_as_words() -> None:
    greeting = case(says=("hi", "good morning"))
    assert score(greeting, truth(()), said(text="Hi! Ask about an order.")).outcome is RIGHT
    assert score(greeting, truth(()), said(text="GOOD MORNING")).outcome is RIGHT
    assert score(greeting, truth(()), said(text="This shipment")).outcome is UNFINISHED
    assert score(greeting, truth(()), said(CONFIRMED, text="This shipment")).outcome is WRONG
    assert score(greeting, truth(()), DECLINED).outcome is Outcome.DECLINED


def test_thanks_are_not_answered_with_records() -> None:
    assert score(case(), truth(()), said(text="You're welcome.")).outcome is RIGHT
    assert score(case(), truth(()), said(CONFIRMED)).outcome is WRONG


# What the scorer reads.


def test_facts_are_read_with_the_entity_of_their_source() -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    source = Source(
        id="S1", kind="record", system="ERP", entity="sales_order", title="Order", key="1", age_seconds=0,
        confirmed_at=moment, changed_at=None, link=None, fields={}, step="order",
    )  # fmt: skip
    answer = Answer(
        answer="SO-1 is **confirmed**", verdict=Verdict.VERIFIED, reason=None, engine="rules", kind="order_status",
        facts=(Fact(ref="S1.status", value="confirmed", unit=None, text="confirmed"),), sources=(source,), elapsed_ms=7,
    )  # fmt: skip
    read = read_answer(answer)
    assert read.shown == (CONFIRMED,)
    assert (read.sources, read.elapsed_ms, read.verdict) == (frozenset({"sales_order"}), 7, Verdict.VERIFIED)
