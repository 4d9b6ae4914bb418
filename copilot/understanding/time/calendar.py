"""The calendar that a time is read by, and steps over it."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Days = tuple[date | None, date | None]
"""From a day up to and without another; None: open."""
_FAR = 4_000
"""Days after which no working day is looked for any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalCalendar:
    """How a place divides its time. A year is named by the calendar year in which it starts, or in which it ends.

    Quarters and halves are those of the fiscal year; "this year" and 2026 are years of the calendar.
    """

    first_month: int = 1
    first_weekday: int = 1
    """ISO: 1 is Monday. Numbers of weeks are those of ISO 8601 whatever this is."""
    weekdays: str = "12345"
    """ISO weekdays of work."""
    closed: frozenset[date] = frozenset()
    day_first: bool | None = None
    """Whether 12/11 is the 12th of November; None: not known, so that such a date is not understood."""
    year_named_by: Literal["start", "end"] = "start"

    def week_of(self, day: date) -> date:
        """The first day of a day's week."""
        return day - timedelta(days=(day.isoweekday() - self.first_weekday) % 7)

    def fiscal_year_of(self, day: date) -> int:
        """The number of a day's fiscal year."""
        started = day.year if day.month >= self.first_month else day.year - 1
        return started + self._named_later

    def part_of_year(self, year: int, number: int, months: int) -> Days:
        """The part of so many months of a fiscal year, counted from 1."""
        started = date(year - self._named_later, self.first_month, 1)
        start = months_from(started, (number - 1) * months)
        return start, months_from(start, months)

    def span_of(self, unit: str, day: date, shift: int = 0) -> Days:
        """The day, week, month, quarter, half or (fiscal) year of a day, or one so many of them on."""
        if unit == "day":
            return day + timedelta(days=shift), day + timedelta(days=shift + 1)
        if unit == "week":
            start = self.week_of(day) + timedelta(weeks=shift)
            return start, start + timedelta(weeks=1)
        months = MONTHS[unit]
        behind = (day.month - self._first_of(unit)) % months
        start = months_from(day.replace(day=1), shift * months - behind)
        return start, months_from(start, months)

    def worked_from(self, day: date, count: int) -> date:
        """The working day so many after a day, before it where the count is negative. Raises ValueError for none."""
        step, left, here = (1 if count > 0 else -1), abs(count), day
        for _ in range(_FAR):
            if not left:
                return here
            here += timedelta(days=step)
            left -= self.open_on(here)
        raise ValueError(f"there are not {abs(count)} working days")

    def open_on(self, day: date) -> bool:
        """Whether it is a working day."""
        return str(day.isoweekday()) in self.weekdays and day not in self.closed

    @property
    def _named_later(self) -> int:
        return int(self.year_named_by == "end" and self.first_month > 1)

    def _first_of(self, unit: str) -> int:
        return 1 if unit in ("month", "year") else self.first_month


MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12, "fiscal_year": 12}


def months_from(day: date, count: int) -> date:
    """The same day so many months on, or that month's last. Raises ValueError outside the calendar."""
    years, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))
