"""Says spans of days the short way: "in Oct 2026", "from 9 to 15 Nov 2026", "on 13 Nov 2026"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from copilot.semantic.forms import load_forms
from copilot.understanding.time.calendar import Days

_DECEMBER = 12


def span_said(words: Mapping[str, Any], days: Days) -> str:
    """A span in a language's `spans`; nothing for one that is open at both ends."""
    since, until = days
    last = until - timedelta(days=1) if until else None
    if since is None:
        return words["before"].format(_day(last)) if last else ""
    if last is None:
        return str(words["from"].format(_day(since)))
    if since == last:
        return str(words["on"].format(_day(last)))
    if since.day == 1 and until and until.day == 1:
        return _months(words, since, last)
    return str(words["from_to"].format(_start(since, last), _day(last)))


def _months(words: Mapping[str, Any], since: date, last: date) -> str:
    """Whole months by their names, a whole year by its number."""
    if (since.year, since.month) == (last.year, last.month):
        return str(words["in"].format(f"{_month(since)} {since.year}"))
    if since.year == last.year and (since.month, last.month) == (1, _DECEMBER):
        return str(words["in"].format(since.year))
    first = _month(since) if since.year == last.year else f"{_month(since)} {since.year}"
    return str(words["from_to"].format(first, f"{_month(last)} {last.year}"))


def _start(since: date, last: date) -> str:
    """The first day with no more than the last one doesn't say."""
    if since.year != last.year:
        return _day(since)
    return str(since.day) if since.month == last.month else f"{since.day} {_month(since)}"


def _day(day: date) -> str:
    return load_forms().day(day)


def _month(day: date) -> str:
    return load_forms().months[day.month - 1]
