"""Delays and counts of orders, purchase orders and invoices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from copilot.domain.evidence import Raw, Record
from copilot.retrieval.measures.base import (
    Context,
    Figures,
    MeasureFunction,
    Records,
    day_of,
    figures,
    number_of,
)
from copilot.retrieval.measures.inventory import Amount, Held, Units, held


def order_delay(context: Context, orders: Records, lines: Records = ()) -> Iterator[Figures]:
    """How late each order is or was shipped; nothing for one in time, cancelled or only quoted."""
    for order in orders:
        promised, status = day_of(order, "promised_date"), order.raw("status")
        if promised is None or status in ("quotation", "cancelled"):
            continue
        shipped = day_of(order, "shipped_date") if status in ("shipped", "delivered") else context.today(order)
        late = context.calendar(order).days_late(promised, shipped) if shipped else 0
        if late:
            state = "shipped_late" if status in ("shipped", "delivered") else "overdue"
            used = [line for line in lines if line.raw("order") == order.row_id]
            values = {"order": order.row_id, "state": state, "promised_date": promised, "days_late": late}
            yield figures(values, order, used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """What stands at a line's site against what the line still needs, both in one unit; `known` is False where the
    line's unit could not be converted into that of the stock."""

    needed: int
    on_hand: int
    unit: Raw
    known: bool
    used: tuple[Record, ...]

    @property
    def missing(self) -> int:
        """How much is short."""
        return max(0, self.needed - self.on_hand)


def line_delay(
    context: Context,
    orders: Records,
    lines: Records,
    holds: Records,
    stock: Records,
    supply: Records,
    supply_orders: Records,
    units: Records = (),
) -> Iterator[Figures]:
    """How late each line is and why, by the first cause that holds; nothing for a line in time."""
    if not orders or orders[0].raw("status") in ("quotation", "cancelled"):
        return
    for line in lines:
        promised = day_of(line, "promised_date") or day_of(orders[0], "promised_date")
        done = day_of(line, "shipped_date") if line.raw("status") == "shipped" else context.today(line)
        if promised is None or done is None or line.raw("status") == "cancelled":
            continue
        late = context.calendar(line).days_late(promised, done)
        if late:
            against = stocked(context, line, stock, units)
            coming = due(context.today(line), line, supply, supply_orders)
            yield _line_cause(line, (promised, late), holds, against, coming)


def _line_cause(
    line: Record, lateness: tuple[date, int], holds: Records, against: Stocked, coming: tuple[date | None, Records]
) -> Figures:
    """The delay of a line with the first cause that holds, and the records that show it."""
    values: dict[str, Raw] = {
        "line": line.row_id,
        "item": line.raw("item"),
        "line_number": line.raw("line_number"),
        "promised_date": lateness[0],
        "days_late": lateness[1],
        "unit": against.unit,
        "on_hand": against.on_hand,
        "missing": against.missing,
        "supply_date": coming[0],
    }
    if line.raw("status") == "shipped":
        return figures({**values, "cause": "shipped_late"}, line, ())
    if holds:
        return figures({**values, "cause": "on_hold", "hold_reason": holds[0].raw("reason")}, line, holds[:1])
    if not against.known:
        return figures({**values, "on_hand": None, "missing": None, "cause": "unknown"}, line, against.used)
    if against.missing:
        cause = "short_with_supply" if coming[0] else "short_of_stock"
        return figures({**values, "cause": cause}, line, (*against.used, *coming[1]))
    return figures({**values, "cause": "in_stock_not_shipped"}, line, against.used)


def stocked(context: Context, line: Record, stock: Records, units: Records) -> Stocked:
    """Stock on hand at a line's site as it governs, against its open quantity by the item's own units."""
    item, site = line.raw("item"), line.raw("site") or line.site_id
    rows = [s for s in stock if s.raw("item") == item and s.raw("site") == site]
    needed = Amount(quantity=number_of(line, "open_quantity"), unit=line.raw("unit"), rows=(line,))
    known = Units(units)
    none = Amount(quantity=0, unit=needed.unit, rows=(line,))
    on_hand = known.total(item, list(_on_hand(held(context, rows, known)))) if rows else none
    same = known.alike(item, (needed, on_hand)) if on_hand else None
    if same is None or line.raw("open_quantity") is None or not context.complete:
        return Stocked(needed=0, on_hand=0, unit=needed.unit, known=False, used=tuple(rows))
    used = (*same[0].rows, *same[1].rows)
    return Stocked(needed=same[0].quantity, on_hand=same[1].quantity, unit=same[0].unit, known=True, used=used)


