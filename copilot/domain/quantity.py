"""Money and quantities are integers scaled by one million, with a currency or a unit beside them.

Integers keep sums exact and let PostgreSQL's leakproof operators compare them under row security.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

SCALE = 1_000_000
_LARGEST = 2**63 - 1


def to_scaled(value: Decimal | int | str) -> int:
    """Scale a decimal to the stored integer, rounded half to even at the sixth place.

    Raises ValueError when the value is not a number or does not fit a bigint.
    """
    try:
        scaled = int((Decimal(value) * SCALE).to_integral_value(ROUND_HALF_EVEN))
    except (ArithmeticError, ValueError) as error:
        raise ValueError(f"{value!r} is not a number") from error
    if abs(scaled) > _LARGEST:
        raise ValueError(f"{value!r} is too large for a quantity or an amount")
    return scaled


def from_scaled(value: int) -> Decimal:
    """The exact decimal behind a stored integer."""
    return Decimal(value) / SCALE


def half_up(value: int, step: int) -> int:
    """A stored integer at the nearest whole `step`, halves away from zero, as invoices and PostgreSQL round."""
    rounded = (2 * abs(value) + step) // (2 * step) * step
    return -rounded if value < 0 else rounded
