"""Computes the measures of semantic/measures.yaml from the records of a plan's steps.

Each function takes the context and the records of its inputs and gives the figures of zero or more measure records.
They are pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from copilot.retrieval.measures.base import Context, Figures, MeasureFunction
from copilot.retrieval.measures.history import date_move, date_moves, history_period, record_change
from copilot.retrieval.measures.orders import (
    count_of,
    invoice_delay,
    line_count,
    line_delay,
    order_delay,
    purchase_delay,
    quoted_lead_time,
)
from copilot.retrieval.measures.pricing import customer_price
from copilot.retrieval.measures.quality import data_finding, data_set_aside, data_soundness
from copilot.retrieval.measures.stock import (
    incoming_supply,
    site_stock,
    stock_absent,
    stock_difference,
    stock_incomparable,
    stock_total,
)

__all__ = ["MEASURES", "NEED_KEEPERS", "Context", "Figures"]

MEASURES: Mapping[str, MeasureFunction] = {
    "order_delay": order_delay,
    "line_delay": line_delay,
    "line_count": line_count,
    "order_count": count_of("orders"),
    "purchase_count": count_of("orders"),
    "invoice_count": count_of("invoices"),
    "site_stock": site_stock,
    "stock_total": stock_total,
    "stock_difference": stock_difference,
    "stock_incomparable": stock_incomparable,
    "stock_absent": stock_absent,
    "incoming_supply": incoming_supply,
    "customer_price": customer_price,
    "purchase_delay": purchase_delay,
    "invoice_delay": invoice_delay,
    "quoted_lead_time": quoted_lead_time,
    "date_moves": date_moves,
    "date_move": date_move,
    "history_period": history_period,
    "record_change": record_change,
    "data_soundness": data_soundness,
    "data_finding": data_finding,
    "data_set_aside": data_set_aside,
}
"""Measure name -> the function that computes it."""

NEED_KEEPERS = frozenset({"stock_absent"})
"""Measures that ask which sources keep stock at a site at all."""
