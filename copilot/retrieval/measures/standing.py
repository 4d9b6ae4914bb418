"""Where orders stand and what their open lines wait for: causes computed from holds, stock and supply, never prose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from copilot.domain.evidence import Raw, Record
from copilot.retrieval.measures.base import Context, Figures, Records, day_of, figures, number_of
from copilot.retrieval.measures.inventory import Amount, Units, held
from copilot.retrieval.measures.orders import Stocked, due, stocked

_OPEN = ("confirmed", "partly_shipped")
_GONE = ("shipped", "delivered")
_OPEN_LINE = ("open", "backordered", "partly_shipped")


def order_standing(context: Context, orders: Records, lines: Records, holds: Records = ()) -> Iterator[Figures]:
    """The state of each order in one word, its active hold, its lateness and how many of its lines are open."""
    for order in orders:
        own = [line for line in lines if line.raw("order") == order.row_id]
        held_by = [h for h in holds if h.raw("order") == order.row_id and h.raw("released_at") is None]
        promised, late = _lateness(context, order, own)
        values: dict[str, Raw] = {
            "sales_order": order.row_id,
            "state": _state(order, held_by, promised, late),
            "held": bool(held_by),
            "late": late > 0,
            "promised_date": promised,
            "days_late": late or None,
            "hold_reason": held_by[0].raw("reason") if held_by else None,
            "held_since": held_by[0].raw("placed_at") if held_by else None,
        }
        yield figures(values | _counts(context, own), order, (*own, *held_by))


def _state(order: Record, holds: Records, promised: date | None, late: int) -> str:
    status = str(order.raw("status"))
    if status not in _OPEN:
        return status
    if holds:
        return "on_hold"
    return "overdue" if late else "in_time" if promised else "undated"


def _lateness(context: Context, order: Record, lines: Records) -> tuple[date | None, int]:
    """The promised date and the working days past it, of the order or of the open line that is latest."""
    status = order.raw("status")
    if status in _GONE:
        promised, done = day_of(order, "promised_date"), day_of(order, "shipped_date")
        return promised, context.calendar(order).days_late(promised, done) if promised and done else 0
    if status not in _OPEN:
        return None, 0
    found = [_past(context, record) for record in (order, *(line for line in lines if _is_open(line)))]
    known = [each for each in found if each[0] is not None]
    return max(known, key=lambda each: each[1]) if known else (None, 0)


def _past(context: Context, record: Record) -> tuple[date | None, int]:
    promised = day_of(record, "promised_date")
    return promised, context.calendar(record).days_late(promised, context.today(record)) if promised else 0


def _is_open(line: Record) -> bool:
    return line.raw("status") in _OPEN_LINE


def _counts(context: Context, lines: Records) -> dict[str, Raw]:
    """How many lines there are, are open, and have shipped in part at least; nothing where the list was cut."""
    kept = [line for line in lines if line.raw("status") != "cancelled"]
    if not lines or not context.complete:
        return {}
    still = sum(_is_open(line) for line in kept)
    gone = sum(number_of(line, "shipped_quantity") > 0 for line in kept)
    return {"lines": len(kept), "open_lines": still, "shipped_lines": gone, "whole": not still and gone == len(kept)}


def line_wait(
    context: Context,
    orders: Records,
    lines: Records,
    holds: Records,
    stock: Records,
    supply: Records,
    supply_orders: Records,
    units: Records = (),
) -> Iterator[Figures]:
    """What each open line waits for, by the first cause that holds; order by order, line by line."""
    for order in (order for order in orders if order.raw("status") in _OPEN):
        own = [line for line in lines if line.raw("order") == order.row_id and _is_open(line)]
        on_hold = [h for h in holds if h.raw("order") == order.row_id and h.raw("released_at") is None]
        waits = [_Wait.of(context, line, (stock, units), (supply, supply_orders)) for line in own]
        short = any(wait.stocked.known and wait.stocked.missing for wait in waits)
        for wait in waits:
            rest = short and order.raw("ship_complete") is True
            yield wait.figures(context, order, on_hold, waits_for_rest=rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """One open line, the stock that stands against it and the next supply to its site."""

    line: Record
    stocked: Stocked
    free: int | None
    """What the line may have of the stock: reserved for it or for nobody; None where that can't be told."""
    supply: tuple[date | None, Records]

    @classmethod
    def of(
        cls, context: Context, line: Record, stock: tuple[Records, Records], supply: tuple[Records, Records]
    ) -> _Wait:
        """What stands against a line; `stock` with the items' units, `supply` with its purchase orders."""
        return cls(
            line=line,
            stocked=stocked(context, line, *stock),
            free=_free(context, line, *stock),
            supply=due(context.today(line), line, *supply),
        )

    def cause(self, holds: Records, *, waits_for_rest: bool) -> str:
        """The first cause that holds."""
        if not self.stocked.known:
            return "unknown"
        if self.stocked.missing:
            return "short_with_supply" if self.supply[0] else "short_of_stock"
        if holds:
            return "held"
        if self.free is not None and self.free < self.stocked.needed:
            return "taken"
        return "rest" if waits_for_rest else "in_stock"

    def figures(self, context: Context, order: Record, holds: Records, *, waits_for_rest: bool) -> Figures:
        """The cause with what shows it."""
        cause, line = self.cause(holds, waits_for_rest=waits_for_rest), self.line
        promised = day_of(line, "promised_date") or day_of(order, "promised_date")
        late = context.calendar(line).days_late(promised, context.today(line)) if promised else 0
        known = self.stocked.known
        coming = self.supply[1][0] if cause == "short_with_supply" else None
        values: dict[str, Raw] = {
            "sales_order": order.row_id, "sales_order_line": line.row_id, "item": line.raw("item"), "cause": cause,
            "line_number": line.raw("line_number"), "open": line.raw("open_quantity"), "line_unit": line.raw("unit"),
            "promised_date": promised, "days_late": late or None, "unit": self.stocked.unit,
            "on_hand": self.stocked.on_hand if known else None, "missing": self.stocked.missing if known else None,
            "supply_date": self.supply[0] if coming else None,
            "purchase_order": coming.raw("purchase_order") if coming else None,
        }  # fmt: skip
        used = (order, *self.stocked.used, *(holds[:1] if cause == "held" else ()), *((coming,) if coming else ()))
        return figures(values, line, used)


