"""Finds the times that a question names, and says which days or moments they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from copilot.understanding.time.bounds import make_bound
from copilot.understanding.time.calendar import Days, FiscalCalendar
from copilot.understanding.time.language import Element, Form, TimeWords
from copilot.understanding.time.meanings import make_meaning
from copilot.understanding.time.pieces import Piece, Reader, pieces_of
from copilot.understanding.time.reading import At, Kind, Looks, Meaning, NotClearError
from copilot.understanding.words import Word

Moments = tuple[datetime | None, datetime | None]
"""From a moment up to and without another, in UTC; None: open."""
_DEEPEST = 4
"""Times within times: the end of the first week of …"""
_ALONE = ("DAYMONTH", "ORDINAL")
"""Places that alone may as well be a fraction, a figure or a place in a list."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """A time that can't be told: its words, and why."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time that words name. `weak`: a single word or year that may be something else, where that something is known.

    `looks` is what its own words say of past and future; where that is "either", the one who resolves it says it.
    `lead` are those of its words that only lead to it, such as "in": another phrase may have them ("came in today").
    """

    positions: frozenset[int]
    lead: frozenset[int]
    text: str
    kind: Kind
    looks: Looks
    weak: bool
    meaning: Meaning

    def resolve(
        self, today: date, now: datetime, zone: str, calendar: FiscalCalendar, *, ahead: bool = False
    ) -> Days | Unclear:
        """From a day up to and without another. `today` is the date where the records belong, `now` an aware moment."""
        return self._read(today, calendar, ahead=ahead, hour=now.astimezone(zone_of(zone)).hour)

    def moments(self, now: datetime, zone: str, calendar: FiscalCalendar, *, ahead: bool = False) -> Moments | Unclear:
        """The same as moments: days begin at midnight in the zone; what is counted back from now begins at this time
        of the day and has no end."""
        local = now.astimezone(zone_of(zone))
        if self.meaning.clock and self.kind in ("rolling", "since"):
            try:
                return self.meaning.clock(local, calendar).astimezone(UTC), None
            except NotClearError as error:
                return Unclear(self.text, str(error))
            except (ValueError, OverflowError):
                return Unclear(self.text, "there is no such moment")
        days = self._read(local.date(), calendar, ahead=ahead, hour=None)
        if isinstance(days, Unclear):
            return days
        return _midnight(days[0], local.tzinfo), _midnight(days[1], local.tzinfo)

    def _read(self, today: date, calendar: FiscalCalendar, *, ahead: bool, hour: int | None) -> Days | Unclear:
        try:
            return self.meaning.days(At(today=today, calendar=calendar, ahead=ahead, anchor=today, hour=hour))
        except NotClearError as error:
            return Unclear(self.text, str(error))
        except (ValueError, OverflowError):
            return Unclear(self.text, "there is no such day")


def zone_of(name: str) -> ZoneInfo:
    """A time zone; UTC where a source names none that exists."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _midnight(day: date | None, zone: tzinfo | None) -> datetime | None:
    return datetime.combine(day, time(), zone).astimezone(UTC) if day else None


def find_spans(words: Sequence[Word], language: TimeWords) -> tuple[Span, ...]:
    """Every longest run of words that says a time, in order; none shares a word with another."""
    return tuple(_Finder(words, language).spans())


@dataclass(frozen=True, slots=True)
class _Found:
    """A form that stands from one piece up to and without another."""

    end: int
    form: Form
    meaning: Meaning
    alone: str = ""
    """The place that is all of it."""


