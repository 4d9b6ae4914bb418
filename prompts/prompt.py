"""A prompt: one file `prompts/<task>/<name>.md` of front matter and a body of the two blocks `system` and `user`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import jinja2

from prompts.body import Body, parse_body
from prompts.errors import PromptError
from prompts.front import fault_of, split_front

TASKS = ("plan", "draft")
Names = frozenset[str] | None
"""Names that are allowed; None for all."""


@dataclass(frozen=True, slots=True)
class Messages:
    """What a model is told."""

    system: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """How long a prompt may become in characters, which claim templates may be offered in it, and the words that must
    not stand in what it says of its own."""

    length: int
    claims: Names
    forbidden: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prompt:
    """A prompt as its file says. `parameters` holds temperature, top_p, max_tokens and seed as far as they are set."""

    id: str
    version: int
    owner: str
    purpose: str
    risk_tier: str
    roles: Names
    languages: frozenset[str]
    models: Names
    parameters: Mapping[str, float | int]
    input: Mapping[str, Any]
    boundaries: Boundaries
    body: Body
    sha256: str
    """The hash that an approval names."""

    @property
    def label(self) -> str:
        """What the audit calls it."""
        return f"{self.id} v{self.version} {self.sha256}"

    @property
    def task(self) -> str:
        """What it is for: one of TASKS."""
        return self.id.partition("/")[0]

    @property
    def examples(self) -> tuple[Mapping[str, Any], ...]:
        """The inputs that its file gives for trying it."""
        return tuple(self.input["examples"])

    def render(self, values: Mapping[str, Any]) -> Messages:
        """What a model is told about these inputs. Raises PromptError for inputs that its schema does not allow, and
        for a text that became too long."""
        fault = fault_of(self.input, dict(values))
        if fault is not None:
            raise PromptError(f"{self.id!r} does not take these inputs: {fault}")
        try:
            system, user = self.body.render(values)
        except (jinja2.TemplateError, TypeError, ValueError, RecursionError) as error:
            raise PromptError(f"{self.id!r} can't be written with these inputs: {str(error)[:300]}") from error
        if len(system) + len(user) > self.boundaries.length:
            told = f"{len(system) + len(user)} characters; its file allows {self.boundaries.length}: give it less"
            raise PromptError(f"{self.id!r} became {told}")
        return Messages(system, user)


def parse(text: bytes) -> Prompt:
    """A prompt by its text. Raises PromptError with its id as far as that is known, the faulty value and what to do."""
    front, words = split_front(text, "the prompt")
    what = f"the prompt {front['id']!r}"
    body, declared = parse_body(words, what), {*front["input"]["properties"]}
    unknown, missing = body.names - declared, {*front["input"]["required"]} - declared
    if unknown or missing:
        raise PromptError(f"{what}: its input has no property {min(unknown | missing)!r}; declare it or leave it out")
    boundaries = Boundaries(
        length=front["boundaries"]["length"],
        claims=_names(front["boundaries"]["claims"]),
        forbidden=tuple(front["boundaries"]["forbidden"]),
    )
    _require_clean(words, boundaries.forbidden, what)
    return Prompt(
        id=front["id"], version=front["version"], owner=front["owner"], purpose=front["purpose"],
        risk_tier=front["risk_tier"], roles=_names(front["roles"]), languages=frozenset(front["languages"]),
        models=_names(front["models"]), parameters=front["parameters"], input=front["input"], boundaries=boundaries,
        body=body, sha256=hashlib.sha256(text).hexdigest(),
    )  # fmt: skip


def _require_clean(words: str, forbidden: tuple[str, ...], what: str) -> None:
    for topic in forbidden:
        if re.search(rf"\b{re.escape(topic)}\b", words, re.IGNORECASE):
            raise PromptError(f"{what}: its body speaks of {topic!r}, which it forbids itself; take out one of the two")


def _names(given: object) -> Names:
    return None if given == "all" else frozenset(cast("list[str]", given))
