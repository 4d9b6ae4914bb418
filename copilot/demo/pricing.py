"""Price lists by region and tier, their rules, contracts, and the price they give."""

from __future__ import annotations

from dataclasses import dataclass, field

from copilot.demo.assortment import CATEGORIES
from copilot.demo.catalogue import Item
from copilot.demo.draws import NEVER, chance, dice, span
from copilot.demo.partners import Customer
from copilot.demo.places import REGIONS

TIERS = ("a", "b", "c")
_BASE_DISCOUNT = {"a": 12, "b": 7, "c": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRule:
    """One rule of a price list: a fixed price (cents) for an item, or a discount (percent) for a category or all."""

    key: str
    price_list: str
    item: Item | None = None
    category: str | None = None
    price: int | None = None
    discount: int | None = None
    minimum: int = 0
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A customer's commitment to buy an item at a price (cents) within a calendar year."""

    number: str
    customer: Customer
    item: Item
    year: int
    committed: int
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """All lists and rules, and where to look a price up."""

    seed: int
    lists: tuple[tuple[str, int], ...]
    """(name, region)"""
    rules: tuple[PriceRule, ...]
    fixed: dict[tuple[str, int], list[PriceRule]] = field(repr=False)
    by_category: dict[tuple[str, str], PriceRule] = field(repr=False)
    general: dict[str, PriceRule] = field(repr=False)
    contracted: dict[int, tuple[Item, ...]] = field(repr=False)

    def contract(self, customer: Customer, item: Item, year: int) -> Contract | None:
        """The contract in force for that item in a year; drawn anew every year."""
        if item not in self.contracted.get(customer.index, ()):
            return None
        if chance(self.seed, "renews", customer.index, year) < 0.25:
            return None
        part = 0.78 + 0.08 * chance(self.seed, "contract", customer.index, year)
        price = round(item.price_in(customer.region) * part)
        place = self.contracted[customer.index].index(item)
        return Contract(
            number=f"K-{year}{customer.index:03d}{place}",
            customer=customer,
            item=item,
            year=year,
            committed=item.usual * 24,
            price=max(1, price),
        )

    def price(self, customer: Customer, item: Item, quantity: int, year: int) -> tuple[int, int]:
        """(cents per base unit, discount in percent): by contract, fixed price, category or whole list, in turn."""
        contract = self.contract(customer, item, year) if customer.index in self.contracted else None
        if contract is not None:
            return contract.price, 0
        name = list_name(customer.region, customer.tier)
        for rule in self.fixed.get((name, item.index), ()):
            if quantity >= rule.minimum and rule.price is not None:
                return rule.price, 0
        rule = self.by_category.get((name, item.category.name)) or self.general[name]
        return item.price_in(customer.region), rule.discount or 0


def list_name(region: int, tier: str) -> str:
    """The price list of a tier in a region."""
    return f"{REGIONS[region].code} list {tier.upper()}"


def make_price_book(seed: int, items: tuple[Item, ...], customers: tuple[Customer, ...]) -> PriceBook:
    """Draw lists, rules and who has contracts for what."""
    lists = tuple((list_name(region, tier), region) for region in range(len(REGIONS)) for tier in TIERS)
    rules = tuple(rule for name, region in lists for rule in _rules(seed, name, region, items))
    fixed: dict[tuple[str, int], list[PriceRule]] = {}
    for rule in rules:
        if rule.item is not None:
            fixed.setdefault((rule.price_list, rule.item.index), []).append(rule)
    for group in fixed.values():
        group.sort(key=lambda rule: -rule.minimum)
    return PriceBook(
        seed=seed,
        lists=lists,
        rules=rules,
        fixed=fixed,
        by_category={(rule.price_list, rule.category): rule for rule in rules if rule.category},
        general={rule.price_list: rule for rule in rules if rule.item is None and rule.category is None},
        contracted={c.index: _contracted(seed, c, items) for c in customers if c.tier == "a" and c.index % 2 == 0},
    )


def _rules(seed: int, name: str, region: int, items: tuple[Item, ...]) -> list[PriceRule]:
    draw = dice(seed, "price rules", name)
    base = _BASE_DISCOUNT[name[-1].lower()]
    made = [PriceRule(key=f"{name}/all", price_list=name, discount=base, label=f"{base}% off list")]
    for category in CATEGORIES:
        if draw.random() < 0.35:
            off = base + span(draw.random(), 2, 8)
            label = f"{off}% off {category.name}"
            key = f"{name}/{category.code}"
            made.append(PriceRule(key=key, price_list=name, category=category.name, discount=off, label=label))
    for item in sorted({span(draw.random(), 0, len(items) - 1) for _ in range(24)}):
        made.extend(_fixed(name, region, items[item], base))
    return made


def _fixed(name: str, region: int, item: Item, base: int) -> list[PriceRule]:
    made: list[PriceRule] = []
    for minimum, off in ((0, base + 5), (item.usual * 3, base + 9)):
        price = max(1, item.price_in(region) * (100 - off) // 100)
        label = f"net price from {minimum} {item.unit}" if minimum else "net price"
        key = f"{name}/{item.number}/{minimum}"
        made.append(PriceRule(key=key, price_list=name, item=item, price=price, minimum=minimum, label=label))
    return made


def _contracted(seed: int, customer: Customer, items: tuple[Item, ...]) -> tuple[Item, ...]:
    draw = dice(seed, "contracted", customer.index)
    wanted = {span(draw.random(), 0, len(items) - 1) for _ in range(3)}
    return tuple(items[index] for index in sorted(wanted) if items[index].retires == NEVER)
