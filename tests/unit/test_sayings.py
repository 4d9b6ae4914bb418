"""A message in other words: the words of the trade, no words that add nothing, no remarks; never with less said."""

from __future__ import annotations

import pytest

from copilot.understanding.sayings import other_sayings, spelled_out, without_remarks


@pytest.mark.parametrize(
    ("typed", "other"),
    [
        ("HT-1 LT, avail qty", "HT-1 lead time, available quantity"),
        ("what does SO-12 come to net?", "total value of SO-12 net?"),
        ("how many non-cancelled POs", "how many not cancelled POs"),
        ("number of orders month by month", "number of orders by month"),
        ("orders status wise", "orders by status"),
        ("which haulier has SH-1", "which carrier has SH-1"),
        ("how much is the carrier of SH-1 recorded kindly", "how much is the carrier of SH-1"),
        ("how much did Acme pay us in May", "payments received from Acme in May"),
        ("what lead time do the suppliers of HT-1 quote", "what quoted lead time of the suppliers of HT-1"),
        ("break the open orders down by site", "number of the open orders by site"),
        ("invoices overdue by more than a month", "invoices more than a month overdue"),
        ("where do we have the lowest stock of HT-1", "which site has the lowest stock of HT-1"),
        ("orders that got shipped since May", "orders that shipped since May"),
    ],
)
def test_a_message_is_put_otherwise(typed: str, other: str) -> None:
    assert other in other_sayings(typed)


def test_a_message_in_plain_words_has_no_other_form() -> None:
    assert list(other_sayings("open orders in Dallas")) == []


@pytest.mark.parametrize(
    ("typed", "rest", "remarks"),
    [
        ("I'm closing the books so what is open for SO-12?", "what is open for SO-12?", ("I'm closing the books",)),
        (
            "they sent me an angry mail about a reminder, what payment terms does Acme have?",
            "what payment terms does Acme have?",
            ("they sent me an angry mail about a reminder",),
        ),
        (
            "which orders are late? I'd like to go through them",
            "which orders are late?",
            ("I'd like to go through them",),
        ),
    ],
)
def test_a_remark_around_a_question_is_told_from_it(typed: str, rest: str, remarks: tuple[str, ...]) -> None:
    assert without_remarks(typed) == (rest, remarks)


@pytest.mark.parametrize(
    "typed",
    [
        "my boss is in Texas, which orders are late",
        "I have 3 orders here, which of them are late",
        "she wants only red ones, what is in stock",
        "open orders of Northfold Marine Corp. that are gift wrapped",
        "in October, how many orders came in",
        "net value of SO 28471",
        "orders of Acme, late",
    ],
)
def test_what_may_restrict_a_question_is_no_remark(typed: str) -> None:
    assert without_remarks(typed) == (typed, ())


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("orders > $8,000", "orders more than $8,000"),
        ("items with stock <20", "items with stock less than 20"),
        ("orders >= 5k", "orders at least 5k"),
        ("a > b", "a > b"),
    ],
)
def test_signs_before_figures_are_words(typed: str, words: str) -> None:
    assert spelled_out(typed) == words
