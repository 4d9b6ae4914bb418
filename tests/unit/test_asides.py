"""What is said around a question goes, and nothing that it asks about."""

from __future__ import annotations

import pytest

from copilot.understanding.asides import without_asides


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("has 123 been delivered yet, she says nothing came", "has 123 been delivered yet"),
        ("how much does order 31 come to, shes on hold", "how much does order 31 come to"),
        ("open orders on hold for Acme - customer is on the phone", "open orders on hold for Acme"),
        ("customer wants to know why 28185 hasnt shipped", "why 28185 hasnt shipped"),
        ("The customer on the line wants to know if INV-3 is paid", "INV-3 is paid"),
        ("Sorry to bother, my boss asked how many orders are late, for the Monday meeting", "how many orders are late"),
        ("hi there, could you check if SO-1 shipped? thanks", "SO-1 shipped?"),
        ("which supplier is late, do you know?", "which supplier is late"),
        ("where is SO-1? mail jo.doe@buyer.example or call +1 202 555 0143", "where is SO-1?"),
        ("who do I call at C-10003", "who do I call at C-10003"),
        ("need to know the status of SO-1 for my report tomorrow", "the status of SO-1"),
    ],
)
def test_an_aside_is_left_out(typed: str, asked: str) -> None:
    assert without_asides(typed) == asked


@pytest.mark.parametrize(
    "typed",
    [
        "which customer is waiting for HT-1",
        "orders on hold",
        "is SO-5 on hold",
        "customer needs 40 HT-1 by friday",
        "what did customer order last",
        "show orders for the customer",
        "order for customer C-10024",
        "when has the customer asked for it",
        "how many customers are on hold",
        "the customer is waiting",
        "SO 10",
        "so s00024",
        "Hello",
        "thanks",
    ],
)
def test_what_is_asked_stays(typed: str) -> None:
    assert without_asides(typed) == typed
