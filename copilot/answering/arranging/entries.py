"""The one tool by which a model arranges an answer, and what its calls come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator

from copilot.answering.arranging.arrange import Connective, Entry, Quote, Told, Unread
from copilot.domain.json import Json
from copilot.errors import ModelError
from copilot.models.saying import Call, Tool

_MOST_ENTRIES = 120
_NAME: dict[str, Json] = {"type": "string", "minLength": 1, "maxLength": 80}
_REF: dict[str, Json] = {"type": "string", "pattern": r"^[A-Z][0-9]{1,6}\.[a-z][a-z0-9_]{0,79}$"}


def _entry(required: Mapping[str, Json], more: Mapping[str, Json] | None = None) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": {**required, **(more or {})},
        "required": [*required],
        "additionalProperties": False,
    }


_RECORDS: dict[str, Json] = {
    "type": "object",
    "maxProperties": 12,
    "additionalProperties": {"type": "string", "pattern": "^[A-Z][0-9]{1,6}$"},
}
_FORMS: Mapping[str, Mapping[str, Json]] = {
    "claim": _entry({"claim": _NAME, "records": _RECORDS}, {"stress": _REF}),
    "quote": _entry({"quote": _REF, "words": {"type": "string", "minLength": 1, "maxLength": 600}}),
    "connective": _entry({"connective": _NAME}),
}
"""What an entry is told apart by -> its form."""
SAY = Tool(
    name="say",
    purpose="Gives the answer as a list of claims on offer, quotes and connectives, in the order in which to say them.",
    arguments={
        "type": "object",
        "properties": {
            "say": {"type": "array", "maxItems": _MOST_ENTRIES, "items": {"anyOf": [dict(f) for f in _FORMS.values()]}}
        },
        "required": ["say"],
        "additionalProperties": False,
    },
)


def read_entries(calls: Sequence[Call]) -> tuple[Entry, ...]:
    """What a model says, in order; what has no form of an entry is unread. Raises ModelError where it gave anything
    but one list."""
    if len(calls) != 1 or calls[0].tool != SAY.name:
        raise ModelError(f"the model called {[call.tool[:40] for call in calls[:3]]} where it had to call {SAY.name!r}")
    given = calls[0].arguments.get("say")
    if not isinstance(given, list) or len(given) > _MOST_ENTRIES:
        raise ModelError(f"the model called {SAY.name!r} with what is no list of at most {_MOST_ENTRIES} entries")
    return tuple(_read(given))


def _read(given: Sequence[Json]) -> Iterator[Entry]:
    for each in given:
        kind = next((name for name in _FORMS if isinstance(each, dict) and name in each), None)
        if kind is None or not _is_well_formed(kind, each):
            yield Unread()
            continue
        told: Any = each
        match kind:
            case "claim":
                yield Told(told["claim"], told["records"], told.get("stress", ""))
            case "quote":
                yield Quote(told["quote"], told["words"])
            case _:
                yield Connective(told["connective"])


def _is_well_formed(kind: str, given: Json) -> bool:
    form: Any = Draft202012Validator(_FORMS[kind])  # its types are half unknown
    return form.is_valid(given)
