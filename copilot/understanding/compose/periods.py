"""Spans of the calendar that figures are compared over: "this quarter and last quarter", "Q1 2025 or Q1 2024".

Several of one unit become one time, any of them, and the figures are told apart by that unit: the query is one that a
question over a single span may run as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from copilot.domain.query import AnyOf, Bucket, Compare, Condition, Is, Path
from copilot.understanding.time.calendar import Days, FiscalCalendar
from copilot.understanding.time.spans import Span

Period = tuple[date, date]
"""From a day up to and without another."""
AHEAD = frozenset(
    {"promised_date", "due", "requested_date", "expected_delivery", "expected_date", "planned_date", "due_date"}
    | {"starts", "ends"}
)
"""Dates that may lie ahead; all others are of what has happened."""
_MOST = 12
_KINDS = ("day", "week", "month", "quarter", "year")
_YEARLY = ("day", "month", "quarter")
"""Kinds of spans that every year has, and that are moved from one year to another."""
_YEAR = re.compile(r"\b(19|20)\d\d\b")
_CALENDAR = FiscalCalendar()
"""Of the units that figures are put together by: weeks from Monday, years from January."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Spans of one unit of the calendar, in order; what lasts still may end with the present day."""

    spans: tuple[Period, ...]
    bucket: Bucket

    @property
    def bounds(self) -> Days:
        """From the first day of all up to and without the last."""
        return self.spans[0][0], self.spans[-1][1]

    def within(self, path: Path) -> tuple[Condition, ...]:
        """That a date is in any of them: between the first and the last, and in no gap."""
        since, until = self.bounds
        gaps = [(end, start) for (_, end), (start, _) in zip(self.spans, self.spans[1:], strict=False) if end < start]
        return (
            Compare(path, Is.AT_LEAST, since),
            Compare(path, Is.LESS, until),
            *(AnyOf((Compare(path, Is.LESS, end), Compare(path, Is.AT_LEAST, start))) for end, start in gaps),
        )


def periods_of(spans: Sequence[Span], days: Callable[[Span], Days | None], *, today: date) -> Periods | None:
    """The spans as periods of one unit; None where they have none in common, are the same, or can't be told."""
    resolved = [days(span) for span in spans]
    known = [(since, until) for each in resolved if each for since, until in [each] if since and until]
    if len(known) < len(spans) or any(span.kind not in _KINDS for span in spans) or not 1 < len(spans) <= _MOST:
        return None
    meant = _years_told(spans, known, today)
    for bucket in Bucket if meant else ():
        if meant and all(_fits(bucket, period, today) for period in meant):
            ordered = tuple(sorted(meant))
            apart = len({since for since, _ in ordered}) == len(ordered)
            return Periods(spans=ordered, bucket=bucket) if apart else None
    return None


def up_to_now(span: Span, days: Days | None, *, today: date) -> Periods | None:
    """The unit before the present one with the present one: "better than last quarter"; None for any other span."""
    bucket = Bucket(span.kind) if span.kind in _KINDS else None
    since, until = days or (None, None)
    if bucket is None or not since or not until or unit_of(bucket, since) != (since, until):
        return None
    this = unit_of(bucket, today)
    return Periods(spans=((since, until), this), bucket=bucket) if until == this[0] else None


def bounds_of(conditions: Sequence[Condition]) -> Days:
    """From the first day that conditions on a date leave up to and without the last."""
    since = until = None
    for condition in conditions:
        if isinstance(condition, Compare) and isinstance(condition.value, date):
            if condition.how is Is.AT_LEAST:
                since = condition.value
            else:
                until = condition.value
    return since, until


def told_apart(conditions: Sequence[Condition], bucket: Bucket | None) -> tuple[Days, ...]:
    """The spans that a time is made of: those between its gaps, and where its figures are told apart by a unit of which
    it holds two, each of them."""
    since, until = bounds_of(conditions)
    gaps = [_gap(condition) for condition in conditions if isinstance(condition, AnyOf)]
    starts, ends = (since, *(start for _, start in gaps)), (*(end for end, _ in gaps), until)
    spans = tuple(zip(starts, ends, strict=True))
    return tuple(each for span in spans for each in _units(span, bucket))


def _gap(either: AnyOf) -> Days:
    end, start = (c.value if isinstance(c, Compare) and isinstance(c.value, date) else None for c in either.conditions)
    return end, start


def lasts(span: Days, today: date) -> bool:
    """Whether a span has begun and is not over yet."""
    since, until = span
    return since is not None and until is not None and since <= today < until


def _units(span: Days, bucket: Bucket | None) -> tuple[Days, ...]:
    since, until = span
    if bucket and since and until:
        end = unit_of(bucket, since)[1]
        if end < until <= unit_of(bucket, end)[1]:
            return (since, end), (end, until)
    return (span,)


def unit_of(bucket: Bucket, day: date) -> Period:
    """The unit of the calendar that a day is in, as figures are put together by it."""
    since, until = _CALENDAR.span_of(bucket.value, day)
    return since or day, until or day


def _fits(bucket: Bucket, period: Period, today: date) -> bool:
    """Whether a period is a whole unit, or the present one so far."""
    since, until = period
    start, end = unit_of(bucket, since)
    so_far = start <= today < end and until in (today, today + _DAY)
    return since == start and (until == end or so_far)


def _years_told(spans: Sequence[Span], known: Sequence[Period], today: date) -> Sequence[Period] | None:
    """The periods, with those whose year nobody said in the year of the others: "September and October 2025". What is
    the same part of another year stays as it is: "Q4 against Q4 2025". None where it can't be told."""
    told = {since.year for span, (since, _) in zip(spans, known, strict=True) if _YEAR.search(span.text)}
    dated = [period for span, period in zip(spans, known, strict=True) if not span.meaning.floating]
    if all(_is_near(span, period, today) for span, period in zip(spans, known, strict=True)):
        return known
    found: list[Period] = []
    for span, (since, until) in zip(spans, known, strict=True):
        if not span.meaning.floating or any((d.month, d.day) == (since.month, since.day) for d, _ in dated):
            found.append((since, until))
        elif len(told) == 1 and span.kind in _YEARLY:
            years = next(iter(told)) - since.year
            found.append((_moved(since, years), _moved(until, years)))
        else:
            return None
    return found


def _is_near(span: Span, period: Period, today: date) -> bool:
    """Whether no year is said, or the span is counted from the present one: "September against last month"."""
    start = unit_of(Bucket(span.kind), today)[0]
    return span.meaning.floating or start in period


def _moved(day: date, years: int) -> date:
    """The same day of another year, which has no 29th of February."""
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + years, day=28 if leap else day.day)
