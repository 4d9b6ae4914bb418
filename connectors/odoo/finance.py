"""Invoices and credit notes to customers, what was paid on them, and currency rates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from connectors.odoo.cells import tidy
from connectors.odoo.partners import SOLD
from connectors.odoo.row import Row, compute, day, label, number, own_key, ref
from connectors.odoo.spec import Child, Part, Spec

_KINDS = {"out_invoice": "invoice", "out_refund": "credit_note"}
# "reversed": a credit note took all of it back, so nothing is due and nothing was paid.
_PAID = {
    "not_paid": "open",
    "partial": "partly_paid",
    "in_payment": "in_payment",
    "paid": "paid",
    "reversed": "cancelled",
    "blocked": "open",
    "invoicing_legacy": "open",
}


def _rate(row: Row) -> Iterable[Part]:
    """Odoo keeps units of the currency for one of the company's; we say what one unit is worth in that."""
    base, rate = row.world.currency(row.ident("company_id")), row.number("rate")
    if base and rate:
        yield Part(values={"base_currency": base, "rate": tidy(1 / rate)})


CURRENCY_RATE = Spec(
    entity="currency_rate",
    model="res.currency.rate",
    needs=("rate",),
    domain=(("company_id", "!=", False),),
    expand=_rate,
    values={"currency": label("currency_id"), "rate_date": day("name")},
)


def _status(row: Row) -> str | None:
    state = row.text("state")
    if state in {"draft", "cancel"}:
        return "draft" if state == "draft" else "cancelled"
    return _PAID.get(row.text("payment_state") or "")


def _paid(row: Row) -> date | None:
    """The day of the last payment, once nothing is open."""
    if row.text("payment_state") not in {"paid", "in_payment"}:
        return None
    days = [found.day("max_date", None) for side in ("debits", "credits") for found in row.children[side]]
    return max((at for at in days if at), default=None)


def _order(row: Row) -> str | None:
    """The sales order, where all its lines are of one."""
    orders = {
        getattr(order, "id", None) for line in row.children["lines"] for order in line.many("sale_line_ids.order_id")
    } - {None}
    return f"sale.order/{orders.pop()}" if len(orders) == 1 else None


INVOICE = Spec(
    entity="invoice",
    model="account.move",
    domain=SOLD,
    labels={"team": "team_id"},
    watch=("partner_id",),
    children=(
        Child(
            name="lines",
            model="account.move.line",
            through="move_id",
            domain=(("sale_line_ids", "!=", False),),
            paths=("sale_line_ids.order_id",),
        ),
        Child(
            name="debits",
            model="account.partial.reconcile",
            through="debit_move_id.move_id",
            paths=("max_date",),
        ),
        Child(
            name="credits",
            model="account.partial.reconcile",
            through="credit_move_id.move_id",
            paths=("max_date",),
        ),
    ),
    values={
        "number": compute(lambda row: found if (found := row.text("name")) != "/" else None, "name"),
        "customer": ref("commercial_partner_id", "res.partner"),
        "order": compute(_order),
        "kind": compute(lambda row: _KINDS.get(row.text("move_type") or ""), "move_type"),
        "status": compute(_status, "state", "payment_state"),
        "invoice_date": day("invoice_date"),
        "due_date": day("invoice_date_due"),
        "paid_date": compute(_paid, "payment_state"),
    },
)

INVOICE_AMOUNT = Spec(
    entity="invoice_amount",
    model="account.move",
    domain=SOLD,
    labels={"team": "team_id"},
    values={
        "invoice": own_key(),
        "net": number("amount_untaxed"),
        "total": number("amount_total"),
        "open": number("amount_residual"),
        "currency": label("currency_id"),
    },
)

_SIDES = (("debit", "credit"), ("credit", "debit"))


def _payments(row: Row) -> Iterable[Part]:
    """Odoo matches two entries; each that is a customer's invoice or credit note was settled by the other one."""
    for side, other in _SIDES:
        if row.text(f"{side}_move_id.move_id.move_type") in _KINDS:
            yield Part(
                suffix=f"/{side}",
                values={
                    "invoice": f"account.move/{row.ident(f'{side}_move_id.move_id')}",
                    "amount": row.number(f"{side}_amount_currency"),
                    "currency": row.label(f"{side}_currency_id"),
                    "reference": row.text(f"{other}_move_id.move_id.name"),
                },
            )


PAYMENT = Spec(
    entity="payment",
    model="account.partial.reconcile",
    domain=(
        "|",
        ("debit_move_id.move_id.move_type", "in", list(_KINDS)),
        ("credit_move_id.move_id.move_type", "in", list(_KINDS)),
    ),
    needs=tuple(
        path
        for side in ("debit", "credit")
        for path in (
            f"{side}_move_id.move_id",
            f"{side}_move_id.move_id.move_type",
            f"{side}_move_id.move_id.name",
            f"{side}_amount_currency",
            f"{side}_currency_id",
        )
    ),
    expand=_payments,
    values={"paid_date": day("max_date")},
)
