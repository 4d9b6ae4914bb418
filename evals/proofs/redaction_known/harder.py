"""Rows of the clone that are given harder values than the demo company has: names from elsewhere, account numbers of
digits alone, phone and tax numbers in the notations of other countries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

_PEOPLE = (
    "Aoife O'Brien", "María José de la Cruz", "Dr. Hans-Peter von der Höhe", "Łukasz Żółkiewski",
    "\u0130pek Y\u0131ld\u0131z",
    "Nguyễn Thị Hạnh", "Anna Maria Meyer-Schultze", "Jens Ærøskjold", "Björk Guðmundsdóttir", "Siobhán Ní Bhriain",
    "Prof. Dr. Karl Weiß", "Bo Li", "Jean-Luc D'Arcangelo",
    "Thomas Groß", "Hans Klaus", "Aksel Bjørnstjerne Lie",
    "Xóchitl Peña", "Noël L’Écuyer", "Peter Max Strauß jr.", "Đorđe Živković",
)  # fmt: skip
_PHONES = (
    "+44 (0)20 7946 0958", "0041 44 668 18 99", "030 / 231 25-999", "(312) 555-0123", "+49 (0) 40 3344-0 ext. 12",
    "+33 1 70 18 99 00", "+353 1 555 0199", "+1-312-555-0188", "040 55512345", "+65 6555 0177",
    "+49 (0)89 / 9982-804",
    "1-800-555-0142", "(+65) 6555 0188", "Tel. 030 / 231 25-998", "0800-PUMPEN1", "(0)40 5551 2346",
)  # fmt: skip
_EMAILS = (
    "o'brien_a+orders@firma-ost.example", "müller@bücher-süd.example", "J.D@x1.example", "a_b-c.d@mail.sub.example",
    "1234567@qq-post.example", "INFO@GROSSHANDEL.EXAMPLE",
)  # fmt: skip
_STREETS = (
    "Straße des 17. Juni 135", "Am Alten Markt 3a", "12-14 King's Road", "1600 Pennsylvania Avenue NW",
    "Hauptstr. 7", "Blk 231 Ang Mo Kio Ave 3 #05-12", "Unter den Linden 5 b", "Karl-Marx-Straße 99/101",
    "P.O. Box 4711", "One Canada Square", "Große Gasse 4", "221B Baker Street",
)  # fmt: skip
_TAX = ("ATU12345678", "27-1234567", "NL123456789B01", "12/345/67890", "GB 999 9999 73", "FRXX999999999")
_ADDRESSEES = (
    "Lüders Zentrallager GmbH & Co. KG", "Pinyon Cold Storage Inc.", "Imke van der Weide", "Oakline Receiving Co.",
    "Tuas Bonded Warehouse Pte. Ltd.", "Gerhard Süßmilch",
)  # fmt: skip
_COMPANIES = (
    "Meyer & Söhne Feinblech GmbH", "Smith and Daughters Ltd.", "3K Antriebe AG", "O'Connor Hydraulics Inc.",
    "Bäckerei Groß KG", "A.B.C. Pumpen GmbH & Co. KG", "Ærø Marine Inc.", "The Blue Door Co.",
    "Müller (Nord) Technik GmbH",
    "A/S Norden Pumper", "Fast: Forward Freight Inc.", "Dr. Schulz + Partner KG",
)  # fmt: skip
_ACCOUNTS = (
    "10027", "40519", "71033", "5521", "880012", "30644", "902", "7781204", "44120", "61002",
    "C#20-144", "A:1029/7", "K_558.12", "D&T 4410",
)  # fmt: skip
_HARDER: Mapping[str, tuple[str, ...]] = {
    "customer_contact.name": _PEOPLE,
    "customer_contact.phone": _PHONES,
    "customer_contact.email": _EMAILS,
    "supplier_contact.name": _PEOPLE[::3],
    "supplier_contact.phone": _PHONES[::2],
    "shipment_recipient.signed_by": _PEOPLE[::2],
    "shipment_recipient.street": _STREETS[::2],
    "customer_note.author": _PEOPLE[::4],
    "customer_address.street": _STREETS,
    "customer_address.name": _ADDRESSEES,
    "customer.number": _ACCOUNTS,
    "customer.name": _COMPANIES[::2],
    "customer.tax_number": _TAX,
    "supplier.name": _COMPANIES[1::2],
    "supplier.tax_number": _TAX[::2],
}
HARD = frozenset(value for values in _HARDER.values() for value in values)
"""All of these values."""


def make_harder(admin: psycopg.Connection[Any]) -> None:
    """Write each of these values into a row of its column."""
    admin.execute("set session_replication_role = replica")
    for column, values in _HARDER.items():
        table, name = column.split(".")
        statement = sql.SQL("select id from {} order by id limit {}").format(
            sql.Identifier("biz", table), sql.Literal(len(values))
        )
        ids = [row[0] for row in admin.execute(statement).fetchall()]
        change = sql.SQL("update {} set {} = %s where id = %s").format(
            sql.Identifier("biz", table), sql.Identifier(name)
        )
        for ident, value in zip(ids, values, strict=True):
            admin.execute(change, (value, ident))
