"""The items: drawn once from the seed, never from the clock."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random

from copilot.demo.assortment import CATEGORIES, Category
from copilot.demo.draws import NEVER, dice, span
from copilot.demo.places import HUBS, REGION_SITES, REGIONS

ITEMS = 2_200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Item:
    """One item. Prices in cents of USD per base unit; `box` and `pallet` in base units, 0 for none.

    `sites` are where it is kept; a region is served if its hub is among them. `weight` is how much it sells,
    `retires` the day (ordinal) it is phased out, `cover` how well its stock is planned (about 1).
    """

    index: int
    number: str
    name: str
    category: Category
    gtin: str
    box: int
    pallet: int
    usual: int
    price: int
    cost: int
    supplier: int
    second_supplier: int | None
    weight: float
    sites: frozenset[int]
    shelf_life: int
    retires: int
    cover: float
    maker_number: str
    old_number: str | None

    @property
    def unit(self) -> str:
        """The base unit."""
        return self.category.unit

    def price_in(self, region: int) -> int:
        """The list price in cents of a region's currency."""
        return max(1, round(self.price * REGIONS[region].money))

    def cost_in(self, region: int) -> int:
        """The cost in cents of a region's currency."""
        return max(1, round(self.cost * REGIONS[region].money))


def gtin13(body: str) -> str:
    """Twelve digits and their GS1 check digit."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def make_items(seed: int, first_day: int, suppliers: int) -> tuple[Item, ...]:
    """All items, numbers ascending within each category."""
    names = _names(dice(seed, "item names"))
    return tuple(_item(seed, index, names[index], first_day, suppliers) for index in range(ITEMS))


def substitutes(items: tuple[Item, ...], seed: int) -> tuple[tuple[Item, Item, bool, int], ...]:
    """(item, substitute, approved, rank): neighbours of the same kind, four in five approved."""
    found: list[tuple[Item, Item, bool, int]] = []
    for item in items:
        draw = dice(seed, "substitutes", item.index)
        if draw.random() < 0.72:
            continue
        others = [other for other in items[max(0, item.index - 3) : item.index + 4] if other is not item]
        alike = [other for other in others if other.category is item.category]
        for rank, other in enumerate(alike[: span(draw.random(), 1, 2)], 1):
            found.append((item, other, draw.random() < 0.8, rank))
    return tuple(found)


def _names(draw: Random) -> list[tuple[Category, str]]:
    """Every category gives some of its combinations, in an order that keeps like with like."""
    spaces = [
        (category, [" ".join(parts) for parts in product(category.nouns, category.variants, category.sizes)])
        for category in CATEGORIES
    ]
    pool = [(draw.random(), place, category, name) for place, (category, names) in enumerate(spaces) for name in names]
    doubled = pool + [
        (drawn + 0.35, place, category, f"{name} series {1 + int(drawn * 1e4) % 8 + 1}")
        for drawn, place, category, name in pool
    ]
    doubled.sort()
    chosen = sorted(doubled[:ITEMS], key=lambda entry: (entry[1], entry[3]))
    return [(category, name) for _, _, category, name in chosen]


def _item(seed: int, index: int, kind: tuple[Category, str], first_day: int, suppliers: int) -> Item:
    category, name = kind
    draw = dice(seed, "item", index)
    low, high = category.prices
    price = round(low * (high / low) ** draw.random())
    rank = draw.random()
    main, second = _suppliers(draw, category, suppliers)
    return Item(
        index=index,
        number=f"{category.code}-{20_000 + index * 7 + span(draw.random(), 0, 6)}",
        name=name,
        category=category,
        gtin=gtin13(f"29{span(draw.random(), 0, 999_999):06d}{index:04d}"),
        box=category.box,
        pallet=(category.box or max(10, category.usual)) * 40,
        usual=max(1, round(category.usual * (0.5 + draw.random()))),
        price=price,
        cost=max(1, round(price * (0.48 + 0.22 * draw.random()))),
        supplier=main,
        second_supplier=second,
        weight=1 / (rank * ITEMS + 20) ** 0.8,
        sites=_sites(draw),
        shelf_life=span(draw.random(), 300, 730) if category.lots else 0,
        retires=first_day + span(draw.random(), 60, 1_800) if draw.random() < 0.06 else NEVER,
        cover=0.72 + 0.6 * draw.random(),
        maker_number=f"{name[:2].upper()}{span(draw.random(), 100, 999)}-{index:04d}",
        old_number=f"{category.code}{9_000_000 + index}" if draw.random() < 0.2 else None,
    )


def _suppliers(draw: Random, category: Category, suppliers: int) -> tuple[int, int | None]:
    """Every category has its own suppliers, the first of them the biggest."""
    place = CATEGORIES.index(category)
    own = range(place, suppliers, len(CATEGORIES))
    main = own[int(len(own) * draw.random() ** 2)]
    second = own[int(len(own) * draw.random())]
    return main, second if second != main and draw.random() < 0.5 else None


def _sites(draw: Random) -> frozenset[int]:
    served = [draw.random() < part for part in (0.86, 0.7, 0.5)]
    if not any(served):
        served[0] = True
    kept: set[int] = set()
    for region, sites in enumerate(REGION_SITES):
        here = [site for site in sites if draw.random() < 0.4 or site == HUBS[region]]
        if served[region]:
            kept.update(here)
    return frozenset(kept)
