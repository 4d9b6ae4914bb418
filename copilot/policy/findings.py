"""What a check of a policy finds, and what it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date

from copilot.policy.layers import Place


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing found: "error" or "warning", what kind of thing, the place and the rule, and a sentence."""

    level: str
    kind: str
    place: Place | None
    rule: str
    sentence: str

    def to_json(self) -> dict[str, object]:
        """The same as JSON."""
        return {**asdict(self), "place": str(self.place or "")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names that there are, passed in by whoever knows them; None: not known, so not checked.

    `sites` names the region of each site, None where it is not known.
    """

    classes: frozenset[str] | None = None
    templates: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    sites: Mapping[str, str | None] | None = None
    channels: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """That somebody may act for `of`, from the first to the last day, both included; None: without that end.

    `roles` are those it is held to, None for all; `passes` says whether what `of` does for others comes along.
    """

    of: str
    first: date | None = None
    last: date | None = None
    roles: frozenset[str] | None = None
    passes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person with all roles of theirs, and for whom they may act."""

    subject: str
    roles: frozenset[str]
    delegations: tuple[Delegation, ...] = field(default=())
