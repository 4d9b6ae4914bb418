"""Holds the records of a claim against the time that the question is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TypeGuard
from zoneinfo import ZoneInfo

from copilot.answering.verifying.finding import Broken
from copilot.answering.verifying.steps import Steps
from copilot.domain.evidence import Raw, Record
from copilot.domain.plan import Figures, Listing, Period, Plan, Survey
from copilot.domain.query import Compare, Is, Query

_DAYS = {"overview_span": ("since", "last"), "lots_left": ("first", "last")}
"""Measures that say the first and the last day of the time asked about."""
_BOUNDS = {"history_period": ("since", "until"), "date_moves": ("", "until")}
"""Those that say its bounds, as moments."""
_WITHIN = {"record_change": "noticed_at", "date_move": "noticed_at", "lot_stock": "expires"}
"""Those whose moment or day lies in it."""
_ORDERS = "customer_order"
"""The measure of the orders of a customer, which were placed in it where the question names a time."""
_SURVEYED = {"short_line": "due", "short_item": "day"}
_LONGEST = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
"""Days that a span of the calendar has at most."""


class Times:
    """The time that a plan is about, wherever it says so."""

    def __init__(self, plan: Plan, steps: Steps) -> None:
        self._period = plan.period
        self._steps = steps
        self._listings = [step for step in plan.steps if isinstance(step, Listing)]
        self._figures = [step for step in plan.steps if isinstance(step, Figures)]
        self._surveys = [step for step in plan.steps if isinstance(step, Survey)]

    def rules(self, records: tuple[Record, ...]) -> Iterator[Broken]:
        """The records of a claim that are of another time."""
        placed = self._period and self._period.given and any(record.entity == _ORDERS for record in records)
        for record in records:
            if record.kind == "record":
                other = self._of_another_list(record)
                other = other or (placed and record.entity == "sales_order" and self._left_out(record, "order_date"))
            else:
                other = self._of_another_measure(record)
            if other:
                yield "period_differs", record.id

    def _of_another_list(self, record: Record) -> bool:
        """Whether a record listed does not lie within the days that the list is of."""
        for step in self._listings:
            if record.entity == step.query.entity and self._steps.has(step.name, record):
                for days in _limits(step.query):
                    value = record.values.get(days.path[0])
                    if value and value.type == "date" and not _fits(value.raw, days, 1):
                        return True
        return False

    def _of_another_measure(self, record: Record) -> bool:
        for step in self._figures:
            if record.entity == step.measure and self._steps.has(step.name, record):
                return not all(_spans_fit(record, step.query))
        for step in self._surveys:
            if record.entity == step.measure and self._steps.has(step.name, record):
                day = record.raw(_SURVEYED.get(step.measure, ""))
                return _is_day(day) and day >= step.until
        return self._period is not None and self._of_another_period(record, self._period)

    def _of_another_period(self, record: Record, period: Period) -> bool:
        if record.entity in _DAYS:
            first, last = _days_of(period, UTC if record.entity == "lots_left" else ZoneInfo(period.time_zone))
            return [record.raw(name) for name in _DAYS[record.entity]] != [first, last]
        if record.entity in _BOUNDS:
            told = zip(_BOUNDS[record.entity], (period.since, period.until), strict=True)
            return any(record.raw(name) != moment for name, moment in told if name)
        return record.entity in _WITHIN and self._left_out(record, _WITHIN[record.entity])

    def _left_out(self, record: Record, field: str) -> bool:
        """Whether a field of a record lies outside the period."""
        if self._period is None:
            return False
        value = record.raw(field)
        if isinstance(value, datetime):
            return not self._period.holds(value)
        if not isinstance(value, date):
            return True
        zone = UTC if record.entity == "lot_stock" else ZoneInfo(self._period.time_zone)
        first, last = _days_of(self._period, zone)
        return (first is not None and value < first) or (last is not None and value > last)


def _days_of(period: Period, zone: tzinfo) -> tuple[date | None, date | None]:
    """The first and the last day of a period in a place."""
    first = period.since.astimezone(zone).date() if period.since else None
    last = (period.until - timedelta(microseconds=1)).astimezone(zone).date() if period.until else None
    return first, last


def _limits(query: Query) -> Iterator[Compare]:
    """The days that a query keeps a date of its own records within."""
    for condition in query.where:
        if isinstance(condition, Compare) and len(condition.path) == 1 and _is_day(condition.value):
            yield condition


def _spans_fit(record: Record, query: Query) -> Iterator[bool]:
    """Whether the spans of the calendar that a figure is of lie within the days that the query is about."""
    for group, name in zip(query.groups, ("group", "group2"), strict=False):
        value = record.values.get(name)
        if group.bucket and value and _is_day(value.raw):
            limits = (each for each in query.where if isinstance(each, Compare) and each.path == group.path)
            yield all(_fits(value.raw, each, _LONGEST[group.bucket]) for each in limits if _is_day(each.value))


def _fits(first: Raw, limit: Compare, days: int) -> bool:
    """Whether some of so many days, from the first on, are within a limit."""
    day = limit.value
    if not _is_day(first) or not _is_day(day):
        return True
    last = first + timedelta(days=days - 1)
    match limit.how:
        case Is.LESS:
            return first < day
        case Is.AT_MOST:
            return first <= day
        case Is.MORE:
            return last > day
        case Is.AT_LEAST:
            return last >= day
        case Is.EQUAL:
            return first <= day <= last
        case _:
            return True


def _is_day(value: object) -> TypeGuard[date]:
    return isinstance(value, date) and not isinstance(value, datetime)
