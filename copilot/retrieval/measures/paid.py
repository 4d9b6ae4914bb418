"""What a customer was charged for an item before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from copilot.domain.evidence import Raw
from copilot.retrieval.measures.base import Context, Figures, Records, day_of, figures, number_of

_MOST = 3


def recent_sale(context: Context, orders: Records, lines: Records) -> Iterator[Figures]:
    """The newest lines of an item in a customer's orders, by order date; nothing where a list was cut."""
    known = {order.row_id: order for order in orders if order.raw("status") not in ("quotation", "cancelled")}
    sold = [
        (day_of(known[number_of(line, "order")], "order_date") or date.min, line)
        for line in lines
        if number_of(line, "order") in known and line.raw("status") != "cancelled"
    ]
    sold.sort(key=lambda each: (each[0], each[1].row_id), reverse=True)
    for placed, line in sold[:_MOST] if context.complete else ():
        order = known[number_of(line, "order")]
        values: dict[str, Raw] = {
            "sales_order": order.row_id, "sales_order_line": line.row_id,
            "order_date": None if placed == date.min else placed,
            "quantity": line.raw("ordered_quantity"), "unit": line.raw("unit"),
        }  # fmt: skip
        yield figures(values, line, (order,))