def _free(context: Context, line: Record, stock: Records, units: Records) -> int | None:
    """Of the stock at a line's site what is reserved for the line, or for nobody, in the unit of `stocked`."""
    item, site = line.raw("item"), line.raw("site") or line.site_id
    rows = [s for s in stock if s.raw("item") == item and s.raw("site") == site]
    places, known = list(held(context, rows, Units(units))), Units(units)
    if len(places) != 1 or places[0].figures["available"] is None or line.raw("reserved_quantity") is None:
        return None
    own = Amount(quantity=number_of(line, "reserved_quantity"), unit=line.raw("unit"), rows=(line,))
    free = Amount(quantity=max(0, places[0].figures["available"]), unit=places[0].unit, rows=places[0].rows)
    total = known.total(item, (own, free))
    return total.quantity if total else None


def customer_order(
    context: Context, orders: Records, recent: Records, holds: Records, shipments: Records
) -> Iterator[Figures]:
    """The orders of a customer that somebody who asks where they are means: open or on their way, or those placed in
    the time asked about, whatever became of them. Newest first."""
    asked = context.period if context.period and context.period.given else None
    known = {order.row_id: order for order in (*orders, *recent)}
    for order in sorted(known.values(), key=_newest_first):
        own = [s for s in shipments if s.raw("order") == order.row_id]
        placed = day_of(order, "order_date")
        wanted = _within(context, placed) if asked else order.raw("status") in _OPEN or _on_its_way(order, own)
        if wanted:
            yield _about_order(context, order, own, [h for h in holds if h.raw("order") == order.row_id])


def _about_order(context: Context, order: Record, shipments: Records, holds: Records) -> Figures:
    on_hold = [h for h in holds if h.raw("released_at") is None]
    promised, late = _lateness(context, order, ())
    state = _state(order, on_hold, promised, late)
    values: dict[str, Raw] = {
        "sales_order": order.row_id,
        "state": "on_its_way" if state == "shipped" and _on_its_way(order, shipments) else state,
        "promised_date": promised,
        "days_late": late or None,
        "hold_reason": on_hold[0].raw("reason") if on_hold else None,
        "held_since": on_hold[0].raw("placed_at") if on_hold else None,
    }
    return figures(values, order, (*shipments, *on_hold))


def _newest_first(order: Record) -> tuple[int, str]:
    placed = day_of(order, "order_date")
    return -(placed.toordinal() if placed else 0), str(order.raw("number"))


def _on_its_way(order: Record, shipments: Records) -> bool:
    moving = ("shipped", "in_transit", "exception")
    return order.raw("status") == "shipped" and any(s.raw("status") in moving for s in shipments)


def _within(context: Context, day: date | None) -> bool:
    """Whether a day begins in the time asked about, in that time's own zone."""
    period = context.period
    if day is None or period is None:
        return False
    since, until = (_local_day(each, period.time_zone) for each in (period.since, period.until))
    return (since is None or since <= day) and (until is None or day < until)


def _local_day(moment: datetime | None, time_zone: str) -> date | None:
    """The local date of a bound."""
    return moment.astimezone(ZoneInfo(time_zone)).date() if moment else None


def customer_order_count(context: Context, customers: Records, asked: Records, found: Records) -> Iterator[Figures]:
    """How many orders `customer_order` has, or at least has: `found` are the records it chose from."""
    placed = bool(context.period and context.period.given)
    for customer in customers[:1]:
        values = {"orders": len(asked), "complete": context.complete, "placed": placed}
        yield figures(values, customer, found)


def customer_standing(
    context: Context, customers: Records, standings: Records, orders: Records, lines: Records
) -> Iterator[Figures]:
    """How many open orders a customer has, and how many of them are late and on hold."""
    for customer in customers[:1]:
        values: dict[str, Raw] = {
            "orders": len(orders),
            "late": sum(each.raw("late") is True for each in standings),
            "held": sum(each.raw("held") is True for each in standings),
            "complete": context.complete,
        }
        yield figures(values, customer, (*orders, *lines))
