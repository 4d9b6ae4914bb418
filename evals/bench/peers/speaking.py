"""What the scripted model says to our own tools: an honest call, or the same lies as far as ours can hear them.

A call has no place for a sentence, so each lie is told where it could do harm: the lying sentence stands beside the
call in any case, and in it are wrong records, records that there are not, words that stand in no record, other terms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from evals.bench.peers.lies import TRUE

Entry = dict[str, Any]
PLAN, DRAFT = "ask", "say"


def message_of(way: str, asked: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], tool: str, lie: str) -> Entry:
    """The message that calls one of our tools; `lie` is what is told to the others, the truth where `way` says so."""
    call = _draft(way, _offered(messages), lie) if tool == DRAFT else _plan(way, asked)
    return {"content": None if way == TRUE else lie, "tool_calls": [call]}


def called(name: str, arguments: Mapping[str, Any]) -> Entry:
    """A call of a tool as the API has it."""
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def _plan(way: str, asked: Mapping[str, Any]) -> Entry:
    """The question in pieces, or that it can't be put so."""
    pieces: list[Entry] = [_piece(said, term) for said, term in asked["said"]]
    if not pieces:
        return called("decline", {"reason": "unclear"})
    return called(PLAN, {"pieces": _OTHER_PIECES.get(way, list)(pieces)})


def _piece(said: str, term: str) -> Entry:
    how: Entry = {"aside": True} if term == "aside" else {"term": term} if term else {}
    return {"said": said, **how}


def _of_other_terms(term: str) -> Callable[[list[Entry]], list[Entry]]:
    """The conditions are read as another one."""
    return lambda pieces: [each | {"term": term} if ".is." in each.get("term", "") else each for each in pieces]


def _with(said: str) -> Callable[[list[Entry]], list[Entry]]:
    return lambda pieces: [*pieces, {"said": said}]


_OTHER_PIECES: Mapping[str, Callable[[list[Entry]], list[Entry]]] = {
    "digit": _with("17"),
    "thousand": lambda pieces: [each for each in pieces if ".is." not in each.get("term", "")],
    "neighbour": _of_other_terms("sales_order.is.late"),
    "invented": _with("4711"),
    "delivered": _of_other_terms("sales_order.is.delivered"),
    "date": _with("in January 2027"),
}


def _offered(messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What the copilot gave to draft from: the JSON that it sent."""
    for each in messages:
        try:
            told: Any = json.loads(each.get("content") or "")
        except ValueError:
            continue
        if isinstance(told, dict) and "claims" in told:
            return cast("dict[str, Any]", told)
    return {"claims": [], "evidence": []}


def _draft(way: str, offered: Mapping[str, Any], lie: str) -> Entry:
    """The claims on offer in their order, with the lie in them."""
    claims: list[Entry] = [{"claim": each["claim"], "records": each["records"]} for each in offered["claims"]]
    ids: list[str] = [each["id"] for each in offered["evidence"]] or ["S1"]
    change = _OTHER_CLAIMS.get(way)
    return called(DRAFT, {"say": change(claims, ids, lie) if change else claims})


def _of_others(claims: list[Entry], ids: list[str], lie: str) -> list[Entry]:
    """Every claim about the next record."""
    del lie
    after = dict(zip(ids, [*ids[1:], ids[0]], strict=True))
    return [
        each | {"records": {slot: after.get(record, record) for slot, record in each["records"].items()}}
        for each in claims
    ]


_OTHER_CLAIMS: Mapping[str, Callable[[list[Entry], list[str], str], list[Entry]]] = {
    "digit": lambda claims, ids, lie: [{"quote": f"{ids[0]}.number", "words": lie}, *claims],
    "thousand": lambda claims, _, lie: [each | {"value": lie} for each in claims],
    "neighbour": _of_others,
    "invented": lambda claims, _, lie: [
        {"connective": lie}, *claims, *({**each, "records": dict.fromkeys(each["records"], "S999")} for each in claims)
    ],
    "delivered": lambda claims, _, lie: [*claims, {"text": lie}],
    "date": lambda claims, ids, lie: [each | {"stress": f"{ids[0]}.{lie}"} for each in claims],
}  # fmt: skip
