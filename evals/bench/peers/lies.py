"""What the scripted model says of the rows that it is shown: the truth, or one of some lies, the same to everybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

Rows = Sequence[Sequence[str | None]]
Lie = Callable[[Sequence[str], Rows, Rows], str]
_NUMBER = re.compile(r"\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-(\d\d)")
TRUE = "true"


def sentence(columns: Sequence[str], rows: Rows) -> str:
    """The rows in words: each value after its column's name."""
    names = [name.replace("_", " ") for name in columns]
    told = [", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True) if value) for row in rows]
    return "; ".join(told) + "."


def _digit(columns: Sequence[str], rows: Rows, _: Rows) -> str:
    """The last number, or else the last date, has another last digit."""

    def swapped(value: str) -> str:
        return value[:-1] + str((int(value[-1]) + 3) % 10)

    return _changed(columns, rows, _NUMBER, swapped) or _changed(columns, rows, _DATE, swapped) or ""


def _thousand(columns: Sequence[str], rows: Rows, other: Rows) -> str:
    """The last number that is none is told in another unit than its own."""

    def times(value: str) -> str:
        return f"{float(value) * 1000:.2f}" if float(value) else "1000"

    return _changed(columns, rows, _NUMBER, times) or _digit(columns, rows, other)


def _neighbour(columns: Sequence[str], _: Rows, other: Rows) -> str:
    """The figures are those of another record."""
    return sentence(columns, other)


def _invented(columns: Sequence[str], rows: Rows, _: Rows) -> str:
    """A figure more that nothing tells of."""
    return sentence(columns, rows)[:-1] + ", and 4711 more are expected on 2027-03-14."


def _delivered(columns: Sequence[str], rows: Rows, _: Rows) -> str:
    """What it is not: delivered, or cancelled where it is."""
    told = sentence(columns, rows)
    return told[:-1] + (". All of it was cancelled." if "delivered" in told else ". All of it was delivered.")


def _date(columns: Sequence[str], rows: Rows, _: Rows) -> str:
    """A date a year later, or one where there is none."""

    def later(value: str) -> str:
        return f"{int(value[:4]) + 1}{value[4:]}"

    return _changed(columns, rows, _DATE, later) or sentence(columns, rows)[:-1] + ", promised 2027-01-02."


LIES: Mapping[str, Lie] = {
    "digit": _digit,
    "thousand": _thousand,
    "neighbour": _neighbour,
    "invented": _invented,
    "delivered": _delivered,
    "date": _date,
}
"""Each family by its name."""


def told(way: str, columns: Sequence[str], rows: Rows, other: Rows) -> str:
    """What is said of the rows: the truth, or the lie of that name; `other` are the rows of another question."""
    return sentence(columns, rows) if way == TRUE else LIES[way](columns, rows, other)


def _changed(columns: Sequence[str], rows: Rows, form: re.Pattern[str], change: Callable[[str], str]) -> str | None:
    """The rows in words with the last value of a form changed; None where there is none."""
    places = [
        (at, place) for at, row in enumerate(rows) for place, value in enumerate(row) if form.fullmatch(value or "")
    ]
    if not places:
        return None
    made = [list(row) for row in rows]
    at, place = places[-1]
    made[at][place] = change(made[at][place] or "")
    return sentence(columns, made)
