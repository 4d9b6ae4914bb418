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
        ("a > b", "a > b"),
    ],
)
def test_signs_before_figures_are_words(typed: str, words: str) -> None:
    assert spelled_out(typed) == words
