"""Invoices for what was shipped, credit notes for what came back, and how customers pay."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from copilot.demo.demand import Line, Order
from copilot.demo.draws import NEVER, span
from copilot.demo.fulfilment import Fulfilment, Shipment
from copilot.demo.places import REGIONS
from copilot.demo.pricing import PriceBook
from copilot.demo.worktime import DAY, HOUR, SiteClock, day


@dataclass(slots=True, eq=False, kw_only=True)
class LinePrice:
    """What a line costs, in cents: per unit of the line before discount (percent), and in all."""

    unit_price: int
    discount: int
    net: int


@dataclass(slots=True, eq=False, kw_only=True)
class Invoice:
    """An invoice or a credit note. `payments` are (moment, per mille of the total), in order."""

    number: str
    order: Order
    shipment: Shipment
    kind: str
    created: int
    issued: int
    day: int
    due: int
    paying: int
    payments: tuple[tuple[int, int], ...]
    credited: tuple[Line, int] | None = None

    @property
    def paid(self) -> int:
        """When it is wholly paid."""
        return self.payments[-1][0]

    def open_of(self, total: int, now: int) -> int:
        """What of a total (cents) is still to be paid at a moment."""
        paid = max((share for moment, share in self.payments if moment <= now), default=0)
        return total - total * paid // 1000

    def status(self, now: int) -> str:
        """The status code at a moment."""
        if self.issued > now:
            return "draft"
        if self.paid <= now:
            return "paid"
        if self.payments[0][0] <= now:
            return "partly_paid"
        return "in_payment" if self.paying <= now else "open"

    def changed(self, now: int) -> int:
        """The last moment up to now at which anything about it changed."""
        return max(moment for moment in self.moments() if moment <= now)

    def moments(self) -> tuple[int, ...]:
        """Every moment at which something about it changes."""
        return (self.created, self.issued, self.paying, *(moment for moment, _ in self.payments))


def price_line(prices: PriceBook, line: Line) -> LinePrice:
    """The price agreed on the day of the order."""
    order = line.order
    cents, discount = prices.price(order.customer, line.item, line.quantity, day(order.day).year)
    unit_price = cents * line.factor
    net = _discounted(unit_price * (line.quantity // line.factor), discount)
    return LinePrice(unit_price=unit_price, discount=discount, net=net)


def part_net(prices: PriceBook, line: Line, before: int, units: int) -> int:
    """The part of a line's net that falls on `units` after `before` were billed; the parts add up to the whole."""
    net = price_line(prices, line).net
    return net * (before + units) // line.quantity - net * before // line.quantity


def shipment_net(prices: PriceBook, fulfilment: Fulfilment, shipment: Shipment) -> int:
    """The net value of a shipment in cents."""
    total = 0
    before: dict[int, int] = {}
    for other in sorted(fulfilment.shipments, key=lambda s: (s.shipped, s.suffix)):
        for line, units, _ in other.parts:
            done = before.get(line.position, 0)
            if other is shipment:
                total += part_net(prices, line, done, units)
            before[line.position] = done + units
        if other is shipment:
            return total
    return total


def with_tax(net: int, region: int) -> int:
    """Net and sales tax together."""
    return net + (net * REGIONS[region].tax + 50) // 100


def bill(shipment: Shipment, clock: SiteClock) -> Invoice:
    """The invoice of a shipment that has left."""
    order, customer = shipment.order, shipment.order.customer
    draw = Random(order.luck - shipment.suffix)
    shipped_day = clock.day_of(shipment.shipped)
    due = shipped_day + customer.terms
    paid_day = max(shipped_day + 2, due + _delay(draw, customer.pays_late))
    paid = clock.at(paid_day, 15 * HOUR + span(draw.random(), 0, 3000))
    payments = ((paid, 1000),)
    if draw.random() < 0.05:
        later = paid + span(draw.random(), 6, 30) * DAY
        payments = ((paid, 100 * span(draw.random(), 3, 7)), (later, 1000))
    electronic = customer.index % 4 == 0
    return Invoice(
        number=f"INV-{shipment.digits}",
        order=order,
        shipment=shipment,
        kind="invoice",
        created=shipment.shipped,
        issued=clock.at(shipped_day + 1, 2 * HOUR),
        day=shipped_day,
        due=due,
        paying=paid - 30 * HOUR if electronic else NEVER,
        payments=payments,
    )


def _delay(draw: Random, pays_late: int) -> int:
    kind, size = draw.random(), draw.random()
    if kind < 0.012:
        return span(size, 35, 75)
    return span(size, pays_late // 2, pays_late * 3 // 2) if pays_late else span(size, -5, 2)


def _discounted(cents: int, discount: int) -> int:
    return (cents * (100 - discount) + 50) // 100
