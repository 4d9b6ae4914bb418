"""Loads claim templates, and only in the exact form that a second person approved.

A claim template is a sentence with slots: `Order {order.number} is {order.status}.` Code fills the slots with the
values of records, so a template may hold no digit of its own: every figure an answer shows comes from a slot.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

_SLOT = re.compile(r"\{(\w+)\.(\w+)\}")


class TemplateError(Exception):
    """A template is not approved in exactly this form, or is not well formed."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a template: the field of the record bound to a name."""

    record: str
    field: str


@dataclass(frozen=True, slots=True)
class ClaimTemplate:
    """An approved sentence: literal text and slots in turn, always literal first and last."""

    name: str
    literals: tuple[str, ...]
    slots: tuple[Slot, ...]


def load_approved(
    folder: Traversable | None = None, language: Traversable | None = None
) -> Mapping[str, ClaimTemplate]:
    """All claim templates by name; those in the folder of a `language` stand in the place of the English ones, which
    are said where it has none. Raises TemplateError naming the file that is not as approved, or the template of the
    other language that says something else."""
    found = _approved(folder or files("prompts"))
    other = _approved(language) if language and (language / "claims").is_dir() else {}
    for name, template in other.items():
        if name not in found or {*template.slots} != {*found[name].slots}:
            raise TemplateError(f"the claim template {name!r} does not have the slots of the English one")
    return found | other


def _approved(root: Traversable) -> dict[str, ClaimTemplate]:
    approved = root / "approvals.toml"
    entries: list[dict[str, Any]] = tomllib.loads(approved.read_text())["approval"] if approved.is_file() else []
    approvals = {str(entry["file"]): entry for entry in entries}
    found: dict[str, ClaimTemplate] = {}
    for file in sorted((root / "claims").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            text = file.read_bytes()
            _require_approval(f"claims/{file.name}", text, approvals)
            found |= {name: parse(name, words) for name, words in yaml.safe_load(text).items()}
    return found


def parse(name: str, text: str) -> ClaimTemplate:
    """Split a template into literals and slots. Raises TemplateError for a digit or a stray brace in the literals."""
    pieces = _SLOT.split(text)
    literals = tuple(pieces[0::3])
    wrong = re.search(r"[\d{}<>]", "".join(literals))
    if wrong:
        raise TemplateError(f"the claim template {name!r} has {wrong.group()!r} outside a slot")
    return ClaimTemplate(name, literals, tuple(map(Slot, pieces[1::3], pieces[2::3])))


def digest(text: bytes) -> str:
    """The hash that an approval names."""
    return hashlib.sha256(text).hexdigest()


def _person(name: str) -> str:
    """A name without the differences that make nobody another person."""
    return " ".join(name.split()).casefold()


def _require_approval(file: str, text: bytes, approvals: Mapping[str, Any]) -> None:
    approval = approvals.get(file)
    if approval is None:
        raise TemplateError(f"{file!r} is not approved; approvals.toml does not name it")
    if approval["sha256"] != digest(text):
        raise TemplateError(f"{file!r} is not in its approved form; restore it or have the new form approved")
    if _person(approval["author"]) == _person(approval["approver"]):
        raise TemplateError(f"{file!r} was approved by its own author {approval['author']!r}")
