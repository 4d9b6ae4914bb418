"""Sales orders, their lines and values, and what is reserved for them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from connectors.odoo.row import Row, compute, day, label, number, own_key, percent, ref, text
from connectors.odoo.spec import Child, Spec
from connectors.odoo.stock import site_key

_MOVE = (
    "state",
    "product_uom_qty",
    "quantity|reserved_availability",
    "product_uom",
    "date",
    "date_deadline",
    "location_dest_id",
)
_ROUNDING = Decimal("0.01")
_ENDED = frozenset({"done", "cancel"})
_SHORT = frozenset({"confirmed", "partially_available"})
_PICKINGS = Child(
    name="pickings",
    model="stock.picking",
    through="sale_id",
    paths=("state", "picking_type_code", "date_done", "date_deadline"),
)
_LINES = Child(
    name="lines",
    model="sale.order.line",
    through="order_id",
    domain=(("display_type", "=", False), ("product_id.type", "!=", "service")),
    paths=("product_uom_qty", "qty_delivered"),
)
_DELIVERY = {"pending": "confirmed", "started": "confirmed", "partial": "partly_shipped", "full": "shipped"}


def _deliveries(row: Row) -> list[Row]:
    return [found for found in row.children["pickings"] if found.text("picking_type_code") == "outgoing"]


def _status(row: Row) -> str:
    """Odoo says itself how far delivery is from 16 on; before, and without deliveries, the lines tell."""
    state = row.text("state")
    if state in {"draft", "sent"}:
        return "quotation"
    if state == "cancel":
        return "cancelled"
    told = _DELIVERY.get(row.text("delivery_status") or "")
    return told or _status_by_lines(row)


def _status_by_lines(row: Row) -> str:
    goods = row.children["lines"]
    if not any(line.amount("qty_delivered") > 0 for line in goods):
        return "confirmed"
    full = all(line.amount("qty_delivered") >= line.amount("product_uom_qty") for line in goods)
    return "shipped" if full else "partly_shipped"


def _promised(row: Row) -> date | None:
    """What was agreed; else what Odoo reckoned when the order was confirmed, which it keeps on the deliveries."""
    agreed = row.day("commitment_date", row.ident("warehouse_id"))
    reckoned = [
        found.day("date_deadline", row.ident("warehouse_id"))
        for found in _deliveries(row)
        if found.text("state") != "cancel"
    ]
    return agreed or max((at for at in reckoned if at), default=None)


def _shipped(row: Row) -> date | None:
    """The day the last delivery left, once all have. Odoo's own effective_date is the first one's."""
    if _status(row) != "shipped":
        return None
    days = [
        found.day("date_done", row.ident("warehouse_id")) for found in _deliveries(row) if found.text("state") == "done"
    ]
    return max((at for at in days if at), default=None)


_ORDER_NEEDS = ("state", "delivery_status", "warehouse_id")

SALES_ORDER = Spec(
    entity="sales_order",
    model="sale.order",
    labels={"warehouse": "warehouse_id", "team": "team_id"},
    watch=("partner_id",),
    children=(_PICKINGS, _LINES),
    needs=_ORDER_NEEDS,
    values={
        "number": text("name"),
        "customer": ref("partner_id.commercial_partner_id", "res.partner"),
        "customer_po": text("client_order_ref"),
        "site": ref("warehouse_id", "stock.warehouse"),
        "status": compute(_status),
        "order_date": day("date_order", "warehouse_id"),
        "promised_date": compute(_promised, "commitment_date"),
        "shipped_date": compute(_shipped),
        "ship_complete": compute(lambda row: row.text("picking_policy") == "one", "picking_policy"),
    },
)

SALES_ORDER_AMOUNT = Spec(
    entity="sales_order_amount",
    model="sale.order",
    labels={"warehouse": "warehouse_id", "team": "team_id"},
    values={
        "order": own_key(),
        "net": number("amount_untaxed"),
        "tax": number("amount_tax"),
        "total": number("amount_total"),
        "currency": label("currency_id"),
    },
)


def _leaving(line: Row) -> list[Row]:
    """The moves that take a line's goods to the customer; picking and packing before that count for nothing."""
    return [move for move in line.children["moves"] if line.world.usage(move.ident("location_dest_id")) == "customer"]


def _moved(line: Row, path: str, states: frozenset[str] | None) -> Decimal:
    """The sum over a line's moves, in the line's unit: those in these states, or those not ended for None."""
    unit = line.ident("product_uom_id|product_uom")
    wanted = [m for m in _leaving(line) if (m.text("state") in states if states else m.text("state") not in _ENDED)]
    return sum((line.world.convert(m.amount(path), m.ident("product_uom"), unit) for m in wanted), Decimal(0))


