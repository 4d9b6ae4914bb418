"""What is removed is gone: no form leads back to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redaction.gazetteer import Find
from redaction.removal import How, remove

TEXT = "Call Anna Bo, 312-555-0123 now"
FINDS = (Find(14, 26, "PHONE"), Find(5, 12, "PERSON"))


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ("kind", "Call <PERSON>, <PHONE> now"),
        ("end", "Call ****, ****0123 now"),  # four of six letters would be most of a name
        ("nothing", "Call ,  now"),
    ],
)
def test_what_was_found_is_named_shown_by_its_end_or_left_out(how: How, left: str) -> None:
    assert remove(TEXT, FINDS, how) == left


def test_neighbours_stay_two_and_finds_that_overlap_are_one() -> None:
    assert remove("Anna Bert", (Find(0, 4, "PERSON"), Find(5, 9, "PERSON")), "kind") == "<PERSON> <PERSON>"
    assert remove("Anna Bert", (Find(0, 6, "PERSON"), Find(5, 9, "EMAIL")), "kind") == "<PERSON>"


@given(st.text("ab12 -", min_size=1, max_size=12), st.sampled_from(["kind", "end", "nothing"]))
def test_at_most_half_of_a_value_is_shown(value: str, how: How) -> None:
    left = remove(f"({value})", (Find(1, 1 + len(value), "X"),), how)
    shown = [letter for letter in left if letter in "ab12"]
    assert left[0] + left[-1] == "()"
    assert 2 * len(shown) <= sum(map(str.isalnum, value))
