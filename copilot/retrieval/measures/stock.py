"""Stock as the governing figures have it, where the systems disagree, and what is coming in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from copilot.domain.evidence import Raw, Record
from copilot.policy.policy import PURPOSES
from copilot.retrieval.measures.base import Context, Figures, Records, day_of, figures, grouped, number_of
from copilot.retrieval.measures.inventory import FIGURES, Amount, Held, Recorded, Units, by_place, govern, held, stands


def site_stock(context: Context, stock: Records, units: Records = ()) -> Iterator[Figures]:
    """Stock per item and site, as the governing figures have it; nothing where the list was cut."""
    for place in held(context, stock, Units(units)) if context.complete else ():
        values = {"item": place.item, "site": place.site, "unit": place.unit, **place.figures}
        yield figures(values, place.rows[0], place.rows)


def stock_total(context: Context, items: Records, stock: Records, units: Records = ()) -> Iterator[Figures]:
    """Stock of each item over all sites in scope: of each figure that every site has, if they can be added up."""
    if not context.complete:
        return
    known = Units(units)
    for item in items:
        places = list(held(context, [row for row in stock if row.raw("item") == item.row_id], known))
        totals = {name: _total(item.row_id, name, places, known) for name in FIGURES}
        found = {name: total for name, total in totals.items() if total}
        if len({total.unit for total in found.values()}) == 1:
            unit = next(iter(found.values())).unit
            values = {name: found[name].quantity if name in found else None for name in FIGURES}
            rows = [row for place in places for row in place.rows]
            yield figures({"item": item.row_id, "unit": unit, **values}, item, rows)


def stock_against(context: Context, asked: Records, totals: Records, units: Records) -> Iterator[Figures]:
    """What is available of an item against the quantity asked for; nothing where they can't be told in one unit."""
    known, by_item = Units(units), {total.raw("item"): total for total in totals}
    for want in asked if context.complete else ():
        total, quantity = by_item.get(want.raw("item")), want.raw("quantity")
        available = total.raw("available") if total else None
        if total is None or not isinstance(available, int) or not isinstance(quantity, int):
            continue
        there = Amount(quantity=available, unit=total.raw("unit"), rows=(total,))
        needed = Amount(quantity=quantity, unit=want.raw("base_unit"), rows=(want,))
        same = known.alike(total.raw("item"), (needed, there))
        if same:
            needed, found = same
            missing = max(0, needed.quantity - found.quantity)
            values: dict[str, Raw] = {"item": total.raw("item"), "unit": needed.unit, "missing": missing}
            values |= {"quantity": needed.quantity, "available": found.quantity}
            yield figures({**values, "verdict": "too_few" if missing else "enough"}, total, (want, *needed.rows))


def lot_stock(context: Context, stock: Records, units: Records = ()) -> Iterator[Figures]:
    """Stock per item, site and lot, as the governing figures have it, of the lots that expire in the time asked about;
    nothing where the list was cut. A lot has expired from the day after its date on, where it lies."""
    known, period = Units(units), context.period
    lots = [row for row in stock if row.raw("lot") is not None]
    for (lot,), rows in grouped(lots, "lot") if context.complete else ():
        for place in held(context, rows, known):
            expires = _expires(place.rows)
            if period and not (expires and period.holds(datetime.combine(expires, time(), UTC))):
                continue
            expired = expires is not None and expires < context.today(place.rows[0])
            told: dict[str, Raw] = {"item": place.item, "site": place.site, "lot": lot, "unit": place.unit}
            held_now = (place.figures["on_hand"] or 0) > 0
            values = {**told, "expires": expires, "expired": expired, "held": held_now, **place.figures}
            yield figures(values, place.rows[0], place.rows)


def _expires(rows: Sequence[Record]) -> date | None:
    """When a lot expires; None where its records differ or none says it."""
    days = {day for row in rows if (day := day_of(row, "expires"))}
    return days.pop() if len(days) == 1 else None


def lots_left(context: Context, lots: Records, stock: Records, items: Records) -> Iterator[Figures]:
    """How many lots of an item something is on hand of, and of how many that have expired; nothing where the list was
    cut."""
    for item in items if context.complete else ():
        left = [lot for lot in lots if lot.raw("held") and lot.raw("item") == item.row_id]
        expired = [lot for lot in left if lot.raw("expired")]
        first, last = _days_of(context)
        values = {"item": item.row_id, "lots": len(left), "expired_lots": len(expired), "first": first, "last": last}
        yield figures(values, item, [*lots, *stock])


def _days_of(context: Context) -> tuple[date | None, date | None]:
    """The first and the last day of the time asked about, which begins and ends at midnight UTC."""
    period = context.period
    first = period.since.astimezone(UTC).date() if period and period.since else None
    return first, (period.until.astimezone(UTC) - timedelta(days=1)).date() if period and period.until else None


def _total(item: Raw, name: str, places: Sequence[Held], units: Units) -> Amount | None:
    amounts = [
        Amount(quantity=quantity, unit=place.unit, rows=place.rows)
        for place in places
        if (quantity := place.figures[name]) is not None
    ]
    return units.total(item, amounts) if len(amounts) == len(places) else None


