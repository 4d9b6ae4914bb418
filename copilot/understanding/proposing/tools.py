"""The tools that a model may call about a question, and what its calls come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema import Draft202012Validator

from copilot.domain.json import Json
from copilot.errors import ModelError
from copilot.models.saying import Call, Tool
from copilot.understanding.proposing.pieces import Piece
from copilot.understanding.proposing.terms import Offer

_SAID: Mapping[str, Json] = {"type": "string", "minLength": 1, "maxLength": 200}
_REASONS = ("unclear", "not_offered", "no_question")
_MOST_PIECES = 40


@dataclass(frozen=True, slots=True)
class InPieces:
    """A question as pieces, in the order in which they are to be said."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Unasked:
    """The model sees no way to ask it."""

    reason: Literal["unclear", "not_offered", "no_question"]


Proposal = InPieces | Unasked


def tools(offered: Offer) -> tuple[Tool, ...]:
    """The tools as one person's questions need them: only terms and kinds that are offered can be named."""
    return (
        Tool(
            name="ask",
            purpose="Puts the question in pieces: words of it that stand for a term, words taken as they are (names, "
            "numbers, times, amounts, small words), and asides that ask nothing.",
            arguments=_object({"pieces": _list(_piece([*offered.terms]), _MOST_PIECES)}),
        ),
        Tool(
            name="decline",
            purpose="Says that the question can't be put in these tools.",
            arguments=_object({"reason": {"enum": [*_REASONS]}}),
        ),
    )


def read_call(calls: Sequence[Call], offered: Offer) -> Proposal:
    """What a model proposes. Raises ModelError for anything but one call in its form."""
    if len(calls) != 1:
        raise ModelError(f"the model called {len(calls)} tools where it had to call one")
    call = calls[0]
    form = next((tool.arguments for tool in tools(offered) if tool.name == call.tool), None)
    checked: Any = Draft202012Validator(form) if form else None  # its types are half unknown
    if checked is None or not checked.is_valid(call.arguments):
        raise ModelError(f"the model called {call.tool!r:.40} with what is not in its form")
    told: Mapping[str, Any] = call.arguments
    match call.tool:
        case "ask":
            return InPieces(tuple(_read_piece(each, offered) for each in told["pieces"]))
        case _:
            return Unasked(told["reason"])


def _read_piece(told: Mapping[str, Any], offered: Offer) -> Piece:
    name = told.get("term")
    return Piece(told["said"], offered.terms[name] if name else None, aside=told.get("aside", False))


def _piece(names: list[str]) -> Mapping[str, Json]:
    said: dict[str, Json] = {"said": dict(_SAID)}
    term: dict[str, Json] = {"enum": [*names]}
    return {
        "type": "object",
        "properties": {**said, "term": term, "aside": {"type": "boolean"}},
        "required": ["said"],
        "additionalProperties": False,
        "not": {"required": ["term", "aside"]},
    }


def _list(of: Mapping[str, Json], most: int) -> Mapping[str, Json]:
    return {"type": "array", "items": dict(of), "maxItems": most}


def _object(properties: Mapping[str, Mapping[str, Json]]) -> Mapping[str, Json]:
    return {
        "type": "object",
        "properties": {name: dict(each) for name, each in properties.items()},
        "required": [*properties],
        "additionalProperties": False,
    }
