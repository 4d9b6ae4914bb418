"""Questions about whatever Odoo holds, each with what its answer has to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from tests.acceptance.odoo_fixtures import Case, Figures
from tests.acceptance.odoo_oracle import Figure, Known, Oracle, places

_OPEN = ("confirmed", "partly_shipped")
_COMING = ("sent", "confirmed", "partly_received")
_OWED = ("open", "partly_paid", "in_payment")
_MOST_LISTED = 20


def questions(oracle: Oracle) -> Iterator[Case]:
    """All of them."""
    for order in oracle.sales:
        yield from about_order(oracle, order)
    yield from _about_deliveries(oracle)
    for product in oracle.products:
        yield from _about_item(oracle, product)
    for order in oracle.purchases:
        yield from _about_purchase(oracle, order)
    for partner in oracle.suppliers:
        yield from _about_supplier(oracle, partner)
    for partner in {row["commercial_partner_id"][0] for row in _partners_of(oracle)}:
        yield from _about_customer(oracle, partner)
    yield from _about_invoices(oracle)


def about_order(oracle: Oracle, order: int) -> Iterator[Case]:
    """Status by every way to write its number, lines and value."""
    number = oracle.sales[order]["name"]
    digits = number.removeprefix("S").lstrip("0")
    status = order_status(oracle, order, f"where is {number}?")
    yield status
    for typed in (f"where is s{digits}?", f"SO {digits}", f"status of order {digits}", number.lower()):
        yield replace(status, question=typed)
    if oracle.sales[order]["client_order_ref"]:
        for typed in ("where is {}?", "status of PO {}", "when does {} ship?"):
            yield replace(status, question=typed.format(oracle.sales[order]["client_order_ref"]))
    yield _order_lines(oracle, order)
    lines = [line["id"] for line in oracle.lines_of(order)]
    yield Case(
        person="finance",
        question=f"value of order {number}",
        must=[
            *places("sales_order_amount", "sale.order", [order], "net", "tax", "total"),
            *places("sales_order_line", "sale.order.line", lines, "ordered_quantity"),
            *places("sales_line_price", "sale.order.line", lines, "unit_price", "net"),
        ],
    )


def order_status(oracle: Oracle, order: int, question: str) -> Case:
    """What has to be said about where an order stands."""
    customer = oracle.partners[oracle.sales[order]["partner_id"][0]]["commercial_partner_id"][0]
    status = oracle.sale_status(order)
    planned = [i for i, row in oracle.deliveries_of(order).items() if row["state"] not in ("done", "cancel")]
    return Case(
        person="rep",
        question=question,
        must=[
            *places("sales_order", "sale.order", [order], "number", "status", "order_date"),
            *places("sales_order", "sale.order", [order] if status in _OPEN else [], "promised_date"),
            *places("customer", "res.partner", [customer], "name"),
            *places("shipment", "stock.picking", planned, "number", "status", "planned_date"),
        ],
        figures=_order_delay(oracle, [order]) | _line_delays(oracle, order),
    )


def _order_lines(oracle: Oracle, order: int) -> Case:
    lines = oracle.lines_of(order)
    rest = sum(line["product_uom_qty"] > line["qty_delivered"] for line in lines)
    still = 0 if oracle.sale_status(order) == "cancelled" else rest
    counted: Figures = {("line_count", "lines"): [len(lines)]}
    return Case(
        person="planner",
        question=f"lines of {oracle.sales[order]['name']}",
        must=[
            *places("sales_order", "sale.order", [order], "number", "status"),
            *places(
                "sales_order_line", "sale.order.line", [line["id"] for line in lines],
                "line_number", "ordered_quantity", "shipped_quantity", "open_quantity", "promised_date",
            ),
            *places("item", "product.product", [line["product_id"][0] for line in lines], "name"),
        ],
        figures=counted
        | ({("line_count", "open_lines"): [still]} if still else {})
        | _line_delays(oracle, order),
    )  # fmt: skip


def _order_delay(oracle: Oracle, orders: list[int], *also: str) -> Figures:
    """The delay of the orders that are late; `also` names what else of it is printed."""
    late = {order: _days_late(oracle, order) for order in orders if oracle.sale_status(order) in _OPEN}
    late = {order: days for order, days in late.items() if days}
    if not late:
        return {}
    said: Figures = {("order_delay", "days_late"): [*late.values()]}
    return said if also else said | {("order_delay", "promised_date"): [oracle.promised(order) for order in late]}


def _days_late(oracle: Oracle, order: int) -> int:
    return oracle.days_late(oracle.promised(order), oracle.sales[order]["warehouse_id"][0])


def _line_delays(oracle: Oracle, order: int) -> Figures:
    """What is said of each late line: short of stock with or without supply to come, else only not shipped."""
    said: dict[tuple[str, str], list[Known]] = {}
    late = _days_late(oracle, order) if oracle.sale_status(order) in _OPEN else 0
    for number, line in enumerate(oracle.lines_of(order), 1):
        if not late:
            break
        values: dict[str, Known] = {
            "line_number": number,
            "days_late": late,
            "promised_date": oracle.promised(order),
            **_cause(oracle, oracle.sales[order]["warehouse_id"][0], line),
        }
        for name, value in values.items():
            said.setdefault(("line_delay", name), []).append(value)
    return said


def _cause(oracle: Oracle, site: int, line: dict[str, Any]) -> dict[str, Known]:
    product, unit = line["product_id"][0], line["product_uom_id"][1]
    assert unit == oracle.products[product]["uom_id"][1], "the oracle converts no units"
    on_hand = oracle.stock(product).get(site, (Decimal(0), Decimal(0)))[0]
    missing = line["product_uom_qty"] - line["qty_delivered"] - on_hand
    if missing <= 0:
        return {"on_hand": Figure(on_hand, unit)}
    days = [day for _, day, where in oracle.incoming(product) if where == site and day and day >= oracle.today(site)]
    return {"missing": Figure(missing, unit)} | ({"supply_date": min(days)} if days else {})


def _about_deliveries(oracle: Oracle) -> Iterator[Case]:
    for order in oracle.sales:
        for ident, row in oracle.deliveries_of(order).items():
            parts = [i for i, move in oracle.moves.items() if (move["picking_id"] or [0])[0] == ident]
            tracked = Case(
                person="rep",
                question=f"tracking of {row['name']}",
                must=[
                    *places("shipment", "stock.picking", [ident], "number", "status"),
                    *places("sales_order", "sale.order", [order], "number"),
                    *places("shipment_line", "stock.move", parts, "quantity"),
                ],
            )
            yield tracked
            yield replace(tracked, question=row["name"])
            if row["carrier_tracking_ref"]:
                yield replace(tracked, question=f"track {row['carrier_tracking_ref']}")
                yield replace(tracked, question=f"where is parcel {row['carrier_tracking_ref'].lower()}")


def _about_item(oracle: Oracle, product: int) -> Iterator[Case]:
    row = oracle.products[product]
    code = row["default_code"]
    if not code:
        return
    yield item_stock(oracle, product, f"stock of {code}")
    for site in oracle.stock(product):
        name = oracle.warehouses[site]["name"]
        yield item_stock(oracle, product, f"how many {code} do we have at {name}?", site)
    if row["sale_ok"]:
        yield Case(
            person="rep",
            question=f"list price of {code}",
            must=places("item_price", "product.product", [product], "price", "unit"),
        )
    offers = {i: offer for i, offer in oracle.offers.items() if product in oracle.variants(offer)}
    if offers:
        keys = [f"{ident}/product.product/{product}" for ident in offers]
        sellers = [oracle.partners[offer["partner_id"][0]]["commercial_partner_id"][0] for offer in offers.values()]
        yield Case(
            person="buyer",
            question=f"who supplies {code}?",
            must=[
                *[("supplier_item", f"product.supplierinfo/{key}", "lead_time") for key in keys],
                *places("supplier", "res.partner", sellers, "name"),
            ],
            figures=_lowest_quote(oracle, keys, sellers) | _quickest_quote(oracle, keys, sellers),
        )


def _lowest_quote(oracle: Oracle, keys: list[str], sellers: list[int]) -> Figures:
    """The lowest price, where two or more suppliers quote in one currency and one of them alone is lowest."""
    quoted: list[tuple[Known, int, Known]] = [
        (oracle.truth["supplier_item_price", f"product.supplierinfo/{key}", "price"], seller,
         oracle.truth["supplier_item_price", f"product.supplierinfo/{key}", "unit"])
        for key, seller in zip(keys, sellers, strict=True)
    ]  # fmt: skip
    prices = [(price, seller) for price, seller, _ in quoted if isinstance(price, Figure)]
    units = {(price.unit, unit) for price, _, unit in quoted if isinstance(price, Figure)}
    if len({seller for _, seller in prices}) < 2 or len(units) != 1:
        return {}
    lowest = min((price for price, _ in prices), key=lambda price: price.value)
    cheapest = {seller for price, seller in prices if price.value == lowest.value}
    return {("lowest_quote", "price"): [lowest]} if len(cheapest) == 1 else {}


def _quickest_quote(oracle: Oracle, keys: list[str], sellers: list[int]) -> Figures:
    """The shortest lead time, where two or more suppliers quote one and one of them alone is quickest."""
    days = [oracle.truth["supplier_item", f"product.supplierinfo/{key}", "lead_time"] for key in keys]
    quoted = [(each, seller) for each, seller in zip(days, sellers, strict=True) if isinstance(each, Figure)]
    if len({seller for _, seller in quoted}) < 2:
        return {}
    shortest = min((each for each, _ in quoted), key=lambda each: each.value)
    quickest = {seller for each, seller in quoted if each.value == shortest.value}
    return {("quickest_quote", "lead_time"): [shortest]} if len(quickest) == 1 else {}


def item_stock(oracle: Oracle, product: int, question: str, site: int | None = None) -> Case:
    """What has to be said about an item's stock: the sum, each warehouse, and what is coming."""
    unit = oracle.products[product]["uom_id"][1]
    held = {at: found for at, found in oracle.stock(product).items() if site in (None, at)}
    coming = [found for found in oracle.incoming(product) if site in (None, found[2])]
    figures: dict[tuple[str, str], list[Known]] = {}

    def say(measure: str, field: str, value: Known) -> None:
        figures.setdefault((measure, field), []).append(value)

    for measure, rows in (("stock_total", [_sum(held.values())] if held else []), ("site_stock", list(held.values()))):
        for on_hand, reserved in rows:
            for field, number in (("on_hand", on_hand), ("reserved", reserved), ("available", on_hand - reserved)):
                say(measure, field, Figure(number, unit))
    for _ in held:
        say("site_stock", "in_transit", Figure(Decimal(0), unit))
    for quantity, day, _ in coming:
        say("incoming_supply", "quantity", quantity)
        if day:
            say("incoming_supply", "date", day)
    must = places("item", "product.product", [product], "name")
    return Case(person="planner", question=question, must=must, figures=figures)


