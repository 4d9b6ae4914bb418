"""The company's numbers are known by their shapes; what belongs to a person never is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.identifiers import is_gtin, learn

NUMBERS = [
    *(f"SO-{number}" for number in (10061, 13209, 27561)), *(f"PO-{number}" for number in (40177, 40655, 47861)),
    *(f"INV-{number}" for number in (103445, 105031, 111911)), *(f"BE-{number}" for number in (22076, 22084, 22086)),
    *(f"HY-{number}" for number in (29139, 29206, 29300)), *(f"L{n}{n}07A" for n in (24, 25, 26)),
    "4006381333931", "5901234123457", "2992224302962", "43659", "43660", "43661", "odd one 7",
]  # fmt: skip
IDENTIFIERS = learn(NUMBERS)


def _found(text: str) -> list[str]:
    return [text[find.begin : find.end] for find in IDENTIFIERS.find(text)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("where is SO-10061?", ["SO-10061"]),
        ("so10061 and po 40177, inv-200001.", ["so10061", "po 40177", "inv-200001"]),
        ("the (BE-22999) bearing", ["BE-22999"]),
        ("lot L242407A", ["L242407A"]),
        ("GTIN 4006381333931", ["4006381333931"]),
        ("4006381333932", []),  # its check digit is another
        ("XSO-10061 SO-1006191 SO-10061A", []),
        ("XX-12345", []),  # no prefix of ours
    ],
)
def test_numbers_of_a_shape_are_found(text: str, numbers: list[str]) -> None:
    assert _found(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "312-555-0123", "+49 40 1234567", "0049401234567", "123-45-6789", "123456789", "DE123456789", "S1234567D",
        "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111", "43659", "anna.meyer@firma.example",
    ],
)  # fmt: skip
def test_what_belongs_to_a_person_has_no_shape_of_ours(text: str) -> None:
    assert _found(f"his is {text}, I think") == []


def test_the_word_for_a_number_is_no_prefix() -> None:
    ours = learn(f"NO-{number}" for number in (10061, 13209, 27561))
    assert [find.begin for find in ours.find("item NO-10061, customer no 27561")] == [5]


def test_too_many_prefixes_are_none() -> None:
    letters = [f"{a}{b}" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJ"]
    assert learn(f"{each}123456789" for each in letters).find("DE123456789") == ()


def test_without_numbers_nothing_is_found() -> None:
    assert learn(()).find("SO-10061 4006381333931") == ()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.from_regex(r"\A[A-Z]{1,4}-?[0-9]{4,7}\Z"), min_size=1, max_size=5, unique=True
    ),
    st.text(" .,;:()ab\n", max_size=5),
)  # fmt: skip
def test_every_number_that_was_learnt_is_found_whole(numbers: list[str], beside: str) -> None:
    shapes = learn([*numbers, *(number[:-1] + digit for number in numbers for digit in "0123456789")])
    for number in numbers:
        text = f"a {beside} {number} {beside}"
        begin = text.index(number, 2 + len(beside))
        covered = {place for find in shapes.find(text) for place in range(find.begin, find.end)}
        assert set(range(begin, begin + len(number))) <= covered


@given(st.text("0123456789", min_size=7, max_size=13))
def test_one_digit_checks_the_others(digits: str) -> None:
    checked = [digit for digit in "0123456789" if is_gtin(digits + digit)]
    assert len(checked) == (1 if len(digits) + 1 in (8, 12, 13, 14) else 0)
