"""Customers and suppliers as records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from copilot.demo.billing import shipment_net, with_tax
from copilot.demo.catalogue import Item
from copilot.demo.draws import chance, span
from copilot.demo.partners import Address, Contact, Customer, Supplier
from copilot.demo.places import REGIONS
from copilot.demo.pricing import list_name
from copilot.demo.tables import SHARED, Table, Values, money
from copilot.demo.world import DemoWorld, Life

Numbered = tuple[str, int, Contact]
"""(number of the customer or supplier, place, contact)"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a customer owes, and since when."""

    customer: Customer
    exposure: int
    changed: int


@dataclass(frozen=True, slots=True)
class Sourced:
    """An item that a supplier offers, at cents of the supplier's currency per base unit."""

    item: Item
    supplier: Supplier
    preferred: bool
    price: int

    @property
    def key(self) -> str:
        return f"{self.item.number}/{self.supplier.number}"


def sourced(world: DemoWorld, item: Item, index: int) -> Sourced:
    """What a supplier takes for an item: the preferred one is the standard cost, the other a little more."""
    supplier = world.masters.suppliers[index]
    preferred = index == item.supplier
    price = item.cost_in(supplier.region)
    return Sourced(item, supplier, preferred, price if preferred else price * 107 // 100 + 1)


def _all_sourced(world: DemoWorld, _: int) -> Iterator[Sourced]:
    for item in world.masters.items:
        yield sourced(world, item, item.supplier)
        if item.second_supplier is not None:
            yield sourced(world, item, item.second_supplier)


def _customers(world: DemoWorld, _: int) -> tuple[Customer, ...]:
    return world.masters.customers


def _suppliers(world: DemoWorld, _: int) -> tuple[Supplier, ...]:
    return world.masters.suppliers


def _customer(_: DemoWorld, row: Customer) -> Values:
    return {
        "number": row.number,
        "name": row.name,
        "kind": row.kind,
        "tier": row.tier,
        "status": row.status,
        "tax_number": row.tax_number,
    }


def _customer_items(world: DemoWorld, _: int) -> Iterator[tuple[Customer, Item]]:
    items = world.masters.items
    for customer in world.masters.customers:
        if customer.tier == "a":
            places = {span(chance(world.seed, "own number", customer.index, n), 0, len(items) - 1) for n in range(14)}
            yield from ((customer, items[place]) for place in sorted(places))


def _own_number(row: tuple[Customer, Item]) -> str:
    customer, item = row
    return f"{customer.name[:3].upper().strip()}{customer.index:03d}-{item.index:04d}"


def _customer_contacts(world: DemoWorld, _: int) -> Iterator[Numbered]:
    return ((c.number, place, who) for c in world.masters.customers for place, who in enumerate(c.contacts, 1))


def _supplier_contacts(world: DemoWorld, _: int) -> Iterator[Numbered]:
    return ((s.number, place, who) for s in world.masters.suppliers for place, who in enumerate(s.contacts, 1))


def _contact(owner: str, row: Numbered) -> Values:
    number, _, who = row
    return {owner: number, "name": who.name, "role": who.role, "email": who.email, "phone": who.phone}


def _addresses(world: DemoWorld, _: int) -> Iterator[tuple[Customer, int, Address]]:
    return ((c, place, where) for c in world.masters.customers for place, where in enumerate(c.addresses, 1))


def _address(_world: DemoWorld, row: tuple[Customer, int, Address]) -> Values:
    customer, _, where = row
    return {
        "customer": customer.number,
        "kind": where.kind,
        "name": where.name,
        "street": where.street,
        "postal_code": where.postal_code,
        "city": where.city,
        "country": where.country,
    }


def _standings(world: DemoWorld, since: int) -> Iterator[Standing]:
    """Exposure is the sum of what is open on issued invoices; a credit note is settled on its own."""
    owed: dict[int, int] = defaultdict(int)
    changed: dict[int, int] = defaultdict(int)
    for life in world.recent(since):
        index = life.order.customer.index
        for invoice in life.invoices:
            if invoice.kind == "invoice" and invoice.issued <= world.now:
                changed[index] = max(changed[index], invoice.changed(world.now))
                if invoice.paid > world.now:
                    owed[index] += _open(world, life, index=life.invoices.index(invoice))
    for customer in world.masters.customers:
        yield Standing(customer, owed[customer.index], max(world.begin, changed[customer.index]))


def _open(world: DemoWorld, life: Life, *, index: int) -> int:
    invoice = life.invoices[index]
    net = shipment_net(world.masters.prices, life.fulfilment, invoice.shipment)
    return invoice.open_of(with_tax(net, life.order.region), world.now)


def _credit(_: DemoWorld, row: Standing) -> Values:
    customer = row.customer
    return {
        "customer": customer.number,
        "credit_limit": money(customer.credit_limit),
        "exposure": money(row.exposure),
        "currency": REGIONS[customer.region].currency,
        "blocked": customer.blocked,
        "payment_terms": f"net {customer.terms}",
    }


def _supplier(_: DemoWorld, row: Supplier) -> Values:
    return {
        "number": row.number,
        "name": row.name,
        "status": row.status,
        "country": REGIONS[row.region].code,
        "tax_number": row.tax_number,
    }


def _terms(_: DemoWorld, row: Supplier) -> Values:
    return {
        "supplier": row.number,
        "payment_terms": row.terms,
        "incoterm": row.incoterm,
        "minimum_order": money(row.minimum),
        "currency": REGIONS[row.region].currency,
    }


def _offered(_: DemoWorld, row: Sourced) -> Values:
    return {
        "supplier": row.supplier.number,
        "item": row.item.number,
        "part_number": f"{row.supplier.name[:2].upper()}-{row.supplier.index:03d}{row.item.index:04d}",
        "lead_time": row.supplier.lead,
        "minimum_quantity": row.item.box or 1,
        "unit": row.item.unit,
        "preferred": row.preferred,
    }


def _offered_price(_: DemoWorld, row: Sourced) -> Values:
    return {
        "supplier_item": row.key,
        "price": money(row.price),
        "currency": REGIONS[row.supplier.region].currency,
        "unit": row.item.unit,
    }


CUSTOMERS = (
    Table[Customer](
        entity="customer",
        rows=_customers,
        key=lambda r: r.number,
        values=_customer,
        labels=lambda r: {"region": REGIONS[r.region].code, "channel": "*"},
    ),
    Table[tuple[Customer, Item]](
        entity="customer_item",
        rows=_customer_items,
        key=lambda r: f"{r[0].number}/{r[1].number}",
        values=lambda _, r: {"customer": r[0].number, "item": r[1].number, "part_number": _own_number(r)},
    ),
    Table[Numbered](
        entity="customer_contact",
        rows=_customer_contacts,
        key=lambda r: f"{r[0]}/{r[1]}",
        values=lambda _, r: _contact("customer", r),
    ),
    Table[tuple[Customer, int, Address]](
        entity="customer_address", rows=_addresses, key=lambda r: f"{r[0].number}/{r[1]}", values=_address
    ),
    Table[Standing](
        entity="customer_credit",
        rows=_standings,
        key=lambda r: r.customer.number,
        values=_credit,
        changed=lambda _, r: r.changed,
    ),
    Table[Customer](
        entity="customer_price_list",
        rows=_customers,
        key=lambda r: r.number,
        values=lambda _, r: {"customer": r.number, "price_list": list_name(r.region, r.tier)},
    ),
)
"""The tables of customers; the last needs price lists first."""
SUPPLIERS = (
    Table[Supplier](
        entity="supplier", rows=_suppliers, key=lambda r: r.number, values=_supplier, labels=lambda _: SHARED
    ),
    Table[Numbered](
        entity="supplier_contact",
        rows=_supplier_contacts,
        key=lambda r: f"{r[0]}/{r[1]}",
        values=lambda _, r: _contact("supplier", r),
    ),
    Table[Supplier](entity="supplier_terms", rows=_suppliers, key=lambda r: r.number, values=_terms),
    Table[Sourced](
        entity="supplier_item", rows=_all_sourced, key=lambda r: r.key, values=_offered, labels=lambda _: SHARED
    ),
    Table[Sourced](entity="supplier_item_price", rows=_all_sourced, key=lambda r: r.key, values=_offered_price),
)
"""The tables of suppliers."""
