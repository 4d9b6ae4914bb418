"""Items and price lists as records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

from copilot.demo.catalogue import Item
from copilot.demo.places import REGIONS
from copilot.demo.pricing import Contract, PriceRule
from copilot.demo.tables import SHARED, Table, Values, latest, money
from copilot.demo.worktime import DAY, UNIX_DAY, instant
from copilot.demo.world import DemoWorld

Alias = tuple[Item, str, str]
"""(item, kind, value)"""
Substitute = tuple[Item, Item, bool, int]


def _items(world: DemoWorld, _: int) -> tuple[Item, ...]:
    return world.masters.items


def _retired(item: Item) -> int:
    return (item.retires - UNIX_DAY) * DAY


def _item(world: DemoWorld, item: Item) -> Values:
    return {
        "number": item.number,
        "name": item.name,
        "category": item.category.name,
        "base_unit": item.unit,
        "gtin": item.gtin,
        "status": "phase_out" if _retired(item) <= world.now else "active",
        "lot_tracked": item.category.lots,
    }


def _units(world: DemoWorld, _: int) -> Iterator[tuple[Item, str, int]]:
    for item in world.masters.items:
        if item.box:
            yield item, "box", item.box
        yield item, "pallet", item.pallet


def _aliases(world: DemoWorld, _: int) -> Iterator[Alias]:
    for item in world.masters.items:
        if item.index % 2 == 0:
            yield item, "manufacturer", item.maker_number
        if item.old_number:
            yield item, "old_number", item.old_number


def _regional(world: DemoWorld, _: int) -> Iterator[tuple[Item, int]]:
    return ((item, region) for item in world.masters.items for region in range(len(REGIONS)))


def _price(_: DemoWorld, row: tuple[Item, int]) -> Values:
    item, region = row
    return {
        "item": item.number,
        "price": money(item.price_in(region)),
        "currency": REGIONS[region].currency,
        "unit": item.unit,
    }


def _cost(_: DemoWorld, row: tuple[Item, int]) -> Values:
    item, region = row
    return {
        "item": item.number,
        "cost": money(item.cost_in(region)),
        "currency": REGIONS[region].currency,
        "unit": item.unit,
        "method": "standard",
    }


def _rule(world: DemoWorld, rule: PriceRule) -> Values:
    region = dict(world.masters.prices.lists)[rule.price_list]
    return {
        "price_list": rule.price_list,
        "item": rule.item.number if rule.item else None,
        "category": rule.category,
        "kind": "discount" if rule.price is None else "fixed",
        "price": None if rule.price is None else money(rule.price),
        "currency": REGIONS[region].currency,
        "discount": None if rule.discount is None else Decimal(rule.discount).scaleb(-2),
        "minimum_quantity": rule.minimum or None,
        "unit": rule.item.unit if rule.item else None,
        "starts": world.epoch,
        "ends": None,
        "label": rule.label,
    }


def _contracts(world: DemoWorld, _: int) -> Iterator[Contract]:
    prices = world.masters.prices
    for year in range(world.epoch.year, instant(world.now).year + 1):
        for index, items in prices.contracted.items():
            for item in items:
                contract = prices.contract(world.masters.customers[index], item, year)
                if contract is not None:
                    yield contract


def _signed(world: DemoWorld, contract: Contract) -> int:
    return max(world.begin, int(datetime(contract.year, 1, 1, tzinfo=UTC).timestamp()))


def _contract(_: DemoWorld, row: Contract) -> Values:
    return {
        "number": row.number,
        "customer": row.customer.number,
        "item": row.item.number,
        "committed_quantity": row.committed,
        "unit": row.item.unit,
        "price": money(row.price),
        "currency": REGIONS[row.customer.region].currency,
        "starts": date(row.year, 1, 1),
        "ends": date(row.year, 12, 31),
    }


ITEMS = (
    Table[Item](
        entity="item",
        rows=_items,
        key=lambda r: r.number,
        values=_item,
        changed=lambda w, r: latest(w, w.begin, _retired(r)),
        labels=lambda _: SHARED,
    ),
    Table[tuple[Item, str, int]](
        entity="item_unit",
        rows=_units,
        key=lambda r: f"{r[0].number}/{r[1]}",
        values=lambda _, r: {"item": r[0].number, "unit": r[1], "base_quantity": r[2], "base_unit": r[0].unit},
    ),
    Table[Alias](
        entity="item_alias",
        rows=_aliases,
        key=lambda r: f"{r[0].number}/{r[1]}",
        values=lambda _, r: {"item": r[0].number, "kind": r[1], "value": r[2]},
    ),
    Table[Substitute](
        entity="item_substitute",
        rows=lambda w, _: w.masters.substitutes,
        key=lambda r: f"{r[0].number}/{r[1].number}",
        values=lambda _, r: {"item": r[0].number, "substitute": r[1].number, "approved": r[2], "rank": r[3]},
    ),
    Table[tuple[Item, int]](
        entity="item_price",
        rows=_regional,
        key=lambda r: f"{r[0].number}/{REGIONS[r[1]].code}",
        values=_price,
        labels=lambda r: {"region": REGIONS[r[1]].code},
    ),
    Table[tuple[Item, int]](
        entity="item_cost",
        rows=_regional,
        key=lambda r: f"{r[0].number}/{REGIONS[r[1]].code}",
        values=_cost,
        labels=lambda r: {"region": REGIONS[r[1]].code},
    ),
)
"""The tables of items."""
PRICES = (
    Table[tuple[str, int]](
        entity="price_list",
        rows=lambda w, _: w.masters.prices.lists,
        key=lambda r: r[0],
        values=lambda _, r: {"name": r[0], "currency": REGIONS[r[1]].currency},
        labels=lambda r: {"region": REGIONS[r[1]].code},
    ),
    Table[PriceRule](entity="price_rule", rows=lambda w, _: w.masters.prices.rules, key=lambda r: r.key, values=_rule),
    Table[Contract](
        entity="customer_contract", rows=_contracts, key=lambda r: r.number, values=_contract, changed=_signed
    ),
)
"""The tables of prices."""
