"""Whether a printed value is an expected one, and which printed values speak of the same thing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from evals.scoring.said import Said, Shown
from evals.scoring.truth import Cell, Column

_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
_REMARK = re.compile(r"(?<![*\\])\*[^*\n]+\*(?!\*)")
"""What stands in italics: how the question was understood, not what is so."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_FIGURE = "value"
"""The field of a measured figure."""
_GROUP = "group"
"""How the fields begin that say what a measured figure is of; a name stands there and in no field of a record."""
_KEPT_PLACES = 6
"""Figures are kept in millionths."""
_TOLD_PLACES = 2
"""A mean of money or quantities is told to the hundredth."""
_CURRENCY = re.compile(r"_(usd|eur|sgd|gbp|chf|jpy|cny)$")


def matching(cell: Cell, column: Column, shown: Sequence[Shown]) -> list[Shown]:
    """The printed values that are the expected one.

    Where the answer prints the very field that the column is read from, the value has to stand there: that another
    field holds the same by chance does not count. A record is as well named by what else it alone is called.
    """
    there = [each for each in shown if _is_of(each, column)]
    found = [each for each in there or shown if same(cell, column, each)]
    found += [each for each in shown if _names_group(each) and each not in found and same(cell, column, each)]
    other = column.other.get(cell, ()) if isinstance(cell, str) else ()
    return found or [each for each in shown if _may_name(each, column) and each.value in other]


def contradicting(column: Column, shown: Sequence[Shown]) -> list[Shown]:
    """The printed values of the same field; by its name alone where the column is worked out, and then every measured
    figure speaks of it: one was asked for, and that is the one given."""
    if column.table is not None:
        return [each for each in shown if _is_of(each, column)]
    return [each for each in shown if each.field in (column.name, _FIGURE)]


def spoken(cell: Cell, column: Column, said: Said) -> bool:
    """Whether the words say a code or a flag for which no value is printed: "is blocked" is a phrase of a template."""
    if contradicting(column, said.shown):
        return False
    if isinstance(cell, bool):
        word, negated = column.name, not cell
    elif isinstance(cell, str) and _CODE.fullmatch(cell):
        word, negated = cell, False
    else:
        return False
    text = _REMARK.sub("", said.text).replace("\\", "")
    found = re.findall(rf"(\bnot \W*)?\b{word.replace('_', ' ')}\b", text, re.IGNORECASE)
    return bool(found) and all(bool(before) == negated for before in found)


def same(cell: Cell, column: Column, each: Shown) -> bool:
    """Whether one printed value is the expected one, in the unit that the column's name asks for."""
    currency = _CURRENCY.search(column.name)
    if currency and (each.unit or "").lower() != currency[1]:
        return False
    if isinstance(cell, bool) or isinstance(each.value, bool):
        return cell is each.value
    if isinstance(cell, (int, Decimal)):
        return _same_number(Decimal(cell), each.value)
    if isinstance(cell, date) and not isinstance(cell, datetime) and isinstance(each.value, datetime):
        return cell == each.value.date()
    return cell == each.value or (isinstance(cell, str) and cell == each.unit)


def _may_name(each: Shown, column: Column) -> bool:
    """Whether a value can be what a record of the column's table is called: a field of it, or what a figure is of."""
    return each.entity == column.table or _names_group(each)


def _names_group(each: Shown) -> bool:
    """Whether a value is what a measured figure is of."""
    return each.field.startswith(_GROUP) and isinstance(each.value, str)


def _is_of(each: Shown, column: Column) -> bool:
    return column.table is not None and (each.entity, each.field) == (column.table, column.field)


def _same_number(expected: Decimal, value: object) -> bool:
    """Counts are exact; a figure that the SQL rounds is compared at its places, any other as figures are kept, or at
    the places at which a mean is told: hundredths, below one four."""
    if isinstance(value, str):
        value = Decimal(value) if _NUMBER.fullmatch(value) else None
    if not isinstance(value, (int, Decimal)):
        return False
    exponent = expected.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    if not places:
        return expected == value
    told = Decimal(1).scaleb(-_TOLD_PLACES if abs(expected) >= 1 else -2 * _TOLD_PLACES)
    if places > _TOLD_PLACES and value == expected.quantize(told, ROUND_HALF_UP):
        return True
    return abs(expected - value) <= max(Decimal(5).scaleb(-min(places, 60) - 1), Decimal(1).scaleb(-_KEPT_PLACES))