def _open(line: Row) -> Decimal:
    """Ordered less shipped and cancelled: what the moves still have to take, where there are moves."""
    if line.text("state") == "cancel":
        return Decimal(0)
    rest = max(line.amount("product_uom_qty") - line.amount("qty_delivered"), Decimal(0))
    if not _leaving(line):
        return rest
    still = _moved(line, "product_uom_qty", None)
    # Odoo rounds what it delivered to its decimals, so a third of a pack leaves a difference.
    return rest if abs(still - rest) < _ROUNDING else still


def _reserved(line: Row) -> Decimal:
    return min(_moved(line, "quantity|reserved_availability", None), _open(line))


def _line_status(line: Row) -> str:
    shipped, still = line.amount("qty_delivered"), _open(line)
    if line.text("state") == "cancel":
        return "cancelled"
    if still <= 0:
        return "shipped" if shipped > 0 or line.amount("product_uom_qty") <= 0 else "cancelled"
    if shipped > 0:
        return "partly_shipped"
    short = any(move.text("state") in _SHORT for move in _leaving(line))
    return "backordered" if short else "open"


def _line_site(line: Row) -> int | None:
    return line.ident("warehouse_id") or line.ident("order_id.warehouse_id")


def _line_promised(line: Row) -> date | None:
    """As for the order, by the line's own moves."""
    agreed = line.day("order_id.commitment_date", _line_site(line))
    moves = [move for move in _leaving(line) if move.text("state") != "cancel"]
    reckoned = [at for move in moves if (at := move.day("date_deadline", _line_site(line)))]
    return agreed or max(reckoned, default=None)


def _line_shipped(line: Row) -> date | None:
    if _line_status(line) != "shipped":
        return None
    moves = [move for move in _leaving(line) if move.text("state") == "done"]
    return max((at for move in moves if (at := move.day("date", _line_site(line)))), default=None)


def _line_number(line: Row) -> int:
    """The line's place among the goods of its order: Odoo's sequence is for sorting and often the same for all."""
    places = sorted((found.amount("sequence"), found.id) for found in line.children["beside"])
    return next((place for place, (_, ident) in enumerate(places, 1) if ident == line.id), len(places) + 1)


_GOODS = (("display_type", "=", False), ("product_id", "!=", False))

SALES_ORDER_LINE = Spec(
    entity="sales_order_line",
    model="sale.order.line",
    domain=_GOODS,
    labels={"warehouse": "order_id.warehouse_id", "team": "order_id.team_id"},
    watch=("order_id",),
    children=(
        Child(name="moves", model="stock.move", through="sale_line_id", paths=_MOVE),
        # Until 16 what is reserved is on the lines below a move; changing those leaves the move as it was.
        Child(name="lots", model="stock.move.line", through="move_id.sale_line_id", hang=False),
        Child(
            name="beside",
            model="sale.order.line",
            through="order_id",
            of="order_id",
            domain=_GOODS,
            paths=("sequence",),
        ),
    ),
    needs=("state", "warehouse_id", "order_id.warehouse_id", "product_uom_id|product_uom"),
    values={
        "order": ref("order_id", "sale.order"),
        "line_number": compute(_line_number),
        "item": ref("product_id", "product.product"),
        "site": compute(lambda line: site_key(_line_site(line))),
        "ordered_quantity": number("product_uom_qty"),
        "shipped_quantity": number("qty_delivered"),
        "reserved_quantity": compute(_reserved),
        "open_quantity": compute(_open),
        "unit": label("product_uom_id|product_uom"),
        "status": compute(_line_status),
        "promised_date": compute(_line_promised, "order_id.commitment_date"),
        "shipped_date": compute(_line_shipped),
    },
)

SALES_LINE_PRICE = Spec(
    entity="sales_line_price",
    model="sale.order.line",
    domain=_GOODS,
    watch=("order_id",),
    labels={"warehouse": "order_id.warehouse_id", "team": "order_id.team_id"},
    values={
        "line": own_key(),
        "unit_price": number("price_unit"),
        "discount": percent("discount"),
        "net": number("price_subtotal"),
        "currency": label("currency_id"),
    },
)

RESERVATION = Spec(
    entity="reservation",
    model="stock.move.line",
    domain=(
        ("state", "in", ["assigned", "partially_available"]),
        ("move_id.sale_line_id", "!=", False),
        # What a customer sends back belongs to the order too.
        ("location_id.usage", "=", "internal"),
    ),
    needs=("quantity|product_uom_qty", "location_id"),
    keep=lambda row: row.amount("quantity|product_uom_qty") > 0,
    values={
        "order": ref("move_id.sale_line_id.order_id", "sale.order"),
        "line": ref("move_id.sale_line_id", "sale.order.line"),
        "item": ref("product_id", "product.product"),
        "site": compute(lambda row: site_key(row.world.site(row.ident("location_id")))),
        "lot": label("lot_id"),
        "quantity": number("quantity|product_uom_qty"),
        "unit": label("product_uom_id"),
    },
)
