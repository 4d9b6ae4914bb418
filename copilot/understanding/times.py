"""Times that a question names: since Monday, yesterday, in the last 3 days, on 12 November.

A small, exact grammar: what it does not know stays a word of the question, and is named or declined like any other.
Days begin at midnight in the zone the question is read in, weeks on Monday. A day without a year is the last one that
is not in the future; a weekday is the last one before today. "since" and rolling spans run up to now, a day or a week
by itself ends where it ends.
"""

from __future__ import annotations

import re
from calendar import day_name, month_name, monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from copilot.domain.plan import Period
from copilot.understanding.words import Word

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
_YEAR = re.compile(r"\d{4}")
_COUNT = re.compile(r"\d{1,4}")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNTS = {"a": 1, "an": 1} | {word: number for number, word in enumerate(_NUMBERS, 1)}
_MONTHS = {name[:length].lower(): n for n, name in enumerate(month_name) if name for length in (3, len(name))}
_MONTHS["sept"] = 9
_WEEKDAYS = {name.lower(): n for n, name in enumerate(day_name)}
_BOUNDS = ("from", "after", "before", "until", "till", "by", "to", "through", "between", "and", "up", "next")
"""Words before a time that make it another one than we know."""
_PARTS = ("morning", "afternoon", "evening", "night", "noon", "midnight")
"""Words that make a part of a day of it, which we don't know the bounds of."""
_USUAL_DAYS = 7

Bound = Callable[[datetime], datetime]
"""From the local present to a local moment. Raises ValueError or OverflowError where there is no such moment."""
_Day = Callable[[date], date]


@dataclass(frozen=True, slots=True)
class Mention:
    """A time named in a question: the positions of its words, where it starts and, for a closed span, where it ends."""

    positions: frozenset[int]
    start: Bound
    end: Bound | None


def find_time(words: Sequence[Word]) -> Mention | None:
    """The first time that the words name; None where they name none that is known."""
    for position in range(len(words)):
        before = words[position - 1].folded if position else ""
        if before in _BOUNDS:
            continue
        found = next(_mentions(words, position), None)
        if found:
            length, start, end = found
            if any(word.folded in _PARTS for word in words[position + length :][:1]):
                length, start, end = length + 1, _never, None
            return Mention(frozenset(range(position, position + length)), start, end)
    return None


def resolve(mention: Mention, now: datetime, zone: str) -> Period | None:
    """The period that a time means now in a zone; None where there is no such day, or it is yet to come."""
    local = now.astimezone(_zone(zone))
    try:
        start = mention.start(local).astimezone(UTC)
        end = mention.end(local).astimezone(UTC) if mention.end else None
    except (ValueError, OverflowError):
        return None
    if start > now or (end is not None and end <= start):
        return None
    return Period(since=start, until=end, time_zone=_zone(zone).key)


def usual_period(usual: str, now: datetime, zone: str) -> Period:
    """The period of a question that names none: the last seven days, or all there is."""
    since = now - timedelta(days=_USUAL_DAYS) if usual == "week" else None
    return Period(since=since, time_zone=_zone(zone).key, given=False)


