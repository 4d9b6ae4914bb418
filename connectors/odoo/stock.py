"""Stock by warehouse and lot, what moved it, and transfers between warehouses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from connectors.base import Value
from connectors.odoo.row import Row, compute, instant, label, own_key, ref, text
from connectors.odoo.spec import Child, Part, Spec

_ON_ITS_WAY = ["assigned", "partially_available"]


def site_key(warehouse: int | None) -> str | None:
    """The key of a warehouse."""
    return f"stock.warehouse/{warehouse}" if warehouse else None


REGION = Spec(
    entity="region",
    model="res.company",
    company="id",
    values={
        "code": compute(lambda row: f"company-{row.id}"),
        "name": text("name"),
        "currency": compute(lambda row: row.world.companies[row.id].currency),
    },
)

CHANNEL = Spec(
    entity="channel",
    model="crm.team",
    values={"code": compute(lambda row: f"team-{row.id}"), "name": text("name")},
)

SITE = Spec(
    entity="site",
    model="stock.warehouse",
    labels={"warehouse": "id"},
    watch=("partner_id",),
    values={
        "code": text("code"),
        "name": text("name"),
        "region": ref("company_id", "res.company"),
        "kind": compute(lambda _: "warehouse"),
        "time_zone": compute(lambda row: row.world.warehouses[row.id].zone),
        "working_days": compute(lambda row: row.world.companies[row.world.warehouses[row.id].company].working_days),
        "city": compute(lambda row: row.world.warehouses[row.id].city),
        "country": compute(lambda row: row.world.warehouses[row.id].country),
    },
)


class _Shelf:
    """What one warehouse holds of one lot."""

    def __init__(self) -> None:
        self.on_hand = self.reserved = self.in_transit = Decimal(0)
        self.expires: date | None = None

    def values(self) -> dict[str, Value]:
        return {
            "on_hand": self.on_hand,
            "reserved": self.reserved,
            "available": self.on_hand - self.reserved,
            "in_transit": self.in_transit,
            "expires": self.expires,
        }


def _stock(row: Row) -> Iterable[Part]:
    """Quants lie in locations and packages; here they are summed up by warehouse and lot."""
    shelves: dict[tuple[int, int, str | None], _Shelf] = defaultdict(_Shelf)
    for quant in row.children["quants"]:
        site = row.world.site(quant.ident("location_id"))
        if site is not None:
            shelf = shelves[site, quant.ident("lot_id") or 0, quant.label("lot_id")]
            shelf.on_hand += quant.amount("quantity")
            shelf.reserved += quant.amount("reserved_quantity")
            shelf.expires = quant.day("lot_id.expiration_date", site)
    for move in row.children["arriving"]:
        site = row.world.site(move.ident("location_dest_id"))
        if site is not None:
            moved = move.amount("quantity|reserved_availability")
            shelves[site, 0, None].in_transit += row.world.convert(
                moved, move.ident("product_uom"), row.ident("uom_id")
            )
    for (site, lot_id, lot), shelf in sorted(shelves.items(), key=lambda found: found[0][:2]):
        yield Part(
            suffix=f"/{site_key(site)}" + (f"/lot/{lot_id}" if lot_id else ""),
            company=str(row.world.warehouses[site].company),
            labels={"warehouse": str(site)},
            values={"site": site_key(site), "lot": lot, **shelf.values()},
        )


STOCK = Spec(
    entity="stock",
    model="product.product",
    # Of the many products that keep no stock, none is looked at twice.
    domain=("|", ("stock_quant_ids", "!=", False), ("stock_move_ids", "!=", False)),
    children=(
        Child(
            name="quants",
            model="stock.quant",
            through="product_id",
            domain=(("location_id.usage", "=", "internal"),),
            paths=("location_id", "lot_id", "lot_id.expiration_date", "quantity", "reserved_quantity"),
        ),
        Child(
            name="arriving",
            model="stock.move",
            through="product_id",
            domain=(
                ("location_id.usage", "=", "transit"),
                ("location_dest_id.usage", "=", "internal"),
                ("state", "in", list(_ON_ITS_WAY)),
            ),
            paths=("location_dest_id", "quantity|reserved_availability", "product_uom"),
        ),
    ),
    expand=_stock,
    needs=("uom_id",),
    values={"item": own_key(), "unit": label("uom_id")},
)

_KINDS = {
    ("supplier", "internal"): "receipt",
    ("internal", "customer"): "shipment",
    ("customer", "internal"): "customer_return",
    ("internal", "supplier"): "supplier_return",
}


def _moves(row: Row) -> Iterable[Part]:
    """What left a warehouse and what came into one; nothing for goods that stay in theirs."""
    source, target = row.ident("location_id"), row.ident("location_dest_id")
    left, entered = row.world.site(source), row.world.site(target)
    if left == entered:
        return
    usages = (row.world.usage(source) or "", row.world.usage(target) or "")
    transferred = set(usages) <= {"internal", "transit"}
    kind = _KINDS.get(usages, "adjustment")
    quantity = row.world.convert(
        row.amount("quantity|qty_done"), row.ident("product_uom_id"), row.ident("product_id.uom_id")
    )
    for site, sign, way in ((left, -1, "out"), (entered, 1, "in")):
        if site is not None:
            yield Part(
                suffix=f"/{way}",
                labels={"warehouse": str(site)},
                values={
                    "site": site_key(site),
                    "quantity": sign * quantity,
                    "kind": f"transfer_{way}" if transferred else kind,
                },
            )


STOCK_MOVE = Spec(
    entity="stock_move",
    model="stock.move.line",
    domain=(("state", "=", "done"),),
    needs=("location_id", "location_dest_id", "quantity|qty_done", "product_uom_id", "product_id.uom_id"),
    expand=_moves,
    values={
        "item": ref("product_id", "product.product"),
        "lot": label("lot_id"),
        "unit": label("product_id.uom_id"),
        "moved_at": instant("date"),
        "document": text("reference"),
    },
)

_BEFORE = ("move_orig_ids.state", "move_orig_ids.date", "move_orig_ids.location_id")


def _transfers(row: Row) -> Iterable[Part]:
    """A picking that brings goods into a warehouse from another one, directly or out of transit."""
    target = row.world.site(row.ident("location_dest_id"))
    source, left = _origin(row)
    if target is None or source == target:
        return
    status = {"done": "received", "cancel": "cancelled"}.get(row.text("state") or "")
    yield Part(
        labels={"warehouse": str(target)},
        values={
            "from_site": site_key(source),
            "to_site": site_key(target),
            "status": status or ("in_transit" if left else "planned"),
            "shipped_at": left,
            "expected_date": row.day("scheduled_date", target),
            "received_at": row.instant("date_done") if status == "received" else None,
        },
    )


def _origin(row: Row) -> tuple[int | None, datetime | None]:
    """Where the goods come from, and when they left there if they have."""
    direct = row.world.site(row.ident("location_id"))
    if direct is not None:
        return direct, row.instant("date_done") if row.text("state") == "done" else None
    sources: list[int] = []
    left: list[datetime] = []
    for move in row.children["moves"]:
        for place in move.many("move_orig_ids.location_id"):
            site = row.world.site(getattr(place, "id", None))
            sources += [site] if site else []
        states, dates = move.many("move_orig_ids.state"), move.many("move_orig_ids.date")
        left += [at for state, at in zip(states, dates, strict=True) if state == "done" and isinstance(at, datetime)]
    return (sources[0] if sources else None), (max(left) if left else None)


TRANSFER = Spec(
    entity="transfer",
    model="stock.picking",
    domain=(
        ("location_id.usage", "in", ["internal", "transit"]),
        ("location_dest_id.usage", "=", "internal"),
    ),
    children=(Child(name="moves", model="stock.move", through="picking_id", paths=_BEFORE),),
    needs=("location_id", "location_dest_id", "state", "scheduled_date", "date_done"),
    expand=_transfers,
    values={"number": text("name")},
)


def single_lot(row: Row) -> str | None:
    """The lot, where there is exactly one."""
    lots = row.many("lot_ids.name")
    return lots[0] if len(lots) == 1 and isinstance(lots[0], str) else None


def _crosses(row: Row) -> bool:
    """Whether its picking is a transfer: out of transit, or between two warehouses."""
    source = row.world.site(row.ident("picking_id.location_id"))
    target = row.world.site(row.ident("picking_id.location_dest_id"))
    return target is not None and source != target


TRANSFER_LINE = Spec(
    entity="transfer_line",
    model="stock.move",
    domain=(
        ("picking_id.location_id.usage", "in", ["internal", "transit"]),
        ("picking_id.location_dest_id.usage", "=", "internal"),
    ),
    keep=_crosses,
    needs=("picking_id.location_id", "picking_id.location_dest_id", "state"),
    values={
        "transfer": ref("picking_id", "stock.picking"),
        "item": ref("product_id", "product.product"),
        "quantity": compute(lambda row: row.number("product_uom_qty"), "product_uom_qty"),
        "received_quantity": compute(
            lambda row: row.amount("quantity|quantity_done") if row.text("state") == "done" else Decimal(0),
            "quantity|quantity_done",
        ),
        "unit": label("product_uom"),
        "lot": compute(single_lot, "lot_ids.name"),
    },
)
