"""A message in other words: the words of the trade, no words that add nothing; never with less said."""

from __future__ import annotations

import pytest

from copilot.understanding.sayings import other_sayings, spelled_out


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
        ("why is SO-12 not moving", "why hasn't SO-12 shipped"),
        ("which orders cannot ship because of AB-12", "which orders short of AB-12"),
        ("can Chicago supply 40 AB-12", "can we supply 40 AB-12 from Chicago"),
        ("how much EL-1 is at each site", "how much EL-1 is by site"),
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
    ("typed", "words"),
    [
        ("orders > $8,000", "orders more than $8,000"),
        ("items with stock <20", "items with stock less than 20"),
        ("orders >= 5k", "orders at least 5k"),
        ("stock of the customer's own part number AB-12", "stock of part number AB-12"),
        ("how many of what the customer calls AB-12", "how many of part number AB-12"),
        ("what does the customer call AB-12", "what does the customer call AB-12"),
        ("status of their PO number 4711", "status of customer PO 4711"),
        ("the customer PO", "the customer PO"),
        ("what comes back under RMA-12", "what comes back for RMA-12"),
        ("orders under 5000 USD", "orders under 5000 USD"),
        ("EAN 2988752020997 in stock", "gtin 2988752020997 in stock"),
        ("vendors with FCA + net 60", "vendors with FCA and net 60"),
        ("SO-12 requested + promised date", "SO-12 requested date and promised date"),
        ("40 x AB-12 ex Chicago, end next week OK?", "can we promise 40 of AB-12 from Chicago by end of next week"),
        ("a > b", "a > b"),
    ],
)
def test_what_is_spelled_in_signs_and_by_habit_is_said_in_words(typed: str, words: str) -> None:
    assert spelled_out(typed) == words
