"""Everything that does not move with the clock: items, customers, suppliers and how demand falls on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from copilot.demo.catalogue import Item, make_items, substitutes
from copilot.demo.draws import Weighted
from copilot.demo.partners import SUPPLIERS, Customer, Supplier, make_customers, make_suppliers
from copilot.demo.places import HUBS, REGION_SITES, REGIONS, SITES
from copilot.demo.pricing import PriceBook, make_price_book

ORDERS_A_DAY = 28.0
"""Orders of all regions on a plain working day at the epoch."""
LINES_PER_ORDER = 3.0
_SEASON = (0.92, 0.95, 1.06, 1.03, 1.0, 1.02, 0.9, 0.88, 1.08, 1.1, 1.12, 0.98)
_WEEK = (0.08, 1.1, 1.08, 1.02, 1.0, 0.86, 0.16)  # Sunday first: a day ordinal modulo 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Masters:
    """The unmoving part of the company; `first_day` is the epoch as a day ordinal."""

    seed: int
    first_day: int
    items: tuple[Item, ...]
    substitutes: tuple[tuple[Item, Item, bool, int], ...]
    customers: tuple[Customer, ...]
    suppliers: tuple[Supplier, ...]
    prices: PriceBook
    buyers: tuple[tuple[Customer, ...], ...]
    buyer_weights: tuple[Weighted, ...]
    assortment: tuple[tuple[Item, ...], ...]
    assortment_weight: tuple[float, ...]
    item_weights: tuple[Weighted, ...]
    site_weights: tuple[Weighted, ...]

    def growth(self, day: int) -> float:
        """How much larger the company is than at the epoch."""
        return 1 + 0.15 * (day - self.first_day) / 365

    def pace(self, region: int, day: int) -> float:
        """Expected orders of a region on a day."""
        month = date.fromordinal(day).month
        return ORDERS_A_DAY * REGIONS[region].share * self.growth(day) * _SEASON[month - 1] * _WEEK[day % 7]

    def daily_lines(self, item: Item, site: int) -> float:
        """Expected order lines of an item at a site on an average day at the epoch."""
        region = SITES[site].region
        part = item.weight / self.assortment_weight[region]
        share = SITES[site].share
        if site == HUBS[region]:  # orders of sites that do not keep the item fall on the hub
            keeping = (other for other in REGION_SITES[region] if other in item.sites and other != site)
            share = 1 - sum(SITES[other].share for other in keeping)
        return ORDERS_A_DAY * 0.75 * REGIONS[region].share * LINES_PER_ORDER * part * share


@lru_cache(maxsize=4)
def make_masters(seed: int, epoch: date) -> Masters:
    """Draw the company; the same for the same seed and epoch."""
    first_day = epoch.toordinal()
    items = make_items(seed, first_day, SUPPLIERS)
    customers = make_customers(seed)
    buyers = tuple(tuple(c for c in customers if c.region == r) for r in range(len(REGIONS)))
    assortment = tuple(tuple(item for item in items if hub in item.sites) for hub in HUBS)
    return Masters(
        seed=seed,
        first_day=first_day,
        items=items,
        substitutes=substitutes(items, seed),
        customers=customers,
        suppliers=make_suppliers(seed),
        prices=make_price_book(seed, items, customers),
        buyers=buyers,
        buyer_weights=tuple(Weighted([c.weight for c in part]) for part in buyers),
        assortment=assortment,
        assortment_weight=tuple(sum(item.weight for item in part) for part in assortment),
        item_weights=tuple(Weighted([item.weight for item in part]) for part in assortment),
        site_weights=tuple(Weighted([SITES[site].share for site in sites]) for sites in REGION_SITES),
    )