def _sum(rows: Any) -> tuple[Decimal, Decimal]:
    found = list(rows)
    return sum((r[0] for r in found), Decimal(0)), sum((r[1] for r in found), Decimal(0))


def _about_purchase(oracle: Oracle, order: int) -> Iterator[Case]:
    number, status = oracle.purchases[order]["name"], oracle.purchase_status(order)
    supplier = oracle.partners[oracle.purchases[order]["partner_id"][0]]["commercial_partner_id"][0]
    lines = [line["id"] for line in oracle.purchase_lines_of(order)]
    asked = Case(
        person="buyer",
        question=f"status of purchase order {number}",
        must=[
            *places("purchase_order", "purchase.order", [order], "number", "status"),
            *places("purchase_order", "purchase.order", [order] if status in _COMING else [], "promised_date"),
            *places("supplier", "res.partner", [supplier], "name"),
            *places(
                "purchase_line", "purchase.order.line", lines, "line_number", "ordered_quantity", "received_quantity"
            ),
        ],
        figures=_purchase_delay(oracle, order),
    )
    yield asked
    yield replace(asked, question=f"when does {number.lower()} arrive?")
    yield replace(asked, question=f"purchase order {number.removeprefix('P').lstrip('0')}")
    yield Case(
        person="buyer",
        question=f"value of purchase order {number}",
        must=[
            *places("purchase_order_amount", "purchase.order", [order], "net", "total"),
            *places("purchase_line_price", "purchase.order.line", lines, "unit_price"),
        ],
    )


