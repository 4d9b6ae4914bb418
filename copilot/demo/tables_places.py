"""Regions, channels, warehouses, closures and currency rates as records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from math import sin

from copilot.demo.draws import chance
from copilot.demo.places import CHANNELS, REGIONS, SITES, Region, SalesChannel, Site, closures
from copilot.demo.tables import Table, Values
from copilot.demo.worktime import DAY, HOUR, UNIX_DAY, day
from copilot.demo.world import DemoWorld


@dataclass(frozen=True, slots=True)
class Closure:
    """A day on which a warehouse is closed, and since when that is on record."""

    site: Site
    day: date
    reason: str
    published: int


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of a currency is in USD, from a Monday on."""

    currency: str
    day: int
    rate: Decimal


def _closures(world: DemoWorld, _: int) -> Iterator[Closure]:
    """Each year's closures go on record in the October before."""
    first = world.epoch.year
    for year in range(first, first + 100):
        published = int(datetime(year - 1, 10, 1, tzinfo=UTC).timestamp())
        if published > world.now:
            return
        for index, site in enumerate(SITES):
            for closed, reason in closures(index, year).items():
                yield Closure(site, closed, reason, max(published, world.begin))


def _rates(world: DemoWorld, since: int) -> Iterator[Rate]:
    """Every Monday at six, each a little off a slow wave."""
    first = world.masters.first_day
    start = max(first - first % 7 + 1, (since // DAY + UNIX_DAY) - 7)
    start += (1 - start) % 7
    for monday in range(start, world.now // DAY + UNIX_DAY + 1, 7):
        for place, region in enumerate(REGIONS[1:], 1):
            noise = chance(world.seed, "rate", monday, place) - 0.5
            drift = 0.03 * sin((monday - first) / 90 + place) + 0.008 * noise
            rate = Rate(region.currency, monday, Decimal(round((1 + drift) / region.money * 10_000)).scaleb(-4))
            if _quoted(rate) <= world.now:
                yield rate


def _quoted(rate: Rate) -> int:
    return (rate.day - UNIX_DAY) * DAY + 6 * HOUR


def _region(_: DemoWorld, row: Region) -> Values:
    return {
        "code": row.code,
        "name": row.name,
        "currency": row.currency,
        "fiscal_year_start": row.fiscal_year_start,
    }


def _site(_: DemoWorld, row: Site) -> Values:
    return {
        "code": row.code,
        "name": row.name,
        "region": REGIONS[row.region].code,
        "kind": "warehouse",
        "time_zone": row.zone,
        "working_days": row.working_days,
        "city": row.city,
        "country": row.country,
    }


PLACES = (
    Table[Region](entity="region", rows=lambda _w, _s: REGIONS, key=lambda r: r.code, values=_region),
    Table[SalesChannel](
        entity="channel",
        rows=lambda _w, _s: CHANNELS,
        key=lambda r: r.code,
        values=lambda _, r: {"code": r.code, "name": r.name},
    ),
    Table[Site](entity="site", rows=lambda _w, _s: SITES, key=lambda r: r.code, values=_site),
    Table[Closure](
        entity="site_closure",
        rows=_closures,
        key=lambda r: f"{r.site.code}/{r.day}",
        values=lambda _, r: {"site": r.site.code, "day": r.day, "reason": r.reason},
        changed=lambda _, r: r.published,
    ),
    Table[Rate](
        entity="currency_rate",
        rows=_rates,
        key=lambda r: f"{r.currency}/{day(r.day)}",
        values=lambda _, r: {"currency": r.currency, "base_currency": "USD", "rate": r.rate, "rate_date": day(r.day)},
        changed=lambda w, r: max(w.begin, _quoted(r)),
    ),
)
"""The tables of this module."""
