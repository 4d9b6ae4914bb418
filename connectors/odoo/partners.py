"""Who is a customer or a supplier, and what partners of both kinds have in common.

Odoo keeps companies and people in one table. A commercial entity (a company, or a person of no company) counts as a
customer once it has an order, an invoice or the rank Odoo gives with it; as a supplier likewise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from connectors.odoo.row import Row
from connectors.odoo.spec import Domain, Tally

COMMERCIAL: Domain = ("|", ("parent_id", "=", False), ("is_company", "=", True))
SOLD: Domain = (("move_type", "in", ["out_invoice", "out_refund"]),)

_CUSTOMER_ROLES = {
    "purchasing": ("purchas", "buyer", "procure", "einkauf"),
    "accounts_payable": ("account", "payable", "financ", "buchhalt"),
    "receiving": ("receiv", "warehouse", "logist", "wareneingang"),
    "sales": ("sales", "vertrieb"),
    "technical": ("engineer", "technic", "quality"),
}
_SUPPLIER_ROLES = {
    "sales": ("sales", "account manager", "key account", "vertrieb"),
    "logistics": ("logist", "shipping", "warehouse", "dispatch", "versand"),
    "quality": ("quality",),
    "accounts_receivable": ("account", "receivable", "financ", "billing", "buchhalt"),
    "management": ("director", "manager", "ceo", "owner", "president", "chief"),
}


def customer_ties(of: str = "id") -> tuple[Tally, ...]:
    """What makes the commercial entity found at `of` a customer."""
    place = "partner_id.commercial_partner_id"
    return (
        Tally(name="orders", model="sale.order", through=place, by=("company_id", "team_id", "warehouse_id"), of=of),
        Tally(name="invoices", model="account.move", through=place, by=("company_id", "team_id"), domain=SOLD, of=of),
    )


def supplier_ties(of: str = "id") -> tuple[Tally, ...]:
    """What makes the commercial entity found at `of` a supplier."""
    return (
        Tally(name="purchases", model="purchase.order", through="partner_id.commercial_partner_id", of=of),
        Tally(name="offers", model="product.supplierinfo", through="partner_id|name.commercial_partner_id", of=of),
    )


def is_customer(row: Row, rank: str = "customer_rank") -> bool:
    """Whether it has a customer's rank or ties."""
    return row.amount(rank) > 0 or bool(row.children["orders"] or row.children["invoices"])


def is_supplier(row: Row, rank: str = "supplier_rank") -> bool:
    """Whether it has a supplier's rank or ties."""
    return row.amount(rank) > 0 or bool(row.children["purchases"] or row.children["offers"])


def status(row: Row) -> str:
    """Archived, blocked by a warning that stops documents (until 18), or active."""
    if not row.flag("active"):
        return "archived"
    blocked = "block" in {row.text("sale_warn"), row.text("purchase_warn")}
    return "blocked" if blocked else "active"


def usual_labels(row: Row) -> dict[str, str]:
    """Where a partner that belongs to no company usually deals: the most frequent company, team and warehouse.

    Shared partners are the rule in Odoo. Ties go to the older (smaller) id, so that labels stay put.
    """
    labels: dict[str, str] = {}
    for name, path in (("warehouse", "warehouse_id"), ("team", "team_id"), ("company", "company_id")):
        seen: Counter[int] = Counter()
        for tally in row.children["orders"] or row.children["invoices"]:
            found = tally.ident(path) if path in tally.cells else None
            if found is not None:
                seen[found] += int(tally.amount("count"))
        if seen:
            labels[name] = str(min(seen, key=lambda ident: (-seen[ident], ident)))
    country = row.text("country_id.code")
    return labels | ({"country": country} if country else {})


def customer_role(row: Row) -> str:
    """What a customer's contact does, from the kind of contact or the words of the job title."""
    by_type = {"invoice": "accounts_payable", "delivery": "receiving"}
    return by_type.get(row.text("type") or "") or _role(row, _CUSTOMER_ROLES)


def supplier_role(row: Row) -> str:
    """What a supplier's contact does."""
    by_type = {"invoice": "accounts_receivable", "delivery": "logistics"}
    return by_type.get(row.text("type") or "") or _role(row, _SUPPLIER_ROLES)


def _role(row: Row, words: Mapping[str, tuple[str, ...]]) -> str:
    title = (row.text("function") or "").lower()
    return next((role for role, signs in words.items() if any(sign in title for sign in signs)), "other")


def is_contact(row: Row) -> bool:
    """A person at a company, or the company itself where it says how to reach it."""
    below = row.ident("commercial_partner_id") != row.id
    reachable = bool(row.text("email") or row.text("phone") or row.text("mobile"))
    return reachable or (below and row.text("type") == "contact")


def has_address(row: Row) -> bool:
    """Whether there is an address of its own: contacts merely repeat their company's."""
    repeats = row.ident("commercial_partner_id") != row.id and row.text("type") == "contact"
    return not repeats and any(row.text(path) for path in ("street", "city", "zip"))


def address_kind(row: Row) -> str:
    """What the address is for; a company's own is where invoices go unless another one says so."""
    if row.ident("commercial_partner_id") == row.id:
        return "bill_to"
    return {"delivery": "ship_to", "invoice": "bill_to"}.get(row.text("type") or "", "other")
