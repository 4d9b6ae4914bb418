"""Reads which times a question is about, and of which of the records' dates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta

from copilot.domain.composition import Part, Split
from copilot.domain.query import Compare, Condition, Is, Path
from copilot.semantic.conditions import load_segments
from copilot.semantic.titles import load_titles
from copilot.understanding.compose.periods import AHEAD, Periods, periods_of, up_to_now
from copilot.understanding.compose.places import code_of, date_path, segment_of
from copilot.understanding.compose.reader import Target, Work
from copilot.understanding.compose.tokens import Token
from copilot.understanding.lexicon import lexicon
from copilot.understanding.time.calendar import Days
from copilot.understanding.time.spans import Span, Unclear
from copilot.understanding.vocabulary import Segment

_ALWAYS = frozenset({"order_date"})
"""Dates that every record has: "placed" says nothing more."""
_OVER = frozenset({"late", "overdue", "shipped_late", "received_late", "shipped_on_time", "received_on_time"})
"""Parts whose dates are over."""
_BIAS = 3
"""How much nearer the last March has to be than the next to be the one meant."""
_ROUND = 7
"""Days from one weekday to the next: of those, the coming one is meant."""
_COMPARED = ("compare", "rather")


def times(work: Work, target: Target) -> None:
    """Give a place to every time, and to the words that say of which date it is."""
    said = _said_date(work, target)
    for n, token in list(work.open()):
        if token.span is None or n in work.used:
            continue
        at, path = _date_for(work, target, n, said)
        days = _days(work, path, token.span) if path else None
        if path is None or days is None:
            continue
        several = _with_others(work, target, n, path)
        days = several.bounds if several else days
        _add_open(work, target, path, days)
        conditions = several.within(path) if several else _within(path, days)
        work.parts.append(Part(role="time", about=".".join(path), conditions=conditions, text=token.text))
        work.take(n, *([at] if at is not None else []))
    _by_the_same(work, target)
    for n, token in list(work.open()):
        path = date_path(token, target)
        of_time = n > 0 and work.tokens[n - 1].span is not None  # "in May promised, in June placed"
        if path and path[-1] in _ALWAYS and not _state(token, target) and not of_time:
            work.take(n)


def _by_the_same(work: Work, target: Target) -> None:
    """Spans of the calendar are of the date that a time is of: "orders shipped this year by month"."""
    usual = target.kpi.date if target.kpi else work.vocabulary.usual_dates.get(target.entity)
    dated = {tuple(part.about.split(".")) for part in work.parts if part.role == "time"}
    if len(dated) == 1 and usual not in dated:
        path = dated.pop()
        work.splits[:] = [replace(s, path=path) if s.bucket and not s.path else s for s in work.splits]


def _said_date(work: Work, target: Target) -> Path | None:
    """The date of "by order date", anywhere in the question."""
    for n, token in list(work.open()):
        following = work.tokens[n + 1] if n + 1 < len(work.tokens) and n + 1 not in work.used else None
        path = date_path(following, target) if following and token.is_sign("by") else None
        if path:
            work.take(n, n + 1)
            return path
    return None


def _date_for(work: Work, target: Target, number: int, said: Path | None) -> tuple[int | None, Path | None]:
    """The word that says which date a time is of, where it is to be taken, and that date."""

    def names(token: Token) -> bool:
        return date_path(token, target) is not None

    at = work.beside(number, names)
    at = None if at is not None and at > number and _leads_another(work, at) else at
    at = _behind_all(work, number, names) if at is None else at
    if at is not None:
        path = date_path(work.tokens[at], target)
        return (None if path and _more_than(work.tokens[at], target, path) else at), path
    if said:
        return None, said
    alone = [n for n, token in work.open() if names(token) and not _beside_span(work, n)]
    if len(alone) == 1:
        token = work.tokens[alone[0]]
        path = date_path(token, target)
        happened = path is not None and alone[0] > work.target_at and not _more_than(token, target, path)
        return (alone[0] if happened or not _state(token, target) else None), path
    return None, _usual_date(work, target)


def _leads_another(work: Work, number: int) -> bool:
    """Whether a date stands right before another time, and is that one's: "placed in May promised in June"."""
    following = work.tokens[number + 1] if number + 1 < len(work.tokens) else None
    return following is not None and following.span is not None and not following.joined


