"""Stock by warehouse and lot, the journal behind it, and where the warehouse system counts differently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from copilot.demo.catalogue import Item
from copilot.demo.demand import Line
from copilot.demo.draws import chance, span
from copilot.demo.fulfilment import Fulfilment
from copilot.demo.places import SITES
from copilot.demo.purchasing import PurchaseOrder, receipts, transfer_number
from copilot.demo.replenishment import Transfer, lot_of
from copilot.demo.service import Return
from copilot.demo.supply import Shelf

StockKey = tuple[int, int, str | None]
"""(item index, site, lot)"""


@dataclass(slots=True, eq=False, kw_only=True)
class StockRow:
    """One item and lot at one warehouse, in base units. `changed` is the last moment anything about it moved."""

    item: Item
    site: int
    lot: str | None
    on_hand: int
    reserved: int
    in_transit: int
    changed: int

    @property
    def site_code(self) -> str:
        return SITES[self.site].code

    @property
    def key(self) -> str:
        return f"{self.item.number}/{self.site_code}/{self.lot or '-'}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Move:
    """One line of the stock journal, negative when units leave the warehouse."""

    key: str
    item: Item
    site: int
    lot: str | None
    units: int
    kind: str
    moved: int
    document: str


@dataclass(slots=True)
class Reserved:
    """Units reserved for one order line in one lot."""

    line: Line
    lot: str | None
    units: int
    changed: int

    @property
    def key(self) -> str:
        return f"{self.line.key}/{self.lot or '-'}"


def reserved_by(fulfilment: Fulfilment, now: int) -> list[Reserved]:
    """What an order has reserved and not yet shipped."""
    order = fulfilment.order
    if order.cancelled <= now or fulfilment.all_shipped:
        return []
    held: dict[tuple[int, str | None], Reserved] = {}
    for line in order.lines:
        for moment, units, lot in line.allocations:
            entry = held.setdefault((line.position, lot), Reserved(line, lot, 0, 0))
            entry.units += units
            entry.changed = max(entry.changed, moment)
    for shipment in fulfilment.shipments:
        if shipment.shipped <= now:
            for line, units, lot in shipment.parts:
                entry = held[line.position, lot]
                entry.units -= units
                entry.changed = max(entry.changed, shipment.shipped)
    return [entry for entry in held.values() if entry.units]


def stock_rows(
    items: tuple[Item, ...],
    shelves: dict[tuple[int, int], Shelf],
    transfers: Iterable[Transfer],
    lives: Iterable[Fulfilment],
    now: int,
    begin: int,
) -> dict[StockKey, StockRow]:
    """All stock rows at a moment.

    `lives` must hold every order that has goods reserved. `changed` counts only the shipments of those it holds.
    """
    rows: dict[StockKey, StockRow] = {}
    for (index, site), shelf in shelves.items():
        for lot, free in shelf.lots.items():
            changed = max(begin, shelf.touched.get(lot, 0))
            rows[index, site, lot] = StockRow(
                item=items[index], site=site, lot=lot, on_hand=free, reserved=0, in_transit=0, changed=changed
            )
    _reserve(rows, lives, now)
    _on_the_road(rows, transfers, now)
    return rows


def _reserve(rows: dict[StockKey, StockRow], lives: Iterable[Fulfilment], now: int) -> None:
    for life in lives:
        for entry in reserved_by(life, now):
            row = rows[entry.line.item.index, entry.line.site, entry.lot]
            row.reserved += entry.units
            row.on_hand += entry.units
        for shipment in life.shipments:
            if shipment.shipped <= now:
                for line, _, lot in shipment.parts:
                    row = rows[line.item.index, line.site, lot]
                    row.changed = max(row.changed, shipment.shipped)


def _on_the_road(rows: dict[StockKey, StockRow], transfers: Iterable[Transfer], now: int) -> None:
    """In transit shows at the receiving warehouse: in the row of its lot, from the day that row exists."""
    for transfer in transfers:
        row = rows.get((transfer.item.index, transfer.to_site, transfer.lot))
        if row is None or transfer.shipped > now:
            continue
        row.changed = max(row.changed, transfer.shipped)
        if transfer.received > now:
            row.in_transit += transfer.shipped_quantity


def receipt_moves(order: PurchaseOrder, now: int) -> Iterator[Move]:
    """Goods of a purchase order put on the shelf; rejected ones never get there."""
    for receipt in receipts(order, now):
        if receipt.arrives > now:
            continue
        for place, line, came, rejected in receipt.lines():
            if came > rejected:
                yield Move(
                    key=f"{receipt.number}/{place}",
                    item=line.item,
                    site=order.site,
                    lot=lot_of(line.item, order.site, receipt.arrives),
                    units=came - rejected,
                    kind="receipt",
                    moved=receipt.arrives,
                    document=receipt.number,
                )


def shipment_moves(fulfilment: Fulfilment, now: int) -> Iterator[Move]:
    """Goods that left to customers."""
    for shipment in fulfilment.shipments:
        if shipment.shipped <= now:
            for place, (line, units, lot) in enumerate(shipment.parts, 1):
                yield Move(
                    key=f"{shipment.number}/{place}",
                    item=line.item,
                    site=shipment.site,
                    lot=lot,
                    units=-units,
                    kind="shipment",
                    moved=shipment.shipped,
                    document=shipment.number,
                )


def transfer_moves(transfer: Transfer, now: int) -> Iterator[Move]:
    """Goods that left one warehouse for another, and their arrival."""
    legs = (
        ("out", transfer.from_site, -transfer.shipped_quantity, "transfer_out", transfer.shipped),
        ("in", transfer.to_site, transfer.shipped_quantity, "transfer_in", transfer.received),
    )
    number = transfer_number(transfer)
    for leg, site, units, kind, moved in legs:
        if moved <= now:
            yield Move(
                key=f"{number}/{leg}",
                item=transfer.item,
                site=site,
                lot=transfer.lot,
                units=units,
                kind=kind,
                moved=moved,
                document=number,
            )


def return_moves(back: Return, now: int) -> Iterator[Move]:
    """Returned goods are booked in and written off at once: nothing that came back is sold again."""
    if back.received <= now:
        lot = back.shipment.parts[0][2]
        for leg, units, kind in (("in", back.units, "customer_return"), ("scrap", -back.units, "adjustment")):
            yield Move(
                key=f"{back.number}/{leg}",
                item=back.line.item,
                site=back.shipment.site,
                lot=lot,
                units=units,
                kind=kind,
                moved=back.received,
                document=back.number,
            )


def disagreement(seed: int, key: StockKey, on_hand: int) -> int:
    """How many units more (or fewer) the warehouse system counts; 0 for all but about 15 rows in a thousand."""
    draw = chance(seed, "counted", *key)
    if draw >= 0.015:
        return 0
    units = span(draw / 0.015, 1, 9)
    return -units if units % 2 and on_hand >= units else units
