"""Holds a mapping file against its JSON Schema, in words that say what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from connectors.mapping.reading import Plain
from connectors.mapping.spec import Complaint

_MOST = 200
"""A file wrong in more places than this is not read to the end."""


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of a mapping file."""
    return json.loads((files("connectors.mapping") / "schema.json").read_text(encoding="utf-8"))


def complaints_about(value: Plain) -> list[Complaint]:
    """Everything in which a file is not of the schema's shape."""
    errors = list(islice(_errors(value), _MOST))
    strange = {_place(error) for error in errors if error.validator == "additionalProperties"}
    return [
        Complaint(place=_place(error), message=_message(error))
        for error in errors
        if error.validator != "oneOf" or _place(error) not in strange  # the strange word is the one meant
    ]


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def _errors(value: Plain) -> Iterator[ValidationError]:
    yield from cast("Iterator[ValidationError]", _validator().iter_errors(value))  # pyright: ignore[reportUnknownMemberType]


def _place(error: ValidationError) -> str:
    place = ""
    for step in error.absolute_path:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    return place.removeprefix(".")


def _message(error: ValidationError) -> str:
    told = _TOLD.get(str(error.validator))
    return told(error) if told else str(error.message)[:300]


def _strange(error: ValidationError) -> str:
    known = sorted(cast("dict[str, Any]", error.schema)["properties"])
    strange = sorted(set(cast("dict[str, Any]", error.instance)) - set(known))
    return f"no such word: {', '.join(map(repr, strange))}; there are: {', '.join(known)}"


def _one_of(error: ValidationError) -> str:
    choices = [" and ".join(f"`{name}`" for name in each["required"]) for each in _rule(error)]
    return f"takes exactly one of: {', '.join(choices)}"


def _dependent(error: ValidationError) -> str:
    given = cast("dict[str, Any]", error.instance)
    wrong = [(name, needed) for name, others in _rule(error).items() if name in given for needed in others]
    return "; ".join(f"`{name}` needs `{needed}` beside it" for name, needed in wrong if needed not in given)


def _kind(error: ValidationError) -> str:
    kinds = [_rule(error)] if isinstance(_rule(error), str) else _rule(error)
    return f"{_shown(error)} is not {' or '.join(_KINDS[kind] for kind in kinds)}"


def _rule(error: ValidationError) -> Any:
    return error.validator_value


def _shown(error: ValidationError) -> str:
    text = repr(error.instance)
    return text if len(text) <= 60 else f"{text[:57]}..."


_KINDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "empty",
    "object": "a group of `name: value`",
    "array": "a list",
}


_TOLD: dict[str, Callable[[ValidationError], str]] = {
    "additionalProperties": _strange,
    "oneOf": _one_of,
    "dependentRequired": _dependent,
    "type": _kind,
    "required": lambda error: f"{str(error.message).partition(' is a required')[0]} is missing",
    "const": lambda error: f"{_shown(error)} is not {_rule(error)!r}",
    "enum": lambda error: f"{_shown(error)} is none of: {', '.join(map(repr, _rule(error)))}",
    "pattern": lambda error: f"{_shown(error)} can't be used here; it must match {_rule(error)}",
}