def _purchase_delay(oracle: Oracle, order: int) -> Figures:
    promised: Known = oracle.truth["purchase_order", f"purchase.order/{order}", "promised_date"]
    coming = oracle.purchase_status(order) in _COMING and isinstance(promised, date)
    late = oracle.days_late(promised, oracle.receives(order)) if coming and isinstance(promised, date) else 0
    return {("purchase_delay", "days_late"): [late], ("purchase_delay", "promised_date"): [promised]} if late else {}


def _about_supplier(oracle: Oracle, partner: int) -> Iterator[Case]:
    name = oracle.partners[partner]["name"]
    contacts = places("supplier_contact", "res.partner", oracle.contacts_of(partner), "name", "role", "email", "phone")
    orders = [
        ident
        for ident, row in oracle.purchases.items()
        if oracle.partners[row["partner_id"][0]]["commercial_partner_id"][0] == partner
        and oracle.purchase_status(ident) in _COMING
    ]
    counted: Figures = {("purchase_count", "orders"): [len(orders)]} if orders else {}
    listed = places("purchase_order", "purchase.order", orders, "number", "status", "promised_date")
    yield Case(
        person="buyer",
        question=f"tell me about supplier {name}",
        must=[*places("supplier", "res.partner", [partner], "name", "country", "status"), *contacts, *listed],
        figures=counted | _lead_time(oracle, partner),
    )
    yield Case(person="buyer", question=f"who do I call at supplier {name}?", must=contacts)
    yield Case(person="buyer", question=f"open purchase orders of {name}", must=listed, figures=_listed(orders))


