"""Local time and working days of a warehouse, in whole seconds (Unix time) and day ordinals for speed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from copilot.demo.places import SITES, closures

UNIX_DAY = date(1970, 1, 1).toordinal()
DAY = 86_400
HOUR = 3_600


def instant(seconds: int) -> datetime:
    """Unix seconds as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def day(ordinal: int) -> date:
    """A day ordinal as a date."""
    return date.fromordinal(ordinal)


class SiteClock:
    """One warehouse's wall clock and working calendar, from `first` to `last` (day ordinals)."""

    __slots__ = ("_first", "_index", "_offsets", "_work", "_zone")

    def __init__(self, site: int, first: int, last: int) -> None:
        self._zone = ZoneInfo(SITES[site].zone)
        self._offsets: dict[int, int] = {}
        self._first = first
        self._work: list[int] = []
        self._index: list[int] = []
        closed = _closed_days(site, date.fromordinal(first).year, date.fromordinal(last).year)
        weekdays = {int(digit) % 7 for digit in SITES[site].working_days}
        for ordinal in range(first, last + 1):
            self._index.append(len(self._work))
            if ordinal % 7 in weekdays and ordinal not in closed:
                self._work.append(ordinal)

    def at(self, ordinal: int, seconds: int) -> int:
        """The moment at which that many seconds of a local day have passed."""
        return (ordinal - UNIX_DAY) * DAY + seconds - self._offset(ordinal)

    def day_of(self, moment: int) -> int:
        """The local day of a moment."""
        ordinal = moment // DAY + UNIX_DAY
        return (moment + self._offset(ordinal)) // DAY + UNIX_DAY

    def working(self, ordinal: int, more: int = 0) -> int:
        """The first working day on or after a day, and `more` working days on."""
        return self._work[self._index[ordinal - self._first] + more]

    def working_after(self, ordinal: int) -> int:
        """The first working day after a day."""
        return self._work[self._index[ordinal + 1 - self._first]]

    def is_working(self, ordinal: int) -> bool:
        """Whether the warehouse works on a day."""
        return self.working(ordinal) == ordinal

    def _offset(self, ordinal: int) -> int:
        known = self._offsets.get(ordinal)
        if known is None:
            noon = datetime.fromtimestamp((ordinal - UNIX_DAY) * DAY + DAY // 2, self._zone)
            shift = noon.utcoffset()
            known = self._offsets[ordinal] = 0 if shift is None else int(shift.total_seconds())
        return known


@cache
def _closed_days(site: int, first_year: int, last_year: int) -> frozenset[int]:
    years = range(first_year, last_year + 1)
    return frozenset(day.toordinal() for year in years for day in closures(site, year))


@cache
def clocks(first: int, last: int) -> tuple[SiteClock, ...]:
    """The clocks of all warehouses over a stretch of days."""
    return tuple(SiteClock(site, first, last) for site in range(len(SITES)))
