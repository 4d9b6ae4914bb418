"""The small things everything refers to: companies, warehouses, locations and units of measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.odoo.cells import tidy

_STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company of this Odoo. `currency` is a code, `country` an ISO code, `zone` an IANA name, `working_days` the ISO
    weekdays of its working calendar ("12345")."""

    id: int
    name: str
    currency: str | None
    country: str | None
    zone: str | None
    working_days: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """A warehouse, with the root of its locations."""

    id: int
    name: str
    code: str
    company: int
    root: int
    city: str | None
    country: str | None
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A stock location: what it is used for and the warehouse it lies in."""

    usage: str
    warehouse: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit of measure. `size` is how many of the family's reference unit it holds; only one family converts."""

    name: str
    family: int
    size: Decimal
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All of them, read at the start of a pass."""

    companies: Mapping[int, Company]
    warehouses: Mapping[int, Warehouse]
    locations: Mapping[int, Location]
    units: Mapping[int, Unit]

    def site(self, location: int | None) -> int | None:
        """The warehouse a location lies in, if goods are kept there."""
        found = self.locations.get(location or 0)
        return found.warehouse if found and found.usage == "internal" else None

    def usage(self, location: int | None) -> str | None:
        """What a location is used for."""
        found = self.locations.get(location or 0)
        return found.usage if found else None

    def day(self, moment: datetime, warehouse: int | None) -> date:
        """The day it is at a warehouse; in UTC where none is given."""
        found = self.warehouses.get(warehouse or 0)
        return moment.astimezone(zone(found.zone if found else None)).date()

    def convert(self, quantity: Decimal, unit: int | None, into: int | None) -> Decimal:
        """A quantity in another unit of the same family, to six decimals; unchanged where they can't be converted."""
        source, target = self.units.get(unit or 0), self.units.get(into or 0)
        if source is None or target is None or unit == into or source.family != target.family:
            return quantity
        return tidy((quantity * source.size / target.size).quantize(_STEP))

    def currency(self, company: int | None) -> str | None:
        """A company's currency."""
        found = self.companies.get(company or 0)
        return found.currency if found else None


def zone(name: str | None) -> ZoneInfo:
    """A time zone by name; UTC for none or an unknown one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
