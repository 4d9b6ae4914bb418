"""What can be promised, from when, out of the published buckets; and which lines of an order could go today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from copilot.domain.evidence import Raw, Record
from copilot.domain.plan import Wanted
from copilot.domain.quantity import SCALE
from copilot.retrieval.measures.base import Context, Figures, Records, day_of, figures, grouped, number_of
from copilot.retrieval.measures.inventory import Amount, Units

_FAR = 366
"""Days after which no working day is looked for any more."""


def promise_wanted(context: Context, items: Records, units: Records) -> Iterator[Figures]:
    """How much is asked for of each item, by the item's own units; nothing where no quantity was named.

    Without a unit it is the item's base unit; a unit that the item does not have converts to nothing.
    """
    wanted = context.wanted
    if wanted is None or wanted.quantity is None:
        return
    for item in items:
        unit, assumed = _unit_of(item, wanted, units)
        asked = {"item": item.row_id, "asked": wanted.quantity, "assumed": assumed, "day": wanted.day}
        base, used = _in_base(item, wanted.quantity, unit, units)
        values = {**asked, "unit": unit, "quantity": base, "base_unit": item.raw("base_unit")}
        known = "base" if unit == item.raw("base_unit") else "converted" if base is not None else "unknown_unit"
        yield figures({**values, "said": None if unit else " ".join(wanted.units[:1]), "basis": known}, item, used)


def _unit_of(item: Record, wanted: Wanted, units: Records) -> tuple[Raw, bool]:
    """The code of the unit meant among the item's own, and whether none was said."""
    base = item.raw("base_unit")
    if not wanted.units:
        return base, True
    codes = [base, *(row.raw("unit") for row in units if row.raw("item") == item.row_id)]
    return next((code for code in codes if str(code).casefold() in wanted.units), None), False


def _in_base(item: Record, quantity: int, unit: Raw, units: Records) -> tuple[int | None, tuple[Record, ...]]:
    """A quantity in the item's base unit, and the record that says how it converts."""
    base = item.raw("base_unit")
    if unit is None or unit == base:
        return (None if unit is None else quantity), ()
    own = [row for row in units if row.raw("item") == item.row_id and row.raw("unit") == unit]
    sizes = {(row.raw("base_quantity"), row.raw("base_unit")) for row in own}
    size = own[0].raw("base_quantity") if len(sizes) == 1 else None
    if not isinstance(size, int) or size <= 0 or own[0].raw("base_unit") != base:
        return None, ()
    return quantity * size // SCALE, (own[0],)


def promise_at(context: Context, asked: Records, buckets: Records, units: Records) -> Iterator[Figures]:
    """Per site what can be promised of what is asked: on the day asked for (today where none is), and the earliest day
    for all of it: a working day of the site."""
    known = Units(units)
    for want in asked if context.complete else ():
        for _, rows in grouped([row for row in buckets if row.raw("item") == want.raw("item")], "site"):
            quantity = _alike(want, rows, known)
            if quantity is not None:
                yield _promise(context, want, sorted(rows, key=lambda row: str(row.raw("day"))), quantity)


