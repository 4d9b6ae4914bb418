"""What Odoo itself says, read over its JSON-2 API by code that shares nothing with the connector.

`Oracle` reads the tables afresh and says, in the words of our semantic model, what an answer about them has to hold:
a value for (entity, Odoo's key, field), and figures that are worked out over several records.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

STARTER = Path(__file__).resolve().parents[3] / "shared" / "odoo" / "odoo"

# What we take each job title of Odoo's demo people for.
ROLES = {
    "Sales Manager": "sales",
    "Sales Representative": "sales",
    "Financial Manager": "accounts_receivable",
    **dict.fromkeys(
        ("Director", "Creative Director", "Knowledge Manager", "Marketing Manager", "Service Manager", "Store Manager"),
        "management",
    ),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity, amount or number of days, with what it is counted in."""

    value: Decimal
    unit: str | None


Known = str | int | date | datetime | Figure | None
Place = tuple[str, str, str]
"""Entity, Odoo's key ("sale.order/24") and field."""
Row = dict[str, Any]


class Odoo:
    """Odoo's JSON-2 API, as its administrator."""

    def __init__(self) -> None:
        place = _place()
        self.url, self.database, self.api_key = place["ODOO_URL"], place["ODOO_DB"], place["ODOO_API_KEY"]
        headers = {"Authorization": f"bearer {self.api_key}", "X-Odoo-Database": self.database}
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        """The result of a method of a model."""
        answer = self._client.post(f"/json/2/{model}/{method}", json=arguments)
        assert answer.status_code == 200, f"{model}.{method}: {answer.text[:500]}"
        return answer.json(parse_float=Decimal)

    def rows(self, model: str, *fields: str, where: Sequence[Any] = ()) -> dict[int, Row]:
        """The records of a model by id, archived ones too. A reference is (id, name), nothing is None."""
        context = {"active_test": False}
        found = self.call(model, "search_read", domain=list(where), fields=list(fields), order="id", context=context)
        return {row["id"]: {name: None if value is False else value for name, value in row.items()} for row in found}

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


def _place() -> dict[str, str]:
    """How to reach Odoo: from the environment, or from what starts it."""
    if "ODOO_URL" in os.environ:
        return {name: os.environ[name] for name in ("ODOO_URL", "ODOO_DB", "ODOO_API_KEY")}
    if not STARTER.exists():
        pytest.skip("no Odoo: set ODOO_URL, ODOO_DB and ODOO_API_KEY")
    said = subprocess.run([STARTER, "start"], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in shlex.split(said, comments=True))


