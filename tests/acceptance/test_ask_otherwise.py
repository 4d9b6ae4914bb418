"""Questions with remarks around them, and in other words: answered as in plain ones, never with less said."""

from __future__ import annotations

import re

import pytest

from copilot.domain.answer import Reason, Verdict
from copilot.wiring import Runtime
from tests.company import ask

LATE = "how many orders are late"
SAME = [
    (LATE, "my boss wants it for the Monday meeting, how many orders are late?"),
    (LATE, "sorry to bother you again, just need to know how many orders are late. thanks a lot"),
    (LATE, "the day was long and I am closing my books so how many orders are late"),
    (LATE, "no. of late orders"),
    ("orders by status", "orders status wise"),
    ("open orders at Dallas", "open orders at Dallas - the lady on the phone is getting impatient"),
]


@pytest.mark.parametrize(("plain", "typed"), SAME)
async def test_it_is_answered_as_in_plain_words(runtime: Runtime, plain: str, typed: str) -> None:
    first, other = await ask(runtime, "planner", plain), await ask(runtime, "planner", typed)
    assert first.verdict == other.verdict == Verdict.VERIFIED
    assert other.answer == first.answer


@pytest.mark.parametrize(
    ("plain", "typed"),
    [
        ("shipments shipped yesterday", "what was shipped yesterday?"),
        ("goods received yesterday", "what came in yesterday"),
        ("late purchase orders promised this week", "what is late from our suppliers this week"),
        ("late purchase orders", "what's overdue from our vendors"),
        ("late orders", "is anything late?"),
        ("open purchase orders", "what deliveries are we still waiting for"),
        ("which supplier has the lowest on-time rate", "which supplier delivers late most often"),
        ("open orders from more than 2 weeks ago", "open orders older than 2 weeks"),
        ("open orders from more than 2 weeks ago", "open orders that are more than 2 weeks old"),
        ("items low on stock", "which items are running low"),
        ("items low on stock", "what is running out"),
    ],
)
async def test_what_nobody_says_the_records_of_is_taken_for_the_usual_ones(
    runtime: Runtime, plain: str, typed: str
) -> None:
    first, other = await ask(runtime, "planner", plain), await ask(runtime, "planner", typed)
    assert first.verdict == other.verdict == Verdict.VERIFIED
    assert other.answer == first.answer


@pytest.mark.parametrize(
    ("typed", "which"),
    [
        ("where is my order", "order"),
        ("what's the status of the purchase order", "purchase order"),
        ("the invoice, please", "invoice"),
        ("when will it be back in stock", "it"),
    ],
)
async def test_what_is_not_named_is_asked_for(runtime: Runtime, typed: str, which: str) -> None:
    asked = await ask(runtime, "planner", typed)
    assert (asked.verdict, asked.reason) == (Verdict.DECLINED, Reason.AMBIGUOUS)
    assert f"**{which}**" in asked.answer
    assert "number" in asked.next_steps[0]


@pytest.mark.parametrize(
    "typed", ["how reliable is our biggest supplier", "the quoted lead time of our largest supplier"]
)
async def test_a_size_is_not_what_is_asked_of_the_largest(runtime: Runtime, typed: str) -> None:
    assert (await ask(runtime, "planner", typed)).verdict == Verdict.DECLINED


async def test_cases_that_are_open_for_a_while_are_open(runtime: Runtime) -> None:
    told = await ask(runtime, "rep.us", "cases open for more than a day")
    assert told.verdict == Verdict.VERIFIED
    assert "closed" not in told.answer
    assert "closed" in (await ask(runtime, "rep.us", "closed cases more than a day old")).answer


@pytest.mark.parametrize("entity", ["orders", "purchase orders"])
async def test_late_this_week_is_by_the_promise(runtime: Runtime, entity: str) -> None:
    first = await ask(runtime, "planner", f"late {entity} promised in November")
    other = await ask(runtime, "planner", f"late {entity} in November")
    assert first.verdict == other.verdict == Verdict.VERIFIED
    assert other.answer == first.answer
    assert "none" not in first.answer


@pytest.mark.parametrize(
    "typed",
    [
        "she wants only red ones, how many orders are late",
        "my customers are in Texas, which orders are late",
        "open orders at Dallas that are gift wrapped",
        "how many orders are we going to get in January",
        "how many shipments were shipped in 2025 that left in 2026",
    ],
)
async def test_what_may_restrict_a_question_is_not_left_out(runtime: Runtime, typed: str) -> None:
    assert (await ask(runtime, "planner", typed)).verdict == Verdict.DECLINED


async def test_a_message_that_points_at_what_was_listed_is_no_remark(runtime: Runtime) -> None:
    listed = await ask(runtime, "planner", "open orders at Dallas")
    second = re.findall(r"\*\*(SO-\d+)\*\*", listed.answer)[1]
    told = await ask(runtime, "planner", "the second one, is it late?", listed.conversation)
    assert set(re.findall(r"SO-\d+", told.answer)) == {second}


async def test_what_is_said_of_a_figure_twice_is_no_reading(runtime: Runtime) -> None:
    cancelled = await ask(runtime, "finance", "how many orders placed in October were cancelled")
    assert cancelled.verdict == Verdict.VERIFIED
    assert "**0 " not in cancelled.answer


@pytest.mark.parametrize(
    ("plain", "typed"),
    [
        ("why hasn't {} shipped", "why has {} not been dispatched"),
        ("which items of {} could we ship today and which not", "{} shippable today vs not, by item"),
        ("requested date and promised date of {}", "{} requested + promised date"),
        ("status of {}", "where do we stand with {}"),
        ("which lines are backordered on {}", "what's backordered on {}"),
    ],
)
async def test_one_order_is_asked_about_in_many_ways(runtime: Runtime, plain: str, typed: str) -> None:
    listed = await ask(runtime, "planner", "open orders at Dallas")
    number = re.findall(r"\*\*(SO-\d+)\*\*", listed.answer)[0]
    first = await ask(runtime, "planner", plain.format(number))
    other = await ask(runtime, "planner", typed.format(number))
    assert first.verdict == other.verdict == Verdict.VERIFIED
    assert other.answer == first.answer


@pytest.mark.parametrize("typed", ["which PO covers {}", "is {} worth it, who is it from and what does it weigh"])
async def test_what_is_not_told_of_an_order_is_not_answered_by_something_else(runtime: Runtime, typed: str) -> None:
    listed = await ask(runtime, "planner", "open orders at Dallas")
    number = re.findall(r"\*\*(SO-\d+)\*\*", listed.answer)[0]
    assert (await ask(runtime, "planner", typed.format(number))).verdict == Verdict.DECLINED