def _alike(want: Record, rows: Records, units: Units) -> int | None:
    """What is asked for in the unit of the buckets, or None."""
    quantity, unit = want.raw("quantity"), rows[0].raw("unit")
    if not isinstance(quantity, int) or len({row.raw("unit") for row in rows}) != 1:
        return None
    if unit == want.raw("base_unit"):
        return quantity
    base = Amount(quantity=0, unit=want.raw("base_unit"), rows=(want,))
    one = units.alike(want.raw("item"), (Amount(quantity=SCALE, unit=unit, rows=(rows[0],)), base))
    size = one[0].quantity if one and one[0].unit == want.raw("base_unit") else 0
    return -(-quantity * SCALE // size) if size > 0 else None  # rather one more than one too few


def _promise(context: Context, want: Record, rows: Sequence[Record], quantity: int) -> Figures:
    today = context.today(rows[0])
    asked = want.raw("day")
    day = asked if isinstance(asked, date) and asked > today else today
    then = max(0, _on(rows, day))
    earliest = _earliest(context, rows, quantity, today)
    verdict = "possible" if then >= quantity else "later" if earliest else "none"
    values: dict[str, Raw] = {
        "item": want.raw("item"), "site": rows[0].raw("site"), "quantity": quantity, "unit": rows[0].raw("unit"),
        "day": day, "promisable": then, "missing": max(0, quantity - then), "earliest": earliest, "verdict": verdict,
        "until": today + context.policy.at_site(rows[0].raw("site")).promise_within, "timing": "by" if asked else "now",
    }  # fmt: skip
    return figures(values, rows[0], [want, *rows])


def _on(rows: Sequence[Record], day: date) -> int:
    """What can be promised on a day: a bucket holds until the next one."""
    begun = [row for row in rows if (first := day_of(row, "day")) and first <= day]
    return number_of(begun[-1], "promisable") if begun else 0


def _earliest(context: Context, rows: Sequence[Record], quantity: int, today: date) -> date | None:
    """The first working day of the site from which on all of it can be promised."""
    calendar = context.calendar(rows[0])
    for row in rows:
        day = day_of(row, "day")
        if day and number_of(row, "promisable") >= quantity:
            start = max(day, today)
            days = (start + timedelta(days=n) for n in range(_FAR))
            return next((each for each in days if calendar.open_on(each)), None)
    return None


def promise_bucket(context: Context, buckets: Records) -> Iterator[Figures]:
    """The published buckets that hold today or later, per site in order of days: the working of a promise."""
    for _, rows in grouped(buckets, "item", "site") if context.complete else ():
        ordered = sorted(rows, key=lambda row: str(row.raw("day")))
        today = context.today(ordered[0])
        begun = [row for row in ordered if (day_of(row, "day") or today) <= today]
        for row in [*begun[-1:], *ordered[len(begun) :]]:
            holding = row in begun
            yield figures(_bucket(row, today, holding=holding), row, ())


def _bucket(row: Record, today: date, *, holding: bool) -> Mapping[str, Raw]:
    names = ("item", "site", "receipts", "demand", "balance", "unit")
    values = {name: row.raw(name) for name in names}
    in_out = "both" if number_of(row, "receipts") and number_of(row, "demand") else (
        "in" if number_of(row, "receipts") else "out" if number_of(row, "demand") else "none")  # fmt: skip
    day = max(day_of(row, "day") or today, today)
    return {**values, "day": day, "promisable": max(0, number_of(row, "promisable")), "flow": in_out,
            "holds": "now" if holding else "from"}  # fmt: skip


def uncounted_supply(context: Context, availability: Records) -> Iterator[Figures]:
    """What is expected per site, but for a day that is past or for none."""
    for row in availability if context.complete else ():
        if number_of(row, "late_incoming") > 0:
            values = {"item": row.raw("item"), "site": row.raw("site"), "unit": row.raw("unit")}
            yield figures({**values, "quantity": row.raw("late_incoming")}, row, ())


def splitting(context: Context, lines: Records, orders: Records, stock: Records, units: Records) -> Iterator[Figures]:
    """Of each open line of an order: what could leave today, by what is reserved for it and else by what is available
    and not yet given to an earlier line; and what has to wait."""
    known = Units(units)
    left: dict[tuple[Raw, Raw], int] = {}
    by_place = {(row.raw("item"), row.raw("site")): row for row in stock}
    by_id = {order.row_id: order for order in orders}
    for line in sorted(lines, key=lambda each: number_of(each, "line_number")) if context.complete else ():
        order = by_id.get(number_of(line, "order"))
        wanted = line.raw("open_quantity")
        if order is None or not isinstance(wanted, int) or wanted <= 0:
            continue
        place = (line.raw("item"), line.raw("site") or order.raw("site"))
        there = by_place.get(place)
        free = _free(line, there, left.get(place), known)
        reserved = min(wanted, max(0, number_of(line, "reserved_quantity")))
        ready = None if free is None else min(wanted, reserved + max(0, free))
        if ready is not None and free is not None:
            left[place] = free - max(0, ready - reserved)
        yield figures(_line_split(line, place[1], wanted, ready), line, [order, *([there] if there else [])])


def _free(line: Record, there: Record | None, left: int | None, units: Units) -> int | None:
    """What is available at the line's site in the line's unit, less what earlier lines took."""
    if left is not None:
        return left
    available = there.raw("available") if there else None
    if there is None or not isinstance(available, int):
        return None
    if there.raw("unit") == line.raw("unit"):
        return available
    ours = Amount(quantity=available, unit=there.raw("unit"), rows=(there,))
    one = Amount(quantity=SCALE, unit=line.raw("unit"), rows=(line,))
    same = units.alike(line.raw("item"), (ours, one))
    return same[0].quantity * SCALE // same[1].quantity if same and same[1].quantity > 0 else None


def _line_split(line: Record, site: Raw, wanted: int, ready: int | None) -> Mapping[str, Raw]:
    state = "unknown" if ready is None else "whole" if ready >= wanted else "part" if ready > 0 else "none"
    return {
        "line": line.row_id, "line_number": line.raw("line_number"), "item": line.raw("item"), "site": site,
        "wanted": wanted, "ready": ready, "waiting": None if ready is None else wanted - ready,
        "unit": line.raw("unit"), "state": state,
    }  # fmt: skip


def split_count(context: Context, splits: Records, orders: Records) -> Iterator[Figures]:
    """How many open lines of an order could leave whole, in part or not at all; shipping in parts is worth a look where
    some of it could leave and some has to wait."""
    if not context.complete or not splits or not orders:
        return
    states = [str(each.raw("state")) for each in splits]
    count = {state: states.count(state) for state in ("whole", "part", "none", "unknown")}
    some, waits = count["whole"] + count["part"], count["part"] + count["none"]
    verdict = "unknown" if count["unknown"] else "all" if not waits else "nothing" if not some else "splits"
    if verdict == "splits" and orders[0].raw("ship_complete") is True:
        verdict = "complete_only"
    values = {"order": orders[0].row_id, "lines": len(states), **{f"{k}_lines": v for k, v in count.items()}}
    yield figures({**values, "verdict": verdict}, orders[0], splits)


def shipping_day(context: Context, orders: Records) -> Iterator[Figures]:
    """Today where each order ships from, and the next working day after it."""
    for order in orders:
        today, calendar = context.today(order), context.calendar(order)
        days = (today + timedelta(days=n) for n in range(1, _FAR))
        coming = next((day for day in days if calendar.open_on(day)), None)
        values: dict[str, Raw] = {"order": order.row_id, "day": today, "working": calendar.open_on(today)}
        yield figures({**values, "next": coming}, order, ())
