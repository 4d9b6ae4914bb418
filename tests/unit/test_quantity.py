"""Money and quantities: exact in, exact out, and refused where they would not be."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.domain.quantity import SCALE, from_scaled, half_up, to_scaled

_STORED = st.integers(-(2**63) + 1, 2**63 - 1)


@given(_STORED)
def test_every_stored_figure_comes_back_as_itself(stored: int) -> None:
    assert to_scaled(from_scaled(stored)) == stored
    assert to_scaled(str(from_scaled(stored))) == stored


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=9))
def test_a_figure_is_stored_within_half_a_millionth(number: Decimal) -> None:
    assert abs(from_scaled(to_scaled(number)) - number) <= Decimal("0.0000005")


@given(_STORED, _STORED)
def test_sums_of_stored_figures_are_exact(a: int, b: int) -> None:
    assert from_scaled(a) + from_scaled(b) == Decimal(a + b) / SCALE


@pytest.mark.parametrize(
    ("given_as", "stored"),
    [
        ("0.0000005", 0),  # half to even
        ("0.0000015", 2),
        ("-0.0000015", -2),
        ("1.5", 1_500_000),
        (7, 7_000_000),
        (Decimal("-12.30"), -12_300_000),
        ("1e3", 1_000_000_000),
    ],
)
def test_rounding_is_half_to_even_at_the_sixth_place(given_as: Decimal | int | str, stored: int) -> None:
    assert to_scaled(given_as) == stored


@pytest.mark.parametrize("wrong", ["", "ten", "1,5", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_number_is_refused_by_its_name(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a number") as caught:
        to_scaled(wrong)
    assert repr(wrong) in str(caught.value)


@pytest.mark.parametrize("large", ["9223372036854.775808", "-9223372036854.775808", "1e30", 10**13])
def test_what_a_bigint_cannot_hold_is_refused(large: str | int) -> None:
    with pytest.raises(ValueError, match=r"too large|not a number"):
        to_scaled(large)
    assert to_scaled("9223372036854.775807") == 2**63 - 1


@pytest.mark.parametrize(
    ("value", "step", "rounded"),
    [(974_945_000, 10_000, 974_950_000), (-974_945_000, 10_000, -974_950_000), (974_944_999, 10_000, 974_940_000)],
)
def test_halves_are_rounded_away_from_zero(value: int, step: int, rounded: int) -> None:
    assert half_up(value, step) == rounded