class Oracle:
    """Odoo's tables as they are when first asked for, and what they come to at a moment."""

    def __init__(self, odoo: Odoo, now: datetime) -> None:
        self._odoo = odoo
        self.now = now

    # What Odoo holds.

    @cached_property
    def partners(self) -> dict[int, Row]:
        return self._odoo.rows(
            "res.partner", "name", "commercial_partner_id", "country_id", "active", "email", "phone", "type",
            "function", "tz",
        )  # fmt: skip

    @cached_property
    def countries(self) -> dict[int, Row]:
        return self._odoo.rows("res.country", "code")

    @cached_property
    def warehouses(self) -> dict[int, Row]:
        return self._odoo.rows("stock.warehouse", "name", "company_id", "partner_id", "view_location_id")

    @cached_property
    def locations(self) -> dict[int, Row]:
        return self._odoo.rows("stock.location", "usage", "parent_path")

    @cached_property
    def products(self) -> dict[int, Row]:
        return self._odoo.rows(
            "product.product", "display_name", "default_code", "lst_price", "uom_id", "type", "sale_ok", "currency_id",
            "product_tmpl_id", "qty_available",
        )  # fmt: skip

    @cached_property
    def sales(self) -> dict[int, Row]:
        return self._odoo.rows(
            "sale.order", "name", "state", "partner_id", "client_order_ref", "commitment_date", "date_order",
            "warehouse_id", "amount_untaxed", "amount_tax", "amount_total", "currency_id",
        )  # fmt: skip

    @cached_property
    def sale_lines(self) -> dict[int, Row]:
        return self._odoo.rows(
            "sale.order.line", "order_id", "product_id", "product_uom_qty", "qty_delivered", "product_uom_id",
            "sequence", "price_unit", "discount", "price_subtotal", "currency_id",
            where=[["display_type", "=", False], ["product_id", "!=", False]],
        )  # fmt: skip

    @cached_property
    def pickings(self) -> dict[int, Row]:
        return self._odoo.rows(
            "stock.picking", "name", "state", "sale_id", "date_deadline", "scheduled_date", "picking_type_code",
            "carrier_tracking_ref", "carrier_id",
        )  # fmt: skip

    @cached_property
    def moves(self) -> dict[int, Row]:
        """The moves of orders and of goods on their way between warehouses."""
        return self._odoo.rows(
            "stock.move", "state", "picking_id", "sale_line_id", "purchase_line_id", "product_id", "product_uom_qty",
            "quantity", "product_uom", "date_deadline", "location_id", "location_dest_id",
            where=["|", "|", ["sale_line_id", "!=", False], ["purchase_line_id", "!=", False],
                   ["location_id.usage", "=", "transit"]],
        )  # fmt: skip

    @cached_property
    def quants(self) -> dict[int, Row]:
        return self._odoo.rows(
            "stock.quant", "product_id", "location_id", "quantity", "reserved_quantity",
            where=[["location_id.usage", "=", "internal"]],
        )  # fmt: skip

    @cached_property
    def purchases(self) -> dict[int, Row]:
        return self._odoo.rows(
            "purchase.order", "name", "state", "partner_id", "date_planned", "date_order", "amount_untaxed",
            "amount_total", "currency_id", "picking_type_id",
        )  # fmt: skip

    @cached_property
    def purchase_lines(self) -> dict[int, Row]:
        return self._odoo.rows(
            "purchase.order.line", "order_id", "product_id", "product_qty", "qty_received", "product_uom_id",
            "sequence", "date_planned", "price_unit", "price_subtotal", "currency_id",
            where=[["display_type", "=", False], ["product_id", "!=", False]],
        )  # fmt: skip

    @cached_property
    def operations(self) -> dict[int, Row]:
        return self._odoo.rows("stock.picking.type", "warehouse_id")

    @cached_property
    def offers(self) -> dict[int, Row]:
        return self._odoo.rows(
            "product.supplierinfo", "partner_id", "product_tmpl_id", "product_id", "delay", "price", "currency_id",
            "min_qty", "product_uom_id",
        )  # fmt: skip

    @cached_property
    def invoices(self) -> dict[int, Row]:
        return self._odoo.rows(
            "account.move", "name", "state", "payment_state", "commercial_partner_id", "invoice_date_due", "move_type",
            "amount_total", "amount_residual", "currency_id",
            where=[["move_type", "in", ["out_invoice", "out_refund"]]],
        )  # fmt: skip

    # What an answer may print.

    @cached_property
    def truth(self) -> dict[Place, Known]:
        """Every value that an answer may print of these records."""
        known: dict[Place, Known] = {}
        for part in (
            self._names(), self._sales(), self._sale_lines(), self._shipments(), self._purchases(),
            self._purchase_lines(), self._suppliers(), self._contacts(), self._invoices(),
        ):  # fmt: skip
            known |= part
        return known

    def _names(self) -> dict[Place, Known]:
        known: dict[Place, Known] = {}
        for ident, row in self.partners.items():
            known["customer", f"res.partner/{ident}", "name"] = row["name"]
        for ident, row in self.warehouses.items():
            known["site", f"stock.warehouse/{ident}", "name"] = row["name"]
        for ident, row in self.products.items():
            key = f"product.product/{ident}"
            code = f"[{row['default_code']}] " if row["default_code"] else ""
            known["item", key, "name"] = row["display_name"].removeprefix(code)
            known["item_price", key, "price"] = _amount(row, "lst_price")
            known["item_price", key, "unit"] = row["uom_id"][1]
        return known

    def _sales(self) -> dict[Place, Known]:
        known: dict[Place, Known] = {}
        for ident, row in self.sales.items():
            zone = self.zone(row["warehouse_id"][0])
            known |= _fields("sales_order", f"sale.order/{ident}", {
                "number": row["name"],
                "status": self.sale_status(ident),
                "order_date": _day(row["date_order"], zone),
                "promised_date": self.promised(ident),
            })  # fmt: skip
            known |= _fields("sales_order_amount", f"sale.order/{ident}", {
                "net": _amount(row, "amount_untaxed"),
                "tax": _amount(row, "amount_tax"),
                "total": _amount(row, "amount_total"),
            })  # fmt: skip
        return known

    def sale_status(self, order: int) -> str:
        """The order's status, by its state and by what its lines say was delivered."""
        state = self.sales[order]["state"]
        if state != "sale":
            return {"draft": "quotation", "sent": "quotation", "cancel": "cancelled"}[state]
        goods = [line for line in self.lines_of(order) if self.products[line["product_id"][0]]["type"] != "service"]
        if not any(line["qty_delivered"] for line in goods):
            return "confirmed"
        full = all(line["qty_delivered"] >= line["product_uom_qty"] for line in goods)
        return "shipped" if full else "partly_shipped"

    def promised(self, order: int) -> date | None:
        """The day promised to the customer, else the last deadline of the deliveries."""
        row = self.sales[order]
        own = [p for p in self.deliveries_of(order).values() if p["state"] != "cancel"]
        said = [row["commitment_date"]] if row["commitment_date"] else [p["date_deadline"] for p in own]
        days = [_day(at, self.zone(row["warehouse_id"][0])) for at in said if at]
        return max((day for day in days if day), default=None)

    def lines_of(self, order: int) -> list[Row]:
        """The lines of an order, as Odoo sorts them."""
        own = [line for line in self.sale_lines.values() if line["order_id"][0] == order]
        return sorted(own, key=lambda line: (line["sequence"], line["id"]))

    def deliveries_of(self, order: int) -> dict[int, Row]:
        """The outgoing pickings of an order."""
        return {
            ident: row
            for ident, row in self.pickings.items()
            if row["sale_id"] and row["sale_id"][0] == order and row["picking_type_code"] == "outgoing"
        }

    def _sale_lines(self) -> dict[Place, Known]:
        known: dict[Place, Known] = {}
        for order, head in self.sales.items():
            for place, line in enumerate(self.lines_of(order), 1):
                unit, key = line["product_uom_id"][1], f"sale.order.line/{line['id']}"
                ordered, shipped = line["product_uom_qty"], line["qty_delivered"]
                rest = 0 if head["state"] == "cancel" else max(ordered - shipped, 0)
                known |= _fields("sales_order_line", key, {
                    "line_number": place,
                    "ordered_quantity": _figure(ordered, unit),
                    "shipped_quantity": _figure(shipped, unit),
                    "open_quantity": _figure(rest, unit),
                    "promised_date": self.promised(order),
                })  # fmt: skip
                known |= _fields("sales_line_price", key, {
                    "unit_price": _amount(line, "price_unit"),
                    "net": _amount(line, "price_subtotal"),
                    "discount": _figure(Decimal(line["discount"] or 0) / 100, None),
                })  # fmt: skip
        return known

    def _shipments(self) -> dict[Place, Known]:
        status = {"draft": "planned", "waiting": "waiting", "confirmed": "waiting", "assigned": "ready"}
        known: dict[Place, Known] = {}
        for order, head in self.sales.items():
            for ident, row in self.deliveries_of(order).items():
                known |= _fields("shipment", f"stock.picking/{ident}", {
                    "number": row["name"],
                    "status": {"done": "shipped", "cancel": "cancelled"}.get(row["state"]) or status[row["state"]],
                    "planned_date": _day(row["scheduled_date"], self.zone(head["warehouse_id"][0])),
                    "tracking_number": row["carrier_tracking_ref"],
                    "carrier": row["carrier_id"] and row["carrier_id"][1],
                })  # fmt: skip
        for ident, move in self.moves.items():
            quantity = move["quantity"] if move["state"] == "done" else move["product_uom_qty"]
            known["shipment_line", f"stock.move/{ident}", "quantity"] = _figure(quantity, move["product_uom"][1])
        return known

    def _purchases(self) -> dict[Place, Known]:
        known: dict[Place, Known] = {}
        for ident, row in self.purchases.items():
            zone = self.zone(self.receives(ident))
            known |= _fields("purchase_order", f"purchase.order/{ident}", {
                "number": row["name"],
                "status": self.purchase_status(ident),
                "order_date": _day(row["date_order"], zone),
                "promised_date": _day(row["date_planned"], zone),
            })  # fmt: skip
            known |= _fields("purchase_order_amount", f"purchase.order/{ident}", {
                "net": _amount(row, "amount_untaxed"),
                "total": _amount(row, "amount_total"),
            })  # fmt: skip
        return known

    def receives(self, order: int) -> int:
        """The warehouse that a purchase order is to arrive at."""
        return self.operations[self.purchases[order]["picking_type_id"][0]]["warehouse_id"][0]

    def purchase_status(self, order: int) -> str:
        """The purchase order's status, by its state and by what arrived."""
        state = self.purchases[order]["state"]
        if state != "purchase":
            return {"draft": "draft", "to approve": "draft", "sent": "sent", "cancel": "cancelled"}[state]
        lines = self.purchase_lines_of(order)
        if not any(line["qty_received"] for line in lines):
            return "confirmed"
        return "received" if all(line["qty_received"] >= line["product_qty"] for line in lines) else "partly_received"

    def purchase_lines_of(self, order: int) -> list[Row]:
        """The lines of a purchase order, as Odoo sorts them."""
        own = [line for line in self.purchase_lines.values() if line["order_id"][0] == order]
        return sorted(own, key=lambda line: (line["sequence"], line["id"]))

    def _purchase_lines(self) -> dict[Place, Known]:
        known: dict[Place, Known] = {}
        for order, head in self.purchases.items():
            for place, line in enumerate(self.purchase_lines_of(order), 1):
                unit, key = line["product_uom_id"][1], f"purchase.order.line/{line['id']}"
                rest = 0 if head["state"] == "cancel" else max(line["product_qty"] - line["qty_received"], 0)
                known |= _fields("purchase_line", key, {
                    "line_number": place,
                    "ordered_quantity": _figure(line["product_qty"], unit),
                    "received_quantity": _figure(line["qty_received"], unit),
                    "open_quantity": _figure(rest, unit),
                    "promised_date": _day(line["date_planned"], self.zone(self.receives(order))),
                })  # fmt: skip
                known["purchase_line_price", key, "unit_price"] = _amount(line, "price_unit")
        return known

    @cached_property
    def suppliers(self) -> frozenset[int]:
        """Whoever we bought from or have an offer of."""
        tied = [*self.purchases.values(), *self.offers.values()]
        return frozenset(self.partners[row["partner_id"][0]]["commercial_partner_id"][0] for row in tied)

    def _suppliers(self) -> dict[Place, Known]:
        known: dict[Place, Known] = {}
        for ident in self.suppliers:
            row = self.partners[ident]
            known |= _fields("supplier", f"res.partner/{ident}", {
                "name": row["name"],
                "status": "active" if row["active"] else "archived",
                "country": self.countries[row["country_id"][0]]["code"] if row["country_id"] else None,
            })  # fmt: skip
        for ident, offer in self.offers.items():
            for product in self.variants(offer):
                key = f"product.supplierinfo/{ident}/product.product/{product}"
                known["supplier_item", key, "lead_time"] = _figure(offer["delay"], None)
                known["supplier_item", key, "minimum_quantity"] = _figure(offer["min_qty"], offer["product_uom_id"][1])
                known["supplier_item_price", key, "price"] = _amount(offer, "price")
                known["supplier_item_price", key, "unit"] = offer["product_uom_id"][1]
        return known

    def variants(self, offer: Row) -> list[int]:
        """The products that an offer is for: the one it names, or all of its template's."""
        if offer["product_id"]:
            return [offer["product_id"][0]]
        template = offer["product_tmpl_id"][0]
        return [ident for ident, row in self.products.items() if row["product_tmpl_id"][0] == template]

    def contacts_of(self, company: int) -> dict[int, Row]:
        """A company's people, and the company itself where it can be reached."""
        return {
            ident: row
            for ident, row in self.partners.items()
            if row["commercial_partner_id"][0] == company
            and (row["email"] or row["phone"] or (ident != company and row["type"] == "contact"))
        }

    def _contacts(self) -> dict[Place, Known]:
        known: dict[Place, Known] = {}
        for ident, row in self.partners.items():
            for entity in ("supplier_contact", "customer_contact"):
                told = {"name": row["name"], "email": row["email"], "phone": row["phone"]}
                known |= _fields(entity, f"res.partner/{ident}", told)
            role = ROLES.get(row["function"] or "", "other")
            known["supplier_contact", f"res.partner/{ident}", "role"] = role
            known["customer_contact", f"res.partner/{ident}", "role"] = "sales" if role == "sales" else self._buys(row)
        return known

    @staticmethod
    def _buys(row: Row) -> str:
        return "accounts_payable" if row["function"] == "Financial Manager" or row["type"] == "invoice" else "other"

    def _invoices(self) -> dict[Place, Known]:
        known: dict[Place, Known] = {}
        for ident, row in self.invoices.items():
            known |= _fields("invoice", f"account.move/{ident}", {
                "number": row["name"],
                "status": self.invoice_status(ident),
                "due_date": _date(row["invoice_date_due"]),
            })  # fmt: skip
            known |= _fields("invoice_amount", f"account.move/{ident}", {
                "total": _amount(row, "amount_total"),
                "open": _amount(row, "amount_residual"),
            })  # fmt: skip
        return known

    def invoice_status(self, invoice: int) -> str:
        """The invoice's status, by its state and what was paid."""
        row = self.invoices[invoice]
        if row["state"] != "posted":
            return {"draft": "draft", "cancel": "cancelled"}[row["state"]]
        return {"not_paid": "open", "partial": "partly_paid"}.get(row["payment_state"], row["payment_state"])

    # What is worked out over several records.

    def stock(self, product: int) -> dict[int, tuple[Decimal, Decimal]]:
        """Warehouse -> what is on hand and what of it is reserved."""
        held: dict[int, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
        for quant in self.quants.values():
            site = self.site(quant["location_id"][0])
            if quant["product_id"][0] == product and site:
                on_hand, reserved = held[site]
                held[site] = on_hand + _number(quant["quantity"]), reserved + _number(quant["reserved_quantity"])
        return dict(held)

    def site(self, location: int) -> int | None:
        """The warehouse that a location lies in."""
        path = {int(step) for step in self.locations[location]["parent_path"].split("/") if step}
        return next((i for i, row in self.warehouses.items() if row["view_location_id"][0] in path), None)

    def incoming(self, product: int) -> list[tuple[Figure, date | None, int]]:
        """What is on order of a product and not here yet: quantity, day promised and warehouse."""
        found: list[tuple[Figure, date | None, int]] = []
        for line in self.purchase_lines.values():
            order, rest = line["order_id"][0], line["product_qty"] - line["qty_received"]
            coming = self.purchase_status(order) in ("sent", "confirmed", "partly_received")
            if coming and rest > 0 and line["product_id"][0] == product:
                site, quantity = self.receives(order), _figure(rest, line["product_uom_id"][1])
                found.append((quantity, _day(line["date_planned"], self.zone(site)), site))
        return found

    def zone(self, warehouse: int) -> ZoneInfo:
        """A warehouse's time zone: its own, else its company's, else that of the company's working hours."""
        row = self.warehouses[warehouse]
        company = self._companies[row["company_id"][0]]
        own = row["partner_id"] and self.partners[row["partner_id"][0]]["tz"]
        calendar = self._calendars[company["resource_calendar_id"][0]]
        return ZoneInfo(own or self.partners[company["partner_id"][0]]["tz"] or calendar["tz"])

    def today(self, warehouse: int) -> date:
        """Today at a warehouse."""
        return self.now.astimezone(self.zone(warehouse)).date()

    def days_late(self, promised: date | None, warehouse: int) -> int:
        """Working days since a promised day, at a warehouse that works when its company does."""
        company = self._companies[self.warehouses[warehouse]["company_id"][0]]
        works = self._weekdays[company["resource_calendar_id"][0]]
        if promised is None:
            return 0
        while promised.weekday() not in works:
            promised += timedelta(days=1)
        since = range(1, (self.today(warehouse) - promised).days + 1)
        return sum((promised + timedelta(days=n)).weekday() in works for n in since)

    @cached_property
    def _companies(self) -> dict[int, Row]:
        return self._odoo.rows("res.company", "partner_id", "resource_calendar_id")

    @cached_property
    def _calendars(self) -> dict[int, Row]:
        return self._odoo.rows("resource.calendar", "tz")

    @cached_property
    def _weekdays(self) -> dict[int, set[int]]:
        """Working calendar -> its weekdays, Monday being 0."""
        found: dict[int, set[int]] = defaultdict(set)
        for row in self._odoo.rows("resource.calendar.attendance", "calendar_id", "dayofweek").values():
            found[row["calendar_id"][0]].add(int(row["dayofweek"]))
        return found


def places(entity: str, model: str, idents: Iterable[int], *fields: str) -> list[Place]:
    """The places of some fields of some records."""
    return [(entity, f"{model}/{ident}", field) for ident in idents for field in fields]


def _fields(entity: str, key: str, values: dict[str, Known]) -> dict[Place, Known]:
    return {(entity, key, field): value for field, value in values.items()}


def _number(value: Any) -> Decimal:
    return Decimal(value or 0)


def _figure(value: Any, unit: str | None) -> Figure:
    return Figure(_number(value), unit)


def _amount(row: Row, field: str) -> Figure:
    return Figure(_number(row[field]), row["currency_id"][1])


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _day(text: str | None, zone: ZoneInfo) -> date | None:
    """The day of an instant of Odoo's, which are all in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(zone).date() if text else None
