"""Loads claim templates, and only in the exact form that a second person approved.

A claim template is a sentence with slots: `Order {order.number} is {order.status}.` Code fills the slots with the
values of records, so a template may hold no digit of its own: every figure an answer shows comes from a slot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources.abc import Traversable
from typing import Any, cast

from prompts.errors import TemplateError
from prompts.front import decoded, read_yaml
from prompts.shipped import CLAIMS, digest, shipped

__all__ = [
    "ClaimTemplate", "Slot", "TemplateError", "claims_digest", "digest", "load_approved", "parse", "read_claims",
    "template_digest",
]  # fmt: skip

_SLOT = re.compile(r"\{(\w+)\.(\w+)\}")
Claims = Mapping[str, "ClaimTemplate"]


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


def load_approved(folder: Traversable | None = None, language: Traversable | None = None) -> Claims:
    """All claim templates by name; those in the folder of a `language` stand in the place of the English ones, which
    are said where it has none. Raises TemplateError naming the file that is not as approved, or the template of the
    other language that says something else."""
    found = _approved(folder)
    other = approved_in(language)
    for name, template in other.items():
        if name not in found or not says_the_same(template, found[name]):
            raise TemplateError(f"the claim template {name!r} does not have the slots of the English one")
    return found | other


def approved_in(language: Traversable | None) -> dict[str, ClaimTemplate]:
    """The claim templates of another language; none where it has no sentences of its own."""
    return _approved(language) if language and (language / CLAIMS).is_dir() else {}


def _approved(root: Traversable | None) -> dict[str, ClaimTemplate]:
    found: dict[str, ClaimTemplate] = {}
    for each in shipped(CLAIMS, root).values():
        found |= read_claims(each.id, each.text)
    return found


def says_the_same(one: ClaimTemplate, other: ClaimTemplate) -> bool:
    """Whether two templates print the same values."""
    return {*one.slots} == {*other.slots}


@lru_cache(maxsize=64)
def read_claims(ident: str, text: bytes) -> Claims:
    """The claim templates of a file by name. Raises TemplateError."""
    what = f"the template {ident!r}"
    body: Any = read_yaml(decoded(text, what), what)
    if not isinstance(body, dict) or not body:
        raise TemplateError(f'{what} holds no sentences; write them as `name: "Order {{order.number}} …"`')
    claims = cast("dict[Any, Any]", body)
    for name, words in claims.items():
        if not isinstance(name, str) or not isinstance(words, str):
            raise TemplateError(f'{what}: {name!r} is no sentence; write it as `name: "…"`')
    return {name: parse(name, words) for name, words in claims.items()}


def parse(name: str, text: str) -> ClaimTemplate:
    """Split a template into literals and slots. Raises TemplateError for a digit or a stray brace in the literals."""
    pieces = _SLOT.split(text)
    literals = tuple(pieces[0::3])
    wrong = re.search(r"[\d{}<>]", "".join(literals))
    if wrong:
        raise TemplateError(f"the claim template {name!r} has {wrong.group()!r} outside a slot")
    return ClaimTemplate(name, literals, tuple(map(Slot, pieces[1::3], pieces[2::3])))


@lru_cache(maxsize=4096)
def template_digest(template: ClaimTemplate) -> str:
    """What tells the words of a template from any others: 16 hexadecimal digits of a SHA-256."""
    whole = "\0".join((template.name, *template.literals, *(f"{slot.record}.{slot.field}" for slot in template.slots)))
    return digest(whole.encode())[:16]


def claims_digest(claims: Claims) -> str:
    """What tells a whole set of templates from any other."""
    return digest("\n".join(f"{name} {template_digest(claims[name])}" for name in sorted(claims)).encode())[:32]
