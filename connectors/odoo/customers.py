"""Customers: who they are, whom to talk to, where they are, what they owe and which prices hold for them."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.base import Value
from connectors.odoo import partners
from connectors.odoo.items import variants
from connectors.odoo.row import Row, compute, day, label, number, own_key, ref, text
from connectors.odoo.spec import Child, Part, Spec

_OF_CUSTOMER = ref("commercial_partner_id", "res.partner")
_RANK = "commercial_partner_id.customer_rank"


def _labelled(row: Row) -> Iterable[Part]:
    yield Part(labels=partners.usual_labels(row))


CUSTOMER = Spec(
    entity="customer",
    model="res.partner",
    domain=partners.COMMERCIAL,
    tallies=partners.customer_ties(),
    needs=("customer_rank", "country_id.code", "active"),
    keep=partners.is_customer,
    expand=_labelled,
    labels={"team": "team_id"},
    values={
        "number": text("ref"),
        "name": text("name"),
        "kind": compute(lambda row: "business" if row.flag("is_company") else "person", "is_company"),
        "status": compute(partners.status, "active", "sale_warn", "purchase_warn"),
        "tax_number": text("vat"),
    },
)

CUSTOMER_CONTACT = Spec(
    entity="customer_contact",
    model="res.partner",
    tallies=partners.customer_ties(of="commercial_partner_id"),
    needs=(_RANK, "email", "phone", "mobile", "type", "function"),
    keep=lambda row: partners.is_customer(row, _RANK) and partners.is_contact(row),
    watch=("commercial_partner_id",),
    values={
        "customer": _OF_CUSTOMER,
        "name": compute(lambda row: row.text("name") or row.label("commercial_partner_id"), "name"),
        "role": compute(partners.customer_role, "type", "function"),
        "email": text("email"),
        "phone": compute(lambda row: row.text("phone") or row.text("mobile"), "phone", "mobile"),
    },
)

CUSTOMER_ADDRESS = Spec(
    entity="customer_address",
    model="res.partner",
    tallies=partners.customer_ties(of="commercial_partner_id"),
    needs=(_RANK,),
    keep=lambda row: partners.is_customer(row, _RANK) and partners.has_address(row),
    watch=("commercial_partner_id",),
    values={
        "customer": _OF_CUSTOMER,
        "kind": compute(partners.address_kind, "type", "commercial_partner_id"),
        "name": compute(lambda row: row.text("name") or row.label("commercial_partner_id"), "name"),
        "street": compute(
            lambda row: ", ".join(s for s in (row.text("street"), row.text("street2")) if s) or None,
            "street",
            "street2",
        ),
        "postal_code": text("zip"),
        "city": text("city"),
        "country": text("country_id.code"),
    },
)


def _has_credit(row: Row) -> bool:
    stands = row.amount("credit_limit") or row.amount("credit") or row.pair("property_payment_term_id")
    return partners.is_customer(row) and bool(stands)


CUSTOMER_CREDIT = Spec(
    entity="customer_credit",
    model="res.partner",
    domain=partners.COMMERCIAL,
    per_company=True,
    tallies=partners.customer_ties(),
    needs=("customer_rank",),
    keep=_has_credit,
    values={
        "customer": own_key(),
        "credit_limit": compute(lambda row: row.number("credit_limit") or None, "credit_limit"),
        "exposure": number("credit"),
        "currency": label("currency_id"),
        "payment_terms": label("property_payment_term_id"),
    },
)

PRICE_LIST = Spec(
    entity="price_list",
    model="product.pricelist",
    values={"name": text("name"), "currency": label("currency_id")},
)


def _rule(row: Row) -> dict[str, Value]:
    kind = row.text("compute_price")
    # In 17 and later a percentage may be off another base than the list price; that one isn't recomputed here.
    plain = row.text("base") in {None, "list_price"}
    if kind == "fixed":
        return {"kind": "fixed", "price": row.number("fixed_price"), "discount": None}
    if kind == "percentage" and plain:
        return {"kind": "discount", "price": None, "discount": row.amount("percent_price") / 100}
    return {"kind": "formula", "price": None, "discount": None}


def _rules(row: Row) -> Iterable[Part]:
    """One rule for each variant that a template's rule holds for; one alone for a category or for everything."""
    values = _rule(row)
    holds_for = {"0_product_variant", "1_product"}
    if row.text("applied_on") not in holds_for:
        yield Part(values={**values, "item": None, "unit": None})
        return
    for product in variants(row):
        yield Part(
            suffix=f"/{product.key}",
            values={**values, "item": product.key, "unit": product.label("uom_id")},
        )


PRICE_RULE = Spec(
    entity="price_rule",
    model="product.pricelist.item",
    domain=(("pricelist_id", "!=", False),),
    children=(
        Child(
            name="variants",
            model="product.product",
            through="product_tmpl_id",
            of="product_tmpl_id",
            paths=("uom_id",),
            touch=False,
        ),
    ),
    needs=("applied_on", "compute_price", "base", "fixed_price", "percent_price", "product_id", "product_tmpl_id"),
    watch=("pricelist_id",),
    expand=_rules,
    values={
        "price_list": ref("pricelist_id", "product.pricelist"),
        "category": label("categ_id"),
        "currency": label("currency_id"),
        "minimum_quantity": number("min_quantity"),
        "starts": day("date_start"),
        "ends": day("date_end"),
        "label": text("price"),
    },
)

CUSTOMER_PRICE_LIST = Spec(
    entity="customer_price_list",
    model="res.partner",
    domain=partners.COMMERCIAL,
    per_company=True,
    tallies=partners.customer_ties(),
    needs=("customer_rank",),
    keep=lambda row: partners.is_customer(row) and row.pair("property_product_pricelist") is not None,
    values={
        "customer": own_key(),
        "price_list": ref("property_product_pricelist", "product.pricelist"),
    },
)
