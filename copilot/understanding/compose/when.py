"""Reads which times a question is about, and of which of the records' dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from copilot.domain.composition import Part, Split
from copilot.domain.query import Bucket, Compare, Condition, Is, Path
from copilot.semantic.conditions import load_segments
from copilot.semantic.titles import load_titles
from copilot.understanding.compose.places import code_of, date_path, segment_of
from copilot.understanding.compose.reader import Target, Work
from copilot.understanding.compose.tokens import Token
from copilot.understanding.time.calendar import Days
from copilot.understanding.time.spans import Span, Unclear
from copilot.understanding.vocabulary import Segment

_AHEAD = frozenset(
    {"promised_date", "due", "requested_date", "expected_delivery", "expected_date", "planned_date", "due_date"}
    | {"starts", "ends"}
)
"""Dates that may lie ahead; all others are of what has happened."""
_ALWAYS = frozenset({"order_date"})
"""Dates that every record has: "placed" says nothing more."""
_OVER = frozenset({"late", "overdue", "shipped_late", "received_late", "shipped_on_time", "received_on_time"})
"""Parts whose dates are over."""
_BIAS = 3
"""How much nearer the last March has to be than the next to be the one meant."""
_ROUND = 7
"""Days from one weekday to the next: of those, the coming one is meant."""
_BUCKETS = {"week": Bucket.WEEK, "month": Bucket.MONTH, "quarter": Bucket.QUARTER, "year": Bucket.YEAR}


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
        days = _with_second(work, n, path, days)
        _add_open(work, target, path, days)
        work.parts.append(Part(role="time", about=".".join(path), conditions=_within(path, days), text=token.text))
        work.take(n, *([at] if at is not None else []))
    for n, token in list(work.open()):
        path = date_path(token, target)
        if path and path[-1] in _ALWAYS and not _state(token, target):
            work.take(n)


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
    return work.vocabulary.usual_dates.get(target.entity)


def _within(path: Path, days: Days) -> tuple[Condition, ...]:
    since, until = days
    return (
        *((Compare(path, Is.AT_LEAST, since),) if since else ()),
        *((Compare(path, Is.LESS, until),) if until else ()),
    )


def _with_second(work: Work, number: int, path: Path, days: Days) -> Days:
    """With the time that it is compared with: "September or October", "2025 vs 2026"; told apart from then on."""
    second = next((n for n in (number + 1, number + 2) if n < len(work.tokens) and work.tokens[n].span), None)
    if second is None or second in work.used:
        return days
    between = work.tokens[number + 1] if second == number + 2 else None
    token = work.tokens[second]
    compared = between is not None and between.is_sign("compare")
    first, other = work.tokens[number].span, token.span
    bucket = _BUCKETS.get(first.kind) if first and other and first.kind == other.kind else None
    more = _days(work, path, other) if other and bucket and (compared or token.joined) else None
    if more and more[1] is not None and more[1] == days[0]:  # "this month against last month"
        days, more = more, days
    if more is None or bucket is None or days[1] is None or days[1] != more[0]:
        return days
    work.take(second, *([number + 1] if compared else []))
    if not any(split.bucket for split in work.splits):
        work.splits.append(Split(bucket=bucket))
    _take_rather(work)
    return days[0], more[1]


def _add_open(work: Work, target: Target, path: Path, days: Days) -> None:
    """What is due or expected in days to come, and no state is said, is still open."""
    parts = load_segments().get(target.entity, {})
    awaited = any(token.is_sign("awaited") and date_path(token, target) for token in work.tokens)
    told = any(_state(token, target) for token in work.tokens if not token.is_sign("awaited"))
    over = days[1] is not None and days[1] <= work.asker.today
    if awaited and path[-1] in _AHEAD and "open" in parts and not (over or told):
        text = load_titles().segment(target.entity, "open")
        work.parts.append(Part(role="segment", about="open", conditions=parts["open"], text=text))


def _take_rather(work: Work) -> None:
    number = work.find(lambda token: token.is_sign("rather"))
    if number is not None:
        work.take(number)


def _days(work: Work, path: Path, span: Span) -> Days | None:
    """The days of a time; None where it can't be told, or is yet to come for what has happened."""
    back = _resolved(work, span, ahead=False)
    if back is None:
        return None
    today = work.asker.today
    if path[-1] not in _AHEAD:
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