def stock_difference(context: Context, stock: Records, units: Records = ()) -> Iterator[Figures]:
    """Where another system has another figure than the governing one for the same item and site."""
    known = Units(units)
    for pair in _pairs(context, stock, known):
        same = known.alike(pair.item, (pair.ours, pair.theirs))
        if same and same[0].quantity != same[1].quantity:
            compared = {"compared": same[0].quantity, "other_compared": same[1].quantity, "compared_unit": same[0].unit}
            yield pair.figures(context, compared if pair.ours.unit != pair.theirs.unit else {})


def stock_incomparable(context: Context, stock: Records, units: Records = ()) -> Iterator[Figures]:
    """Where two systems have figures in units that the item's own units don't convert."""
    known = Units(units)
    for pair in _pairs(context, stock, known):
        if known.alike(pair.item, (pair.ours, pair.theirs)) is None:
            yield pair.figures(context, {})


def stock_absent(context: Context, stock: Records, units: Records = ()) -> Iterator[Figures]:
    """Where a system that keeps the whole stock of a site has no record of an item that another has there."""
    for item, site, rows, recorded in by_place(stock, Units(units)) if context.complete else ():
        on_hand = govern(context, site, recorded).get("on_hand")
        whole = context.policy.at_site(site).stock_kept_whole_by
        for other in sorted(context.keepers.get(rows[0].site_id, frozenset()) - recorded.keys()):
            if on_hand and on_hand.quantity and context.purposes[other] in whole:
                values = {"item": item, "site": site, "on_hand": on_hand.quantity, "unit": on_hand.unit}
                names = {"system": on_hand.system, "as_of": _as_of(on_hand), "other_system": other}
                yield figures({**values, **names}, on_hand.rows[0], on_hand.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """The governing amount of a figure and that of another system, for one item at one site."""

    item: Raw
    site: Raw
    figure: str
    ours: Amount
    theirs: Amount

    def figures(self, context: Context, compared: Mapping[str, Raw]) -> Figures:
        """Both amounts with their systems and ages, and why the first governs."""
        ours, theirs = (PURPOSES[context.purposes[amount.system]] for amount in (self.ours, self.theirs))
        values: dict[str, Raw] = {
            "item": self.item, "site": self.site, "figure": self.figure,
            "quantity": self.ours.quantity, "unit": self.ours.unit, "as_of": _as_of(self.ours),
            "governing_system": self.ours.system, "governing_kind": ours,
            "other_quantity": self.theirs.quantity, "other_unit": self.theirs.unit, "other_as_of": _as_of(self.theirs),
            "other_system": self.theirs.system, "other_kind": theirs,
            "policy": context.policy.version, "basis": "added_first" if ours == theirs else "kind",
        }  # fmt: skip
        return figures({**values, **compared}, self.ours.rows[0], (*self.ours.rows, *self.theirs.rows))


def _pairs(context: Context, stock: Records, units: Units) -> Iterator[_Pair]:
    """Every two amounts to be compared: on hand, and what is available as told by a system that tells nothing else."""
    for item, site, _, recorded in by_place(stock, units) if context.complete else ():
        governing = _governing(context, item, site, recorded, units)
        for system, amounts in recorded.items():
            figure = "on_hand" if "on_hand" in amounts else "available"
            ours, theirs = governing.get(figure), amounts.get(figure)
            if ours and theirs and ours.system != system:
                yield _Pair(item=item, site=site, figure=figure, ours=ours, theirs=theirs)


def _governing(context: Context, item: Raw, site: Raw, recorded: Recorded, units: Units) -> Mapping[str, Amount]:
    """The governing amounts; what is available as it stands in the answer, under the system that has it on hand."""
    governing = govern(context, site, recorded)
    on_hand = governing.get("on_hand")
    if on_hand is None:
        return governing
    place = stands(item, site, governing, units)
    available = place.figures["available"]
    if available is None:
        return governing
    return {**governing, "available": Amount(quantity=available, unit=place.unit, rows=(*on_hand.rows, *place.rows))}


def _as_of(amount: Amount) -> datetime:
    """Since when nobody has confirmed the oldest record of an amount's system."""
    return min(row.confirmed_at for row in amount.rows if row.system == amount.system)


def incoming_supply(context: Context, supply: Records, orders: Records) -> Iterator[Figures]:
    """What is on order and not yet received, per purchase line."""
    del context
    by_id = {order.row_id: order for order in orders}
    for line in supply:
        order = by_id.get(number_of(line, "purchase_order"))
        if order and number_of(line, "open_quantity") > 0:
            yield figures(
                {
                    "purchase_order": order.row_id, "site": order.raw("site"), "quantity": line.raw("open_quantity"),
                    "unit": line.raw("unit"), "date": day_of(line, "promised_date") or day_of(order, "promised_date"),
                }, line, (order,),
            )  # fmt: skip
