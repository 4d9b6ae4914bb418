"""Times that begin or end at another one: since March, before 1 Nov, from Monday to Wednesday."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from copilot.understanding.time.calendar import Days
from copilot.understanding.time.meanings import make_meaning
from copilot.understanding.time.reading import (
    At,
    Body,
    Kind,
    Looks,
    Maker,
    Meaning,
    NotClearError,
    Slots,
    one_day,
    steps_from,
)

_ENCLOSED = ("rolling", "before", "part")


def make_bound(body: Body, slots: Slots) -> Meaning | None:
    """The meaning of a bound. Raises KeyError for a form that says none."""
    return _MAKERS[body["bound"]](body, slots)


def _since(_: Body, slots: Slots) -> Meaning | None:
    """What has begun: a weekday or a month without a year is the last one, whatever the question looks to."""
    inner: Meaning = slots["TIME"][0]
    if inner.looks == "ahead":
        return _onwards("since", inner)
    return Meaning(
        kind="since", looks="back", clock=inner.clock,
        days=lambda at: (_start(inner, replace(at, ahead=False)), None),
    )  # fmt: skip


def _onwards(kind: Kind, inner: Meaning) -> Meaning:
    return Meaning(kind=kind, looks=inner.looks, days=lambda at: (_start(inner, at), None), floating=inner.floating)


def _since_ago(_: Body, slots: Slots) -> Meaning | None:
    """ "since 3 days": counted from now."""
    inner = make_meaning({"rolling": "back"}, slots)
    return inner and Meaning(kind="since", looks="back", clock=inner.clock, days=lambda at: (inner.days(at)[0], None))


def _from(_: Body, slots: Slots) -> Meaning | None:
    """ "orders from last week" are those of it; "from next week" runs on; "from Monday" may be either."""
    inner: Meaning = slots["TIME"][0]
    if inner.looks == "ahead":
        return _onwards("since", inner)
    if inner.kind == "day" and inner.looks == "either":
        return replace(inner, days=_not_clear("from that day on, or of that day alone?"), clock=None)
    if inner.floating:
        return replace(inner, days=_not_clear("from then on, or of that time alone?"), clock=None)
    return inner


def _not_clear(reason: str) -> Callable[[At], Days]:
    def days(_: At) -> Days:
        raise NotClearError(reason)

    return days


def _one_sided(kind: Kind, made: Callable[[date, date], Days]) -> Maker:
    def make(_: Body, slots: Slots) -> Meaning | None:
        inner: Meaning = slots["TIME"][0]
        return Meaning(
            kind=kind, looks=inner.looks, floating=inner.floating,
            days=lambda at: made(_start(inner, at), _end(inner, at)),
        )  # fmt: skip

    return make


def _beside(sign: int) -> Maker:
    """ "a week from Monday", "2 days before 1 Nov": a day."""

    def make(body: Body, slots: Slots) -> Meaning | None:
        inner: Meaning = slots["TIME"][0]
        unit, count = str(slots["DAYS"][0]), int(slots["N"][0]) * sign
        if inner.kind != "day":
            return None

        def days(at: At) -> Days:
            start = _start(inner, replace(at, ahead=at.ahead or bool(body.get("ahead"))))
            return one_day(steps_from(start, unit, count, at.calendar))

        return replace(inner, days=days, clock=None, looks="ahead" if body.get("ahead") else inner.looks)

    return make


def _range(_: Body, slots: Slots) -> Meaning | None:
    start, end = slots["TIME"]
    if {start.kind, end.kind} & set(_ENCLOSED):
        return None
    return Meaning(kind="range", looks=_looks_of(start, end), days=lambda at: _between(start, end, at))


def _looks_of(start: Meaning, end: Meaning) -> Looks:
    if end.looks == "back" or start.looks == "ahead":
        return end.looks if end.looks == "back" else "ahead"
    return "ahead" if end.looks == "ahead" and start.looks != "back" else "either"


def _between(start: Meaning, end: Meaning, at: At) -> Days:
    """Both included. What has no year is the one that goes with the other."""
    if start.floating and not end.floating:
        last = end.days(at)
        first = start.days(replace(at, anchor=last[0] or at.anchor, ahead=False))
    else:
        first = start.days(at)
        last = end.days(replace(at, anchor=first[0] or at.anchor, ahead=True) if end.floating else at)
    if first[0] is None or last[1] is None or first[0] >= last[1]:
        raise NotClearError("it ends before it begins")
    return first[0], last[1]


def _from_now(_: Body, slots: Slots) -> Meaning | None:
    """ "between now and Friday": what has no year is the next one."""
    inner: Meaning = slots["TIME"][0]

    def days(at: At) -> Days:
        end = _end(inner, replace(at, ahead=True))
        if end <= at.today:
            raise NotClearError("it ends before it begins")
        return at.today, end

    return None if inner.looks == "back" else Meaning(kind="range", looks="ahead", days=days)


def _days_of_month(_: Body, slots: Slots) -> Meaning | None:
    """ "1 to 15 November": both days in the same month."""
    first, last = slots["DAY"]
    month = {key: slots[key] for key in ("MONTH", "YEAR") if key in slots}
    edges = [make_meaning({"date": "named"}, {"DAY": (day,), **month}) for day in (first, last)]
    return _range({}, {"TIME": tuple(edges)})


def _start(inner: Meaning, at: At) -> date:
    found = inner.days(at)[0]
    if found is None:
        raise NotClearError("it has no beginning")
    return found


def _end(inner: Meaning, at: At) -> date:
    found = inner.days(at)[1]
    if found is None:
        raise NotClearError("it has no end")
    return found


_MAKERS: dict[str, Maker] = {
    "since": _since,
    "since_ago": _since_ago,
    "onwards": lambda _, slots: _onwards("since", slots["TIME"][0]),
    "from": _from,
    "later": _beside(1),
    "sooner": _beside(-1),
    "after": _one_sided("after", lambda _, end: (end, None)),
    "before": _one_sided("before", lambda start, _: (None, start)),
    "until": _one_sided("until", lambda _, end: (None, end)),
    "range": _range,
    "from_now": _from_now,
    "days_of_month": _days_of_month,
}
BOUNDS = frozenset(_MAKERS)
