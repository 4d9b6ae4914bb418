"""What every measure is computed with: the context, the figures it gives, and how fields are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from copilot.domain.evidence import Raw, Record
from copilot.domain.plan import Period, Wanted
from copilot.policy.policy import Policy
from copilot.retrieval.calendar import UTC_CALENDAR, Calendar

Records = Sequence[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the figures depend on besides records: the moment, the sites' calendars, whose stock figures count.

    `complete` is False where a step of the inputs found more records than its limit.
    """

    now: datetime
    policy: Policy
    calendars: Mapping[int, Calendar] = field(default_factory=dict[int, Calendar])
    purposes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Source -> what it is for, the one added first in front."""
    complete: bool = True
    period: Period | None = None
    """The time the question is about."""
    wanted: Wanted | None = None
    """How much is asked for, and by when."""
    first_loads: Mapping[tuple[str, str], datetime] = field(default_factory=dict[tuple[str, str], datetime])
    """(source, entity) -> when its first load was over: what began by then was found there, it was not new."""

    keepers: Mapping[int, frozenset[str]] = field(default_factory=dict[int, frozenset[str]])
    """Site -> the sources that keep stock there."""

    def rank(self, figure: str, system: str, site: Raw) -> tuple[int, int]:
        """Where a source stands for a figure of stock at a site: by policy, then in the order added. The lowest
        governs."""
        place = list(self.purposes).index(system) if system in self.purposes else len(self.purposes)
        return self.policy.at_site(site).stock_rank(figure, self.purposes.get(system, "")), place

    def calendar(self, record: Record) -> Calendar:
        """The calendar of the site a record belongs to."""
        return self.calendars.get(record.site_id, UTC_CALENDAR)

    def today(self, record: Record) -> date:
        """Today where the record belongs."""
        return self.calendar(record).today(self.now)

    def local_date(self, record: Record, moment: datetime) -> date:
        """The date of a moment where the record belongs."""
        return moment.astimezone(ZoneInfo(record.time_zone)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One measure record to be: its values, the record it is about, and the ids of all records that went in."""

    values: Mapping[str, Raw]
    about: Record
    inputs: tuple[str, ...]
    oldest: datetime
    time_zone: str | None = None
    """In which its moments are printed, where that is not the zone of the record it is about."""


MeasureFunction = Callable[..., Iterable[Figures]]


def figures(values: Mapping[str, Raw], about: Record, used: Iterable[Record]) -> Figures:
    """The figures of one measure record; the record it is about counts as used."""
    records = {record.id: record for record in (about, *used)}
    return Figures(
        values=values, about=about, inputs=tuple(records), oldest=min(r.confirmed_at for r in records.values())
    )


def grouped(records: Iterable[Record], *fields: str) -> Iterator[tuple[tuple[Raw, ...], list[Record]]]:
    """Records grouped by the values of some fields, in a stable order."""

    def key(record: Record) -> tuple[Raw, ...]:
        return tuple(record.raw(name) for name in fields)

    for values, group in groupby(sorted(records, key=lambda r: [str(v) for v in key(r)]), key=key):
        yield values, list(group)


def day_of(record: Record, name: str) -> date | None:
    """A field that is a date and not an instant; None otherwise."""
    value = record.raw(name)
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def number_of(record: Record, name: str) -> int:
    """A whole or scaled number; 0 where the field is empty."""
    value = record.raw(name)
    return value if isinstance(value, int) else 0
