"""Suppliers with their terms and offers, purchase orders, and what arrived on them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from connectors.odoo import partners
from connectors.odoo.items import variants
from connectors.odoo.row import Row, code, compute, day, label, number, own_key, ref, text
from connectors.odoo.shipping import LOT, LOTS, QUANTITY, done_at
from connectors.odoo.spec import Child, Domain, Part, Spec

_RANK = "commercial_partner_id.supplier_rank"
_OF_SUPPLIER = ref("commercial_partner_id", "res.partner")
_SELLER = "partner_id|name.commercial_partner_id"

SUPPLIER = Spec(
    entity="supplier",
    model="res.partner",
    domain=partners.COMMERCIAL,
    tallies=partners.supplier_ties(),
    needs=("supplier_rank",),
    keep=partners.is_supplier,
    values={
        "number": text("ref"),
        "name": text("name"),
        "status": compute(partners.status, "active", "sale_warn", "purchase_warn"),
        "country": text("country_id.code"),
        "tax_number": text("vat"),
    },
)

SUPPLIER_CONTACT = Spec(
    entity="supplier_contact",
    model="res.partner",
    tallies=partners.supplier_ties(of="commercial_partner_id"),
    needs=(_RANK, "email", "phone", "mobile", "type", "function"),
    keep=lambda row: partners.is_supplier(row, _RANK) and partners.is_contact(row),
    watch=("commercial_partner_id",),
    values={
        "supplier": _OF_SUPPLIER,
        "name": compute(lambda row: row.text("name") or row.label("commercial_partner_id"), "name"),
        "role": compute(partners.supplier_role, "type", "function"),
        "email": text("email"),
        "phone": compute(lambda row: row.text("phone") or row.text("mobile"), "phone", "mobile"),
    },
)

SUPPLIER_TERMS = Spec(
    entity="supplier_terms",
    model="res.partner",
    domain=partners.COMMERCIAL,
    per_company=True,
    tallies=partners.supplier_ties(),
    needs=("supplier_rank",),
    keep=lambda row: (
        partners.is_supplier(row)
        and bool(row.pair("property_supplier_payment_term_id") or row.pair("property_purchase_currency_id"))
    ),
    values={
        "supplier": own_key(),
        "payment_terms": label("property_supplier_payment_term_id"),
        "currency": compute(
            lambda row: row.label("property_purchase_currency_id") or row.label("currency_id"),
            "property_purchase_currency_id",
            "currency_id",
        ),
    },
)


def _preferred(row: Row) -> bool:
    """Odoo buys from the first offer by sequence among those of the product."""
    first = min(row.children["offers_beside"], key=lambda found: (found.amount("sequence"), found.id), default=row)
    return first.id == row.id


def _offers(row: Row) -> Iterable[Part]:
    """One for each variant that a template's offer holds for."""
    for product in variants(row):
        yield Part(suffix=f"/{product.key}", values={"item": product.key})


_VARIANTS = Child(
    name="variants", model="product.product", through="product_tmpl_id", of="product_tmpl_id", touch=False
)

SUPPLIER_ITEM = Spec(
    entity="supplier_item",
    model="product.supplierinfo",
    children=(
        _VARIANTS,
        Child(
            name="offers_beside",
            model="product.supplierinfo",
            through="product_tmpl_id",
            of="product_tmpl_id",
            paths=("sequence",),
        ),
    ),
    needs=("product_id", "product_tmpl_id"),
    expand=_offers,
    values={
        "supplier": ref(_SELLER, "res.partner"),
        "part_number": text("product_code"),
        "lead_time": number("delay"),
        "minimum_quantity": number("min_qty"),
        "unit": label("product_uom_id|product_uom"),
        "preferred": compute(_preferred),
    },
)


def _priced(row: Row) -> Iterable[Part]:
    for product in variants(row):
        yield Part(suffix=f"/{product.key}", values={"supplier_item": f"{row.key}/{product.key}"})


SUPPLIER_ITEM_PRICE = Spec(
    entity="supplier_item_price",
    model="product.supplierinfo",
    children=(_VARIANTS,),
    needs=("product_id", "product_tmpl_id"),
    expand=_priced,
    values={
        "price": number("price"),
        "currency": label("currency_id"),
        "unit": label("product_uom_id|product_uom"),
    },
)

_GOODS: Domain = (("display_type", "=", False), ("product_id", "!=", False))
_SITE = "picking_type_id.warehouse_id"
_RECEIPT = {
    "draft": "expected",
    "waiting": "expected",
    "confirmed": "expected",
    "assigned": "expected",
    "done": "received",
    "cancel": "cancelled",
}
_PURCHASE = {"draft": "draft", "to approve": "draft", "sent": "sent", "cancel": "cancelled"}


def _status(row: Row) -> str:
    told = _PURCHASE.get(row.text("state") or "")
    if told:
        return told
    lines = row.children["lines"]
    if not any(line.amount("qty_received") > 0 for line in lines):
        return "confirmed"
    full = all(line.amount("qty_received") >= line.amount("product_qty") for line in lines)
    return "received" if full else "partly_received"


def _received(row: Row) -> date | None:
    """The day the last line arrived, once all have. Odoo's own effective_date is the first receipt's."""
    if _status(row) != "received":
        return None
    days = [move.day("date", row.ident(_SITE)) for move in row.children["moves"]]
    return max((at for at in days if at), default=None)


