"""What is shipped and what stood on average, worked out move by move and day by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from evals.proofs.oracle import Row, World
from evals.proofs.published.promises import Promises
from evals.proofs.published.stock import Place, Stands, Stock

_YEAR = 52 * 7
_QUARTER = 13 * 7
_MOST_DAYS = 36_500
_MILLION = 1_000_000


@dataclass
class Use:
    """The stock journals and the daily stock of a world, by place."""

    world: World
    stock: Stock
    promises: Promises
    shipped: dict[tuple[int, Place], list[tuple[date, Row]]] = field(
        default_factory=lambda: defaultdict(list[tuple[date, Row]])
    )
    begun: dict[tuple[int, int], datetime] = field(default_factory=dict[tuple[int, int], datetime])
    stood: dict[Place, list[Row]] = field(default_factory=lambda: defaultdict(list[Row]))

    def __post_init__(self) -> None:
        for row in self.world.rows["stock_move"].values():
            key = row["source_id"], row["site_id"]
            self.begun[key] = min(self.begun.get(key, row["moved_at"]), row["moved_at"])
            if row["kind"] == "shipment":
                day = self._day(row["site_id"], row["moved_at"])
                self.shipped[row["source_id"], (row["item_id"], row["site_id"])].append((day, row))
        for row in self.world.rows["stock_snapshot"].values():
            self.stood[row["item_id"], row["site_id"]].append(row)

    def at(self, place: Place, stands: Stands) -> Mapping[str, Any]:
        """Daily and yearly use, the mean stock and the days of supply of a place."""
        last = self.promises.today(place[1])
        last -= timedelta(days=last.isoweekday())
        days, daily, yearly = self._shipped(place, stands.unit, last) or (None, None, None)
        available = stands.figures["available"]
        supply = None
        if daily and available is not None:
            supply = min(max(_half_up(Fraction(available * _MILLION, daily)), 0), _MOST_DAYS * _MILLION)
        return {
            "use_until": last, "use_days": days, "daily_use": daily, "yearly_use": yearly,
            "mean_stock": self._mean(place, stands.unit, last), "days_of_supply": supply,
        }  # fmt: skip

    def _day(self, site: int, moment: datetime) -> date:
        zone = self.world.rows["site"][site]["time_zone"]
        return moment.astimezone(ZoneInfo(zone) if zone else UTC).date()

    def _shipped(self, place: Place, unit: str | None, last: date) -> tuple[int, int, int] | None:
        keeps = [source for source, site in self.begun if site == place[1]]
        if not keeps:
            return None
        source = min(keeps, key=lambda each: self.stock.rank("available", each))
        begun = self._day(place[1], self.begun[source, place[1]])
        monday = begun + timedelta(days=8 - begun.isoweekday())
        first = max(monday, last - timedelta(days=_YEAR - 1))
        days = (last - first).days + 1
        moves = [(day, row) for day, row in self.shipped.get((source, place), []) if first <= day <= last]
        if days < 28 or any(row["quantity"] is None or row["unit"] != unit for _, row in moves):
            return None
        year = -sum(row["quantity"] for _, row in moves)
        lately = -sum(row["quantity"] for day, row in moves if day > last - timedelta(days=_QUARTER))
        return days, _half_up(Fraction(lately, min(days, _QUARTER))), _half_up(Fraction(year * 365, days))

    def _mean(self, place: Place, unit: str | None, last: date) -> int | None:
        by_day: dict[date, list[Row]] = defaultdict(list)
        for row in self.stood.get(place, []):
            if row["on_hand"] is not None and row["day"] > last - timedelta(days=_YEAR):
                by_day[row["day"]].append(row)
        governing = {day: _first(rows, self.stock) for day, rows in by_day.items()}
        days = [day for day in governing if day <= last] or sorted(governing)[:1]
        if not days or any(governing[day]["unit"] != unit for day in days):
            return None
        return _half_up(Fraction(sum(governing[day]["on_hand"] for day in days), len(days)))


def _first(rows: Sequence[Row], stock: Stock) -> Row:
    return min(rows, key=lambda row: stock.rank("on_hand", row["source_id"]))


def _half_up(value: Fraction) -> int:
    """Rounded as PostgreSQL rounds: halves away from zero."""
    sign = -1 if value < 0 else 1
    return sign * int(abs(value) + Fraction(1, 2))
