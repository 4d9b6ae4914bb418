"""All of the mapping, in load order: what is referred to comes before what refers to it."""

from __future__ import annotations

from connectors.odoo import customers, finance, items, notes, purchasing, sales, shipping, stock
from connectors.odoo.spec import Spec

_ALL: tuple[Spec, ...] = (
    stock.REGION,
    stock.CHANNEL,
    stock.SITE,
    finance.CURRENCY_RATE,
    customers.CUSTOMER,
    purchasing.SUPPLIER,
    items.ITEM,
    customers.CUSTOMER_CONTACT,
    customers.CUSTOMER_ADDRESS,
    customers.CUSTOMER_CREDIT,
    customers.PRICE_LIST,
    customers.PRICE_RULE,
    customers.CUSTOMER_PRICE_LIST,
    items.ITEM_UNIT,
    items.ITEM_ALIAS,
    items.ITEM_PRICE,
    items.ITEM_COST,
    stock.STOCK,
    stock.STOCK_MOVE,
    stock.TRANSFER,
    stock.TRANSFER_LINE,
    purchasing.SUPPLIER_CONTACT,
    purchasing.SUPPLIER_TERMS,
    purchasing.SUPPLIER_ITEM,
    purchasing.SUPPLIER_ITEM_PRICE,
    purchasing.PURCHASE_ORDER,
    purchasing.PURCHASE_ORDER_AMOUNT,
    purchasing.PURCHASE_LINE,
    purchasing.PURCHASE_LINE_PRICE,
    purchasing.RECEIPT,
    purchasing.RECEIPT_LINE,
    sales.SALES_ORDER,
    sales.SALES_ORDER_AMOUNT,
    sales.SALES_ORDER_LINE,
    sales.SALES_LINE_PRICE,
    sales.RESERVATION,
    shipping.SHIPMENT,
    shipping.SHIPMENT_LINE,
    shipping.SHIPMENT_RECIPIENT,
    shipping.RETURN_ORDER,
    shipping.RETURN_LINE,
    finance.INVOICE,
    finance.INVOICE_AMOUNT,
    finance.PAYMENT,
    notes.CUSTOMER_NOTE,
    notes.PURCHASE_NOTE,
)

SPECS: dict[str, Spec] = {spec.entity: spec for spec in _ALL}
