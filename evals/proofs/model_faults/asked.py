"""What is asked: questions for which a model is wanted, and what a model that is well says to them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from copilot.domain.json import Json
from copilot.models.configured import Task
from evals.scoring.truth import owner

_UNKNOWN = "slipslided"
_PLANS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "rep.us": (("orders", "sales_order", "late"), ("invoices", "invoice", "overdue")),
    "rep.de": (("orders", "sales_order", "late"),),
    "planner": (("orders", "sales_order", "late"), ("purchase orders", "purchase_order", "late")),
    "buyer": (("purchase orders", "purchase_order", "late"),),
}
"""Who asks for how many of what: our word, its term, and what the unknown word is read as."""
_FEW = 6
_ORDERS = """
    select r.code as region, o.number from biz.sales_order o join biz.region r on r.id = o.label_region
     where o.status not in ('delivered', 'cancelled') order by o.id"""
_SUPPLIERS = "select name from biz.supplier order by id"
_REGIONS = {"rep.us": "US", "rep.de": "DE"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of one person."""

    subject: str
    text: str


def plan_questions() -> tuple[Asked, ...]:
    """Questions with a word that no rule knows."""
    return tuple(
        Asked(subject, f"how many {_UNKNOWN} {word} are there") for subject, all_ in _PLANS.items() for word, *_ in all_
    )


async def draft_questions(dsn: str) -> tuple[Asked, ...]:
    """Questions of which the answers may have several things to say: which of them have is to be tried."""
    async with owner(dsn) as connection:
        rows = connection.cursor(row_factory=dict_row)
        orders = await (await rows.execute(_ORDERS)).fetchall()
        suppliers = await (await rows.execute(_SUPPLIERS)).fetchall()
    found = [
        Asked(subject, f"where is {each['number']}")
        for subject, region in _REGIONS.items()
        for each in [order for order in orders if order["region"] == region][-_FEW:]
    ]
    found += [Asked("planner", f"where is {each['number']}") for each in orders[-_FEW:]]
    return (*found, *(Asked("buyer", f"tell me about {each['name']}") for each in suppliers[:_FEW]))


def well(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a model says that is well, in the form that it is asked for."""
    told: Mapping[str, Any] = json.loads(body["messages"][-1]["content"])
    name, arguments = ("say", _said(told)) if "claims" in told else ("ask", _pieces(str(told["question"])))
    if body.get("tools"):
        called = {"id": "t", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        return {"content": None, "tool_calls": [called]}
    return {"content": json.dumps({"tool": name, "arguments": arguments})}


def _said(told: Mapping[str, Any]) -> Mapping[str, Json]:
    """All that is to be said, the other way round."""
    claims: Sequence[Mapping[str, Any]] = told["claims"]
    return {"say": [{"claim": each["claim"], "records": each["records"]} for each in reversed(claims)]}


def _pieces(question: str) -> Mapping[str, Json]:
    """A question of these in its terms; any other as it is."""
    if _UNKNOWN not in question:
        return {"pieces": [{"said": question}]}
    word = question.removeprefix(f"how many {_UNKNOWN} ").removesuffix(" are there")
    term, state = next((term, state) for all_ in _PLANS.values() for said, term, state in all_ if said == word)
    return {
        "pieces": [
            {"said": "how many"}, {"said": _UNKNOWN, "term": f"{term}.is.{state}"}, {"said": word, "term": term},
            {"said": "are there"},
        ]
    }  # fmt: skip


TASKS: tuple[Task, ...] = ("plan", "draft")
