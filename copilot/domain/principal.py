"""Who is asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from copilot.domain.json import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One grant of a person: a role within label ids; None means every one of that kind."""

    role: str
    regions: frozenset[int] | None
    sites: frozenset[int] | None
    channels: frozenset[int] | None
    accounts: frozenset[int] | None
    classes: frozenset[str] | None = None
    """Record classes it is held to; None for all that the role reads."""
    giver: str | None = None
    """Whose grant it is, where it was given for a while by somebody else."""

    def to_json(self) -> dict[str, Json]:
        """The grant as an audit row holds it; null for every one of a kind."""
        named = {
            "regions": self.regions, "sites": self.sites, "channels": self.channels, "accounts": self.accounts,
        }  # fmt: skip
        classes: Json = None if self.classes is None else [*sorted(self.classes)]
        found: dict[str, Json] = {"role": self.role, "classes": classes, "giver": self.giver}
        for name, ids in named.items():
            found[name] = None if ids is None else [*sorted(ids)]
        return found

    @classmethod
    def from_json(cls, body: Mapping[str, Json]) -> Grant:
        """The grant that an audit row holds."""
        regions, sites, channels, accounts = (
            _ids(body.get(name)) for name in ("regions", "sites", "channels", "accounts")
        )
        classes, giver = body.get("classes"), body.get("giver")
        return cls(
            role=str(body.get("role")), regions=regions, sites=sites, channels=channels, accounts=accounts,
            classes=frozenset(map(str, classes)) if isinstance(classes, list) else None,
            giver=str(giver) if giver else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A signed-in person with the grants in force at this question."""

    subject: str
    name: str
    home_region: int | None
    grants: tuple[Grant, ...]
    groups: tuple[str, ...] = ()
    """Groups at an identity provider, as far as it vouched for them within the hour."""
    service: bool = False
    """Whether this is a program, which comes in by a token of ours alone."""

    @property
    def roles(self) -> tuple[str, ...]:
        """The person's role names, in the order granted."""
        return tuple(dict.fromkeys(grant.role for grant in self.grants))


def _ids(value: Json) -> frozenset[int] | None:
    if value is None:
        return None
    return frozenset(each for each in value if isinstance(each, int)) if isinstance(value, list) else frozenset()
