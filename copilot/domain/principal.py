"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass


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