def _on_hand(places: Iterator[Held]) -> Iterator[Amount]:
    for place in places:
        if (quantity := place.figures["on_hand"]) is not None:
            yield Amount(quantity=quantity, unit=place.unit, rows=place.rows)


def due(today: date, line: Record, supply: Records, supply_orders: Records) -> tuple[date | None, Records]:
    """The first promised date from today on of an open purchase line for the item at the line's site."""
    here = {order.row_id for order in supply_orders if order.raw("site") == (line.raw("site") or line.site_id)}
    for each in supply:
        day = day_of(each, "promised_date")
        if day and day >= today and each.raw("item") == line.raw("item") and each.raw("purchase_order") in here:
            return day, (each,)
    return None, ()


def line_count(context: Context, orders: Records, lines: Records) -> Iterator[Figures]:
    """How many lines an order has, or at least has, and how many of them all are open."""
    if orders and lines:
        still = sum(line.raw("status") in ("open", "backordered", "partly_shipped") for line in lines)
        values = {"lines": len(lines), "open_lines": still if context.complete else None, "complete": context.complete}
        yield figures(values, orders[0], lines)


def count_of(name: str) -> MeasureFunction:
    """A measure that counts the records of its second input for the record of its first, as the figure `name`."""

    def count(context: Context, owners: Records, found: Records) -> Iterator[Figures]:
        """How many records there are, or at least are."""
        if owners and found:
            yield figures({name: len(found), "complete": context.complete}, owners[0], found)

    return count


def purchase_delay(context: Context, orders: Records, lines: Records) -> Iterator[Figures]:
    """How late an open purchase order is against its promised date."""
    for order in orders:
        promised = day_of(order, "promised_date")
        if promised and order.raw("status") in ("sent", "confirmed", "partly_received"):
            late = context.calendar(order).days_late(promised, context.today(order))
            if late:
                yield figures({"promised_date": promised, "days_late": late}, order, lines)


def purchase_standing(context: Context, orders: Records) -> Iterator[Figures]:
    """Where each purchase order stands against its promised date: to today while open, else to the day received."""
    for order in orders:
        status = str(order.raw("status"))
        promised, received = day_of(order, "promised_date"), day_of(order, "received_date")
        done = received if status == "received" else context.today(order)
        late = context.calendar(order).days_late(promised, done) if promised and done else 0
        values: dict[str, Raw] = {"promised_date": promised, "days_late": late or None}
        if status in ("draft", "cancelled"):
            yield figures(values | {"state": status, "days_late": None}, order, ())
        elif promised is None or done is None:
            yield figures(values | {"state": "undated"}, order, ())
        else:
            over, in_time = ("received_late", "received_in_time") if status == "received" else ("overdue", "in_time")
            yield figures(values | {"state": over if late else in_time}, order, ())


def invoice_delay(context: Context, invoices: Records) -> Iterator[Figures]:
    """How many calendar days each invoice is overdue."""
    for invoice in invoices:
        due = day_of(invoice, "due_date")
        open_still = invoice.raw("status") in ("open", "partly_paid") and invoice.raw("kind") == "invoice"
        late = (context.today(invoice) - due).days if due and open_still else 0
        if due and late > 0:
            yield figures({"invoice": invoice.row_id, "due_date": due, "days_late": late}, invoice, ())


def quoted_lead_time(context: Context, offers: Records) -> Iterator[Figures]:
    """The range of a supplier's quoted lead times, and whether all are the same; nothing where the list was cut."""
    quoted = [number_of(offer, "lead_time") for offer in offers if offer.raw("lead_time") is not None]
    if quoted and context.complete:
        shortest, longest = min(quoted), max(quoted)
        values = {"shortest": shortest, "longest": longest, "same": shortest == longest, "items": len(quoted)}
        yield figures(values, offers[0], offers)
