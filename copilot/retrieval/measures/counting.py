"""Figures in the unit that somebody asks for, by the item's own table of units: exact, or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.domain.evidence import Raw, Record
from copilot.domain.quantity import SCALE
from copilot.retrieval.measures.base import Context, Figures, Records, figures, number_of

_STOCK = ("available", "on_hand", "reserved")
_PARTS = 1_000
"""A part of a unit is told in thousandths at the finest."""
_LINES = ("ordered_quantity", "shipped_quantity", "received_quantity", "quantity", "open_quantity")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """How many base units, scaled, one of a unit is; and the record that says so, none for the base unit itself."""

    base_quantity: int
    rows: tuple[Record, ...] = ()


def unit_asked(context: Context, items: Records, units: Records) -> Iterator[Figures]:
    """The unit that figures of each item are asked for in, among the item's own: its base unit where none was named."""
    wanted = context.wanted
    for item in items if wanted and context.complete else ():
        base = item.raw("base_unit")
        codes = _codes(item, wanted.into, units) if wanted and wanted.into else [base]
        size = _size(item, codes[0], units) if codes else None
        known = len({size.base_quantity for code in codes if (size := _size(item, code, units))}) == 1
        basis = "unknown_unit" if not codes else "known" if size and known else "unclear"
        said = " ".join(wanted.into[:1]) if wanted else ""
        values = {"item": item.row_id, "said": said, "base_unit": base, "basis": basis}
        yield figures({**values, "unit": codes[0] if codes else None}, item, size.rows if size else ())


def unit_factor(context: Context, asked: Records, items: Records, units: Records) -> Iterator[Figures]:
    """What one of the unit asked for, and of the unit of the quantity named, is in the item's base unit."""
    for want, item in _known(context, asked, items):
        named = _codes(item, context.wanted.units, units)[:1] if context.wanted else []
        for code in dict.fromkeys([want.raw("unit"), *named]):
            size = _size(item, code, units)
            if size and size.rows:
                values = {"item": item.row_id, "one": SCALE, "unit": code, "size": size.base_quantity}
                yield figures({**values, "base_unit": item.raw("base_unit")}, item, size.rows)


def amount_in_unit(context: Context, asked: Records, items: Records, units: Records) -> Iterator[Figures]:
    """A quantity named in the unit asked for; `unknown_unit` where the item has no unit such as it was named in."""
    wanted = context.wanted
    for want, item in _known(context, asked, items):
        if wanted is None or wanted.quantity is None:
            return
        codes = _codes(item, wanted.units, units)
        values = {"item": item.row_id, "said": " ".join(wanted.units[:1]), "base_unit": item.raw("base_unit")}
        if not codes:
            yield figures({**values, "exact": "unknown_unit"}, item, [want])
        elif found := _converted(item, wanted.quantity, codes[0], want.raw("unit"), units):
            yield figures({**values, **found.values}, item, [want, *found.rows])


def stock_in_unit(
    context: Context, asked: Records, items: Records, places: Records, units: Records
) -> Iterator[Figures]:
    """Each figure of stock in the unit asked for; what does not convert has none."""
    for want, item in _known(context, asked, items):
        for place in places:
            if place.raw("item") == item.row_id:
                values = {"item": item.row_id, "site": place.raw("site")}
                yield from _each(item, want, place, _STOCK, values, units)


def line_in_unit(context: Context, asked: Records, items: Records, lines: Records, units: Records) -> Iterator[Figures]:
    """Each quantity of lines of documents in the unit asked for; what does not convert has none."""
    known = {item.row_id: (want, item) for want, item in _known(context, asked, items)}
    for line in lines:
        want, item = known.get(number_of(line, "item"), (None, None))
        if want and item:
            values = {"item": item.row_id, "line_number": line.raw("line_number")}
            yield from _each(item, want, line, _LINES, values, units)


def open_in_unit(
    context: Context, asked: Records, items: Records, lines: Records, orders: Records, units: Records
) -> Iterator[Figures]:
    """What is open over all open lines of open orders, added up in the unit asked for, 0 where there are none; nothing
    where the list was cut or a line does not convert."""
    open_orders = {order.row_id for order in orders}
    for want, item in _known(context, asked, items):
        base, unit = item.raw("base_unit"), want.raw("unit")
        own = [line for line in lines if line.raw("item") == item.row_id and _order_of(line) in open_orders]
        parts = [_converted(item, number_of(line, "open_quantity"), line.raw("unit"), base, units) for line in own]
        known = [part for part in parts if part and part.values["exact"] in ("exact", "same")]
        if len(known) != len(own):
            continue
        found = _converted(item, sum(part.result for part in known), base, unit, units)
        if found:
            used = [row for part in known for row in part.rows]
            counted = {"item": item.row_id, "lines": len(own), "orders": len({_order_of(line) for line in own})}
            yield figures({**counted, "figure": "open", **found.values}, item, [want, *own, *used, *found.rows])


