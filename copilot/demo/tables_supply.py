"""Purchase orders, receipts, transfers, stock and the stock journal as records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from copilot.demo import names
from copilot.demo.catalogue import Item
from copilot.demo.draws import NEVER, dice
from copilot.demo.places import REGIONS, SITES
from copilot.demo.purchasing import (
    PurchaseOrder,
    Receipt,
    receipts,
    transfer_changed,
    transfer_number,
    transfer_status,
)
from copilot.demo.replenishment import PurchaseLine, Transfer, lot_of
from copilot.demo.stock import Move, StockKey, StockRow, receipt_moves, return_moves, shipment_moves, transfer_moves
from copilot.demo.tables import Table, Values, latest, money, passed, passed_day
from copilot.demo.tables_partners import sourced
from copilot.demo.worktime import DAY, UNIX_DAY, day, instant
from copilot.demo.world import JOURNAL_SINCE, DemoWorld

Ordered = tuple[PurchaseOrder, int, PurchaseLine]
Received = tuple[Receipt, int, PurchaseLine, int, int]

_CHASED = "Chased {who} by phone: the goods are still at their forwarder. New date to be confirmed."


def company_of(site: int) -> str:
    """The company that runs a warehouse."""
    return REGIONS[SITES[site].region].code


def _orders(world: DemoWorld, since: int) -> Iterator[PurchaseOrder]:
    return iter(world.purchases(since))


def _ordered(world: DemoWorld, since: int) -> Iterator[Ordered]:
    return ((order, place, line) for order in world.purchases(since) for place, line in enumerate(order.lines, 1))


def _order(world: DemoWorld, row: PurchaseOrder) -> Values:
    status = row.status(world.now)
    confirmed = row.plan.confirmed <= world.now
    return {
        "number": row.number,
        "supplier": row.supplier.number,
        "site": SITES[row.site].code,
        "supplier_reference": f"AB{row.plan.luck % 10_000_000:07d}" if confirmed else None,
        "status": status,
        "order_date": day(row.plan.day),
        "promised_date": day(row.plan.promised),
        "received_date": passed_day(world, row.site, row.arrivals[-1]) if status == "received" else None,
    }


def _line(world: DemoWorld, row: Ordered) -> Values:
    order, place, line = row
    arrived = order.arrived(line, world.now)
    ended = order.plan.cancelled <= world.now
    status = "received" if arrived == line.quantity else "partly_received" if arrived else "open"
    return {
        "purchase_order": order.number,
        "line_number": place,
        "item": line.item.number,
        "ordered_quantity": line.quantity,
        "received_quantity": arrived,
        "open_quantity": 0 if ended else line.quantity - arrived,
        "unit": line.item.unit,
        "status": "cancelled" if ended else status,
        "promised_date": day(order.plan.promised),
        "received_date": passed_day(world, order.site, order.last_arrival(line)),
    }


def _line_changed(world: DemoWorld, row: Ordered) -> int:
    order, _, line = row
    arrivals = (moment for moment, _ in zip(order.arrivals, line.arriving, strict=False))
    return latest(world, order.plan.placed, order.plan.cancelled, *arrivals)


def _unit_price(world: DemoWorld, order: PurchaseOrder, line: PurchaseLine) -> int:
    return sourced(world, line.item, order.supplier.index).price


def _amount(world: DemoWorld, row: PurchaseOrder) -> Values:
    net = money(sum(_unit_price(world, row, line) * line.quantity for line in row.lines))
    currency = REGIONS[row.supplier.region].currency
    return {"purchase_order": row.number, "net": net, "total": net, "currency": currency}


def _line_price(world: DemoWorld, row: Ordered) -> Values:
    order, place, line = row
    price = _unit_price(world, order, line)
    return {
        "purchase_line": f"{order.number}/{place}",
        "unit_price": money(price),
        "net": money(price * line.quantity),
        "currency": REGIONS[order.supplier.region].currency,
    }


def _receipts(world: DemoWorld, since: int) -> Iterator[Receipt]:
    return (receipt for order in world.purchases(since) for receipt in receipts(order, world.now))


def _receipt(world: DemoWorld, row: Receipt) -> Values:
    promised = row.order.plan.promised
    clock = world.clocks[row.order.site]
    return {
        "number": row.number,
        "purchase_order": row.order.number,
        "status": row.status(world.now),
        "expected_date": day(promised if row.leg == 1 else clock.working(clock.day_of(row.created), 5)),
        "received_at": passed(world, row.arrives),
    }


def _received(world: DemoWorld, since: int) -> Iterator[Received]:
    for receipt in _receipts(world, since):
        yield from ((receipt, *line) for line in receipt.lines())


def _receipt_line(world: DemoWorld, row: Received) -> Values:
    """What came, or is to come as long as it has not."""
    receipt, place, line, came, rejected = row
    here = receipt.arrives <= world.now
    return {
        "receipt": receipt.number,
        "purchase_line": f"{receipt.order.number}/{place}",
        "item": line.item.number,
        "quantity": came if here else receipt.expected(line),
        "rejected_quantity": rejected if here else None,
        "unit": line.item.unit,
        "lot": lot_of(line.item, receipt.order.site, receipt.arrives) if here else None,
    }


def _chased(world: DemoWorld, since: int) -> Iterator[PurchaseOrder]:
    """Orders still out three days after the promised date were chased."""
    return (order for order in world.purchases(since) if _chased_at(order) <= world.now)


def _chased_at(order: PurchaseOrder) -> int:
    moment = (order.plan.promised + 3 - UNIX_DAY) * DAY + DAY // 2
    return moment if order.arrivals and order.arrivals[0] > moment else NEVER


def _purchase_note(_: DemoWorld, row: PurchaseOrder) -> Values:
    author = names.person(dice(row.plan.luck, "chases"), SITES[row.site].region)
    body = _CHASED.format(who=row.supplier.contacts[0].name)
    return {"purchase_order": row.number, "written_at": instant(_chased_at(row)), "author": author, "body": body}


def _transfer(world: DemoWorld, row: Transfer) -> Values:
    return {
        "number": transfer_number(row),
        "from_site": SITES[row.from_site].code,
        "to_site": SITES[row.to_site].code,
        "status": transfer_status(row, world.now),
        "shipped_at": passed(world, row.shipped),
        "expected_date": day(row.expected),
        "received_at": passed(world, row.received),
    }


def _transfer_line(world: DemoWorld, row: Transfer) -> Values:
    return {
        "transfer": transfer_number(row),
        "item": row.item.number,
        "quantity": row.shipped_quantity if row.shipped <= world.now else row.quantity,
        "received_quantity": row.shipped_quantity if row.received <= world.now else 0,
        "unit": row.item.unit,
        "lot": row.lot if row.shipped <= world.now else None,
    }


def _stock(_: DemoWorld, row: StockRow) -> Values:
    return {
        "item": row.item.number,
        "site": row.site_code,
        "lot": row.lot,
        "on_hand": row.on_hand,
        "reserved": row.reserved,
        "available": row.on_hand - row.reserved,
        "in_transit": row.in_transit,
        "unit": row.item.unit,
        "expires": _expires(row),
    }


def _expires(row: StockRow) -> date | None:
    if row.lot is None:
        return None
    made = datetime.strptime(row.lot[1:7], "%y%m%d").replace(tzinfo=UTC)
    return made.date() + timedelta(days=row.item.shelf_life)


def moves(world: DemoWorld, since: int) -> Iterator[Move]:
    """All stock moves after a moment."""
    for order in world.purchases(since):
        yield from (move for move in receipt_moves(order, world.now) if move.moved > since)
    for life in world.lives(since):
        yield from (move for move in shipment_moves(life.fulfilment, world.now) if move.moved > since)
        if life.back is not None:
            yield from (move for move in return_moves(life.back, world.now) if move.moved > since)
    for transfer in world.transfers:
        yield from (move for move in transfer_moves(transfer, world.now) if move.moved > since)


def journal(world: DemoWorld, since: int) -> Iterator[Move]:
    """The ERP's journal: an opening balance per stock row, then every move."""
    start = world.journal(JOURNAL_SINCE)
    if world.now < start:
        return
    if since >= start:
        yield from moves(world, since)
        return
    balance: Counter[StockKey] = Counter()
    for move in moves(world, start):
        balance[move.item.index, move.site, move.lot] += move.units
        yield move
    for key, row in world.stock(0).items():
        opening = row.on_hand - balance[key]
        if opening:
            yield _opening(row.item, row.site, row.lot, opening, start)


