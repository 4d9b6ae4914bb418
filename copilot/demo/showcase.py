"""Handles for guides, starters and tests: which records of the demo company show what, at a moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

from copilot.demo.draws import NEVER
from copilot.demo.fulfilment import Shipment
from copilot.demo.places import REGIONS
from copilot.demo.purchasing import PurchaseOrder, transfer_number, transfer_status
from copilot.demo.tables_sales import customer_po, line_status, order_status
from copilot.demo.world import DemoWorld, Life

_OPEN = ("confirmed", "partly_shipped")
SEED = 7


def showcase(moment: datetime, *, seed: int = SEED, epoch: date | None = None) -> dict[str, str]:
    """Name -> number of a record that shows it. A name is missing where nothing shows it at that moment."""
    world = DemoWorld(seed=seed, epoch=epoch or date(moment.year - 2, moment.month, 1), now=moment)
    return showcase_of(world)


def showcase_of(world: DemoWorld) -> dict[str, str]:
    """The same, of a world at hand."""
    lives = list(world.recent(world.now))
    return dict((*_orders(world, lives), *_shipments(world, lives), *_money(world, lives), *_supply(world)))


def _today(world: DemoWorld, site: int) -> int:
    return world.clocks[site].day_of(world.now)


def _first(lives: Sequence[Life], test: Callable[[Life], bool]) -> Life | None:
    """The youngest order that shows it: the freshest makes the best example."""
    return next((life for life in reversed(lives) if test(life)), None)


def _orders(world: DemoWorld, lives: Sequence[Life]) -> Iterator[tuple[str, str]]:
    tests: dict[str, Callable[[Life], bool]] = {
        "backordered_overdue_us": lambda life: _in(life, "US") and _overdue(world, life) and _short(world, life),
        "on_hold_de": lambda life: _in(life, "DE") and _held(world, life),
        "partly_shipped_us": lambda life: _in(life, "US") and order_status(world, life) == "partly_shipped",
        "overdue_sg": lambda life: _in(life, "SG") and _overdue(world, life),
        "quotation": lambda life: order_status(world, life) == "quotation",
        "cancelled": lambda life: order_status(world, life) == "cancelled",
        "returned": lambda life: life.back is not None,
        "with_case": lambda life: life.case is not None and life.case.closed > world.now,
    }
    for name, test in tests.items():
        life = _first(lives, test)
        if life is not None:
            yield name, life.order.number
    yield from _asked_for(world, lives)


def _asked_for(world: DemoWorld, lives: Sequence[Life]) -> Iterator[tuple[str, str]]:
    life = _first(lives, lambda life: order_status(world, life) in _OPEN and customer_po(life.order) is not None)
    if life is not None:
        yield "customer_po", str(customer_po(life.order))
        yield "customer_po_order", life.order.number
    busy = Counter(life.order.customer.number for life in lives if order_status(world, life) in _OPEN)
    if busy:
        number, _ = max(busy.items(), key=lambda entry: (entry[1], entry[0]))
        yield "busy_customer", number
        yield "busy_customer_name", next(c.name for c in world.masters.customers if c.number == number)


def _in(life: Life, region: str) -> bool:
    return REGIONS[life.order.region].code == region


def _overdue(world: DemoWorld, life: Life) -> bool:
    return order_status(world, life) in _OPEN and life.order.promised < _today(world, life.order.site)


def _short(world: DemoWorld, life: Life) -> bool:
    return any(line_status(world, line, life.fulfilment) == "backordered" for line in life.order.lines)


def _held(world: DemoWorld, life: Life) -> bool:
    order = life.order
    return order.held <= world.now < min(order.released, order.cancelled)


def _shipments(world: DemoWorld, lives: Sequence[Life]) -> Iterator[tuple[str, str]]:
    tests: dict[str, Callable[[Shipment], bool]] = {
        "in_transit": lambda s: s.status(world.now) == "in_transit",
        "delivered_with_proof": lambda s: s.carriage is not None and s.carriage.signed <= world.now,
        "exception": lambda s: s.status(world.now) == "exception",
    }
    for name, test in tests.items():
        found = next((s for life in reversed(lives) for s in life.fulfilment.shipments if test(s)), None)
        if found is not None and found.carriage is not None:
            yield name, found.order.number
            yield f"{name}_shipment", found.number
            yield f"{name}_tracking", str(found.carriage.tracking)


def _money(world: DemoWorld, lives: Sequence[Life]) -> Iterator[tuple[str, str]]:
    for life in lives:
        for invoice in life.invoices:
            if invoice.due < _today(world, invoice.shipment.site) and invoice.status(world.now) == "open":
                yield "overdue_invoice", invoice.number
                yield "overdue_invoice_customer", life.order.customer.number
                break
        else:
            continue
        break
    customer = next(c for c in world.masters.customers if c.index in world.masters.prices.contracted)
    year = date.fromordinal(_today(world, customer.site)).year
    for item in world.masters.prices.contracted[customer.index]:
        if world.masters.prices.contract(customer, item, year) is not None:
            yield "contract_customer", customer.number
            yield "contract_item", item.number
            return


def _supply(world: DemoWorld) -> Iterator[tuple[str, str]]:
    sites: dict[str, set[int]] = defaultdict(set)
    for row in world.stock(world.now).values():
        if row.on_hand - row.reserved > 0:
            sites[row.item.number].add(row.site)
    spread = max(sites, key=lambda number: (len(sites[number]), number))
    yield "item_at_many_sites", spread
    for item, site, _ in world.planted_disagreements():
        yield "disputed_item", item
        yield "disputed_site", site
        break
    yield from _late(world)
    moving = (t for t in reversed(world.transfers) if transfer_status(t, world.now) == "in_transit")
    transfer = next(moving, None)
    if transfer is not None:
        yield "transfer_in_transit", transfer_number(transfer)


def _late(world: DemoWorld) -> Iterator[tuple[str, str]]:
    recent = world.purchases(world.now)
    late: Counter[str] = Counter(order.supplier.number for order in recent if _is_late(world, order))
    if late:
        yield "late_supplier", max(late.items(), key=lambda entry: (entry[1], entry[0]))[0]
    waiting = next((order for order in recent if _is_late(world, order) and order.arrivals[-1] > world.now), None)
    if waiting is not None:
        yield "late_purchase_order", waiting.number


def _is_late(world: DemoWorld, order: PurchaseOrder) -> bool:
    if order.plan.cancelled != NEVER:
        return False
    arrived = min(order.arrivals[-1], world.now)
    return world.clocks[order.site].day_of(arrived) > order.plan.promised
