"""What a bare figure or date means to the person who asks: their currency, their calendar, their today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from copilot.understanding.amounts import Convention
from copilot.understanding.lookup import Lookup
from copilot.understanding.time.calendar import FiscalCalendar

_COMMA = ("DE", "AT", "CH", "FR", "ES", "IT", "NL", "BE", "PL", "DK", "SE", "NO", "FI", "PT", "CZ", "BR", "ID")
"""Countries that write a comma before the decimals."""
_MONTH_FIRST = ("US",)
"""Countries that write the month before the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The regions in scope, by id, and the zones and countries of the sites in scope."""

    now: datetime
    regions: Mapping[int, str]
    currencies: Mapping[int, str]
    fiscal_starts: Mapping[int, int]
    countries: Sequence[str]
    zones: Sequence[str]

    @property
    def currency(self) -> str | None:
        """The one currency of all regions in scope; None where they have several."""
        found = set(self.currencies.values())
        return found.pop() if len(found) == 1 else None

    @property
    def region(self) -> str:
        """The code of their only region, whose parameters measures then have; empty where there are several."""
        return next(iter(self.regions.values())) if len(self.regions) == 1 else ""

    @property
    def zone(self) -> str:
        """The time zone that most sites in scope share."""
        return max(sorted(set(self.zones)), key=self.zones.count, default="UTC")

    @property
    def today(self) -> date:
        """The day in that zone."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    @property
    def fiscal(self) -> FiscalCalendar:
        """The calendar of their regions, where those agree."""
        starts = set(self.fiscal_starts.values())
        orders = {country in _MONTH_FIRST for country in self.countries}
        return FiscalCalendar(
            first_month=starts.pop() if len(starts) == 1 else 1,
            day_first=not orders.pop() if len(orders) == 1 else None,
        )

    @property
    def convention(self) -> Convention:
        """How their countries write numbers, where those agree, and what their bare "$" is."""
        commas = {country in _COMMA for country in self.countries}
        return Convention(decimal_comma=commas.pop() if len(commas) == 1 else None, currency=self.currency)


async def read_asker(lookup: Lookup) -> Asker:
    """The asker as the scope of the transaction shows them."""
    rows = await lookup.rows("regions_in_scope")
    return Asker(
        now=lookup.now,
        regions={row["id"]: row["code"] for row in rows},
        currencies={row["id"]: row["currency"] for row in rows if row["currency"]},
        fiscal_starts={row["id"]: row["fiscal_year_start"] or 1 for row in rows},
        countries=[country for row in rows for country in row["countries"] if country],
        zones=[zone for row in rows for zone in row["zones"] if zone],
    )
