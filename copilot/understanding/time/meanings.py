"""What the forms of a language mean: each a way from the present to days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any, Literal

from copilot.understanding.time.calendar import MONTHS, Days, FiscalCalendar, months_from
from copilot.understanding.time.reading import (
    NEAR,
    At,
    Body,
    Kind,
    Looks,
    Maker,
    Meaning,
    NotClearError,
    Reader,
    Slots,
    clock_back,
    floating_in_years,
    looks_by,
    nearest,
    of_year,
    one_day,
    steps_from,
)

_NOON = 12
_BY_UNIT: Mapping[str, Kind] = {
    "day": "day", "week": "week", "month": "month", "quarter": "quarter", "half": "half", "year": "year",
    "fiscal_year": "year",
}  # fmt: skip


def make_meaning(body: Body, slots: Slots) -> Meaning | None:
    """The meaning of one form. Raises KeyError for a form that says none."""
    return MAKERS[next(key for key in body if key in MAKERS)](body, slots)


def _day(body: Body, _: Slots) -> Meaning:
    shift = int(body["day"])
    return Meaning(kind="day", looks=looks_by(shift), days=lambda at: one_day(at.today + timedelta(days=shift)))


def _date(body: Body, slots: Slots) -> Meaning | None:
    match body["date"]:
        case "numeric":
            return _numeric(*(slots.get("DATE") or slots["DAYMONTH"])[0])
        case "ordinal":
            number = int(slots["ORDINAL"][0])
            return Meaning(kind="day", floating=True, days=lambda at: _day_of_month(at, number))
        case "ordinal_of":
            return _day_of_unit(body, slots)
        case _:
            return _named(int(slots["DAY"][0]), int(slots["MONTH"][0]), slots.get("YEAR"))


def _named(day: int, month: int, year: tuple[Any, ...] | None) -> Meaning:
    if year:
        return Meaning(kind="day", days=lambda _: one_day(date(int(year[0]), month, day)))
    return floating_in_years("day", lambda _, each: one_day(date(each, month, day)))


def _numeric(parts: tuple[int, ...], day_first: bool | None) -> Meaning:  # noqa: FBT001 -- a convention
    """A date in figures: the year first, or day and month in an order of its own, else in the order of the convention,
    unless only one can be."""
    if len(parts) == 3 and parts[0] > 31:
        return Meaning(kind="day", days=lambda _: one_day(date(*parts)))
    first, second, *year = parts

    def days(at: At) -> Days:
        day, month = _in_order(first, second, at.calendar.day_first if day_first is None else day_first)
        return _named(day, month, tuple(year)).days(at)

    return Meaning(kind="day", days=days, floating=not year)


def _in_order(first: int, second: int, day_first: bool | None) -> tuple[int, int]:  # noqa: FBT001 -- a convention
    both = first <= 12 and second <= 12 and first != second
    if both and day_first is None:
        raise NotClearError("which figure is the day and which the month is not known here")
    if both:
        return (first, second) if day_first else (second, first)
    return (first, second) if second <= 12 else (second, first)


def _day_of_month(at: At, number: int) -> Days:
    def of(step: int) -> Callable[[], Days]:
        return lambda: one_day(months_from(at.anchor.replace(day=1), step).replace(day=number))

    return nearest(at, map(of, NEAR))


def _day_of_unit(body: Body, slots: Slots) -> Meaning | None:
    number, shift = int(slots["ORDINAL"][0]), int(body["shift"])
    if slots["UNIT"][0] != "month":
        return None
    return Meaning(
        kind="day", looks=looks_by(shift),
        days=lambda at: one_day(months_from(at.today.replace(day=1), shift).replace(day=number)),
    )  # fmt: skip


def _weekday(body: Body, slots: Slots) -> Meaning:
    weekday, how = int(slots["WEEKDAY"][0]), body["weekday"]
    if how == "of_week":
        shift = int(body["shift"])

        def days(at: At) -> Days:
            start = at.calendar.week_of(at.today) + timedelta(weeks=shift)
            return one_day(start + timedelta(days=(weekday - start.isoweekday()) % 7))

        return Meaning(kind="day", looks=looks_by(shift), days=days)
    if how == "nearest":
        return Meaning(kind="day", floating=True, days=lambda at: one_day(_next(at.anchor, weekday, ahead=at.ahead)))
    ahead = how == "coming"
    looks: Looks = "ahead" if ahead else "back"
    return Meaning(kind="day", looks=looks, days=lambda at: one_day(_next(at.today, weekday, ahead=ahead)))


def _next(day: date, weekday: int, *, ahead: bool) -> date:
    """The first such weekday after a day, or the last one before it."""
    if ahead:
        return day + timedelta(days=(weekday - day.isoweekday() - 1) % 7 + 1)
    return day - timedelta(days=(day.isoweekday() - weekday - 1) % 7 + 1)


def _weekend(body: Body, _: Slots) -> Meaning:
    shift = int(body["weekend"])

    def days(at: At) -> Days:
        saturday = at.today + timedelta(days=6 - at.today.isoweekday(), weeks=shift)
        return saturday, saturday + timedelta(days=2)

    return Meaning(kind="range", looks=looks_by(shift), days=days)


def _unit(body: Body, slots: Slots) -> Meaning | None:
    unit, shift = str(slots["UNIT"][0]), int(body["unit"])
    if unit not in ("week", *MONTHS):
        return None
    return Meaning(
        kind=_BY_UNIT[unit], looks=looks_by(shift), days=lambda at: at.calendar.span_of(unit, at.today, shift)
    )


def _rolling(body: Body, slots: Slots) -> Meaning:
    unit, how = str(slots["DAYS"][0]), body["rolling"]
    count = int(slots["N"][0]) if "N" in slots else int(body["count"])

    def days(at: At) -> Days:
        ahead = how == "ahead" or (how == "within" and at.ahead)
        tomorrow = at.today + timedelta(days=1)
        if ahead:
            return at.today, steps_from(at.today, unit, count, at.calendar) + timedelta(days=1)
        return steps_from(at.today, unit, -count, at.calendar), tomorrow

    looks: Looks = "either" if how == "within" else how
    return Meaning(kind="rolling", looks=looks, days=days, clock=clock_back(unit, count) if how == "back" else None)


def _days_ahead(unit: str, count: int, at: At) -> Days:
    """ "Due in 90 days"; but "not ordered in 90 days" is about the past, and "shipped in 3 days" about how long."""
    if not at.ahead:
        raise NotClearError("in so long from now, or within so long?")
    return one_day(steps_from(at.today, unit, count, at.calendar))


def _away(body: Body, slots: Slots) -> Meaning:
    unit, count, how = str(slots["DAYS"][0]), int(slots["N"][0]), body["away"]
    if how == "ahead":
        return Meaning(kind="day", looks="ahead", days=partial(_days_ahead, unit, count))

    def days(at: At) -> Days:
        day = steps_from(at.today, unit, -count, at.calendar)
        if how == "back":
            return one_day(day)
        return (None, day) if how == "longer_ago" else (day + timedelta(days=1), at.today + timedelta(days=1))

    kind: Kind = "day" if how == "back" else "before" if how == "longer_ago" else "rolling"
    return Meaning(kind=kind, looks="back", days=days, clock=clock_back(unit, count) if how == "back" else None)


def _month(body: Body, slots: Slots) -> Meaning:
    month, how = int(slots["MONTH"][0]), body["month"]

    def of(_: FiscalCalendar, year: int) -> Days:
        return date(year, month, 1), months_from(date(year, month, 1), 1)

    if how == "of_year":
        return of_year("month", body, slots, of)
    if how == "nearest":
        return floating_in_years("month", of)
    over = how == "over"

    def days(at: At) -> Days:
        """The last one that is over, or the first that is yet to begin."""
        this = at.today.replace(day=1)
        edge = months_from(this, -1) if over else months_from(this, 1)
        return floating_in_years("month", of).days(replace(at, anchor=edge, ahead=not over))

    return Meaning(kind="month", looks="back" if over else "ahead", days=days)


def _part_of_year(kind: Kind, key: str, slot: str, months: int) -> Maker:
    """Quarters and halves, by the fiscal year."""

    def make(body: Body, slots: Slots) -> Meaning:
        number, year = slots[slot][0] if slot in slots else (int(slots.get("NTH", (body.get("number"),))[0]), None)

        def of(calendar: FiscalCalendar, each: int) -> Days:
            if not 1 <= number <= 12 // months:
                raise NotClearError(f"a year has {12 // months} of them")
            return calendar.part_of_year(each, number, months)

        if year is not None:
            return of_year(kind, body, {"YEAR": (year,)}, of)
        return of_year(kind, body, slots, of) if body[key] == "of_year" else floating_in_years(kind, of)

    return make


def _week(body: Body, slots: Slots) -> Meaning | None:
    if body["week"] == "containing":
        return _week_of(slots["TIME"][0])
    number, year = slots["WEEK"][0] if "WEEK" in slots else (int(slots["FIGURE"][0]), None)

    def of(_: FiscalCalendar, each: int) -> Days:
        start = date.fromisocalendar(each, number, 1)
        return start, start + timedelta(weeks=1)

    if year is not None:
        return of_year("week", body, {"YEAR": (year,)}, of)
    return of_year("week", body, slots, of) if body["week"] == "of_year" else floating_in_years("week", of)


def _week_of(day: Meaning) -> Meaning | None:
    """ "The week of 9 November"."""

    def days(at: At) -> Days:
        start = day.days(at)[0]
        if start is None:
            raise NotClearError("it has no beginning")
        return at.calendar.span_of("week", start)

    return replace(day, kind="week", days=days, clock=None) if day.kind == "day" else None


def _year(body: Body, slots: Slots) -> Meaning:
    year = int((slots.get("FY") or slots["YEAR"])[0])
    if body["year"] == "fiscal":
        return Meaning(kind="year", days=lambda at: at.calendar.part_of_year(year, 1, 12))
    return Meaning(kind="year", days=lambda _: (date(year, 1, 1), date(year + 1, 1, 1)))


def _to_date(body: Body, slots: Slots) -> Meaning | None:
    unit = str(slots["UNIT"][0]) if body["to_date"] == "said" else str(body["to_date"])
    if unit not in ("week", *MONTHS):
        return None
    return Meaning(
        kind=_BY_UNIT[unit], looks="back",
        days=lambda at: (at.calendar.span_of(unit, at.today)[0], at.today + timedelta(days=1)),
    )  # fmt: skip


def _edge(key: Literal["start", "end"]) -> Maker:
    """The first or the last day of a time; of a week, of those that are worked."""

    def make(body: Body, slots: Slots) -> Meaning | None:
        given = body[key]
        unit = slots["UNIT"][0] if given == "said" else given
        inner: Meaning | None = slots["TIME"][0] if given == "time" else _unit({"unit": 0}, {"UNIT": (unit,)})
        if inner is None or inner.kind not in ("week", "month", "quarter", "half", "year"):
            return None
        return replace(inner, kind="day", clock=None, days=_edge_day(inner, key))

    return make


def _edge_day(inner: Meaning, key: str) -> Reader:
    def days(at: At) -> Days:
        start, end = inner.days(at)
        if start is None or end is None:
            raise NotClearError("it has no end")
        if key == "start":
            return one_day(start)
        last = end - timedelta(days=1)
        while inner.kind == "week" and str(last.isoweekday()) not in at.calendar.weekdays and last > start:
            last -= timedelta(days=1)
        return one_day(last)

    return days


def _part(body: Body, slots: Slots) -> Meaning:
    """A part of a day, which dates don't know; but while it lasts, this morning is all of today so far."""
    morning = body["part"] == "today" and slots["PART"][0] == "morning"
    vague = body["part"] == "vague"

    def days(at: At) -> Days:
        if morning and at.hour is not None and at.hour < _NOON:
            return one_day(at.today)
        raise NotClearError("its words name no whole days" if vague else "it is a part of a day, and we keep days")

    return Meaning(kind="part", looks="either", days=days)


MAKERS: dict[str, Maker] = {
    "day": _day,
    "date": _date,
    "weekday": _weekday,
    "weekend": _weekend,
    "unit": _unit,
    "rolling": _rolling,
    "away": _away,
    "month": _month,
    "week": _week,
    "quarter": _part_of_year("quarter", "quarter", "QUARTER", 3),
    "half": _part_of_year("half", "half", "HALF", 6),
    "year": _year,
    "to_date": _to_date,
    "start": _edge("start"),
    "end": _edge("end"),
    "part": _part,
}
