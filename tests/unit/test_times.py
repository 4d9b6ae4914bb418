"""Times that a question names: what each means at a moment in a zone, and what is left as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from copilot.domain.plan import Period
from copilot.understanding.times import find_time, resolve, usual_period
from copilot.understanding.words import cut

NOW = datetime(2026, 11, 18, 4, 30, tzinfo=UTC)
"""A Wednesday, half past four in the morning; in Chicago still Tuesday evening, in Singapore midday."""
MIDNIGHT = "2026-11-{:02} 00:00"


def _period(text: str, zone: str = "UTC") -> Period | None:
    mention = find_time(cut(text))
    return resolve(mention, NOW, zone) if mention else None


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("what changed since yesterday for Meyer", "2026-11-17 00:00"),
        ("since today", "2026-11-18 00:00"),
        ("changes today on SO-1", "2026-11-18 00:00"),
        ("since Monday", "2026-11-16 00:00"),
        ("since last monday?", "2026-11-16 00:00"),
        ("since wednesday", "2026-11-11 00:00"),  # asked on a Wednesday: the one before
        ("since last week", "2026-11-09 00:00"),
        ("since the last 3 days", "2026-11-15 04:30"),
        ("this week", "2026-11-16 00:00"),
        ("since last month", "2026-10-01 00:00"),
        ("this month", "2026-11-01 00:00"),
        ("in the last 3 days", "2026-11-15 04:30"),
        ("over the past week", "2026-11-11 04:30"),
        ("in the last two weeks", "2026-11-04 04:30"),
        ("last 24 hours", "2026-11-17 04:30"),
        ("within the last month", None),  # neither a calendar month nor a count of them
        ("in the last 1 month", "2026-10-18 04:30"),
        ("since 3 days ago", "2026-11-15 04:30"),
        ("since 2 hours", "2026-11-18 02:30"),
        ("since 2026-11-12", "2026-11-12 00:00"),
        ("since 12 November", "2026-11-12 00:00"),
        ("since the 12th of November", "2026-11-12 00:00"),
        ("since Nov 12", "2026-11-12 00:00"),
        ("since nov 12 2025", "2025-11-12 00:00"),
        ("since 12 December", "2025-12-12 00:00"),  # the last one, not one to come
    ],
)
def test_a_time_that_runs_up_to_now(text: str, since: str | None) -> None:
    found = _period(text)
    if since is None:
        assert found is None or found.until is not None
    else:
        assert found == Period(since=_utc(since), time_zone="UTC")


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("what changed yesterday", "2026-11-17", "2026-11-18"),
        ("on Monday", "2026-11-16", "2026-11-17"),
        ("what changed last week", "2026-11-09", "2026-11-16"),
        ("last month", "2026-10-01", "2026-11-01"),
        ("on 12 November", "2026-11-12", "2026-11-13"),
        ("3 days ago", "2026-11-15", "2026-11-16"),
    ],
)
def test_a_time_that_is_over(text: str, since: str, until: str) -> None:
    assert _period(text) == Period(since=_utc(since), until=_utc(until), time_zone="UTC")


@pytest.mark.parametrize(
    ("zone", "since"),
    [
        ("America/Chicago", "2026-11-16 06:00"),
        ("Asia/Singapore", "2026-11-16 16:00"),
        ("Europe/Berlin", "2026-11-16 23:00"),
        ("No/Such_Zone", "2026-11-17 00:00"),
    ],
)
def test_days_begin_at_midnight_in_the_zone_asked_in(zone: str, since: str) -> None:
    found = _period("since yesterday", zone)
    assert found is not None
    assert found.since == _utc(since)


def test_days_are_counted_by_the_clock_on_the_wall_and_hours_by_their_length() -> None:
    """Summer time ended on 25 October in Berlin: that day had 25 hours."""
    now = datetime(2026, 10, 25, 11, tzinfo=UTC)  # noon
    days, hours = find_time(cut("in the last 1 day")), find_time(cut("in the last 24 hours"))
    assert days is not None
    assert hours is not None
    found = [resolve(each, now, "Europe/Berlin") for each in (days, hours)]
    assert [period and period.since for period in found] == [_utc("2026-10-24 10:00"), _utc("2026-10-24 11:00")]


@pytest.mark.parametrize(
    "text",
    [
        "since easter",
        "since the last full moon",
        "from Monday to Wednesday",
        "before yesterday",
        "until Friday",
        "next week",
        "open orders of Acme",
        "where is SO-10482",
        "since",
        "",
        "12 pieces of desk",
        "good morning",
    ],
)
def test_what_is_no_time_we_know_is_left_to_the_other_words(text: str) -> None:
    assert find_time(cut(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "since 2027-01-01",
        "since 31 February",
        "since 2026-13-45",
        "since tuesday morning",
        "this morning",
        "yesterday evening",
        "since 30 february 2026",
        "on 31 december 2026",
    ],
)
def test_a_time_that_cannot_be_or_is_yet_to_come_means_nothing(text: str) -> None:
    assert find_time(cut(text)) is not None
    assert _period(text) is None


def test_the_words_of_a_time_are_known_by_their_places() -> None:
    mention = find_time(cut("what changed on SO-10482 since the 12th of November, please"))
    assert mention is not None
    assert sorted(mention.positions) == [4, 5, 6, 7, 8]


def test_without_a_time_it_is_the_last_seven_days_or_ever() -> None:
    week, ever = usual_period("week", NOW, "Asia/Singapore"), usual_period("ever", NOW, "nowhere")
    assert week == Period(since=_utc("2026-11-11 04:30"), time_zone="Asia/Singapore", given=False)
    assert ever == Period(since=None, time_zone="UTC", given=False)


@pytest.mark.parametrize("text", ["since yesterday", "last week"])
def test_a_period_is_kept_as_absolute_moments(text: str) -> None:
    found = _period(text, "America/Chicago")
    assert found is not None
    assert Period.from_json(found.to_json()) == found
    assert Period.from_json(usual_period("ever", NOW, "UTC").to_json()) == usual_period("ever", NOW, "UTC")


@pytest.mark.parametrize(
    "kept",
    [
        None,
        "yesterday",
        {},
        {"since": "soon", "until": None, "time_zone": "UTC"},
        {"since": "2026-11-12T00:00:00", "until": None, "time_zone": "UTC"},
        {"since": None, "until": 4, "time_zone": "UTC"},
    ],
)
def test_what_is_no_kept_period_is_none(kept: object) -> None:
    assert Period.from_json(kept) is None  # type: ignore[arg-type]