def _lead_time(oracle: Oracle, partner: int) -> Figures:
    delays = [
        int(offer["delay"])
        for offer in oracle.offers.values()
        if oracle.partners[offer["partner_id"][0]]["commercial_partner_id"][0] == partner
        for _ in oracle.variants(offer)
    ]
    if not delays:
        return {}
    longest = {("quoted_lead_time", "longest"): [Figure(Decimal(max(delays)), None)]}
    return {
        ("quoted_lead_time", "shortest"): [Figure(Decimal(min(delays)), None)],
        **(longest if max(delays) > min(delays) else {}),
        ("quoted_lead_time", "items"): [len(delays)],
    }


def _partners_of(oracle: Oracle) -> Iterator[dict[str, Any]]:
    """Those who bought something of us."""
    for row in oracle.sales.values():
        yield oracle.partners[row["partner_id"][0]]
    for row in oracle.invoices.values():
        yield oracle.partners[row["commercial_partner_id"][0]]


def _about_customer(oracle: Oracle, partner: int) -> Iterator[Case]:
    name = oracle.partners[partner]["name"]
    orders = [
        ident
        for ident, row in oracle.sales.items()
        if oracle.partners[row["partner_id"][0]]["commercial_partner_id"][0] == partner
        and oracle.sale_status(ident) in _OPEN
    ]
    if len(orders) <= _MOST_LISTED:
        yield Case(
            person="rep",
            question=f"open orders of {name}",
            must=[
                *(places("customer", "res.partner", [partner], "name") if orders else ()),
                *places("sales_order", "sale.order", orders, "number", "status"),
            ],
            figures=_listed(orders),
        )
    yield Case(
        person="rep",
        question=f"contacts at customer {name}",
        must=places("customer_contact", "res.partner", oracle.contacts_of(partner), "name", "role", "email", "phone"),
    )
    invoices = [
        ident
        for ident, row in oracle.invoices.items()
        if row["commercial_partner_id"][0] == partner
        and row["move_type"] == "out_invoice"
        and oracle.invoice_status(ident) in _OWED
    ]
    if len(invoices) <= _MOST_LISTED:
        yield Case(
            person="rep",
            question=f"open invoices of {name}",
            must=[
                *places("invoice", "account.move", invoices, "number", "status", "due_date"),
                *places("invoice_amount", "account.move", invoices, "open", "total"),
            ],
            figures=_listed(invoices),
        )


def _overdue(oracle: Oracle, invoices: list[int]) -> Figures:
    """The calendar days that invoices are overdue, by UTC: they belong to no site."""
    today = oracle.now.date()
    due = [oracle.truth["invoice", f"account.move/{ident}", "due_date"] for ident in invoices]
    late = [(today - day).days for day in due if isinstance(day, date) and day < today]
    return {("invoice_delay", "days_late"): [*late]} if late else {}


def _listed(records: list[int]) -> Figures:
    """What is said over a list: how many there are; of none, only that."""
    return {("record_count", "records"): [len(records)]} if records else {}


def _about_invoices(oracle: Oracle) -> Iterator[Case]:
    """Odoo's companies number their invoices alike, so most numbers ask back."""
    by_number: dict[str, list[int]] = {}
    for ident, row in oracle.invoices.items():
        by_number.setdefault(row["name"], []).append(ident)
    for number, idents in by_number.items():
        answers = tuple(_invoice(oracle, ident) for ident in idents)
        question = f"invoice {number}"
        yield (
            replace(answers[0], question=question)
            if len(idents) == 1
            else Case(person="finance", question=question, choices=answers)
        )


def _invoice(oracle: Oracle, ident: int) -> Case:
    row = oracle.invoices[ident]
    owed = row["move_type"] == "out_invoice" and oracle.invoice_status(ident) in ("open", "partly_paid")
    return Case(
        person="finance",
        question=row["name"],
        must=[
            *places("invoice", "account.move", [ident], "number", "status", "due_date"),
            *places("invoice_amount", "account.move", [ident], "total", "open"),
            *places("customer", "res.partner", [row["commercial_partner_id"][0]], "name"),
        ],
        figures=_overdue(oracle, [ident]) if owed else {},
    )


def large_desks(oracle: Oracle) -> Case:
    """A name of several items, each of which is then a choice."""
    found = [i for i, row in oracle.products.items() if "Large Desk" in row["display_name"]]
    return Case(
        person="planner", question="stock of large desk", choices=tuple(item_stock(oracle, i, "") for i in found)
    )
