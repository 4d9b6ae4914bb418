"""Seeded draws. Only `Random.random` is used: its stream is the one Python promises to keep between versions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import TypeVar

T = TypeVar("T")

NEVER = 1 << 40
"""A moment or a day that does not come."""


def dice(*parts: object) -> Random:
    """A generator of its own for whatever the parts name."""
    return Random(":".join(map(str, parts)))


def chance(*parts: object) -> float:
    """One uniform draw in [0, 1) for whatever the parts name."""
    digest = blake2b(":".join(map(str, parts)).encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / (1 << 56)


def span(draw: float, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return low + int(draw * (high - low + 1))


def pick(draw: float, choices: Sequence[T]) -> T:
    """One of the choices, all alike."""
    return choices[int(draw * len(choices))]


class Weighted:
    """Picks an index by weight."""

    __slots__ = ("_sums", "_total")

    def __init__(self, weights: Sequence[float]) -> None:
        self._sums = list(accumulate(weights))
        self._total = self._sums[-1]

    def at(self, draw: float) -> int:
        """The index that a uniform draw falls on."""
        return min(bisect_right(self._sums, draw * self._total), len(self._sums) - 1)
