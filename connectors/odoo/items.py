"""Items: what they are called, counted and numbered by, what they cost and what they are listed at."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from connectors.odoo.row import Row, compute, label, number, own_key, text
from connectors.odoo.spec import Child, Part, Spec

_GTIN_LENGTHS = frozenset({8, 12, 13, 14})


def is_gtin(text: str) -> bool:
    """Whether a barcode is a GTIN: the right number of digits and the right check digit."""
    if not text.isascii() or not text.isdecimal() or len(text) not in _GTIN_LENGTHS:
        return False
    digits = [int(digit) for digit in reversed(text)]
    return sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


def variants(row: Row) -> tuple[Row, ...]:
    """The products that a rule of a template means: the one it names, or all of the template's."""
    named = row.ident("product_id")
    return tuple(found for found in row.children["variants"] if named in {None, found.id})


def _gtin(row: Row) -> str | None:
    code = row.text("barcode")
    return code if code and is_gtin(code) else None


ITEM = Spec(
    entity="item",
    model="product.product",
    watch=("product_tmpl_id",),
    # The shown name tells variants apart ("Desk (Steel, White)"); without this it begins with the number.
    context={"display_default_code": False},
    values={
        "number": text("default_code"),
        "name": text("display_name"),
        "category": label("categ_id"),
        "base_unit": label("uom_id"),
        "gtin": compute(_gtin, "barcode"),
        "status": compute(lambda row: "active" if row.flag("active") else "discontinued", "active"),
        "lot_tracked": compute(lambda row: row.text("tracking") in {"lot", "serial"}, "tracking"),
    },
)


def _units(row: Row) -> Iterable[Part]:
    """The item's own unit, every unit in use that it converts to, and its packagings (a model of their own till 18)."""
    base = row.ident("uom_id")
    known = row.world.units.get(base or 0)
    for ident, unit in sorted(row.world.units.items()):
        if known and (ident == base or (unit.active and unit.family == known.family)):
            yield Part(
                suffix=f"/uom.uom/{ident}",
                values={"unit": unit.name, "base_quantity": row.world.convert(Decimal(1), ident, base)},
            )
    for packaging in row.children["packagings"]:
        if packaging.amount("qty") > 0:
            yield Part(
                suffix=f"/{packaging.key}",
                values={"unit": packaging.text("name"), "base_quantity": packaging.number("qty")},
            )


ITEM_UNIT = Spec(
    entity="item_unit",
    model="product.product",
    watch=("product_tmpl_id",),
    children=(Child(name="packagings", model="product.packaging", through="product_id", paths=("name", "qty")),),
    expand=_units,
    values={"item": own_key(), "base_unit": label("uom_id")},
)


def _aliases(row: Row) -> Iterable[Part]:
    codes = {"": row.text("barcode")}
    for below in (*row.children["units"], *row.children["packagings"]):
        codes[f"/{below.key}"] = below.text("barcode")
    for suffix, code in codes.items():
        if code:
            yield Part(suffix=suffix, values={"value": code, "kind": "gtin" if is_gtin(code) else "other"})


ITEM_ALIAS = Spec(
    entity="item_alias",
    model="product.product",
    children=(
        Child(name="units", model="product.uom", through="product_id", paths=("barcode",)),
        Child(name="packagings", model="product.packaging", through="product_id", paths=("barcode",)),
    ),
    needs=("barcode",),
    expand=_aliases,
    values={"item": own_key()},
)

ITEM_PRICE = Spec(
    entity="item_price",
    model="product.product",
    domain=(("sale_ok", "=", True),),
    watch=("product_tmpl_id",),
    values={
        "item": own_key(),
        "price": number("lst_price"),
        "currency": label("currency_id"),
        "unit": label("uom_id"),
    },
)

ITEM_COST = Spec(
    entity="item_cost",
    model="product.product",
    per_company=True,
    watch=("product_tmpl_id",),
    keep=lambda row: row.amount("standard_price") != 0,
    values={
        "item": own_key(),
        "cost": number("standard_price"),
        "currency": label("cost_currency_id"),
        "unit": label("uom_id"),
        "method": text("cost_method"),
    },
)
