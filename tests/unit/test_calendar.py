"""A site's calendar: today there, and how many working days late something is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.retrieval.calendar import UTC_CALENDAR, Calendar

_DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))
_CALENDARS = st.builds(
    Calendar,
    time_zone=st.just("UTC"),
    working_days=st.sets(st.sampled_from("1234567"), min_size=1).map(lambda days: "".join(sorted(days))),
    closures=st.frozensets(_DAYS, max_size=40),
)
WEEK = Calendar("Europe/Berlin", "12345", frozenset({date(2026, 12, 25)}))


def _by_hand(calendar: Calendar, promised: date, done: date) -> int:
    """Walk from the promise to the first day the site works, then count the working days that follow it."""
    day = promised
    while not calendar.open_on(day) and day < done:
        day += timedelta(days=1)
    late = 0
    while day < done:
        day += timedelta(days=1)
        late += calendar.open_on(day)
    return late


@given(_CALENDARS, _DAYS, st.integers(-30, 90))
def test_days_late_are_the_working_days_after_the_day_the_promise_falls_due(
    calendar: Calendar, promised: date, delta: int
) -> None:
    done = promised + timedelta(days=delta)
    assert calendar.days_late(promised, done) == _by_hand(calendar, promised, done)


@given(_CALENDARS, _DAYS, st.integers(0, 60))
def test_waiting_a_day_longer_is_never_less_late(calendar: Calendar, promised: date, delta: int) -> None:
    done = promised + timedelta(days=delta)
    assert 0 <= calendar.days_late(promised, done) <= calendar.days_late(promised, done + timedelta(days=1))


@pytest.mark.parametrize(
    ("promised", "done", "late"),
    [
        ("2026-11-18", "2026-11-18", 0),  # the day itself
        ("2026-11-20", "2026-11-21", 0),  # Friday's promise on Saturday: nobody works
        ("2026-11-20", "2026-11-23", 1),  # on Monday
        ("2026-11-21", "2026-11-23", 0),  # Saturday's promise falls due on Monday
        ("2026-11-21", "2026-11-24", 1),
        ("2026-12-24", "2026-12-28", 1),  # over a closure and a weekend
        ("2026-12-25", "2026-12-28", 0),  # a promise for the closure itself
        ("2026-11-19", "2026-11-01", 0),  # early
    ],
)
def test_working_days_over_weekends_and_closures(promised: str, done: str, late: int) -> None:
    assert WEEK.days_late(date.fromisoformat(promised), date.fromisoformat(done)) == late


def test_today_is_the_sites_today() -> None:
    moment = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)
    assert Calendar("Asia/Singapore", "12345", frozenset()).today(moment) == date(2026, 11, 19)
    assert Calendar("America/Chicago", "12345", frozenset()).today(moment) == date(2026, 11, 18)
    assert UTC_CALENDAR.today(moment) == date(2026, 11, 18)


def test_a_promise_from_another_age_is_still_counted_at_once() -> None:
    assert UTC_CALENDAR.days_late(date(1, 1, 1), date(2026, 1, 1)) > 1000
