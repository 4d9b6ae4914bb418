"""A policy as frozen values: documents, their rules, and what lower layers may loosen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from copilot.policy.layers import Place
from copilot.policy.sections import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempt:
    """Why a rule says something else for a time, and until when: to the end of that day in UTC.

    `statements` hold for that time in place of the rule's own; None: the rule itself holds for that time only.
    """

    why: str
    until: date
    statements: Mapping[Key, Any] | None

    def over(self, moment: datetime) -> bool:
        """Whether it no longer holds."""
        return moment.astimezone(UTC).date() > self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A named rule: for each key what it says. `whole`: what its keys begin with where it is the whole list of it."""

    section: str
    name: str
    body: Mapping[str, Any]
    statements: Mapping[Key, Any]
    whole: Key | None = None
    exempt: Exempt | None = None

    def at(self, moment: datetime) -> Mapping[Key, Any]:
        """What the rule says at a moment; nothing once it has ended."""
        if self.exempt is None:
            return self.statements
        if self.exempt.over(moment):
            return {} if self.exempt.statements is None else self.statements
        return self.statements if self.exempt.statements is None else self.exempt.statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """That lower layers may loosen a rule: up to a value for each key; None: without any bound."""

    rule: str
    bounds: Mapping[Key, Any] | None
    within: Mapping[str, Any] | None = None
    """The bounds as they were written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What one layer says at one place. Rule names are unique in it."""

    place: Place
    version: str
    rules: tuple[Rule, ...]
    allowances: tuple[Allowance, ...] = ()
    file: str = ""

    def rule(self, name: str) -> Rule | None:
        """The rule of a name."""
        return next((rule for rule in self.rules if rule.name == name), None)

    def allowance(self, rule: str) -> Allowance | None:
        """What lower layers may make of a rule."""
        return next((each for each in self.allowances if each.rule == rule), None)


@dataclass(frozen=True, kw_only=True)
class PolicySet:
    """All documents of a policy, in no order that means anything."""

    documents: tuple[Document, ...]

    def at(self, place: Place) -> tuple[Document, ...]:
        """The documents of a place; there should be one at most."""
        return self._at_places.get(place, ())

    @cached_property
    def _at_places(self) -> Mapping[Place, tuple[Document, ...]]:
        found: dict[Place, tuple[Document, ...]] = {}
        for document in self.documents:
            found[document.place] = (*found.get(document.place, ()), document)
        return found

    def digest(self, at: datetime) -> str:
        """SHA-256 over all rules, allowances and exceptions that are over: what says the same on a day has the same."""
        said = [
            [
                str(document.place), document.version,
                [[rule.section, rule.name, rule.body, bool(rule.exempt and rule.exempt.over(at))]
                 for rule in document.rules],
                [[each.rule, each.within] for each in document.allowances],
            ]
            for document in self.documents
        ]  # fmt: skip
        return sha256(json.dumps(sorted(said, key=json.dumps), sort_keys=True).encode()).hexdigest()

    @property
    def version(self) -> str:
        """The versions of all documents, the enterprise's first."""
        ordered = sorted(self.documents, key=lambda each: (each.place.depth, each.place.code, each.version))
        return " + ".join(document.version for document in ordered)
