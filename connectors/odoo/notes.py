"""What people wrote on orders, deliveries, invoices and partners; what Odoo logged by itself is left out."""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser

from connectors.base import Value
from connectors.odoo.partners import customer_ties
from connectors.odoo.row import Row, instant, label
from connectors.odoo.spec import Child, Leaf, Part, Spec

_BREAKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "blockquote"})
_WRITTEN: Leaf = ("message_type", "in", ["comment", "email"])
_CUSTOMER = "partner_id.commercial_partner_id"


class _Text(HTMLParser):
    """Collects the text of a page, with a line for each block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(" ".join(data.split()) + (" " if data[-1:].isspace() else ""))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the base class names it
        if tag in _BREAKS:
            self.parts.append("\n")


def plain(html: str | None) -> str | None:
    """The text of a note, without its markup."""
    if not html:
        return None
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.parts).splitlines())
    return "\n".join(line for line in lines if line) or None


def _of(name: str, model: str, *paths: str) -> Child:
    return Child(name=name, model=model, through="id", of="res_id", paths=("company_id", *paths), touch=False)


def _document(row: Row) -> tuple[Row, int | None, int | None] | None:
    """What a note lies on, whose customer that is, and of which order."""
    names = {"sale.order": "sales", "stock.picking": "pickings", "account.move": "bills", "res.partner": "partners"}
    found = next(iter(row.children[names[row.text("model") or ""]]), None)
    if found is None:
        return None
    match found.model:
        case "sale.order":
            return found, found.ident(_CUSTOMER), found.id
        case "stock.picking":
            return found, found.ident(f"sale_id.{_CUSTOMER}"), found.ident("sale_id")
        case "account.move":
            sold = found.text("move_type") in {"out_invoice", "out_refund"}
            return found, found.ident("commercial_partner_id") if sold else None, None
        case _:
            known = found.amount("customer_rank") > 0 or bool(row.children["orders"] or row.children["invoices"])
            return found, found.id if known else None, None


def _note(row: Row) -> Iterable[Part]:
    found = _document(row)
    body = plain(row.text("body"))
    if found is None or body is None:
        return
    document, customer, order = found
    if customer is None:
        return
    company = document.ident("company_id")
    values: dict[str, Value] = {
        "customer": f"res.partner/{customer}",
        "order": f"sale.order/{order}" if order else None,
        "body": body,
    }
    own = str(company) if company else ""
    yield Part(suffix=f"/{document.key}", values=values, company=own)


CUSTOMER_NOTE = Spec(
    entity="customer_note",
    model="mail.message",
    company=None,
    domain=(_WRITTEN, ("model", "in", ["sale.order", "stock.picking", "account.move", "res.partner"])),
    children=(
        _of("sales", "sale.order", _CUSTOMER),
        _of("pickings", "stock.picking", "sale_id", f"sale_id.{_CUSTOMER}"),
        _of("bills", "account.move", "move_type", "commercial_partner_id"),
        _of("partners", "res.partner", "customer_rank"),
    ),
    tallies=customer_ties(of="res_id"),
    needs=("model", "res_id", "body"),
    expand=_note,
    values={"written_at": instant("date"), "author": label("author_id")},
)


def _purchase_note(row: Row) -> Iterable[Part]:
    order = next(iter(row.children["purchases"]), None)
    body = plain(row.text("body"))
    if order is not None and body is not None:
        company = order.ident("company_id")
        yield Part(
            suffix=f"/{order.key}",
            company=str(company) if company else "",
            values={"purchase_order": order.key, "body": body},
        )


PURCHASE_NOTE = Spec(
    entity="purchase_note",
    model="mail.message",
    company=None,
    domain=(_WRITTEN, ("model", "=", "purchase.order")),
    children=(_of("purchases", "purchase.order"),),
    needs=("body", "res_id"),
    expand=_purchase_note,
    values={"written_at": instant("date"), "author": label("author_id")},
)
