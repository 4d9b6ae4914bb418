"""Stock, what is coming in, and where two systems disagree."""

from __future__ import annotations

from collections.abc import Iterator

from copilot.domain.evidence import Raw
from copilot.retrieval.measures.base import (
    Context,
    Figures,
    Records,
    day_of,
    figures,
    governing,
    grouped,
    number_of,
    sums,
)


def site_stock(context: Context, stock: Records) -> Iterator[Figures]:
    """Stock per item and site, summed over lots, as the governing system has it; nothing where the list was cut."""
    if not context.complete:
        return
    for (item, site, unit), group in grouped(governing(context, stock), "item", "site", "unit"):
        yield figures({"item": item, "site": site, **sums(group), "unit": unit}, group[0], group)


def stock_total(context: Context, items: Records, stock: Records) -> Iterator[Figures]:
    """Stock of each item over all sites in scope; nothing where units differ or the list was cut."""
    for item in items if context.complete else ():
        rows = [s for s in governing(context, stock) if s.raw("item") == item.row_id]
        if len({s.raw("unit") for s in rows}) == 1:
            yield figures({"item": item.row_id, **sums(rows), "unit": rows[0].raw("unit")}, item, rows)


def stock_difference(context: Context, stock: Records) -> Iterator[Figures]:
    """Where another system has another figure on hand than the governing one for the same item and site."""
    if not context.complete:
        return
    for (item, site), group in grouped(stock, "item", "site"):
        by_system = {name: [r for r in group if r.system == name] for name in dict.fromkeys(r.system for r in group)}
        first, *others = sorted(by_system, key=context.place)
        for other in others:
            ours, theirs = by_system[first], by_system[other]
            values = {"on_hand": sums(ours)["on_hand"], "other_on_hand": sums(theirs)["on_hand"]}
            units = {r.raw("unit") for r in group}
            if values["on_hand"] != values["other_on_hand"] and len(units) == 1:
                names: dict[str, Raw] = {"governing_system": first, "other_system": other, "unit": ours[0].raw("unit")}
                yield figures({"item": item, "site": site, **values, **names}, ours[0], group)


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
