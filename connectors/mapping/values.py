"""From what a source's column holds to the Python type that a field of the semantic model wants.

Nothing is guessed: what can't be read as the type is an `UnreadableValueError` carrying the value, which the row mapper
passes on raw for the ingest to set aside.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from connectors.mapping.spec import Formats

Convert = Callable[[object], Any]
"""Gives a `Value`; raises UnreadableValueError."""

_LARGEST_EXPONENT = 60
_LARGEST = 10**_LARGEST_EXPONENT
"""A number of more digits is no figure of a business; its digits are never written out."""


class UnreadableValueError(Exception):
    """A value that is not what it should be; `value` is what to hand on instead."""

    def __init__(self, value: Any) -> None:
        super().__init__("a value of the source can't be read")
        self.value = value


class Reader:
    """Reads values by a mapping's formats and time zone.

    A time without a zone is in the mapping's. Where the clock is put back and the time occurs twice it is the first;
    where the clock is put forward and the time does not occur it is read by the offset before the change, which makes
    it as much later as the clock was moved. A day taken for an instant is its first moment in the zone.
    """

    def __init__(self, formats: Formats, time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)
        self.true = frozenset(word.casefold() for word in formats.true)
        self.false = frozenset(word.casefold() for word in formats.false)
        self._empty = frozenset(formats.empty) | {""}
        self._dates = formats.dates
        self._decimal = formats.decimal
        self._group = formats.group
        self._number = _number_pattern(formats.decimal, formats.group)

    def converter(self, kind: str) -> Convert:
        """What makes a value of this type of field; raises UnreadableValueError. Unknown types are read as text."""
        kinds: dict[str, Convert] = {
            **dict.fromkeys(("quantity", "amount", "ratio", "days"), self.number),
            "count": self.count,
            "date": self.day,
            "instant": self.instant,
            "flag": self.flag,
        }
        return kinds.get(kind, self.text)

    def plain(self, value: object) -> object:
        """The value as it is, trailing spaces removed; None for what counts as empty."""
        if isinstance(value, str):
            found = value.rstrip(" ")
            return None if found in self._empty else found
        return None if value is None or _not_a_number(value) else value

    def text(self, value: object) -> str | None:
        """Text without trailing spaces; whole numbers without a fraction, moments as ISO 8601."""
        if isinstance(value, str):
            found = value.rstrip(" ")
            return None if found in self._empty else found
        if value is None or _not_a_number(value):
            return None
        return _written(value)

    def number(self, value: object) -> Decimal | None:
        """A finite decimal; a float is the decimal it is shown as."""
        match value:
            case Decimal():
                return value if value.is_finite() else _not_finite(value)
            case None:
                return None
            case bool():
                raise UnreadableValueError(value)
            case int():
                return Decimal(value)
            case float():
                return self.number(Decimal(repr(value)))
            case str():
                found = self.plain(value)
                return None if found is None else self._parsed(value)
            case _:
                raise UnreadableValueError(value)

    def count(self, value: object) -> int | None:
        """A whole number."""
        if isinstance(value, int) and not isinstance(value, bool):
            return value if abs(value) < _LARGEST else int(_whole(value))
        found = self.number(value)
        if found is None:
            return None
        if found.adjusted() > _LARGEST_EXPONENT or found != found.to_integral_value():
            raise UnreadableValueError(str(found))
        return int(found)

    def day(self, value: object) -> date | None:
        """A day; that of a moment is the day it has in the mapping's time zone."""
        if value.__class__ is date:
            return value  # pyright: ignore[reportReturnType]
        value = self.plain(value)
        match value:
            case None:
                return None
            case datetime():
                return self._local(value).date()
            case date():
                return value
            case _:
                found = self._moment(value)
                return self._local(found).date() if isinstance(found, datetime) else found

    def instant(self, value: object) -> datetime | None:
        """A moment in UTC."""
        value = self.plain(value)
        if value is None:
            return None
        found = value if isinstance(value, date) else self._moment(value)
        if not isinstance(found, datetime):
            found = datetime.combine(found, time())
        if found.tzinfo is None:
            found = found.replace(tzinfo=self.zone, fold=0)
        try:
            return found.astimezone(UTC)
        except (OverflowError, ValueError):
            raise UnreadableValueError(str(value)) from None

    def flag(self, value: object) -> bool | None:
        """True or false, by the mapping's words for them."""
        if isinstance(value, bool):
            return value
        found = self.text(value)
        if found is None:
            return None
        word = found.casefold()
        if word not in self.true and word not in self.false:
            raise UnreadableValueError(found)
        return word in self.true

    def words(self, *, truth: bool) -> tuple[str, ...]:
        """What true (or false) may be called in a code table or a condition."""
        return (str(truth).lower(), *sorted(self.true if truth else self.false))

    def _parsed(self, value: str) -> Decimal:
        found = value.strip()
        if not self._number.fullmatch(found):
            raise UnreadableValueError(value)
        if self._group:
            found = found.replace(self._group, "")
        return Decimal(found.replace(self._decimal, "."))

    def _moment(self, value: object) -> date:
        """A date or a datetime from text, or from a number such as 20260131. ISO 8601 first, then the formats."""
        found = self.text(value)
        if found is None or isinstance(value, bool | time):
            raise UnreadableValueError(value)
        found = found.strip()
        for read in (date.fromisoformat, datetime.fromisoformat):
            try:
                return read(found)
            except ValueError:
                continue
        for form in self._dates:
            try:
                return datetime.strptime(found, form)  # noqa: DTZ007 -- the mapping's zone is given where it matters
            except ValueError:
                continue
        raise UnreadableValueError(value if isinstance(value, str) else found)

    def _local(self, moment: datetime) -> datetime:
        if moment.tzinfo is None:
            return moment
        try:
            return moment.astimezone(self.zone)
        except (OverflowError, ValueError):
            raise UnreadableValueError(str(moment)) from None


def _number_pattern(decimal: str, group: str) -> re.Pattern[str]:
    point = re.escape(decimal)
    whole = rf"(?:[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+|[0-9]+)" if group else "[0-9]+"
    return re.compile(rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,4}})?")


def _not_a_number(value: object) -> bool:
    if isinstance(value, float):
        return value != value  # noqa: PLR0124 -- that is what NaN is
    return isinstance(value, Decimal) and value.is_nan()


def _not_finite(value: Decimal) -> None:
    if not value.is_nan():
        raise UnreadableValueError(str(value))


def _whole(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python writes out
        raise UnreadableValueError(0.0) from None


def _written(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return _whole(value)
        case float() | Decimal():
            return _figure(value)
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise UnreadableValueError(value)


def _figure(value: float | Decimal) -> str:
    found = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not found.is_finite() or abs(found.adjusted()) > _LARGEST_EXPONENT:
        return str(found)
    if found == found.to_integral_value():
        return str(int(found))
    return format(found, "f")