def _behind_all(work: Work, number: int, names: Callable[[Token], bool]) -> int | None:
    """The date behind times that are compared: "2025 vs 2026, ship date"."""
    last = number + 1
    while last < len(work.tokens) and (work.tokens[last].span or work.tokens[last].is_sign(*_COMPARED)):
        last += 1
    there = last > number + 2 and last < len(work.tokens) and last not in work.used
    return last if there and work.tokens[last - 1].span and names(work.tokens[last]) else None


def _beside_span(work: Work, number: int) -> bool:
    return work.beside(number, lambda token: token.span is not None) is not None


def _state(token: Token, target: Target) -> bool:
    """Whether a word also says in what state the records are: "planned shipments"."""
    return segment_of(token, target) is not None or code_of(token, target) is not None


def _more_than(token: Token, target: Target, path: Path) -> bool:
    """Whether a word beside a time says more than what happened then: "received late last week"."""
    happened = path[-1].partition("_")[0]
    part, code = segment_of(token, target), code_of(token, target)
    names = {*([part[0].name] if part else []), *([code[0].code] if code else [])}
    return bool(names) and happened not in names and "open" not in names


def _usual_date(work: Work, target: Target) -> Path | None:
    if work.usual_date:
        return work.usual_date
    if target.kpi is not None:
        return target.kpi.date
    dates = work.vocabulary.segment_dates.get(target.entity, {})
    parts = (word for token in work.tokens for word in token.all_of(Segment) if word.entity == target.entity)
    of_part = next((dates[word.name] for word in parts if word.name in dates), None)
    return of_part or work.vocabulary.usual_dates.get(target.entity)


def _within(path: Path, days: Days) -> tuple[Condition, ...]:
    since, until = days
    return (
        *((Compare(path, Is.AT_LEAST, since),) if since else ()),
        *((Compare(path, Is.LESS, until),) if until else ()),
    )


def _add_open(work: Work, target: Target, path: Path, days: Days) -> None:
    """What is due or expected in days to come, and no state is said, is still open."""
    parts = load_segments().get(target.entity, {})
    awaited = any(token.is_sign("awaited") and date_path(token, target) for token in work.tokens)
    told = any(_state(token, target) for token in work.tokens if not token.is_sign("awaited"))
    over = days[1] is not None and days[1] <= work.asker.today
    if awaited and path[-1] in AHEAD and "open" in parts and not (over or told):
        text = load_titles().segment(target.entity, "open")
        work.parts.append(Part(role="segment", about="open", conditions=parts["open"], text=text))


def _with_others(work: Work, target: Target, number: int, path: Path) -> Periods | None:
    """The time with those that it is compared with: "September or October", "2025 vs 2026"; figures are told apart by
    them from then on, as are records where they are compared."""
    others = _compared_with(work, target, number, path)
    spans = [span for n in (number, *others) if (span := work.tokens[n].span)]
    today, alone = work.asker.today, number - 1
    if others:
        found = _nearest(periods_of(spans, days, today=today) for days in _readings(work, path))
    elif alone >= work.first and alone not in work.used and work.tokens[alone].is_sign("compare"):
        found = up_to_now(spans[0], _days(work, path, spans[0]), today=today)
    else:
        return None
    if found is None:
        return None
    last = max((number, *others))
    signs = _comparing(work, number - 1 if not others else number, last)
    again = [n for n in range(number + 1, last) if n not in work.used]
    work.take(*others, *again, *signs)
    if (signs or _of_figures(work, target)) and not any(split.bucket for split in work.splits):
        work.splits.append(Split(bucket=found.bucket))
        work.take(*(n for n, token in work.open() if token.is_sign(found.bucket.value)))  # "which month had more"
    return found


