"""Remarks around a question, told from it; what may say which records are meant is none."""

from __future__ import annotations

import pytest

from copilot.understanding.remarks import told_apart


@pytest.mark.parametrize(
    ("typed", "remarks"),
    [
        ("I'm closing the books so what is open for SO-12?", ["I'm closing the books"]),
        ("they sent me an angry mail, what terms does Acme have?", ["they sent me an angry mail"]),
        ("which orders are late? I'd like to go through them", ["I'd like to go through them"]),
        ("Their AP clerk wants an answer: what did we charge on SO-12?", ["Their AP clerk wants an answer"]),
        ("negotiation starts at two, so what is the on-time rate of Acme", ["negotiation starts at two"]),
        ("Sorry to bother you on a Friday, but has INV-7 been paid?", ["Sorry to bother you on a Friday"]),
        ("We need to send somebody a gift, who orders most", ["We need to send somebody a gift"]),
    ],
)  # fmt: skip
def test_a_remark_is_told_from_the_question(typed: str, remarks: list[str]) -> None:
    clauses = told_apart(typed)
    assert [clause.text for clause in clauses if clause.remark] == remarks
    assert sum(clause.asks for clause in clauses) == 1


@pytest.mark.parametrize(
    "typed",
    [
        "my boss is in Texas, which orders are late",
        "I have 3 orders here, which of them are late",
        "she wants only red ones, what is in stock",
        "they want blue, what can we offer",
        "the customer needs them by Friday, can we promise that",
        "he wants five, are they in Dallas",
        "I mean the sent ones, which purchase orders are late",
        "it is the second one, is it late",
        "it was over ten thousand, which order is that",
        "open orders of Northfold Marine Corp. that are gift wrapped",
        "net value of SO 28471",
        "orders of Acme, late",
        "late orders, Chicago, last week",
        "including cancelled ones, how many orders came in",
    ],
)
def test_what_may_restrict_a_question_is_no_remark(typed: str) -> None:
    assert not [clause.text for clause in told_apart(typed) if clause.remark]


def test_what_restricts_nothing_is_left_out_of_a_remark() -> None:
    (remark, _) = told_apart("the sales huddle starts in five minutes, how many quotations are out")
    assert remark.plain == "the sales huddle starts"
