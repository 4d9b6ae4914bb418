"""What is proposed: a change of the shipped policy each, by a region's document or in the enterprise's own."""

from __future__ import annotations

from collections.abc import Mapping

from copilot.policy.reading import BASELINE

_TOP = (BASELINE / "enterprise.yaml").read_text()
_HEAD = "policy: 1\nversion: {0}-1\nlayer: {1}\n{1}: {0}\n"


def proposals() -> Mapping[str, Mapping[str, str]]:
    """Name -> the documents of a policy."""
    return {
        "nothing": {"e.yaml": _TOP},
        "a region reads no invoices": _with_region(
            "DE", "access:\n  de_cs: {role: customer_service, without: [invoice, invoice_amount]}\n"
        ),
        "a site reads no stock": _with_layer("site", "TUA", "access:\n  tua: {role: warehouse, without: [stock]}\n"),
        "a role reads no cost": {
            "e.yaml": _TOP.replace("item, item_cost, stock, sales, shipping", "item, stock, sales, shipping")
        },
        "own accounts alone": _with_region("US", "accounts:\n  us_own: {roles: [customer_service], accounts: own}\n"),
        "stock must be fresher": _with_region("SG", "fresh_for:\n  sg_stock: {classes: [stock], hours: 1}\n"),
        "the ERP's stock governs": {
            "e.yaml": _TOP.replace("figure: on_hand, order: [wms, erp,", "figure: on_hand, order: [erp, wms,")
        },
        "stock is processed in Singapore": {
            "e.yaml": _TOP.replace(
                'anywhere: {classes: ["*"], places: ["*"]}',
                'anywhere: {classes: ["*"], places: ["*"]}\n  stock_there: {classes: [stock], places: [SG]}',
            )
        },
        "a template is withheld": _with_region("US", "templates:\n  us_words: {without: [order_headline]}\n"),
        "a region opens a class": {
            "e.yaml": _TOP + "\nmay_loosen:\n  - customer_service_reads\n",
            "us.yaml": _HEAD.format("US", "region")
            + "access:\n  us_cs: {role: customer_service, also: [item_cost, credit]}\n",
        },
    }


def _with_region(code: str, body: str) -> Mapping[str, str]:
    return _with_layer("region", code, body)


def _with_layer(layer: str, code: str, body: str) -> Mapping[str, str]:
    return {"e.yaml": _TOP, f"{code}.yaml": _HEAD.format(code, layer) + body}
