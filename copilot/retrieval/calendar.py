"""A site's working days: what "late" is judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from copilot.store.pool import Connection
from copilot.store.queries import query


@dataclass(frozen=True, slots=True)
class Calendar:
    """A site's time zone, its ISO weekdays of work ("12345") and the days it is closed."""

    time_zone: str
    working_days: str
    closures: frozenset[date]

    def today(self, now: datetime) -> date:
        """The date at the site."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def open_on(self, day: date) -> bool:
        """Whether the site works on a day."""
        return str(day.isoweekday()) in self.working_days and day not in self.closures

    def days_late(self, promised: date, done: date) -> int:
        """Working days after the promised day up to and including `done`; 0 when it was in time.

        A promise for a day the site is closed is kept on its next working day.
        """
        if done <= promised:
            return 0
        days = (promised + timedelta(days=n + 1) for n in range(min((done - promised).days, _FAR)))
        worked = sum(self.open_on(day) for day in days)
        return max(0, worked if self.open_on(promised) else worked - 1)


_FAR = 4_000
"""Days after which counting stops mattering; keeps a promise dated long ago from costing time."""

UTC_CALENDAR = Calendar("UTC", "1234567", frozenset())
"""For records of no particular site."""


async def read_calendars(connection: Connection) -> Mapping[int, Calendar]:
    """The calendars of the sites in scope."""
    return calendars_of(await (await connection.execute(query("site_calendars"))).fetchall())


def calendars_of(rows: Iterable[Mapping[str, Any]]) -> Mapping[int, Calendar]:
    """The calendars of sites, by id, as the statement `site_calendars` tells them."""
    return {
        row["id"]: Calendar(row["time_zone"] or "UTC", row["working_days"] or "1234567", frozenset(row["closures"]))
        for row in rows
    }
