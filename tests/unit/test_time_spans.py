"""Times in questions: the days that each form means, computed by hand for one Wednesday, and what is never a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.errors import ModelDefinitionError
from copilot.understanding.time.calendar import FiscalCalendar
from copilot.understanding.time.language import load_time_words, read_time_words
from copilot.understanding.time.spans import Span, Unclear, find_spans
from copilot.understanding.words import cut

TODAY = date(2026, 11, 18)
"""A Wednesday in ISO week 47."""
NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
WORDS = load_time_words()
PLAIN = FiscalCalendar()
OPEN = "…"


def _spans(text: str) -> tuple[Span, ...]:
    return find_spans(cut(text), WORDS)


def _one(text: str) -> Span:
    (span,) = _spans(text)
    return span


def _days(text: str, *, ahead: bool = False, calendar: FiscalCalendar = PLAIN) -> str:
    found = _one(text).resolve(TODAY, NOW, "UTC", calendar, ahead=ahead)
    if isinstance(found, Unclear):
        return "unclear"
    return " ".join(day.isoformat() if day else OPEN for day in found)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("today", "2026-11-18 2026-11-19"),
        ("orders of yesterday", "2026-11-17 2026-11-18"),
        ("tomorrow", "2026-11-19 2026-11-20"),
        ("the day before yesterday", "2026-11-16 2026-11-17"),
        ("day after tomorrow", "2026-11-20 2026-11-21"),
        ("this week", "2026-11-16 2026-11-23"),
        ("last week's orders", "2026-11-09 2026-11-16"),
        ("next week", "2026-11-23 2026-11-30"),
        ("this month", "2026-11-01 2026-12-01"),
        ("last month", "2026-10-01 2026-11-01"),
        ("in the coming month", "2026-12-01 2027-01-01"),
        ("this quarter", "2026-10-01 2027-01-01"),
        ("last quarter", "2026-07-01 2026-10-01"),
        ("next quarter", "2027-01-01 2027-04-01"),
        ("this year", "2026-01-01 2027-01-01"),
        ("previous year", "2025-01-01 2026-01-01"),
        ("this weekend", "2026-11-21 2026-11-23"),
        ("last 3 days", "2026-11-15 2026-11-19"),
        ("in the last two weeks", "2026-11-04 2026-11-19"),
        ("over the past 30 days", "2026-10-19 2026-11-19"),
        ("past week", "2026-11-11 2026-11-19"),
        ("last three months", "2026-08-18 2026-11-19"),
        ("last 2 quarters", "2026-05-18 2026-11-19"),
        ("last 10 working days", "2026-11-04 2026-11-19"),
        ("next 7 days", "2026-11-18 2026-11-26"),
        ("within the next 2 weeks", "2026-11-18 2026-12-03"),
        ("next 5 business days", "2026-11-18 2026-11-26"),
        ("3 days ago", "2026-11-15 2026-11-16"),
        ("two weeks ago", "2026-11-04 2026-11-05"),
        ("more than 3 days ago", "… 2026-11-15"),
        ("less than 3 days ago", "2026-11-16 2026-11-19"),
        ("a week from Monday", "2026-11-30 2026-12-01"),
        ("2 days before 1 Nov", "2026-10-30 2026-10-31"),
        ("this Friday", "2026-11-20 2026-11-21"),
        ("next Friday", "2026-11-27 2026-11-28"),
        ("coming Friday", "2026-11-20 2026-11-21"),
        ("last Friday", "2026-11-13 2026-11-14"),
        ("Monday next week", "2026-11-23 2026-11-24"),
        ("last week Tuesday", "2026-11-10 2026-11-11"),
        ("end of the month", "2026-11-30 2026-12-01"),
        ("by the end of the month", "… 2026-12-01"),
        ("by eom", "… 2026-12-01"),
        ("end of week", "2026-11-20 2026-11-21"),
        ("at the end of next quarter", "2027-03-31 2027-04-01"),
        ("since the beginning of the year", "2026-01-01 …"),
        ("start of Q4 2026", "2026-10-01 2026-10-02"),
        ("last day of October 2026", "2026-10-31 2026-11-01"),
        ("before 1 Nov 2026", "… 2026-11-01"),
        ("prior to 2026-11-01", "… 2026-11-01"),
        ("after 1 Nov 2026", "2026-11-02 …"),
        ("on or after 1 Nov 2026", "2026-11-01 …"),
        ("until 1 Nov 2026", "… 2026-11-02"),
        ("since March", "2026-03-01 …"),
        ("since December", "2025-12-01 …"),
        ("since 3 days", "2026-11-15 …"),
        ("from 1 October 2026 to 15 November 2026", "2026-10-01 2026-11-16"),
        ("between 2026-10-01 and 2026-10-15", "2026-10-01 2026-10-16"),
        ("from Monday to Wednesday", "2026-11-16 2026-11-19"),
        ("between March and May 2025", "2025-03-01 2025-06-01"),
        ("from November to January", "2026-11-01 2027-02-01"),
        ("between 1 and 15 November", "2026-11-01 2026-11-16"),
        ("12-14 Nov", "2026-11-12 2026-11-15"),
        ("Q1 to Q3 2025", "2025-01-01 2025-10-01"),
        ("from March to today", "2026-03-01 2026-11-19"),
        ("between now and 30 November", "2026-11-18 2026-12-01"),
        ("from last week", "2026-11-09 2026-11-16"),
        ("from next week", "2026-11-23 …"),
        ("from August on", "2026-08-01 …"),
        ("Aug 2025", "2025-08-01 2025-09-01"),
        ("August last year", "2025-08-01 2025-09-01"),
        ("last November", "2025-11-01 2025-12-01"),
        ("next November", "2027-11-01 2027-12-01"),
        ("Q3 2026", "2026-07-01 2026-10-01"),
        ("Q1/2026", "2026-01-01 2026-04-01"),
        ("third quarter of 2025", "2025-07-01 2025-10-01"),
        ("the third quarter last year", "2025-07-01 2025-10-01"),
        ("the week after next", "2026-11-30 2026-12-07"),
        ("month before last", "2026-09-01 2026-10-01"),
        ("last quarter of 2025", "2025-10-01 2026-01-01"),
        ("second half of 2025", "2025-07-01 2026-01-01"),
        ("week 34 of 2026", "2026-08-17 2026-08-24"),
        ("CW34 2026", "2026-08-17 2026-08-24"),
        ("2026-W34", "2026-08-17 2026-08-24"),
        ("week 53 2020", "2020-12-28 2021-01-04"),
        ("in 2025", "2025-01-01 2026-01-01"),
        ("FY25", "2025-01-01 2026-01-01"),
        ("2026-11-12", "2026-11-12 2026-11-13"),
        ("2026/11/12", "2026-11-12 2026-11-13"),
        ("25/12/2026", "2026-12-25 2026-12-26"),
        ("12.11.2026", "2026-11-12 2026-11-13"),
        ("on 12.11.", "2026-11-12 2026-11-13"),
        ("Nov 12th 2025", "2025-11-12 2025-11-13"),
        ("12-Nov-2025", "2025-11-12 2025-11-13"),
        ("the 12th of last month", "2026-10-12 2026-10-13"),
        ("year to date", "2026-01-01 2026-11-19"),
        ("ytd", "2026-01-01 2026-11-19"),
        ("mtd", "2026-11-01 2026-11-19"),
        ("so far this quarter", "2026-10-01 2026-11-19"),
        ("this year so far", "2026-01-01 2026-11-19"),
    ],
)
def test_the_days_that_a_time_means(text: str, days: str) -> None:
    assert _days(text, ahead=False) == days


@pytest.mark.parametrize(
    ("text", "back", "ahead"),
    [
        ("on Monday", "2026-11-16 2026-11-17", "2026-11-23 2026-11-24"),
        ("on Wednesday", "2026-11-11 2026-11-12", "2026-11-25 2026-11-26"),  # asked on a Wednesday
        ("by Friday", "… 2026-11-14", "… 2026-11-21"),
        ("in August", "2026-08-01 2026-09-01", "2027-08-01 2027-09-01"),
        ("in November", "2026-11-01 2026-12-01", "2026-11-01 2026-12-01"),
        ("Q3", "2026-07-01 2026-10-01", "2027-07-01 2027-10-01"),
        ("H1", "2026-01-01 2026-07-01", "2027-01-01 2027-07-01"),
        ("week 34", "2026-08-17 2026-08-24", "2027-08-23 2027-08-30"),
        ("KW 34", "2026-08-17 2026-08-24", "2027-08-23 2027-08-30"),
        ("week 53", "2020-12-28 2021-01-04", "2026-12-28 2027-01-04"),
        ("12 Nov", "2026-11-12 2026-11-13", "2027-11-12 2027-11-13"),
        ("18 Nov", "2026-11-18 2026-11-19", "2026-11-18 2026-11-19"),
        ("Nov 12th", "2026-11-12 2026-11-13", "2027-11-12 2027-11-13"),
        ("29 February", "2024-02-29 2024-03-01", "2028-02-29 2028-03-01"),
        ("on the 20th", "2026-10-20 2026-10-21", "2026-11-20 2026-11-21"),
        ("on the 31st", "2026-10-31 2026-11-01", "2026-12-31 2027-01-01"),
        ("within 3 days", "2026-11-15 2026-11-19", "2026-11-18 2026-11-22"),
        ("Mon-Fri", "2026-11-16 2026-11-21", "2026-11-23 2026-11-28"),
        ("week of 9 November", "2026-11-09 2026-11-16", "2027-11-08 2027-11-15"),
        ("by EOD Friday", "… 2026-11-14", "… 2026-11-21"),
        ("for March to May", "2026-03-01 2026-06-01", "2027-03-01 2027-06-01"),
        ("since Friday", "2026-11-13 …", "2026-11-13 …"),
    ],
)
def test_what_has_no_year_is_the_nearest_one_in_the_direction_asked(text: str, back: str, ahead: str) -> None:
    assert (_days(text), _days(text, ahead=True)) == (back, ahead)
    assert _one(text).looks == ("back" if text.startswith("since") else "either")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("in 3 days", "2026-11-21 2026-11-22"),
        ("in 3 working days", "2026-11-23 2026-11-24"),
        ("in a week", "2026-11-25 2026-11-26"),
        ("in 2 months", "2027-01-18 2027-01-19"),
    ],
)
def test_in_so_many_days_is_a_day_to_come_and_nothing_of_the_past(text: str, days: str) -> None:
    """ "Not ordered in 90 days" is not about a day in three months."""
    assert (_days(text, ahead=True), _days(text)) == (days, "unclear")


@pytest.mark.parametrize(
    "text",
    [
        "30 february 2026",
        "on 31 April",
        "2026-13-45",
        "week 53 of 2025",
        "Q7",
        "12/11/2026",  # either order, and no convention given
        "on 12/11",
        "31.31.2026",
        "overnight",
        "yesterday evening",
        "this morning",  # it is over
        "last 24 hours",
        "from Monday",  # on or since
        "from 5 October 2026 to 1 October 2026",
        "in 9999 years",
        "mid November",
        "early next week",
        "rest of this month",
        "first week of October",
        "same month last year",
        "last 9999 years",
        "in 9999 working days",
    ],
)
def test_a_time_that_can_not_be_told_is_found_and_says_so(text: str) -> None:
    span = _one(text)
    found = span.resolve(TODAY, NOW, "UTC", PLAIN)
    assert isinstance(found, Unclear)
    assert found.text == span.text
    assert found.reason


@pytest.mark.parametrize(
    "text",
    [
        "where is SO-10482",
        "SO-2026-11",
        "not shipped within 3 days of the promised date",
        "more than 3 days late",
        "lead time over 2 weeks",
        "may I see the orders",
        "sun protection",
        "the 2nd order",
        "1/2 inch hose",
        "over 12.11",
        "M8x50",
        "orders by month",
        "weekly volume per quarter",
        "each week a parcel",
        "older than 3 days",
        "since easter",
        "good morning",
        "",
    ],
)
def test_what_is_no_time_is_left_alone(text: str) -> None:
    assert _spans(text) == ()


@pytest.mark.parametrize(
    ("text", "words", "lead"),
    [
        ("which orders came in yesterday, please", "in yesterday", "in"),
        ("top 5 suppliers by late receipts last quarter in Germany", "last quarter", ""),
        ("open orders of Meyer due by the end of next week", "by the end of next week", ""),
        ("lead time since the 12th of November by supplier", "since the 12th of November", ""),
        ("last week of Meyer", "last week", ""),
    ],
)
def test_the_words_of_a_time_are_told_from_those_around_it(text: str, words: str, lead: str) -> None:
    said, span = cut(text), _one(text)
    assert " ".join(said[p].typed for p in sorted(span.positions)) == words == span.text
    assert " ".join(said[p].typed for p in sorted(span.lead)) == lead


def test_part_of_another_time_is_not_taken_for_the_whole() -> None:
    assert [span.text for span in _spans("last week of October")] == ["of October"]
    assert [span.text for span in _spans("Monday and Tuesday")] == ["Monday", "Tuesday"]


@pytest.mark.parametrize(
    ("text", "weak"),
    [("order 2026", True), ("in 2026", False), ("Monday Trading", True), ("on Monday", False), ("last week", False)],
)
def test_a_single_word_that_may_be_something_else_is_marked(text: str, *, weak: bool) -> None:
    assert _one(text).weak is weak


def test_a_fiscal_year_has_its_own_quarters_and_halves_and_years_of_the_calendar_stay() -> None:
    fiscal = FiscalCalendar(first_month=4)
    assert _days("Q3 2026", calendar=fiscal) == "2026-10-01 2027-01-01"
    assert _days("Q4 2025", calendar=fiscal) == "2026-01-01 2026-04-01"
    assert _days("Q4", calendar=fiscal) == "2026-01-01 2026-04-01"
    assert _days("Q4", calendar=fiscal, ahead=True) == "2027-01-01 2027-04-01"
    assert _days("first half of this year", calendar=fiscal) == "2026-04-01 2026-10-01"
    assert _days("this fiscal year", calendar=fiscal) == "2026-04-01 2027-04-01"
    assert _days("this year", calendar=fiscal) == "2026-01-01 2027-01-01"
    assert _days("FY26", calendar=fiscal) == "2026-04-01 2027-04-01"
    assert _days("FY26", calendar=FiscalCalendar(first_month=4, year_named_by="end")) == "2025-04-01 2026-04-01"


def test_weeks_begin_and_work_is_done_on_the_days_the_calendar_says() -> None:
    sundays = FiscalCalendar(first_weekday=7, weekdays="12345", closed=frozenset({date(2026, 11, 19)}))
    assert _days("this week", calendar=sundays) == "2026-11-15 2026-11-22"
    assert _days("in 3 working days", calendar=sundays, ahead=True) == "2026-11-24 2026-11-25"
    assert _days("end of week", calendar=FiscalCalendar(weekdays="123456")) == "2026-11-21 2026-11-22"


def test_the_order_of_day_and_month_is_the_regions() -> None:
    day_first, month_first = FiscalCalendar(day_first=True), FiscalCalendar(day_first=False)
    assert _days("12/11/2026", calendar=day_first) == "2026-11-12 2026-11-13"
    assert _days("12/11/2026", calendar=month_first) == "2026-12-11 2026-12-12"
    assert _days("on 11/12", calendar=month_first) == "2026-11-12 2026-11-13"
    assert _days("11/11/2026") == "2026-11-11 2026-11-12"


def test_this_morning_is_today_while_it_lasts() -> None:
    early = datetime(2026, 11, 18, 9, tzinfo=UTC)
    assert _one("this morning").resolve(TODAY, early, "UTC", PLAIN) == (TODAY, TODAY + timedelta(days=1))
    assert isinstance(_one("this morning").resolve(TODAY, early, "Asia/Singapore", PLAIN), Unclear)


def test_days_begin_at_midnight_in_the_zone_even_where_the_clocks_change() -> None:
    span = _one("on 25 October 2026")
    found = span.moments(NOW, "Europe/Berlin", PLAIN)
    assert found == (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC))  # 25 hours
    late = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)
    assert _one("today").moments(late, "Asia/Singapore", PLAIN)[0] == datetime(2026, 11, 18, 16, tzinfo=UTC)  # type: ignore[index]
    assert _one("last 24 hours").moments(late, "UTC", PLAIN) == (late - timedelta(hours=24), None)


_FORMS = (
    "today", "last week", "next quarter", "last 3 months", "in 5 working days", "by Friday", "since 31 March",
    "from November to January", "week 53", "Q4", "H2", "29 Feb", "on the 31st", "end of next month", "last February",
    "a week from Monday", "within 2 quarters", "year to date", "before 12 Nov", "Mon-Sun", "between 20 Dec and 5 Jan",
    "2 days after 28 Feb", "next weekend", "end of week", "1-30 November",
)  # fmt: skip


@given(
    text=st.sampled_from(_FORMS),
    today=st.dates(date(2021, 1, 1), date(2031, 12, 31)),
    first_month=st.integers(1, 12),
    first_weekday=st.integers(1, 7),
    ahead=st.booleans(),
)
def test_on_any_day_a_time_has_a_meaning_that_begins_before_it_ends(
    text: str, today: date, first_month: int, first_weekday: int, *, ahead: bool
) -> None:
    calendar = FiscalCalendar(first_month=first_month, first_weekday=first_weekday)
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    found = _one(text).resolve(today, now, "UTC", calendar, ahead=ahead or text.startswith("in "))
    assert not isinstance(found, Unclear)
    start, end = found
    assert start or end
    assert start is None or end is None or start < end


@given(text=st.text(max_size=60), today=st.dates())
def test_no_text_and_no_day_makes_it_raise(text: str, today: date) -> None:
    for span in _spans(text):
        span.resolve(today, NOW, "UTC", PLAIN)
        span.moments(NOW, "No/Such_Zone", PLAIN)


_SAID = sorted({phrase for form in WORDS.bounds for e in form.elements for p in e.phrases for phrase in p} | {
    "3", "12th", "monday", "august", "2026", "q3", "week", "days", "last", "next", "31", "feb", "12/11", "hours",
})  # fmt: skip


@given(words=st.lists(st.sampled_from(_SAID), max_size=8), ahead=st.booleans())
def test_words_of_times_in_any_order_make_spans_that_share_nothing(words: list[str], *, ahead: bool) -> None:
    spans = _spans(" ".join(words))
    taken = [position for span in spans for position in span.positions]
    assert len(taken) == len(set(taken))
    for span in spans:
        found = span.resolve(TODAY, NOW, "UTC", PLAIN, ahead=ahead)
        if not isinstance(found, Unclear) and found[0] and found[1]:
            assert found[0] < found[1]


def test_times_within_times_come_to_an_end() -> None:
    assert [span.text for span in _spans("end of " * 400 + "next week")] == ["of end of next week"]


def test_a_second_language_is_a_file() -> None:
    """Another order of words, other endings: nothing but data."""
    body = {
        "words": {"the": ["dem"], "of": ["von"], "bis": ["bis"], "vor": ["vor"], "naechste": ["nächste", "nächsten"]},
        "leads": ["am", "im"], "sure": ["am", "im"], "turned_by": [], "articles": {"eine": 1}, "numbers": {"drei": 3},
        "ordinal_endings": ["."], "units": {"week": ["Woche"], "day": ["Tagen"]}, "months": {11: ["November"]},
        "weekdays": {5: ["Freitag"]}, "parts": {}, "nth": {}, "weak": [], "marks": {"week": ["kw"]},
        "spans": [
            {"say": "vor N DAYS", "away": "back"},
            {"say": "naechste UNIT", "unit": 1},
            {"say": "WEEKDAY", "weekday": "nearest"},
            {"say": "DAY MONTH", "date": "named"},
        ],
        "bounds": [{"say": "bis the? TIME", "bound": "until"}],
    }  # fmt: skip
    german = read_time_words(body)
    found = [
        span.resolve(TODAY, NOW, "UTC", PLAIN, ahead=True)
        for text in ("vor drei Tagen", "nächste Woche", "bis Freitag", "am 12. November")
        for span in find_spans(cut(text), german)
    ]
    assert found == [
        (date(2026, 11, 15), date(2026, 11, 16)),
        (date(2026, 11, 23), date(2026, 11, 30)),
        (None, date(2026, 11, 21)),
        (date(2027, 11, 12), date(2027, 11, 13)),
    ]


@pytest.mark.parametrize("form", [{"say": "nope", "day": 0}, {"say": "NOPE", "day": 0}, {"say": "the"}])
def test_a_form_that_is_not_well_formed_is_named(form: dict[str, object]) -> None:
    with pytest.raises(ModelDefinitionError, match=str(form["say"])):
        read_time_words({"words": {"the": ["the"]}, "spans": [form]})
