"""Shipments to customers, what is in them, where they go, and what comes back."""

from __future__ import annotations

from decimal import Decimal

from connectors.odoo.row import Get, Row, code, compute, day, label, own_key, ref, text
from connectors.odoo.spec import Child, Domain, Spec
from connectors.odoo.stock import single_lot, site_key

# Deliveries that belong to no sales order are left out: who may see one is decided by its order.
OUTGOING: Domain = (("picking_type_id.code", "=", "outgoing"), ("sale_id", "!=", False))
RETURNED: Domain = (("picking_type_id.code", "=", "incoming"), ("sale_id", "!=", False))

_SHIPMENT = {
    "draft": "planned",
    "waiting": "waiting",
    "confirmed": "waiting",
    "assigned": "ready",
    "done": "shipped",
    "cancel": "cancelled",
}
_RETURN = {
    "draft": "requested",
    "waiting": "approved",
    "confirmed": "approved",
    "assigned": "approved",
    "done": "received",
    "cancel": "cancelled",
}


def done_at(path: str = "date_done") -> Get:
    """When a picking was carried out: Odoo also has a date on some that were not."""
    return compute(lambda row: row.instant(path) if row.text("state") == "done" else None, path, "state")


def _proof(row: Row) -> str | None:
    """Signed, where Odoo holds a signature; that there is none says nothing, as most sites don't ask for it."""
    return "signed" if row.text("state") == "done" and row.flag("signature") else None


def quantity(row: Row) -> Decimal:
    """What was moved, once it was; what is to be moved, before."""
    done = row.text("state") == "done"
    return row.amount("quantity|quantity_done") if done else row.amount("product_uom_qty")


QUANTITY = compute(quantity, "state", "quantity|quantity_done", "product_uom_qty")
LOT = compute(single_lot, "lot_ids.name")
# Lots and, until 16, quantities are on the lines below a move; changing those leaves the move as it was.
LOTS = Child(name="lots", model="stock.move.line", through="move_id", hang=False)

SHIPMENT = Spec(
    entity="shipment",
    model="stock.picking",
    domain=OUTGOING,
    labels={"warehouse": "picking_type_id.warehouse_id", "team": "sale_id.team_id"},
    watch=("sale_id",),
    needs=("location_id", "picking_type_id.warehouse_id"),
    values={
        "number": text("name"),
        "order": ref("sale_id", "sale.order"),
        "site": compute(
            lambda row: site_key(row.world.site(row.ident("location_id")) or row.ident("picking_type_id.warehouse_id"))
        ),
        "status": code("state", _SHIPMENT),
        "carrier": label("carrier_id"),
        "tracking_number": text("carrier_tracking_ref"),
        "planned_date": day("scheduled_date", "picking_type_id.warehouse_id"),
        "shipped_at": done_at(),
        "proof_of_delivery": compute(_proof, "state", "signature"),
    },
)

SHIPMENT_LINE = Spec(
    entity="shipment_line",
    model="stock.move",
    domain=tuple((f"picking_id.{place}", operator, value) for place, operator, value in OUTGOING),
    labels={"warehouse": "picking_id.picking_type_id.warehouse_id"},
    watch=("picking_id",),
    values={
        "shipment": ref("picking_id", "stock.picking"),
        "line": ref("sale_line_id", "sale.order.line"),
        "item": ref("product_id", "product.product"),
        "quantity": QUANTITY,
        "unit": label("product_uom"),
        "lot": LOT,
    },
    children=(LOTS,),
)

SHIPMENT_RECIPIENT = Spec(
    entity="shipment_recipient",
    model="stock.picking",
    domain=(*OUTGOING, ("partner_id", "!=", False)),
    labels={"warehouse": "picking_type_id.warehouse_id", "team": "sale_id.team_id"},
    watch=("partner_id", "sale_id"),
    values={
        "shipment": own_key(),
        "street": compute(
            lambda row: (
                ", ".join(s for s in (row.text("partner_id.street"), row.text("partner_id.street2")) if s) or None
            ),
            "partner_id.street",
            "partner_id.street2",
        ),
        "postal_code": text("partner_id.zip"),
        "city": text("partner_id.city"),
        "country": text("partner_id.country_id.code"),
    },
)

RETURN_ORDER = Spec(
    entity="return_order",
    model="stock.picking",
    domain=RETURNED,
    labels={"warehouse": "picking_type_id.warehouse_id", "team": "sale_id.team_id"},
    watch=("sale_id",),
    needs=("location_dest_id", "picking_type_id.warehouse_id"),
    values={
        "number": text("name"),
        "order": ref("sale_id", "sale.order"),
        "site": compute(
            lambda row: site_key(
                row.world.site(row.ident("location_dest_id")) or row.ident("picking_type_id.warehouse_id")
            )
        ),
        "status": code("state", _RETURN),
        "requested_date": day("create_date", "picking_type_id.warehouse_id"),
        "received_at": done_at(),
    },
)

RETURN_LINE = Spec(
    entity="return_line",
    model="stock.move",
    domain=tuple((f"picking_id.{place}", operator, value) for place, operator, value in RETURNED),
    labels={"warehouse": "picking_id.picking_type_id.warehouse_id"},
    watch=("picking_id",),
    values={
        "return_order": ref("picking_id", "stock.picking"),
        "line": ref("sale_line_id", "sale.order.line"),
        "item": ref("product_id", "product.product"),
        "quantity": QUANTITY,
        "unit": label("product_uom"),
    },
    children=(LOTS,),
)