class _Finder:
    def __init__(self, words: Sequence[Word], language: TimeWords) -> None:
        self._words, self._language = words, language
        self._pieces: tuple[Piece, ...] = pieces_of(words, language)
        self._reader = Reader(self._pieces, language)
        self._known: dict[tuple[int, int], tuple[_Found, ...]] = {}
        """By where it begins and how deep within other times it is looked for."""
        self._depth = 0

    def spans(self) -> Iterator[Span]:
        """The spans from left to right."""
        at = 0
        while at < len(self._pieces):
            span, at = self._longest(at)
            if span:
                yield span

    def _longest(self, at: int) -> tuple[Span | None, int]:
        if not self._pieces[at].first:
            return None, at + 1
        for found, start in sorted(self._readings(at), key=lambda each: -each[0].end):
            span = self._span(at, start, found)
            if span:
                return span, found.end
        return None, at + 1

    def _readings(self, at: int) -> Iterator[tuple[_Found, int]]:
        """What may begin at a piece, each with where it begins behind its lead."""
        for found in self._forms(self._language.bounds, at):
            yield found, at
        for found in self._base(at):
            yield found, at
        behind = at + 1 if self._pieces[at].text in self._language.leads else at
        starts = {behind, *self._reader.phrase_at(self._language.the, behind)} - {at}
        open_bounds = [form for form in self._language.bounds if form.elements[0].place]
        for start in sorted(starts):
            for found in (*self._base(start), *self._forms(open_bounds, start)):
                yield found, start

    def _base(self, at: int) -> tuple[_Found, ...]:
        key = at, self._depth
        if key not in self._known and self._depth < _DEEPEST:
            self._depth += 1
            self._known[key] = tuple(self._forms(self._language.spans, at))
            self._depth -= 1
        return self._known.get(key, ())

    def _forms(self, forms: Sequence[Form], at: int) -> Iterator[_Found]:
        if at >= len(self._pieces):
            return
        text = self._pieces[at].text
        for form in forms:
            if form.begins is not None and text not in form.begins:
                continue
            for end, slots in self._match(form.elements, at):
                if self._turned(form, end):
                    continue
                meaning = (make_bound if "bound" in form.body else make_meaning)(form.body, _gathered(slots))
                if meaning:
                    yield _Found(end, form, meaning, slots[0][0] if len(form.elements) == 1 and slots else "")

    def _match(self, elements: Sequence[Element], at: int) -> Iterator[tuple[int, list[tuple[str, object]]]]:
        if not elements:
            yield at, []
            return
        first, *rest = elements
        for end, slot in self._element(first, at):
            for last, slots in self._match(rest, end):
                yield last, slot + slots
        if first.optional:
            yield from self._match(rest, at)

    def _element(self, element: Element, at: int) -> Iterator[tuple[int, list[tuple[str, object]]]]:
        if element.place == "TIME":
            for found in self._base(at):
                yield found.end, [("TIME", found.meaning)]
        elif element.place:
            for end, value in self._reader.read(element.place, at):
                yield end, [(element.place, value)]
        else:
            for end in self._reader.phrase_at(element.phrases, at):
                yield end, []

    def _turned(self, form: Form, end: int) -> bool:
        """Whether what follows makes it another time: "within 3 days of promise", "the last week of October"."""
        if end >= len(self._pieces):
            return False
        if form.body.get("rolling") == "within" or form.body.get("away") == "ahead":
            return self._pieces[end].text in self._language.turned_by
        if not ({"rolling", "unit"} & form.body.keys()):
            return False
        for after in self._reader.phrase_at(self._language.of, end):
            for start in (after, *self._reader.phrase_at(self._language.the, after)):
                if any(self._reader.read("UNIT", start)) or any(self._reader.read("MONTH", start)):
                    return True
        return False

    def _span(self, at: int, start: int, found: _Found) -> Span | None:
        """What was found as a span, unless it is half a word or most likely something else."""
        run = self._pieces[at : found.end]
        if not run[-1].last:
            return None
        lead = self._pieces[at].text if start > at else ""
        alone, sure = found.end - start == 1, lead in self._language.sure
        text = self._pieces[start].text
        if alone and not sure and (found.alone in _ALONE or (text in self._language.weak and not lead)):
            return None
        if found.alone == "ORDINAL" and not self._ends(found.end):
            return None
        positions = frozenset(piece.position for piece in run)
        return Span(
            positions=positions, lead=positions - {piece.position for piece in self._pieces[start : found.end]},
            text=" ".join(self._words[position].typed for position in sorted(positions)),
            kind=found.meaning.kind, looks=found.meaning.looks,
            weak=alone and not sure and found.alone in ("MONTH", "WEEKDAY", "YEAR"), meaning=found.meaning,
        )  # fmt: skip

    def _ends(self, end: int) -> bool:
        """Whether nothing follows that a place in a list could be of: "the 2nd order"."""
        return end >= len(self._pieces) or self._pieces[end].text in self._language.leads


def _gathered(slots: Sequence[tuple[str, object]]) -> dict[str, tuple[object, ...]]:
    gathered: dict[str, tuple[object, ...]] = {}
    for place, value in slots:
        gathered[place] = (*gathered.get(place, ()), value)
    return gathered
