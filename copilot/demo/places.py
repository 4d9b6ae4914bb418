"""Where the demo company sells: regions, warehouses, channels, and the days they are closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Region:
    """A sales region; `tax` in percent, `share` of all orders, `money` how many of its currency one USD buys."""

    code: str
    name: str
    currency: str
    fiscal_year_start: int
    tax: int
    share: float
    money: float


@dataclass(frozen=True, slots=True)
class Site:
    """A warehouse. `region` is an index; `share` its part of the region's orders; the first of a region is its hub."""

    code: str
    name: str
    region: int
    zone: str
    working_days: str
    city: str
    country: str
    share: float


@dataclass(frozen=True, slots=True)
class SalesChannel:
    """A way to sell."""

    code: str
    name: str
    share: float


REGIONS = (
    Region("US", "United States", "USD", 1, 0, 0.50, 1.0),
    Region("DE", "Germany", "EUR", 1, 19, 0.32, 0.92),
    Region("SG", "Singapore", "SGD", 4, 9, 0.18, 1.34),
)
SITES = (
    Site("CHI", "Chicago", 0, "America/Chicago", "12345", "Chicago", "US", 0.40),
    Site("DAL", "Dallas", 0, "America/Chicago", "12345", "Dallas", "US", 0.25),
    Site("RNO", "Reno", 0, "America/Los_Angeles", "12345", "Reno", "US", 0.18),
    Site("ATL", "Atlanta", 0, "America/New_York", "123456", "Atlanta", "US", 0.17),
    Site("HAM", "Hamburg", 1, "Europe/Berlin", "12345", "Hamburg", "DE", 0.60),
    Site("STR", "Stuttgart", 1, "Europe/Berlin", "12345", "Stuttgart", "DE", 0.40),
    Site("TUA", "Singapore Tuas", 2, "Asia/Singapore", "123456", "Singapore", "SG", 0.65),
    Site("CHA", "Singapore Changi", 2, "Asia/Singapore", "12345", "Singapore", "SG", 0.35),
)
CHANNELS = (
    SalesChannel("FIELD", "Field sales", 0.38),
    SalesChannel("WEB", "Web shop", 0.27),
    SalesChannel("EDI", "EDI", 0.25),
    SalesChannel("MKT", "Marketplace", 0.10),
)
REGION_SITES = tuple(tuple(i for i, site in enumerate(SITES) if site.region == r) for r in range(len(REGIONS)))
HUBS = tuple(sites[0] for sites in REGION_SITES)

_FIXED = {
    0: (
        (1, 1, "New Year's Day"),
        (6, 19, "Juneteenth"),
        (7, 4, "Independence Day"),
        (11, 11, "Veterans Day"),
        (12, 25, "Christmas"),
    ),
    1: (
        (1, 1, "Neujahr"),
        (5, 1, "Tag der Arbeit"),
        (10, 3, "Tag der Deutschen Einheit"),
        (12, 25, "Weihnachten"),
        (12, 26, "Weihnachten"),
    ),
    2: ((1, 1, "New Year's Day"), (5, 1, "Labour Day"), (8, 9, "National Day"), (12, 25, "Christmas")),
}
# The lunar new year follows no short formula; outside these years the demo company works through it.
_LUNAR = {2023: (1, 22), 2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13)}


def closures(site: int, year: int) -> dict[date, str]:
    """The days of a year on which a warehouse stays closed beside its weekly rest, with the reason."""
    region = SITES[site].region
    days = {date(year, month, day): name for month, day, name in _FIXED[region]}
    days.update(_moving(region, year))
    stocktake = date(year, 6, 10) + timedelta(days=7 * (site % 3))
    days[_weekday_after(stocktake, 5)] = "Stocktaking"
    return days


def _moving(region: int, year: int) -> dict[date, str]:
    easter = _easter(year)
    if region == 0:
        memorial = _weekday_after(date(year, 5, 25), 1)
        thanksgiving = _weekday_after(date(year, 11, 22), 4)
        labor = _weekday_after(date(year, 9, 1), 1)
        return {memorial: "Memorial Day", labor: "Labor Day", thanksgiving: "Thanksgiving"}
    good_friday = easter - timedelta(days=2)
    if region == 1:
        monday, ascension = easter + timedelta(days=1), easter + timedelta(days=39)
        return {good_friday: "Karfreitag", monday: "Ostermontag", ascension: "Christi Himmelfahrt"}
    days = {good_friday: "Good Friday"}
    if year in _LUNAR:
        first = date(year, *_LUNAR[year])
        days |= {first: "Lunar New Year", first + timedelta(days=1): "Lunar New Year"}
    return days


def _weekday_after(day: date, weekday: int) -> date:
    """The first such ISO weekday on or after a day."""
    return day + timedelta(days=(weekday - day.isoweekday()) % 7)


def _easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian computus."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)
