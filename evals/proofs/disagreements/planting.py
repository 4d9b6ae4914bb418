"""Draws a small group of systems that hold stock of the same items at the same sites, and do not always agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

from connectors.base import SourceRecord, Value

AT = datetime(2026, 11, 2, 7, tzinfo=UTC)
SITES = ("North", "South", "East")
PURPOSES = ("erp", "wms", "commerce", "logistics", "files", "erp", "wms")
CASES = 5
"""Pieces in a case, where the item has one."""
HABITS = ("agrees", "differs", "other unit", "differs in another unit", "no conversion", "in lots", "leaves out a lot",
          "none there", "no record")  # fmt: skip
"""What another system may do with the stock of an item at a site that the first one has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """One record of stock. A figure that is None is not recorded."""

    on_hand: Decimal | None
    available: Decimal | None
    reserved: Decimal | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One source; the first of a world is the one that knows the company, and was added first."""

    name: str
    purpose: str
    sites: tuple[str, ...]
    shop: bool
    """Whether it tells nothing but what it may sell."""
    stock: dict[tuple[int, str], tuple[Lot, ...]] = field(default_factory=dict[tuple[int, str], tuple[Lot, ...]])
    """(item, site) -> its records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The systems in the order added, the items by index, and those that come in cases of five."""

    systems: tuple[System, ...]
    items: range
    cased: frozenset[int]


def make_group(random: Random, items: int) -> Group:
    """A group of two to four systems."""
    purposes = random.sample(PURPOSES, random.randint(2, 4))
    systems = tuple(_system(random, place, purpose) for place, purpose in enumerate(purposes))
    group = Group(systems=systems, items=range(items), cased=frozenset(i for i in range(items) if i % 2))
    for item in group.items:
        for site in SITES:
            if random.random() < 0.7:
                _stock(random, group, item, site)
    return group


def _system(random: Random, place: int, purpose: str) -> System:
    sites = SITES if place == 0 else tuple(random.sample(SITES, random.randint(1, 3)))
    return System(
        name=f"System {'ABCD'[place]}", purpose=purpose, sites=sites, shop=place > 0 and purpose == "commerce"
    )


def _stock(random: Random, group: Group, item: int, site: str) -> None:
    first, *others = [system for system in group.systems if site in system.sites]
    on_hand, reserved = Decimal(random.randint(1, 60)) * CASES, Decimal(random.randint(0, 4))
    if others and random.random() < 0.1:
        first = others.pop(0)  # the first has no record of it
    first.stock[item, site] = (_lot(first, on_hand, reserved),)
    for other in others:
        lots = _habit(random, random.choice(HABITS), other, on_hand, reserved)
        if lots:
            other.stock[item, site] = lots


def _habit(random: Random, habit: str, system: System, on_hand: Decimal, reserved: Decimal) -> tuple[Lot, ...]:
    other, part = on_hand + random.choice((-5, -4, -1, 1, 2, 10)), Decimal(random.randint(0, int(on_hand)))
    unknown = Lot(on_hand=None, available=None, reserved=None, unit="pc")
    return {
        "agrees": (_lot(system, on_hand, reserved),),
        "differs": (_lot(system, other, reserved),),
        "other unit": (_lot(system, on_hand / CASES, reserved / CASES, "case"),),
        "differs in another unit": (_lot(system, on_hand / CASES + 1, reserved / CASES, "case"),),
        "no conversion": (_lot(system, on_hand, reserved, "pallet"),),
        "in lots": (_lot(system, part, reserved), _lot(system, on_hand - part, Decimal(0))),
        "leaves out a lot": (_lot(system, on_hand, reserved), unknown),
        "none there": (_lot(system, Decimal(0), Decimal(0)),),
        "no record": (),
    }[habit]


def _lot(system: System, on_hand: Decimal, reserved: Decimal, unit: str = "pc") -> Lot:
    """What a system records of so much: an ERP all of it, a shop what it may sell, the others what is there."""
    if system.shop:
        return Lot(on_hand=None, available=on_hand - reserved, reserved=None, unit=unit)
    if system.purpose == "erp":
        return Lot(on_hand=on_hand, available=on_hand - reserved, reserved=reserved, unit=unit)
    return Lot(on_hand=on_hand, available=None, reserved=None, unit=unit)


def records(group: Group, system: System) -> list[SourceRecord]:
    """A system's records as a connector would deliver them."""
    first = system is group.systems[0]
    found = [_record("region", "r", code="XX", name="Region")] if first else []
    for site in system.sites:
        own = {"name": site, "region": "r", "time_zone": "UTC"} if first else {"name": site}
        found.append(_record("site", site, code=site[:2].upper(), **own))
    for item in group.items:
        number = f"IT-{item:04d}"
        found.append(_record("item", f"{item}", number=number, name=f"Thing no. {number}", base_unit="pc"))
        if first and item in group.cased:
            found.append(_record("item_unit", f"{item}", item=f"{item}", unit="case", base_quantity=Decimal(CASES),
                                 base_unit="pc"))  # fmt: skip
    for (item, site), lots in system.stock.items():
        for place, lot in enumerate(lots):
            found.append(_record("stock", f"{item}/{site}/{place}", item=f"{item}", site=site, lot=f"L{place}",
                                 on_hand=lot.on_hand, reserved=lot.reserved, available=lot.available,
                                 unit=lot.unit))  # fmt: skip
    return found


def _record(entity: str, key: str, **values: Value) -> SourceRecord:
    labels = {"region": "*"} if entity == "item" else {}
    return SourceRecord(entity=entity, company="", key=key, changed_at=AT, values=values, labels=labels)
