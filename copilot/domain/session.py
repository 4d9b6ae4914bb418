"""Who came in through an identity provider, and for how long that holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a provider, by its issuer and the name it has there (the claim `sub`)."""

    issuer: str
    external: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """Whose an account is, and whether and when the provider last vouched for it."""

    subject: str
    enabled: bool
    confirmed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What a provider said of an account at a moment: whom we take it for, their name and their groups; None where it
    said nothing of these, and what it said before holds."""

    account: Account
    subject: str
    name: str | None
    groups: Sequence[str] | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrusted:
    """What a provider gave us for a session: to ask again with, and to sign out by. Never shown, kept sealed."""

    refresh: str | None = field(repr=False)
    id_token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a provider says has ended: one of its sessions, or all of an account. `token` names the saying, which is
    good for once, and is too old at `until`."""

    issuer: str
    external: str | None
    provider_session: str | None
    token: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that holds now. `confirmed_at` is when the provider last vouched for its account."""

    family: UUID
    subject: str
    account: Account
    issued_at: datetime
    confirmed_at: datetime
    replaced: bool
    """Whether another secret has taken the place of the one it was found by."""
