"""A small company as Odoo 14 and as Odoo 19 would hold it, in the Odoo in memory."""

from __future__ import annotations

from connectors.odoo.cells import JsonObject
from connectors.odoo.fake import FakeOdoo, Model

EARLIER = "2026-02-01 08:00:00"
# Which name a field has where it was renamed: (14, 19).
NAMES = {
    "unit": ("product_uom", "product_uom_id"),
    "seller": ("name", "partner_id"),
    "reserved": ("reserved_availability", "quantity"),
    "done": ("quantity_done", "quantity"),
    "moved": ("qty_done", "quantity"),
}


def model(fields: str, *rows: JsonObject) -> Model:
    """A model from "name type[>relation]" words; every one has a company and a date of change."""
    described: dict[str, JsonObject] = {
        "id": {"type": "integer"},
        "write_date": {"type": "datetime"},
        "company_id": {"type": "many2one", "relation": "res.company"},
        "active": {"type": "boolean"},
    }
    for word in fields.split():
        name, kind = word.split(":")
        kind, _, relation = kind.partition(">")
        described[name] = {"type": kind, **({"relation": relation} if relation else {})}
    return Model(fields=described, rows={int(str(row["id"])): {"write_date": EARLIER, **row} for row in rows})


def odoo(version: str) -> FakeOdoo:
    """One order of a company's contact: four desks (one delivered), a dozen bins from stock; one purchase order."""
    old = version < "19"
    name = {key: names[0 if old else 1] for key, names in NAMES.items()}
    company: list[object] = [1, "Main"]
    factor = (1.0 / 12) if old else 12.0
    family: JsonObject = {"category_id": [1, "Unit"]} if old else {}
    larger: JsonObject = {} if old else {"relative_uom_id": [1, "Units"]}
    models = {
        "res.company": model(
            "name:char currency_id:many2one>res.currency partner_id:many2one>res.partner",
            {"id": 1, "name": "Main", "currency_id": [1, "USD"], "partner_id": [1, "Main"]},
        ),
        "crm.team": model("name:char", {"id": 5, "name": "Direct", "active": True}),
        "res.country": model("code:char", {"id": 1, "code": "US"}),
        "stock.warehouse": model(
            "name:char code:char view_location_id:many2one>stock.location partner_id:many2one>res.partner",
            {
                "id": 1,
                "name": "West",
                "code": "WH",
                "company_id": company,
                "view_location_id": [4, "WH"],
                "partner_id": [1, "Main"],
            },
        ),
        "stock.location": model(
            "usage:selection parent_path:char",
            {"id": 2, "usage": "customer", "parent_path": "2/"},
            {"id": 4, "usage": "view", "parent_path": "4/"},
            {"id": 5, "usage": "internal", "parent_path": "4/5/"},
            {"id": 1, "usage": "supplier", "parent_path": "1/"},
        ),
        "uom.uom": model(
            "name:char factor:float "
            + ("category_id:many2one>uom.category" if old else "relative_uom_id:many2one>uom.uom"),
            {"id": 1, "name": "Units", "factor": 1.0, "active": True, **family},
            {"id": 2, "name": "Dozens", "factor": factor, "active": True, **family, **larger},
        ),
        "res.partner": model(
            "name:char ref:char vat:char is_company:boolean parent_id:many2one>res.partner type:selection "
            "commercial_partner_id:many2one>res.partner customer_rank:integer supplier_rank:integer email:char "
            "phone:char function:char street:char street2:char zip:char city:char tz:char "
            "country_id:many2one>res.country",
            {
                "id": 1,
                "name": "Main",
                "is_company": True,
                "commercial_partner_id": [1, "Main"],
                "tz": "America/Los_Angeles",
            },
            {
                "id": 10,
                "name": "Acme",
                "is_company": True,
                "commercial_partner_id": [10, "Acme"],
                "ref": "C-10",
                "active": True,
                "customer_rank": 0,
                "city": "Reno",
                "country_id": [1, "US"],
            },
            {
                "id": 11,
                "name": "Ann",
                "parent_id": [10, "Acme"],
                "commercial_partner_id": [10, "Acme"],
                "type": "contact",
                "email": "ann@acme.example",
                "function": "Purchasing Manager",
                "active": True,
            },
            {
                "id": 12,
                "name": "Dock",
                "parent_id": [10, "Acme"],
                "commercial_partner_id": [10, "Acme"],
                "type": "delivery",
                "street": "1 Way",
                "zip": "89501",
                "city": "Reno",
                "country_id": [1, "US"],
                "active": True,
            },
            {
                "id": 20,
                "name": "Timber",
                "is_company": True,
                "commercial_partner_id": [20, "Timber"],
                "active": False,
                "supplier_rank": 1,
            },
        ),
        "product.template": model("name:char", {"id": 3, "name": "Desk"}, {"id": 4, "name": "Bin"}),
        "product.product": model(
            "default_code:char name:char display_name:char barcode:char tracking:selection type:selection "
            "uom_id:many2one>uom.uom categ_id:many2one>product.category product_tmpl_id:many2one>product.template "
            "stock_quant_ids:one2many>stock.quant stock_move_ids:one2many>stock.move sale_ok:boolean "
            "lst_price:float standard_price:float cost_method:selection currency_id:many2one>res.currency "
            "cost_currency_id:many2one>res.currency",
            {
                "id": 30,
                "default_code": "D-1",
                "name": "Desk",
                "display_name": "Desk (Oak)",
                "active": True,
                "barcode": "4006381333931",
                "uom_id": [1, "Units"],
                "product_tmpl_id": [3, "Desk"],
                "sale_ok": True,
                "lst_price": 300.0,
                "standard_price": 200.1,
                "cost_method": "average",
                "type": "product",
                "currency_id": [1, "USD"],
                "cost_currency_id": [1, "USD"],
                "tracking": "lot",
                "stock_quant_ids": [1, 2],
                "stock_move_ids": [70, 71],
            },
            {
                "id": 31,
                "default_code": False,
                "name": "Bin",
                "display_name": "Bin",
                "active": False,
                "uom_id": [1, "Units"],
                "product_tmpl_id": [4, "Bin"],
                "type": "product",
                "tracking": "none",
                "stock_quant_ids": [3],
                "stock_move_ids": [72],
            },
        ),
        "product.supplierinfo": model(
            f"{name['seller']}:many2one>res.partner product_id:many2one>product.product price:float delay:integer "
            f"product_tmpl_id:many2one>product.template min_qty:float sequence:integer {name['unit']}:many2one>uom.uom "
            "product_code:char currency_id:many2one>res.currency",
            {
                "id": 8,
                name["seller"]: [20, "Timber"],
                "product_tmpl_id": [3, "Desk"],
                "delay": 14,
                "price": 180.0,
                "min_qty": 2.0,
                "sequence": 1,
                name["unit"]: [1, "Units"],
                "currency_id": [1, "USD"],
                "product_code": "T-77",
            },
        ),
        "stock.lot": model("name:char", {"id": 1, "name": "L1"}, {"id": 2, "name": "L2"}),
        "stock.quant": model(
            "product_id:many2one>product.product location_id:many2one>stock.location lot_id:many2one>stock.lot "
            "quantity:float reserved_quantity:float",
            {
                "id": 1,
                "product_id": [30, "D"],
                "location_id": [5, "S"],
                "lot_id": [1, "L1"],
                "quantity": 7.0,
                "reserved_quantity": 3.0,
            },
            {
                "id": 2,
                "product_id": [30, "D"],
                "location_id": [5, "S"],
                "lot_id": [2, "L2"],
                "quantity": 0.3,
                "reserved_quantity": 0.1,
            },
            {"id": 3, "product_id": [31, "B"], "location_id": [5, "S"], "quantity": 24.0, "reserved_quantity": 0.0},
        ),
        "sale.order": model(
            "name:char client_order_ref:char state:selection partner_id:many2one>res.partner amount_total:monetary "
            "warehouse_id:many2one>stock.warehouse team_id:many2one>crm.team date_order:datetime "
            "commitment_date:datetime picking_policy:selection amount_untaxed:monetary amount_tax:monetary "
            "currency_id:many2one>res.currency" + ("" if old else " delivery_status:selection"),
            {
                "id": 24,
                "name": "S00024",
                "client_order_ref": "PO-9",
                "state": "sale",
                "partner_id": [11, "Acme, Ann"],
                "warehouse_id": [1, "West"],
                "team_id": [5, "Direct"],
                "company_id": company,
                "picking_policy": "one",
                "date_order": "2026-02-01 03:00:00",
                "commitment_date": "2026-02-10 20:00:00",
                "delivery_status": "partial",
                "amount_untaxed": 1200.0,
                "amount_tax": 0.1 + 0.2,
                "amount_total": 1200.3,
                "currency_id": [1, "USD"],
            },
        ),
        "sale.order.line": model(
            f"order_id:many2one>sale.order product_id:many2one>product.product {name['unit']}:many2one>uom.uom "
            "product_uom_qty:float qty_delivered:float display_type:selection sequence:integer state:selection "
            "price_unit:float discount:float price_subtotal:monetary currency_id:many2one>res.currency",
            {
                "id": 45,
                "order_id": [24, "S00024"],
                "product_id": [30, "D"],
                name["unit"]: [1, "Units"],
                "product_uom_qty": 4.0,
                "qty_delivered": 1.0,
                "sequence": 10,
                "state": "sale",
                "company_id": company,
                "price_unit": 300.0,
                "discount": 10.0,
                "price_subtotal": 1080.0,
                "currency_id": [1, "USD"],
            },
            {
                "id": 46,
                "order_id": [24, "S00024"],
                "product_id": [31, "B"],
                name["unit"]: [2, "Dozens"],
                "product_uom_qty": 1.0,
                "qty_delivered": 0.0,
                "sequence": 10,
                "state": "sale",
                "company_id": company,
            },
            {"id": 47, "order_id": [24, "S00024"], "display_type": "line_note", "company_id": company},
        ),
        "stock.picking.type": model(
            "code:selection warehouse_id:many2one>stock.warehouse",
            {"id": 2, "code": "outgoing", "warehouse_id": [1, "West"]},
            {"id": 1, "code": "incoming", "warehouse_id": [1, "West"]},
        ),
        "stock.picking": model(
            "name:char state:selection sale_id:many2one>sale.order picking_type_id:many2one>stock.picking.type "
            "picking_type_code:selection date_done:datetime date_deadline:datetime scheduled_date:datetime "
            "location_id:many2one>stock.location location_dest_id:many2one>stock.location signature:binary "
            "partner_id:many2one>res.partner purchase_id:many2one>purchase.order create_date:datetime",
            {
                "id": 60,
                "name": "WH/OUT/1",
                "state": "done",
                "sale_id": [24, "S"],
                "picking_type_id": [2, "Out"],
                "picking_type_code": "outgoing",
                "date_done": "2026-02-05 23:30:00",
                "location_id": [5, "S"],
                "location_dest_id": [2, "C"],
                "company_id": company,
                "signature": "1.2 Kb",
                "partner_id": [12, "Dock"],
            },
            {
                "id": 61,
                "name": "WH/OUT/2",
                "state": "assigned",
                "sale_id": [24, "S"],
                "picking_type_id": [2, "Out"],
                "picking_type_code": "outgoing",
                "date_done": "2026-02-05 23:30:00",
                "location_id": [5, "S"],
                "location_dest_id": [2, "C"],
                "company_id": company,
                "scheduled_date": "2026-02-08 09:00:00",
                "date_deadline": "2026-02-10 20:00:00",
            },
        ),
        "stock.move": model(
            "product_id:many2one>product.product state:selection product_uom:many2one>uom.uom date:datetime "
            f"product_uom_qty:float {name['reserved']}:float {name['done']}:float picking_id:many2one>stock.picking "
            "location_id:many2one>stock.location location_dest_id:many2one>stock.location date_deadline:datetime "
            "sale_line_id:many2one>sale.order.line lot_ids:many2many>stock.lot "
            "purchase_line_id:many2one>purchase.order.line",
            {
                "id": 70,
                "product_id": [30, "D"],
                "state": "done",
                "product_uom": [1, "U"],
                "product_uom_qty": 1.0,
                name["reserved"]: 0.0,
                name["done"]: 1.0,
                "picking_id": [60, "1"],
                "location_id": [5, "S"],
                "location_dest_id": [2, "C"],
                "sale_line_id": [45, "l"],
                "lot_ids": [1],
                "date": "2026-02-05 23:30:00",
            },
            {
                "id": 71,
                "product_id": [30, "D"],
                "state": "partially_available",
                "product_uom": [1, "U"],
                "product_uom_qty": 3.0,
                name["reserved"]: 2.0,
                "picking_id": [61, "2"],
                "location_id": [5, "S"],
                "location_dest_id": [2, "C"],
                "sale_line_id": [45, "l"],
                "lot_ids": [],
            },
            {
                "id": 72,
                "product_id": [31, "B"],
                "state": "assigned",
                "product_uom": [1, "U"],
                "product_uom_qty": 12.0,
                name["reserved"]: 12.0,
                "picking_id": [61, "2"],
                "location_id": [5, "S"],
                "location_dest_id": [2, "C"],
                "sale_line_id": [46, "l"],
                "lot_ids": [],
            },
        ),
        "stock.move.line": model(
            f"move_id:many2one>stock.move product_id:many2one>product.product {name['moved']}:float state:selection "
            "product_uom_id:many2one>uom.uom location_id:many2one>stock.location lot_id:many2one>stock.lot "
            "location_dest_id:many2one>stock.location reference:char date:datetime"
            + (" product_uom_qty:float" if old else ""),
            {
                "id": 80,
                "move_id": [70, "m"],
                "product_id": [30, "D"],
                name["moved"]: 1.0,
                "state": "done",
                "product_uom_id": [1, "U"],
                "location_id": [5, "S"],
                "location_dest_id": [2, "C"],
                "lot_id": [1, "L1"],
                "reference": "WH/OUT/1",
                "date": "2026-02-05 23:30:00",
                "company_id": company,
            },
            {
                "id": 81,
                "move_id": [72, "m"],
                "product_id": [31, "B"],
                "product_uom_id": [1, "U"],
                "state": "assigned",
                ("product_uom_qty" if old else "quantity"): 12.0,
                "location_id": [5, "S"],
                "location_dest_id": [2, "C"],
                "company_id": company,
            },
        ),
        "mail.message": model(
            "model:char res_id:many2one_reference message_type:selection body:html date:datetime "
            "author_id:many2one>res.partner",
            {
                "id": 90,
                "model": "sale.order",
                "res_id": 24,
                "message_type": "comment",
                "author_id": [11, "Ann"],
                "body": "<p>Please  hurry &amp; call</p><p>Ann</p>",
                "date": "2026-02-02 08:00:00",
            },
        ),
    }
    return FakeOdoo(version=version, models=models)
