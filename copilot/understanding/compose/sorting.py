"""In which order a list is wanted: "sorted by promised date", "newest first", "earliest promise first"."""

from __future__ import annotations

from copilot.domain.query import Path
from copilot.understanding.compose.reader import Target, Work
from copilot.understanding.compose.tokens import Token
from copilot.understanding.compose.when import date_path
from copilot.understanding.vocabulary import FieldWord, Noun, NumberWord

_DESCENDING = ("newest", "highest", "best")
_DIRECTIONS = (*_DESCENDING, "oldest", "lowest")


def sort(work: Work, target: Target) -> None:
    """Find the order asked for, and give its words their place."""
    _said_twice(work)
    if target.kpi is not None:
        return
    _first(work, target)
    if not any(token.is_sign("count", "compare", *_DIRECTIONS) for _, token in work.open()):
        _by(work, target)


def _by(work: Work, target: Target) -> None:
    """ "Sorted by promised date", "by promised date"."""
    for n, token in list(work.open()):
        before = work.tokens[n - 1] if n and n - 1 not in work.used else None
        if before is None or not before.is_sign("by", "sorted") or token.all_of(Noun):
            continue
        path = _path(token, target, dates_only=not before.is_sign("sorted"))
        if path is None:
            continue
        led = [n - 2] if n > 1 and n - 2 not in work.used and work.tokens[n - 2].is_sign("sorted") else []
        work.order, work.descending = path, bool(work.descending)
        work.take(n - 1, n, *led)
        stray = work.find(lambda t: t.is_sign("sorted"))
        if stray is not None:
            work.take(stray)
        return


def _first(work: Work, target: Target) -> None:
    """ "Newest first", "earliest promise first"."""
    for n, token in list(work.open()):
        if not _is_first(work, token):
            continue
        for begin in (n - 1, n - 2):
            if begin < 0 or begin in work.used or not work.tokens[begin].is_sign(*_DIRECTIONS):
                continue
            between = work.tokens[begin + 1] if begin == n - 2 else None
            path = _path(between, target, dates_only=False) if between else None
            work.order = path or work.order or work.vocabulary.usual_dates.get(target.entity, ())
            work.descending = work.tokens[begin].is_sign(*_DESCENDING)
            work.take(begin, n, *([n - 1] if between else []))
            return


def _said_twice(work: Work) -> None:
    """ "The five largest, biggest first": the end says again how they are ranked."""
    for name in ("highest", "lowest"):
        ranks = [n for n, token in work.open() if token.is_sign(name)]
        if len(ranks) > 1 and ranks[-1] + 1 < len(work.tokens) and _is_first(work, work.tokens[ranks[-1] + 1]):
            work.take(ranks[-1], ranks[-1] + 1)


def _is_first(work: Work, token: Token) -> bool:
    return token.text.casefold() in work.vocabulary.firsts


def _path(token: Token, target: Target, *, dates_only: bool) -> Path | None:
    if dates_only:
        return date_path(token, target)
    words = (*token.all_of(NumberWord), *token.all_of(FieldWord))
    found = next((word.path for word in words if word.entity == target.entity), None)
    return date_path(token, target) or found