def _of_figures(work: Work, target: Target) -> bool:
    """Whether figures are asked for, and not which records are first: these are of all times together."""
    if work.rank:
        return not work.splits and not work.order and work.rank not in ("newest", "oldest")
    return bool(target.kpi or work.counted)


def _readings(work: Work, path: Path) -> tuple[Callable[[Span], Days | None], ...]:
    """The days of a time by what lies nearer, and of what is over."""
    return (lambda span: _days(work, path, span)), (lambda span: _resolved(work, span, ahead=False))


def _nearest(found: Iterable[Periods | None]) -> Periods | None:
    """Those that lie closest together: "Q2 against Q3" are of one year."""
    return min((each for each in found if each), key=lambda each: each.spans[-1][1] - each.spans[0][0], default=None)


def _compared_with(work: Work, target: Target, number: int, path: Path) -> list[int]:
    """The times that follow and are compared with one: joined to it, or where something is compared at all."""
    found: list[int] = []
    joined, last = 0, number
    for n in range(number + 1, len(work.tokens)):
        if work.tokens[n].span is None:
            continue
        again = all(_says_it_again(work, target, between, path) for between in range(last + 1, n))
        if n in work.used or not again:
            break
        found.append(n)
        joined = len(found) if any(_is_joined(token) for token in work.tokens[last + 1 : n + 1]) else joined
        last = n
    return found if any(token.is_sign(*_COMPARED) for _, token in work.open()) else found[:joined]


def _is_joined(token: Token) -> bool:
    """Whether an "and" or a comma stands before it, or before words that say nothing: "and the ones shipped"."""
    return token.joined or not lexicon().alternatives.isdisjoint(token.led.casefold().split())


def _comparing(work: Work, first: int, last: int) -> list[int]:
    """The words that compare times; where several records are named, those elsewhere may compare these."""
    named = sum(token.reference is not None for _, token in work.open())
    signs = [n for n, token in work.open() if token.is_sign(*_COMPARED)]
    how = [n for n, token in work.open() if token.is_sign("how") and signs]  # "how does it compare"
    return [n for n in (*how, *signs) if named < 2 or first <= n < last]


def _says_it_again(work: Work, target: Target, number: int, path: Path) -> bool:
    """Whether words between two times only compare them, or name again what is asked for: "orders in September
    compared to orders in October"."""
    token = work.tokens[number]
    if token.is_sign(*_COMPARED, "count", "much") or number == work.target_at:
        return True
    same = work.target_at >= 0 and set(token.meanings) & set(work.tokens[work.target_at].meanings)
    return bool(same) or (date_path(token, target) == path and not _more_than(token, target, path))


def _days(work: Work, path: Path, span: Span) -> Days | None:
    """The days of a time; None where it can't be told, or is yet to come for what has happened."""
    back = _resolved(work, span, ahead=False)
    if back is None:
        return None
    today = work.asker.today
    if path[-1] not in AHEAD:
        return None if back[0] and back[0] > today else back
    coming = _resolved(work, span, ahead=True)
    if coming is None or coming == back or any(_is_over(token) for token in work.tokens):
        return back
    return back if _BIAS * _distance(back, today) < _distance(coming, today) > _ROUND else coming


def _resolved(work: Work, span: Span, *, ahead: bool) -> Days | None:
    asker = work.asker
    found = span.resolve(asker.today, asker.now, asker.zone, asker.fiscal, ahead=ahead)
    return None if isinstance(found, Unclear) else found


def _is_over(token: Token) -> bool:
    return any(word.name in _OVER for word in token.all_of(Segment))


def _distance(days: Days, today: date) -> int:
    """From today to the nearest of the days that bound a time."""
    bounds: list[Callable[[], int]] = [lambda day=day: abs((day - today) // timedelta(days=1)) for day in days if day]
    return min((bound() for bound in bounds), default=0)
