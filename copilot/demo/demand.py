"""Sales orders as customers place them: who, what, when, and everything decided on that day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from copilot.demo.catalogue import Item
from copilot.demo.draws import NEVER, Weighted, dice, pick, span
from copilot.demo.masters import Masters
from copilot.demo.partners import Customer
from copilot.demo.places import CHANNELS, HUBS, REGION_SITES, REGIONS
from copilot.demo.worktime import DAY, HOUR, SiteClock

FIRST_NUMBER = 10_001
_Chance = Callable[[], float]
Allocation = tuple[int, int, str | None]
"""(moment, quantity in base units, lot)"""

_LINES = Weighted([0.3, 0.22, 0.16, 0.11, 0.08, 0.05, 0.05, 0.03])
_CHANNELS = Weighted([channel.share for channel in CHANNELS])
_REASONS = ("credit", "credit", "payment", "stock", "address", "export_check", "quality", "customer_request", "price")


@dataclass(slots=True, eq=False)
class Line:
    """An order line. `quantity` in base units; `factor` base units make one of the line's unit."""

    order: Order
    position: int
    item: Item
    site: int
    quantity: int
    factor: int
    allocations: list[Allocation] = field(default_factory=list[Allocation])
    allocated: int = 0

    @property
    def unit(self) -> str:
        return "box" if self.factor > 1 else self.item.unit

    @property
    def key(self) -> str:
        return f"{self.order.number}/{self.position}"


@dataclass(slots=True, eq=False, kw_only=True)
class Order:
    """A sales order. Moments in Unix seconds, days as ordinals; NEVER for what does not happen."""

    n: int = 0
    luck: int
    region: int
    site: int
    customer: Customer
    channel: int
    created: int
    confirmed: int
    cancelled: int
    day: int
    requested: int
    promised: int
    hold_reason: str
    held: int
    released: int
    complete: bool
    slip: int
    quotation: bool
    lines: list[Line] = field(default_factory=list[Line])

    @property
    def number(self) -> str:
        return f"SO-{self.n}"

    @property
    def company(self) -> str:
        return REGIONS[self.region].code


def make_orders(masters: Masters, clocks: Sequence[SiteClock], now: int) -> list[Order]:
    """All orders placed up to a moment, numbered as they came in over all regions."""
    placed: list[Order] = []
    for region, hub in enumerate(HUBS):
        for day in range(masters.first_day, clocks[hub].day_of(now) + 1):
            draw = dice(masters.seed, "orders", region, day)
            count = int(masters.pace(region, day) + draw.random())
            placed.extend(_order(masters, clocks, region, day, draw) for _ in range(count))
    orders = sorted((order for order in placed if order.created <= now), key=lambda order: (order.created, order.luck))
    for n, order in enumerate(orders, FIRST_NUMBER):
        order.n = n
    return orders


def _order(masters: Masters, clocks: Sequence[SiteClock], region: int, day: int, draw: Random) -> Order:
    chance = draw.random
    customer = masters.buyers[region][masters.buyer_weights[region].at(chance())]
    site = customer.site if chance() < 0.8 else REGION_SITES[region][masters.site_weights[region].at(chance())]
    clock = clocks[site]
    created = clock.at(day, 7 * HOUR + int(chance() * 12 * HOUR))
    quotation, confirmed = _confirmed(chance, created)
    asked = chance()
    wait = span(chance(), 1, 4) if asked < 0.6 else span(chance(), 5, 12) if asked < 0.9 else span(chance(), 13, 30)
    requested = clock.working(day, wait)
    base = day if confirmed == NEVER else clock.day_of(confirmed)
    reason, held, released = _hold(chance, confirmed)
    order = Order(
        luck=int(chance() * (1 << 48)),
        region=region,
        site=site,
        customer=customer,
        channel=customer.channel if chance() < 0.7 else _CHANNELS.at(chance()),
        created=created,
        confirmed=confirmed,
        cancelled=_cancelled(chance, created, confirmed),
        day=day,
        requested=requested,
        promised=max(requested, clock.working(base, 2)),
        hold_reason=reason,
        held=held,
        released=released,
        complete=chance() < 0.12,
        slip=span(chance(), 1, 3) if chance() < 0.07 else 0,
        quotation=quotation,
    )
    _add_lines(masters, order, draw)
    return order


def _confirmed(chance: _Chance, created: int) -> tuple[bool, int]:
    """Whether it begins as a quotation, and when it is confirmed."""
    if chance() >= 0.06:
        return False, created + int(chance() * HOUR)
    return True, created + int((1 + 11 * chance()) * DAY) if chance() < 0.6 else NEVER


def _cancelled(chance: _Chance, created: int, confirmed: int) -> int:
    if confirmed == NEVER:
        return created + 30 * DAY
    return confirmed + int((0.2 + 3 * chance()) * DAY) if chance() < 0.015 else NEVER


def _hold(chance: _Chance, confirmed: int) -> tuple[str, int, int]:
    if confirmed == NEVER or chance() >= 0.06:
        return "", NEVER, NEVER
    held = confirmed + int(chance() * 2 * HOUR) + 60
    long = chance() < 0.15
    days = 8 + 22 * chance() if long else 0.3 + 6 * chance()
    return pick(chance(), _REASONS), held, held + int(days * DAY)


def _add_lines(masters: Masters, order: Order, draw: Random) -> None:
    assortment, weights = masters.assortment[order.region], masters.item_weights[order.region]
    chance = draw.random
    chosen: set[int] = set()

    for _ in range(_LINES.at(chance()) + 1):
        item = assortment[weights.at(chance())]
        size, spike, boxed = chance(), chance(), chance()
        if item.index in chosen or item.retires <= order.day:
            continue
        chosen.add(item.index)
        site = order.site if order.site in item.sites else HUBS[order.region]

        quantity = max(1, int(item.usual * (0.3 + 1.5 * size * size) * (4 if spike < 0.015 else 1)))
        factor = 1
        if boxed < 0.25 and item.box and not item.category.lots and quantity >= item.box:
            factor, quantity = item.box, quantity // item.box * item.box
        order.lines.append(Line(order, len(order.lines) + 1, item, site, quantity, factor))
    if not order.lines:
        _add_staple(masters, order)


def _add_staple(masters: Masters, order: Order) -> None:
    """An order whose drawn items have all been phased out takes the first that has not."""
    item = next(item for item in masters.assortment[order.region] if item.retires == NEVER)
    order.lines.append(Line(order, 1, item, HUBS[order.region], item.usual, 1))
