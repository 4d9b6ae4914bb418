"""Sales orders, lines, holds and reservations as records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from copilot.demo.billing import price_line, with_tax
from copilot.demo.demand import Line, Order
from copilot.demo.draws import NEVER
from copilot.demo.fulfilment import Fulfilment
from copilot.demo.places import CHANNELS, REGIONS, SITES
from copilot.demo.stock import Reserved, reserved_by
from copilot.demo.tables import Table, Values, latest, money, passed, passed_day
from copilot.demo.worktime import day, instant
from copilot.demo.world import DemoWorld, Life

LineLife = tuple[Line, Life]


def order_status(world: DemoWorld, life: Life) -> str:
    """The status code of an order now."""
    order, done = life.order, life.fulfilment
    if order.cancelled <= world.now:
        return "cancelled"
    if order.confirmed > world.now:
        return "quotation"
    if not done.shipped:
        return "confirmed"
    if not done.all_shipped:
        return "partly_shipped"
    return "shipped" if done.delivered(world.now) == NEVER else "delivered"


def line_status(world: DemoWorld, line: Line, done: Fulfilment) -> str:
    """The status code of a line now."""
    shipped = done.shipped.get(line.position, (0, 0))[0]
    if line.order.cancelled <= world.now:
        return "cancelled"
    if shipped:
        return "shipped" if shipped == line.quantity else "partly_shipped"
    short = line.order.confirmed <= world.now and line.allocated < line.quantity
    return "backordered" if short else "open"


def customer_po(order: Order) -> str | None:
    """The customer's own number for the order, in that customer's manner; one order in twelve has none."""
    if order.luck % 12 == 0:
        return None
    digits = order.luck // 12
    styles = (
        f"{date.fromordinal(order.day).year}-{digits % 100_000:05d}",
        f"45{digits % 100_000_000:08d}",
        f"B{digits % 1_000_000:06d}",
        f"{order.customer.name[:3].upper().strip()}-{digits % 100_000:05d}",
    )
    return styles[order.customer.po_style]


def _lines(world: DemoWorld, since: int) -> Iterator[LineLife]:
    return ((line, life) for life in world.lives(since) for line in life.order.lines)


def _changed(world: DemoWorld, life: Life) -> int:
    order, done = life.order, life.fulfilment
    shipped = (last for _, last in done.shipped.values())
    times = (order.created, order.confirmed, order.cancelled, *shipped, done.delivered(world.now))
    return latest(world, *times, *(s.shipped for s in done.shipments))


def _line_changed(world: DemoWorld, row: LineLife) -> int:
    line, life = row
    order = line.order
    shipped = (
        shipment.shipped
        for shipment in life.fulfilment.shipments
        if any(other is line for other, _, _ in shipment.parts)
    )
    return latest(world, order.created, order.confirmed, order.cancelled, *(a[0] for a in line.allocations), *shipped)


def _order(world: DemoWorld, life: Life) -> Values:
    order, done = life.order, life.fulfilment
    shipped = max((last for _, last in done.shipped.values()), default=NEVER) if done.all_shipped else NEVER
    return {
        "number": order.number,
        "customer": order.customer.number,
        "customer_po": customer_po(order),
        "site": SITES[order.site].code,
        "status": order_status(world, life),
        "order_date": day(order.day),
        "requested_date": day(order.requested),
        "promised_date": day(order.promised) if order.confirmed <= world.now else None,
        "shipped_date": passed_day(world, order.site, shipped),
        "ship_complete": order.complete,
    }


def _line(world: DemoWorld, row: LineLife) -> Values:
    line, life = row
    order, factor = line.order, line.factor
    shipped, last = life.fulfilment.shipped.get(line.position, (0, NEVER))
    ended = order.cancelled <= world.now
    return {
        "order": order.number,
        "line_number": line.position,
        "item": line.item.number,
        "site": SITES[line.site].code,
        "ordered_quantity": line.quantity // factor,
        "shipped_quantity": shipped // factor,
        "reserved_quantity": 0 if ended else (line.allocated - shipped) // factor,
        "open_quantity": 0 if ended else (line.quantity - shipped) // factor,
        "unit": line.unit,
        "status": line_status(world, line, life.fulfilment),
        "requested_date": day(order.requested),
        "promised_date": day(order.promised) if order.confirmed <= world.now else None,
        "shipped_date": passed_day(world, line.site, last) if shipped == line.quantity else None,
    }


def _amount(world: DemoWorld, life: Life) -> Values:
    order = life.order
    net = sum(price_line(world.masters.prices, line).net for line in order.lines)
    total = with_tax(net, order.region)
    return {
        "order": order.number,
        "net": money(net),
        "tax": money(total - net),
        "total": money(total),
        "currency": REGIONS[order.region].currency,
    }


def _line_price(world: DemoWorld, row: LineLife) -> Values:
    line, _ = row
    price = price_line(world.masters.prices, line)
    return {
        "line": line.key,
        "unit_price": money(price.unit_price),
        "discount": Decimal(price.discount).scaleb(-2),
        "net": money(price.net),
        "currency": REGIONS[line.order.region].currency,
    }


def _holds(world: DemoWorld, since: int) -> Iterator[Order]:
    for life in world.lives(since):
        order = life.order
        if order.held <= world.now and order.held < order.cancelled:
            yield order


def _released(order: Order) -> int:
    return min(order.released, order.cancelled)


def _hold(world: DemoWorld, order: Order) -> Values:
    return {
        "order": order.number,
        "reason": order.hold_reason,
        "placed_at": instant(order.held),
        "released_at": passed(world, _released(order)),
    }


def _reservations(world: DemoWorld, _: int) -> Iterator[Reserved]:
    """Goods that left or were given up are reserved no more: their records are gone."""
    return (entry for life in world.recent(world.now) for entry in reserved_by(life.fulfilment, world.now))


def _reservation(_: DemoWorld, row: Reserved) -> Values:
    return {
        "order": row.line.order.number,
        "line": row.line.key,
        "item": row.line.item.number,
        "site": SITES[row.line.site].code,
        "lot": row.lot,
        "quantity": row.units,
        "unit": row.line.item.unit,
    }


def _lives(world: DemoWorld, since: int) -> Iterator[Life]:
    return world.lives(since)


SALES = (
    Table[Life](
        entity="sales_order",
        rows=_lives,
        key=lambda r: r.order.number,
        values=_order,
        changed=_changed,
        company=lambda r: r.order.company,
        labels=lambda r: {"channel": CHANNELS[r.order.channel].code},
        drop=0,
    ),
    Table[LineLife](
        entity="sales_order_line",
        rows=_lines,
        key=lambda r: r[0].key,
        values=_line,
        changed=_line_changed,
        company=lambda r: r[0].order.company,
        drop=0,
    ),
    Table[Life](
        entity="sales_order_amount",
        rows=_lives,
        key=lambda r: r.order.number,
        values=_amount,
        changed=lambda _, r: r.order.created,
        company=lambda r: r.order.company,
        drop=0,
    ),
    Table[LineLife](
        entity="sales_line_price",
        rows=_lines,
        key=lambda r: r[0].key,
        values=_line_price,
        changed=lambda _, r: r[0].order.created,
        company=lambda r: r[0].order.company,
        drop=0,
    ),
    Table[Order](
        entity="order_hold",
        rows=_holds,
        key=lambda r: f"HOLD-{r.n}",
        values=_hold,
        changed=lambda w, r: latest(w, r.held, _released(r)),
        company=lambda r: r.company,
        drop=0,
    ),
    Table[Reserved](
        entity="reservation",
        rows=_reservations,
        key=lambda r: r.key,
        values=_reservation,
        changed=lambda _, r: r.changed,
        company=lambda r: r.line.order.company,
        drop=0,
    ),
)
"""The tables of sales orders."""
