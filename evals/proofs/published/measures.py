"""The published measures, said a second time over rows that were worked out from the base tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from evals.proofs.oracle import Row, World
from evals.proofs.workdays import days_late

Wanted = Callable[[Row], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a measure is: of the rows that it is about, how many, a sum, a share or a rate."""

    of: str = "availability"
    only: Wanted = lambda _: True
    total: str = ""
    share: Wanted | None = None
    rate: tuple[str, str] | None = None

    def value(self, rows: Sequence[Row]) -> int | None:
        """The figure over rows of one group and unit; shares and rates scaled by a million."""
        if self.total:
            known = [row[self.total] for row in rows if row[self.total] is not None]
            return sum(known) if known else None
        if self.share:
            hits = sum(bool(self.share(row)) for row in rows)
            return round(Fraction(hits * 1_000_000, len(rows))) if rows else None
        if self.rate:
            part, over = self.rate
            both = [(row[part], row[over]) for row in rows if row[part] is not None and row[over] is not None]
            below = sum(pair[1] for pair in both)
            return round(Fraction(sum(pair[0] for pair in both) * 1_000_000, below)) if below else None
        return len(rows)

    @property
    def by_unit(self) -> bool:
        """Whether figures in different units are told apart."""
        return bool(self.total or (self.rate and self.of == "availability"))


def _more(field: str, least: int = 0) -> Wanted:
    return lambda row: row[field] is not None and row[field] > least


def _short(row: Row) -> bool:
    return row["demand"] is not None and row["available"] is not None and row["demand"] > row["available"]


MEANINGS: Mapping[str, Meaning] = {
    "stock_on_hand": Meaning(total="on_hand"),
    "stock_available": Meaning(total="available"),
    "stock_reserved": Meaning(total="reserved"),
    "stock_out_count": Meaning(only=lambda r: r["available"] is not None and r["available"] <= 0 and r["live"]),
    "short_stock_count": Meaning(only=_short),
    "days_of_supply": Meaning(rate=("available", "daily_use")),
    "low_supply_count": Meaning(only=lambda r: r["days_of_supply"] is not None and r["days_of_supply"] < 10_000_000),
    "inventory_turns": Meaning(rate=("yearly_use", "mean_stock")),
    "stock_accuracy": Meaning(only=lambda r: r["agrees"] is not None, share=lambda r: r["agrees"]),
    "stock_disagreements": Meaning(only=lambda r: r["agrees"] is False),
    "incoming_quantity": Meaning(total="incoming"),
    "unreserved_demand": Meaning(total="demand"),
    "supplier_performance": Meaning(of="supplier_rate", only=_more("receipts"), rate=("on_time", "receipts")),
}
"""Measure -> what it is, with its usual parameters."""


def expected(
    meaning: Meaning, rows: Sequence[Row], groups: Callable[[Row], tuple[Any, ...]] | None
) -> dict[tuple[Any, ...], int | None]:
    """(groups, units) -> the figure."""
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if meaning.only(row):
            units = (row["unit"],) if meaning.by_unit else ()
            found[groups(row) if groups else (), units].append(row)
    if not found and groups is None and not meaning.by_unit:
        found[(), ()] = []
    return {key: meaning.value(those) for key, those in found.items()}


def supplier_rates(world: World, today: Any, year: Any) -> Mapping[int, tuple[int, int]]:
    """Supplier -> purchase lines received in full within the last year with a promised date, and how many in time, by
    the working days of the site that received them."""
    closed: dict[int, set[Any]] = defaultdict(set)
    for closure in world.rows["site_closure"].values():
        closed[closure["site_id"]].add(closure["day"])
    found: dict[int, tuple[int, int]] = {}
    for line in world.rows["purchase_line"].values():
        order = world.rows["purchase_order"].get(line["purchase_order_id"])
        received = line["received_date"]
        if order is None or line["status"] != "received" or received is None or not today - year <= received <= today:
            continue
        promised = line["promised_date"] or order["promised_date"]
        if promised is not None:
            receipts, on_time = found.get(order["supplier_id"], (0, 0))
            site = world.rows["site"].get(order["site_id"])
            late = days_late(site, closed[order["site_id"]], promised, received)
            found[order["supplier_id"]] = receipts + 1, on_time + (late == 0)
    return found
