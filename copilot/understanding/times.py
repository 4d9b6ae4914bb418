"""The time that a question about history is about, as moments: since Monday, yesterday, in the last 3 days.

It is one of the times that `time.spans` finds, and means the same. What is a day ends where it ends; what runs up to
now has no end. What is yet to come, and what is bounded otherwise, is no such time: its words are named or declined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from copilot.domain.plan import Period
from copilot.understanding.time.calendar import FiscalCalendar
from copilot.understanding.time.language import load_time_words
from copilot.understanding.time.spans import Span, Unclear, find_spans, zone_of
from copilot.understanding.words import Word

_OTHERWISE = ("after", "before", "until", "range")
"""Kinds of time that history is not asked about by."""
_USUAL_DAYS = 7
_CALENDAR = FiscalCalendar()
AHEAD = {"week": 7, "today": 1}
"""The usual times to come of questions that name none: days from today on, today included."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A time named in a question: the positions of its words, and what it means."""

    positions: frozenset[int]
    span: Span


def find_time(words: Sequence[Word]) -> Mention | None:
    """The first time before now that the words name; None where they name none that is known."""
    for span in find_spans(words, load_time_words()):
        if span.looks != "ahead" and span.kind not in _OTHERWISE and not (span.weak and span.kind == "year"):
            return Mention(span.positions, span)
    return None


def resolve(mention: Mention, now: datetime, zone: str) -> Period | None:
    """The period that a time means now in a zone; None where there is no such day, or it is yet to come."""
    found = mention.span.moments(now, zone, _CALENDAR)
    if isinstance(found, Unclear):
        return None
    since, until = found
    if since is None or since > now or (until is not None and until <= since):
        return None
    return Period(since=since, until=None if until is None or until > now else until, time_zone=zone_of(zone).key)


def usual_period(usual: str, now: datetime, zone: str) -> Period:
    """The period of a question that names none: the last seven days, or all there is."""
    since = now - timedelta(days=_USUAL_DAYS) if usual == "week" else None
    return Period(since=since, time_zone=zone_of(zone).key, given=False)


def ahead_period(usual: str, named: Period | None, now: datetime, zone: str) -> Period | None:
    """The days from today on of a question about a time to come: the rest of the time named, else the usual one. None
    where the time named is over, or has no end."""
    local = now.astimezone(zone_of(zone))
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if named is None:
        until = datetime.combine(today.date() + timedelta(days=AHEAD[usual]), today.timetz())
        return Period(since=today, until=until, time_zone=zone_of(zone).key, given=False)
    if named.until is None or named.until <= now:
        return None
    return Period(since=max(named.since or today, today), until=named.until, time_zone=zone_of(zone).key)
