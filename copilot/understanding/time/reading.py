"""What a time means: a way from the present to days, and what such ways are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from copilot.understanding.time.calendar import MONTHS, Days, FiscalCalendar, months_from

Kind = Literal[
    "day", "part", "week", "month", "quarter", "half", "year", "rolling", "since", "after", "before", "until", "range"
]
Looks = Literal["back", "ahead", "either"]
NEAR = range(-9, 10)
"""Years, or months, around the present in which the nearest of something is looked for."""


class NotClearError(ValueError):
    """A time whose words don't say which days they mean; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where and when a time is read. What has no year is the nearest to `anchor`, ahead or back."""

    today: date
    calendar: FiscalCalendar
    ahead: bool
    anchor: date
    hour: int | None = None
    """Of the clock on the wall; None: not to be used."""


Reader = Callable[[At], Days]
Clock = Callable[[datetime, FiscalCalendar], datetime]
"""From the local present to the moment from which on a time counted from now is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a form means. `floating`: which of many it is depends on what is near."""

    kind: Kind
    days: Reader
    looks: Looks = "either"
    floating: bool = False
    clock: Clock | None = None


Slots = Mapping[str, tuple[Any, ...]]
Body = Mapping[str, Any]
InYear = Callable[[FiscalCalendar, int], Days]
"""Something that every year has, as the days of one year's. Raises ValueError where that year has none."""
Maker = Callable[[Body, Slots], Meaning | None]
"""Makes the meaning of a form from its other keys and what stood in its places; None where those make no time."""


def looks_by(shift: int) -> Looks:
    """Where something so many spans from this one lies."""
    return "back" if shift < 0 else "ahead" if shift > 0 else "either"


def one_day(day: date) -> Days:
    """The span of one day."""
    return day, day + timedelta(days=1)


def nearest(at: At, spans: Iterable[Callable[[], Days]]) -> Days:
    """The last span that has begun by the anchor; looking ahead, the first that is not over before it."""
    found: list[Days] = []
    for span in spans:
        try:
            found.append(span())
        except (ValueError, OverflowError):
            continue
    fitting = [s for s in found if s[0] and s[1] and (s[1] > at.anchor if at.ahead else s[0] <= at.anchor)]
    if not fitting:
        raise NotClearError("there is no such day")
    return (min if at.ahead else max)(fitting, key=lambda span: span[0] or date.min)


def floating_in_years(kind: Kind, in_year: InYear) -> Meaning:
    """Something that every year has, the nearest one of it."""

    def days(at: At) -> Days:
        def of(step: int) -> Callable[[], Days]:
            return lambda: in_year(at.calendar, at.anchor.year + step)

        return nearest(at, map(of, NEAR))

    return Meaning(kind=kind, days=days, floating=True)


def of_year(kind: Kind, body: Body, slots: Slots, in_year: InYear) -> Meaning:
    """Something that every year has, of the year that is said or so many from this one."""
    if "YEAR" in slots:
        year = int(slots["YEAR"][0])
        return Meaning(kind=kind, days=lambda at: in_year(at.calendar, year))
    shift, fiscal = int(body["shift"]), kind in ("quarter", "half")

    def days(at: At) -> Days:
        this = at.calendar.fiscal_year_of(at.today) if fiscal else at.today.year
        return in_year(at.calendar, this + shift)

    return Meaning(kind=kind, days=days, looks=looks_by(shift))


def steps_from(day: date, unit: str, count: int, calendar: FiscalCalendar) -> date:
    """So many days, working days, weeks, months … from a day."""
    match unit:
        case "hour":
            raise NotClearError("hours are no whole days")
        case "working_day":
            return calendar.worked_from(day, count)
        case "day" | "week":
            return day + timedelta(days=count * (7 if unit == "week" else 1))
        case _:
            return months_from(day, count * MONTHS[unit])


def clock_back(unit: str, count: int) -> Clock:
    """So many units back from now: hours by their length, all others by the clock on the wall."""

    def back(now: datetime, calendar: FiscalCalendar) -> datetime:
        if unit == "hour":
            return now.astimezone(UTC) - timedelta(hours=count)
        return datetime.combine(steps_from(now.date(), unit, -count, calendar), now.timetz())

    return back