PURCHASE_ORDER = Spec(
    entity="purchase_order",
    model="purchase.order",
    labels={"warehouse": _SITE},
    watch=("partner_id",),
    children=(
        Child(
            name="lines",
            model="purchase.order.line",
            through="order_id",
            domain=_GOODS,
            paths=("product_qty", "qty_received"),
        ),
        Child(
            name="moves",
            model="stock.move",
            through="purchase_line_id.order_id",
            domain=(("state", "=", "done"),),
            paths=("date",),
        ),
    ),
    needs=("state", _SITE),
    values={
        "number": text("name"),
        "supplier": ref("partner_id.commercial_partner_id", "res.partner"),
        "site": ref(_SITE, "stock.warehouse"),
        "supplier_reference": text("partner_ref"),
        "status": compute(_status),
        "order_date": day("date_order", _SITE),
        "promised_date": day("date_planned", _SITE),
        "received_date": compute(_received),
    },
)

PURCHASE_ORDER_AMOUNT = Spec(
    entity="purchase_order_amount",
    model="purchase.order",
    labels={"warehouse": _SITE},
    values={
        "purchase_order": own_key(),
        "net": number("amount_untaxed"),
        "total": number("amount_total"),
        "currency": label("currency_id"),
    },
)


def _open(line: Row) -> Decimal:
    """Ordered less received and cancelled: what the moves still have to bring, where there are any left."""
    if line.text("state") == "cancel":
        return Decimal(0)
    rest = max(line.amount("product_qty") - line.amount("qty_received"), Decimal(0))
    moves = [move for move in line.children["moves"] if move.world.usage(move.ident("location_id")) == "supplier"]
    waiting = any(move.text("state") not in {"done", "cancel"} for move in moves)
    return rest if waiting or not moves else Decimal(0)


def _line_status(line: Row) -> str:
    received, still = line.amount("qty_received"), _open(line)
    if still <= 0:
        return "received" if received > 0 else "cancelled"
    return "partly_received" if received > 0 else "open"


def _line_received(line: Row) -> date | None:
    if _line_status(line) != "received":
        return None
    done = [move for move in line.children["moves"] if move.text("state") == "done"]
    days = [move.day("date", line.ident(f"order_id.{_SITE}")) for move in done]
    return max((at for at in days if at), default=None)


def _line_number(line: Row) -> int:
    places = sorted((found.amount("sequence"), found.id) for found in line.children["beside"])
    return next((place for place, (_, ident) in enumerate(places, 1) if ident == line.id), len(places) + 1)


PURCHASE_LINE = Spec(
    entity="purchase_line",
    model="purchase.order.line",
    domain=_GOODS,
    labels={"warehouse": f"order_id.{_SITE}"},
    watch=("order_id",),
    children=(
        Child(
            name="moves",
            model="stock.move",
            through="purchase_line_id",
            paths=("state", "date", "location_id"),
        ),
        Child(
            name="beside",
            model="purchase.order.line",
            through="order_id",
            of="order_id",
            domain=_GOODS,
            paths=("sequence",),
        ),
    ),
    needs=("state", f"order_id.{_SITE}"),
    values={
        "purchase_order": ref("order_id", "purchase.order"),
        "line_number": compute(_line_number),
        "item": ref("product_id", "product.product"),
        "ordered_quantity": number("product_qty"),
        "received_quantity": number("qty_received"),
        "open_quantity": compute(_open),
        "unit": label("product_uom_id|product_uom"),
        "status": compute(_line_status),
        "promised_date": day("date_planned", f"order_id.{_SITE}"),
        "received_date": compute(_line_received),
    },
)

PURCHASE_LINE_PRICE = Spec(
    entity="purchase_line_price",
    model="purchase.order.line",
    domain=_GOODS,
    watch=("order_id",),
    labels={"warehouse": f"order_id.{_SITE}"},
    values={
        "purchase_line": own_key(),
        "unit_price": number("price_unit"),
        "net": number("price_subtotal"),
        "currency": label("currency_id"),
    },
)


def _ordered_by(row: Row) -> str | None:
    """The purchase order that a picking's goods were ordered with, where it is one."""
    orders = {move.ident("purchase_line_id.order_id") for move in row.children["moves"]} - {None}
    return f"purchase.order/{orders.pop()}" if len(orders) == 1 else None


RECEIPT = Spec(
    entity="receipt",
    model="stock.picking",
    domain=(("picking_type_id.code", "=", "incoming"), ("purchase_id", "!=", False)),
    labels={"warehouse": _SITE},
    children=(Child(name="moves", model="stock.move", through="picking_id", paths=("purchase_line_id.order_id",)),),
    needs=(_SITE,),
    values={
        "number": text("name"),
        "purchase_order": compute(_ordered_by),
        "status": code("state", _RECEIPT),
        "expected_date": day("scheduled_date", _SITE),
        "received_at": done_at(),
    },
)

RECEIPT_LINE = Spec(
    entity="receipt_line",
    model="stock.move",
    domain=(
        ("picking_id.picking_type_id.code", "=", "incoming"),
        ("picking_id.purchase_id", "!=", False),
    ),
    labels={"warehouse": f"picking_id.{_SITE}"},
    watch=("picking_id",),
    values={
        "receipt": ref("picking_id", "stock.picking"),
        "purchase_line": ref("purchase_line_id", "purchase.order.line"),
        "item": ref("product_id", "product.product"),
        "quantity": QUANTITY,
        "unit": label("product_uom"),
        "lot": LOT,
    },
    children=(LOTS,),
)
