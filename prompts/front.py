"""The front matter of a prompt: what it is for, who may have it, and what goes into it, within bounds.

It is YAML read as plain as JSON: no aliases, no key twice, and no value that only looks like text.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, relevance

from prompts.errors import PromptError

MAX_BYTES = 65_536
"""Of a whole template: what is longer is no instruction that anybody reviewed."""
_MARK = "---"
_TOLD = 300
"""Characters of a fault that are told: it may quote a value that is long."""
_ELSEWHERE = ("$ref", "$dynamicRef", "$id", "$schema", "$anchor", "pattern", "patternProperties", "format")
"""What a schema of inputs does without: references that are looked up, and patterns that take their time."""


class _Plain(yaml.SafeLoader):
    """YAML without what JSON has not."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias; write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 -- as PyYAML has it
        keys = [str(key.value) for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.YAMLError(f"it has {twice!r} twice; keep one")
        return super().construct_mapping(node, deep)


def read_yaml(text: str, what: str) -> Any:
    """What plain YAML holds. Raises PromptError."""
    try:
        return yaml.load(text, _Plain)  # noqa: S506 -- a safe loader, made stricter
    except (yaml.YAMLError, RecursionError) as error:
        raise PromptError(f"{what} is not readable YAML: {error}") from error
    except ValueError as error:  # such as a date that there is not
        raise PromptError(f"{what} has a value that can't be read: {error}; put it in quotes") from error


def decoded(text: bytes, what: str) -> str:
    """The text of a template. Raises PromptError for one that is too long, or is no text."""
    if len(text) > MAX_BYTES:
        raise PromptError(f"{what} has {len(text)} bytes; shorten it to {MAX_BYTES}")
    try:
        words = text.decode()
    except UnicodeDecodeError as error:
        raise PromptError(f"{what} is not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8") from error
    unseen = next((c for c in words if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")), None)
    if unseen is not None:
        raise PromptError(
            f"{what} has the character U+{ord(unseen):04X}, which nobody sees who reviews it; take it out"
        )
    return words


def split_front(text: bytes, what: str) -> tuple[Mapping[str, Any], str]:
    """The front matter, checked against its schema, and the body. Raises PromptError."""
    first, *rest = decoded(text, what).split(f"{_MARK}\n", 2)
    if first or len(rest) != 2:
        raise PromptError(f"{what} has no front matter; begin with a line {_MARK!r}, YAML, and such a line again")
    front, body = read_yaml(rest[0], what), rest[1]
    fault = fault_of(_form(), front)
    if fault is not None:
        raise PromptError(f"{what}: its front matter is not as it must be: {fault}")
    _require_inputs(front["input"], what)
    return front, body


def fault_of(schema: Mapping[str, Any], value: object) -> str | None:
    """What is most wrong with a value by a JSON Schema, and where; None where nothing is."""
    validator: Any = Draft202012Validator(schema)
    fault: Any = max(validator.iter_errors(value), key=relevance, default=None)
    if fault is None:
        return None
    place, message = "/".join(map(str, fault.absolute_path)), str(fault.message)
    return f"{place}: {message}"[:_TOLD].removeprefix(": ")


def _require_inputs(schema: Mapping[str, Any], what: str) -> None:
    for keyword in _keywords(schema):
        if keyword in _ELSEWHERE:
            raise PromptError(f"{what}: its input uses {keyword!r}; describe the values by type, length and enum")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise PromptError(f"{what}: its input is no JSON Schema: {error.message}") from error


def _keywords(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        body = cast("dict[Any, object]", part)
        yield from map(str, body)
        for each in body.values():
            yield from _keywords(each)
    elif isinstance(part, list):
        for each in cast("list[object]", part):
            yield from _keywords(each)


@cache
def _form() -> Mapping[str, Any]:
    return json.loads((files("prompts") / "front.json").read_text())
