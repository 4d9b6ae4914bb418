"""Which columns of the business tables hold something personal: said here anew, and not taken from the product, so that
one which that forgets is found. Every other column of text is named too, so that a new one must be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a column. `sort` says how it may be written; `city` stands beside a postal code."""

    column: str
    sort: str
    text: str
    city: str = ""


PERSONAL: Mapping[str, str] = {
    "customer.number": "account",
    "customer.name": "party",
    "customer.tax_number": "tax",
    "customer_address.name": "party",
    "customer_address.street": "street",
    "customer_address.postal_code": "place",
    "customer_contact.name": "person",
    "customer_contact.email": "email",
    "customer_contact.phone": "phone",
    "customer_note.author": "person",
    "purchase_note.author": "person",
    "shipment_recipient.signed_by": "person",
    "shipment_recipient.street": "street",
    "shipment_recipient.postal_code": "place",
    "supplier.number": "account",
    "supplier.name": "company",
    "supplier.tax_number": "tax",
    "supplier_contact.name": "person",
    "supplier_contact.email": "email",
    "supplier_contact.phone": "phone",
}
"""Column -> sort. A party is a person or a company; a place is a postal code and the city beside it."""
IDENTIFIERS = (
    "customer_contract.number", "customer_item.part_number", "invoice.number", "item.gtin", "item.number",
    "item_alias.value", "payment.reference", "purchase_order.number", "purchase_order.supplier_reference",
    "receipt.number", "receipt_line.lot", "reservation.lot", "return_order.number", "sales_order.customer_po",
    "sales_order.number", "service_case.number", "shipment.number", "shipment.tracking_number", "shipment_line.lot",
    "stock.lot", "stock_move.document", "stock_move.lot", "supplier_item.part_number", "transfer.number",
    "transfer_line.lot",
)  # fmt: skip
"""The company's own numbers, which are not to be masked."""
_EVERYWHERE = frozenset(
    {"company", "source_key", "record_class", "unit", "base_unit", "currency", "base_currency", "status"}
)
"""What each table has of where a row is from (our company, the key in its system) and what it is counted in."""
_SOUNDNESS = frozenset({"what", "area", "subject", "records_of", "check_id", "title"})
_HARMLESS: Mapping[str, str] = {
    "atp_bucket": "kind",
    "availability": "governed_by",
    "channel": "code name",
    "customer": "kind tier",
    "customer_address": "kind city country",  # a city alone is no address; beside its code it is planted
    "customer_contact": "role",
    "customer_credit": "payment_terms",
    "customer_note": "body",  # the values in it are those of other columns; it is no value by itself
    "invoice": "kind",
    "item": "name category",
    "item_alias": "kind",
    "item_cost": "method",
    "lookup": "entity kind key via row_entity",  # the same values once more: `unread_lookups` says of which columns
    "order_hold": "reason",
    "price_list": "name",
    "price_rule": "category kind label",
    "purchase_note": "body",
    "region": "code name",
    "return_order": "reason",
    "service_case": "priority",
    "shipment": "carrier proof_of_delivery",  # carriers are public companies, and neither customers nor suppliers
    "shipment_recipient": "city country",
    "site": "code name kind time_zone working_days city country",  # our own warehouses
    "site_closure": "reason",
    "stock_move": "kind",
    "supplier": "country",
    "supplier_contact": "role",
    "supplier_terms": "payment_terms incoterm",
    "tracking_event": "event place",
}
"""Table -> its other columns of text, which tell of nobody."""
_LOOKED_UP = frozenset({"channel.code", "channel.name", "item.name", "region.code", "region.name", "site.code",
                        "site.name", "site.city", "price_list.name"})  # fmt: skip
PEOPLE = "directory.person"
_NO_TEXT = frozenset({"bigint", "integer", "numeric", "date", "timestamp with time zone", "boolean"})
_LEGAL = ("co.", "corp.", "inc.", "llc", "llp", "ltd.", "gmbh", "kg", "ag")


def unclassified(admin: psycopg.Connection[Any]) -> list[str]:
    """Columns of text that nobody has said anything of, and those said that are not there."""
    rows = admin.execute(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'biz'"
    ).fetchall()
    there = {f"{table}.{column}" for table, column, sort in rows if sort not in _NO_TEXT}
    said = {*PERSONAL, *IDENTIFIERS}
    new = (column for column in there - said if not _is_harmless(*column.split(".")))
    return [f"{column} is new" for column in sorted(new)] + [f"{column} is gone" for column in sorted(said - there)]


def unread_lookups(admin: psycopg.Connection[Any]) -> list[str]:
    """Columns whose values are kept once more to be looked up, and that nobody has said anything of."""
    via = {row[0] for row in admin.execute("select distinct via from biz.lookup").fetchall()}
    return [f"{each} is looked up" for each in sorted(via - {*PERSONAL, *IDENTIFIERS, *_LOOKED_UP})]


def read_values(admin: psycopg.Connection[Any]) -> list[Value]:
    """Every different value of every personal column, in order."""
    found = {value for column, sort in PERSONAL.items() for value in _read(admin, column, sort)}
    found |= {
        Value(PEOPLE, "person", row[0])
        for row in admin.execute("select distinct name from directory.person where not service").fetchall()
    }
    return sorted(found, key=lambda value: (value.column, value.text, value.city))


def read_identifiers(admin: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Column and value of every number of our own, in order."""
    found: set[tuple[str, str]] = set()
    for column in IDENTIFIERS:
        found |= {(column, text) for text, _ in _rows(admin, column, column.partition(".")[2])}
    return sorted(found)


def _is_harmless(table: str, column: str) -> bool:
    kept = _SOUNDNESS if table.endswith("_soundness") else frozenset(_HARMLESS.get(table, "").split())
    return column in _EVERYWHERE or column in kept


def _read(admin: psycopg.Connection[Any], column: str, sort: str) -> Iterator[Value]:
    for text, beside in _rows(admin, column, "city" if sort == "place" else column.partition(".")[2]):
        if sort == "party":
            yield Value(column, "company" if text.lower().endswith(_LEGAL) else "person", text)
        elif sort == "place":
            yield Value(column, sort, text, beside)
        else:
            yield Value(column, sort, text)


def _rows(admin: psycopg.Connection[Any], column: str, beside: str) -> list[tuple[str, str]]:
    table, name = column.split(".")
    statement = sql.SQL("select distinct {0}, {1} from {2} where {0} <> '' and {1} <> ''").format(
        sql.Identifier(name), sql.Identifier(beside), sql.Identifier("biz", table)
    )
    return [(row[0], row[1]) for row in admin.execute(statement).fetchall()]