def _order_of(line: Record) -> Raw:
    return line.raw("order") if "order" in line.values else line.raw("purchase_order")


def _known(context: Context, asked: Records, items: Records) -> Iterator[tuple[Record, Record]]:
    """The units asked for that the items have, with their items."""
    by_id = {item.row_id: item for item in items}
    for want in asked if context.complete else ():
        item = by_id.get(number_of(want, "item"))
        if item and want.raw("basis") == "known":
            yield want, item


def _each(
    item: Record, want: Record, row: Record, names: Iterable[str], values: Mapping[str, Raw], units: Records
) -> Iterator[Figures]:
    for name in names:
        quantity = row.raw(name) if name in row.values else None
        if isinstance(quantity, int):
            found = _converted(item, quantity, row.raw("unit"), want.raw("unit"), units, row.system)
            if found:
                figure = {"figure": name.removesuffix("_quantity")}
                yield figures({**values, **figure, **found.values}, row, [item, want, *found.rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Converted:
    """The values of a conversion and the records of units it goes by."""

    values: Mapping[str, Raw]
    rows: tuple[Record, ...]

    @property
    def result(self) -> int:
        """Whole units asked for, scaled."""
        result = self.values.get("result")
        return result if isinstance(result, int) else 0


def _converted(
    item: Record, quantity: int, unit: Raw, into: Raw, units: Records, system: str | None = None
) -> _Converted | None:
    """A scaled quantity in another unit: whole ones, and what is left over in base units; less than one as a decimal
    where thousandths tell it exactly ("0.25 pallet"). None where a unit has no size, or where the quantity is no scaled
    number of base units: a figure is never rounded."""
    base = item.raw("base_unit")
    source, target = _size(item, unit, units, system), _size(item, into, units, system)
    if source is None or target is None:
        return None
    told: dict[str, Raw] = {"quantity": quantity, "unit": unit, "into": into, "base_unit": base, "rest": 0}
    if unit == into:
        return _Converted(values={**told, "result": quantity, "exact": "same"}, rows=())
    based, left = divmod(quantity * source.base_quantity, SCALE)
    if left:
        return None
    told["base"] = based
    rows = (*source.rows, *target.rows)
    whole_ones = not target.rows or not based % target.base_quantity
    part_of_one = abs(based) < target.base_quantity and not based * _PARTS % target.base_quantity
    if not based * SCALE % target.base_quantity and (whole_ones or part_of_one):
        return _Converted(values={**told, "result": based * SCALE // target.base_quantity, "exact": "exact"}, rows=rows)
    sign = -1 if based < 0 else 1
    whole, rest = divmod(abs(based), target.base_quantity)
    told |= {"result": sign * whole * SCALE, "rest": sign * rest, "up": sign * (whole + 1) * SCALE}
    return _Converted(values={**told, "exact": "rest" if whole else "less"}, rows=rows)


def _codes(item: Record, said: Sequence[str], units: Records) -> list[Raw]:
    """The codes of the unit meant among the item's own, its base unit first."""
    own = [item.raw("base_unit"), *(row.raw("unit") for row in units if row.raw("item") == item.row_id)]
    return list(dict.fromkeys(code for code in own if code is not None and str(code).casefold() in said))


def _size(item: Record, unit: Raw, units: Records, system: str | None = None) -> _Size | None:
    """By the item's own table, as the system of the quantity has it, else as all others do; None where they differ."""
    base = item.raw("base_unit")
    if unit is None or base is None:
        return None
    if unit == base:
        return _Size(base_quantity=SCALE)
    known = [row for row in units if row.raw("item") == item.row_id and row.raw("unit") == unit]
    own = [row for row in known if row.system == system] or known
    if len({(row.raw("base_quantity"), row.raw("base_unit")) for row in own}) != 1:
        return None
    size = own[0].raw("base_quantity")
    if not isinstance(size, int) or size <= 0 or own[0].raw("base_unit") != base:
        return None
    return _Size(base_quantity=size, rows=(own[0],))
