"""Computes the measures of semantic/measures.yaml from the records of a plan's steps.

Each function takes the context and the records of its inputs and gives the figures of zero or more measure records.
They are pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from copilot.retrieval.measures.base import Context, Figures, MeasureFunction
from copilot.retrieval.measures.counting import (
    amount_in_unit,
    line_in_unit,
    open_in_unit,
    stock_in_unit,
    unit_asked,
    unit_factor,
)
from copilot.retrieval.measures.history import date_move, date_moves, history_period, record_change
from copilot.retrieval.measures.orders import (
    count_of,
    invoice_delay,
    line_count,
    line_delay,
    order_delay,
    purchase_delay,
    purchase_standing,
    quoted_lead_time,
)
from copilot.retrieval.measures.overview import overview_span
from copilot.retrieval.measures.paid import recent_sale
from copilot.retrieval.measures.pricing import customer_price, price_at, price_break, price_option
from copilot.retrieval.measures.promising import (
    promise_at,
    promise_bucket,
    promise_wanted,
    shipping_day,
    split_count,
    splitting,
    uncounted_supply,
)
from copilot.retrieval.measures.quality import data_finding, data_set_aside, data_soundness
from copilot.retrieval.measures.standing import (
    customer_order,
    customer_order_count,
    customer_standing,
    line_wait,
    order_standing,
)
from copilot.retrieval.measures.stock import (
    incoming_supply,
    lot_stock,
    lots_left,
    site_stock,
    stock_absent,
    stock_against,
    stock_difference,
    stock_incomparable,
    stock_total,
)
from copilot.retrieval.measures.supply import best_supplier, lowest_quote, next_supply, next_transfer, quickest_quote

__all__ = ["MEASURES", "NEED_KEEPERS", "Context", "Figures"]

MEASURES: Mapping[str, MeasureFunction] = {
    "order_delay": order_delay,
    "line_delay": line_delay,
    "line_count": line_count,
    "order_standing": order_standing,
    "line_wait": line_wait,
    "customer_order": customer_order,
    "customer_order_count": customer_order_count,
    "customer_standing": customer_standing,
    "order_count": count_of("orders"),
    "purchase_count": count_of("orders"),
    "invoice_count": count_of("invoices"),
    "site_stock": site_stock,
    "stock_total": stock_total,
    "stock_difference": stock_difference,
    "stock_incomparable": stock_incomparable,
    "stock_absent": stock_absent,
    "stock_against": stock_against,
    "incoming_supply": incoming_supply,
    "next_supply": next_supply,
    "next_transfer": next_transfer,
    "best_supplier": best_supplier,
    "quickest_quote": quickest_quote,
    "lowest_quote": lowest_quote,
    "customer_price": customer_price,
    "price_at": price_at,
    "price_break": price_break,
    "price_option": price_option,
    "recent_sale": recent_sale,
    "overview_span": overview_span,
    "purchase_delay": purchase_delay,
    "purchase_standing": purchase_standing,
    "invoice_delay": invoice_delay,
    "quoted_lead_time": quoted_lead_time,
    "date_moves": date_moves,
    "date_move": date_move,
    "history_period": history_period,
    "record_change": record_change,
    "data_soundness": data_soundness,
    "data_finding": data_finding,
    "data_set_aside": data_set_aside,
    "promise_wanted": promise_wanted,
    "promise_at": promise_at,
    "promise_bucket": promise_bucket,
    "uncounted_supply": uncounted_supply,
    "order_splitting": splitting,
    "split_count": split_count,
    "shipping_day": shipping_day,
    "unit_asked": unit_asked,
    "unit_factor": unit_factor,
    "amount_in_unit": amount_in_unit,
    "stock_in_unit": stock_in_unit,
    "line_in_unit": line_in_unit,
    "open_in_unit": open_in_unit,
    "lot_stock": lot_stock,
    "lots_left": lots_left,
}
"""Measure name -> the function that computes it."""

NEED_KEEPERS = frozenset({"stock_absent"})
"""Measures that ask which sources keep stock at a site at all."""