def _zone(name: str) -> ZoneInfo:
    """A time zone; UTC where a source names none that exists."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


_Found = tuple[int, Bound, Bound | None]
"""How many words a time takes, where it starts and where it ends."""


def _mentions(words: Sequence[Word], at: int) -> Iterator[_Found]:
    """The times that begin at a position, the longest reading first."""
    folded = [word.folded for word in words[at:]]
    if folded[0] == "since":
        skipped = 2 if folded[1:2] == ["the"] else 1
        for length, start, _ in _spans(words[at + skipped :], since=True):
            yield length + skipped, start, None
        return
    skipped = _preposition(folded)
    for length, start, end in _spans(words[at + skipped :], since=False):
        yield length + skipped, start, end


def _preposition(folded: Sequence[str]) -> int:
    """How many words such as "in the" lead to a span."""
    leads = folded[0] in ("in", "over", "during", "within", "for", "on")
    article = int(leads)
    return article + int(folded[article : article + 1] == ["the"])


def _spans(words: Sequence[Word], *, since: bool) -> Iterator[_Found]:
    if not words:
        return
    yield from _rolling(words, since=since)
    yield from _calendar_spans([word.folded for word in words])
    for length, day in _days(words):
        ended = None if words[0].folded == "today" else _midnight_after(day)
        yield length, _midnight_of(day), ended


def _rolling(words: Sequence[Word], *, since: bool) -> Iterator[_Found]:
    """ "last 3 days", "past week" (not "last week"), "3 days ago"; after "since" also "3 days"."""
    folded = [word.folded for word in words]
    led = int(folded[0] in ("last", "past"))
    count = _count(folded[led]) if led < len(folded) else None
    if count is None and folded[0] == "past":
        count, counted = 1, 0
    else:
        counted = 1
    place = led + counted
    if count is None or place >= len(folded) or folded[place] not in _BACK:
        return
    unit, ago = folded[place], folded[place + 1 : place + 2] == ["ago"]
    back = _BACK[unit]
    if led and not ago:
        yield place + 1, lambda now: back(now, count), None
    elif not led and (ago or since):
        yield from _ago(place + 1 + int(ago), unit, count, since=since)


def _ago(length: int, unit: str, count: int, *, since: bool) -> Iterator[_Found]:
    back = _BACK[unit]
    if since:
        yield length, lambda now: back(now, count), None
    elif not unit.startswith("hour"):

        def day(today: date) -> date:
            return back(datetime.combine(today, time(), UTC), count).date()

        yield length, _midnight_of(day), _midnight_after(day)


def _calendar_spans(folded: Sequence[str]) -> Iterator[_Found]:
    """This or last week or month."""
    match folded:
        case ["this", part, *_] if part in _PARTS:
            yield 2, _never, None
        case ["this", "week", *_]:
            yield 2, _midnight_of(_monday), None
        case ["last" | "previous", "week", *_]:
            yield 2, _midnight_of(lambda today: _monday(today) - timedelta(days=7)), _midnight_of(_monday)
        case ["this", "month", *_]:
            yield 2, _midnight_of(lambda today: today.replace(day=1)), None
        case ["last" | "previous", "month", *_]:
            yield (
                2,
                _midnight_of(lambda today: _months_before(today.replace(day=1), 1)),
                _midnight_of(lambda today: today.replace(day=1)),
            )
        case _:
            return


def _days(words: Sequence[Word]) -> Iterator[tuple[int, _Day]]:
    """Days, as today, Monday, 2026-11-12, 12 November or Nov 12 2026."""
    first = words[0].folded
    if first in ("today", "yesterday"):
        yield 1, lambda today: today - timedelta(days=int(first == "yesterday"))
    led = int(first == "last")
    if led < len(words) and words[led].folded in _WEEKDAYS:
        weekday = _WEEKDAYS[words[led].folded]
        yield led + 1, lambda today: today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)
    if _ISO.fullmatch(words[0].typed):
        yield 1, lambda _: date.fromisoformat(words[0].typed)
    yield from _named_days([word.folded for word in words])


def _named_days(folded: Sequence[str]) -> Iterator[tuple[int, _Day]]:
    match folded:
        case [day, "of", month, *rest] if _is_day(day) and month in _MONTHS:
            yield from _dated(day, month, rest, 3)
        case [day, month, *rest] if _is_day(day) and month in _MONTHS:
            yield from _dated(day, month, rest, 2)
        case [month, day, *rest] if month in _MONTHS and _is_day(day):
            yield from _dated(day, month, rest, 2)
        case _:
            return


def _dated(day: str, month: str, rest: Sequence[str], length: int) -> Iterator[tuple[int, _Day]]:
    found = _DAY.fullmatch(day)
    number = int(found[1]) if found else 0
    if rest and _YEAR.fullmatch(rest[0]):
        yield length + 1, lambda _: date(int(rest[0]), _MONTHS[month], number)
        return

    def latest(today: date) -> date:
        this_year = date(today.year, _MONTHS[month], number)
        return this_year if this_year <= today else date(today.year - 1, _MONTHS[month], number)

    yield length, latest


def _is_day(word: str) -> bool:
    return _DAY.fullmatch(word) is not None


def _count(word: str) -> int | None:
    return int(word) if _COUNT.fullmatch(word) else _COUNTS.get(word)


def _monday(today: date) -> date:
    return today - timedelta(days=today.weekday())


def _months_before(day: date, count: int) -> date:
    """The same day of an earlier month, or that month's last."""
    years, month = divmod(day.year * 12 + day.month - 1 - count, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def _never(now: datetime) -> datetime:
    raise ValueError(f"a part of the day before {now} has no bounds that we know")


def _midnight_of(day: _Day) -> Bound:
    return lambda now: datetime.combine(day(now.date()), time(), now.tzinfo)


def _midnight_after(day: _Day) -> Bound:
    return lambda now: datetime.combine(day(now.date()) + timedelta(days=1), time(), now.tzinfo)


def _hours(now: datetime, count: int) -> datetime:
    return now.astimezone(UTC) - timedelta(hours=count)


def _whole_days(now: datetime, count: int) -> datetime:
    return now - timedelta(days=count)


def _weeks(now: datetime, count: int) -> datetime:
    return now - timedelta(weeks=count)


def _whole_months(now: datetime, count: int) -> datetime:
    return datetime.combine(_months_before(now.date(), count), now.timetz())


_BACK: Mapping[str, Callable[[datetime, int], datetime]] = {
    "hour": _hours,
    "hours": _hours,
    "day": _whole_days,
    "days": _whole_days,
    "week": _weeks,
    "weeks": _weeks,
    "month": _whole_months,
    "months": _whole_months,
}
"""A unit of time -> so many of them back; days, weeks and months by the clock on the wall."""