def _opening(item: Item, site: int, lot: str | None, units: int, start: int) -> Move:
    key = f"OPEN/{item.number}/{SITES[site].code}/{lot or '-'}"
    return Move(key=key, item=item, site=site, lot=lot, units=units, kind="adjustment", moved=start, document="OPENING")


def move_values(item: str, site: str, move: Move) -> Values:
    """A move's values, under the source's keys for item and site."""
    return {
        "item": item,
        "site": site,
        "lot": move.lot,
        "quantity": move.units,
        "unit": move.item.unit,
        "kind": move.kind,
        "moved_at": instant(move.moved),
        "document": move.document,
    }


PURCHASING = (
    Table[PurchaseOrder](
        entity="purchase_order",
        rows=_orders,
        key=lambda r: r.number,
        values=_order,
        changed=lambda w, r: r.changed(w.now),
        company=lambda r: company_of(r.site),
    ),
    Table[Ordered](
        entity="purchase_line",
        rows=_ordered,
        key=lambda r: f"{r[0].number}/{r[1]}",
        values=_line,
        changed=_line_changed,
        company=lambda r: company_of(r[0].site),
    ),
    Table[PurchaseOrder](
        entity="purchase_order_amount",
        rows=_orders,
        key=lambda r: r.number,
        values=_amount,
        changed=lambda _, r: r.plan.placed,
        company=lambda r: company_of(r.site),
    ),
    Table[Ordered](
        entity="purchase_line_price",
        rows=_ordered,
        key=lambda r: f"{r[0].number}/{r[1]}",
        values=_line_price,
        changed=lambda _, r: r[0].plan.placed,
        company=lambda r: company_of(r[0].site),
    ),
    Table[Receipt](
        entity="receipt",
        rows=_receipts,
        key=lambda r: r.number,
        values=_receipt,
        changed=lambda w, r: r.changed(w.now),
        company=lambda r: company_of(r.order.site),
    ),
    Table[Received](
        entity="receipt_line",
        rows=_received,
        key=lambda r: f"{r[0].number}/{r[1]}",
        values=_receipt_line,
        changed=lambda w, r: latest(w, r[0].created, r[0].arrives),
        company=lambda r: company_of(r[0].order.site),
    ),
    Table[PurchaseOrder](
        entity="purchase_note",
        rows=_chased,
        key=lambda r: f"NOTE-{r.number}",
        values=_purchase_note,
        changed=lambda _, r: _chased_at(r),
        company=lambda r: company_of(r.site),
    ),
)
"""The tables of purchasing."""
STOCK = (
    Table[Transfer](
        entity="transfer",
        rows=lambda w, _: w.transfers,
        key=transfer_number,
        values=_transfer,
        changed=lambda w, r: transfer_changed(r, w.now),
        company=lambda r: company_of(r.to_site),
    ),
    Table[Transfer](
        entity="transfer_line",
        rows=lambda w, _: w.transfers,
        key=lambda r: f"{transfer_number(r)}/1",
        values=_transfer_line,
        changed=lambda w, r: transfer_changed(r, w.now),
        company=lambda r: company_of(r.to_site),
    ),
    Table[StockRow](
        entity="stock",
        rows=lambda w, since: w.stock(since).values(),
        key=lambda r: r.key,
        values=_stock,
        changed=lambda _, r: r.changed,
        company=lambda r: company_of(r.site),
    ),
    Table[Move](
        entity="stock_move",
        rows=journal,
        key=lambda r: r.key,
        values=lambda _, r: move_values(r.item.number, SITES[r.site].code, r),
        changed=lambda _, r: r.moved,
        company=lambda r: company_of(r.site),
    ),
)
"""The tables of stock."""
