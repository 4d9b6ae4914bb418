"""Reads people and their grants, afresh for every question: a grant taken away ends at the next one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from copilot.domain.places import Places
from copilot.domain.principal import Grant, Principal
from copilot.domain.question import DemoPerson
from copilot.domain.scope import Reach, Scope
from copilot.domain.session import Account, AccountState
from copilot.errors import SignInError, TokenRefusedError
from copilot.settings import SessionSettings
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """That somebody was given another's grants of a role, from a moment to one before which it ends."""

    of: str
    role: str
    first: datetime
    last: datetime

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Given:
        """From the JSON of a query."""
        first, last = (datetime.fromisoformat(row[name]) for name in ("first", "last"))
        return cls(of=row["of"], role=row["role"], first=first, last=last)


def token_hash(token: str) -> bytes:
    """What is kept of a service account's token. It is random and long, so a plain hash can't be guessed from."""
    return hashlib.sha256(token.encode()).digest()


class Directory:
    """People and grants in our own tables."""

    def __init__(self, database: Database, word_holds: timedelta = SessionSettings.word_holds) -> None:
        """`word_holds` is how long the groups that a provider last vouched for hold while it can't be asked."""
        self._database = database
        self._word_holds = word_holds

    async def principal(self, subject: str, now: datetime) -> Principal:
        """An enabled person with the grants in force, and the groups that a provider vouched for
        not too long ago.

        Raises SignInError for anybody else.
        """
        values = {"subject": subject, "now": now, "since": now - self._word_holds}
        async with self._database.statement(Role.APP) as connection:
            cursor = await connection.execute(query("person_with_grants"), values)
            row = await cursor.fetchone()
        if row is None:
            raise SignInError(f"{subject!r} is not known here; sign in again")
        grants = tuple(
            Grant(
                role=grant["role"],
                regions=_ids(grant["regions"]),
                sites=_ids(grant["sites"]),
                channels=_ids(grant["channels"]),
                accounts=_ids(grant["accounts"]),
                classes=None if grant["classes"] is None else frozenset(grant["classes"]),
                giver=grant["giver"],
            )
            for grant in row["grants"]
        )
        return Principal(
            subject=row["subject"], name=row["name"], home_region=row["home_region"], grants=grants,
            groups=tuple(row["groups"]), service=row["service"],
        )  # fmt: skip

    async def account(self, account: Account) -> AccountState | None:
        """Whose an account of a provider is, and what it last said of it; None for one that never came in."""
        values = {"issuer": account.issuer, "external": account.external}
        async with self._database.statement(Role.APP) as connection:
            row = await (await connection.execute(query("identity_of"), values)).fetchone()
        if row is None:
            return None
        return AccountState(subject=row["subject"], enabled=row["enabled"], confirmed_at=row["confirmed_at"])

    async def service(self, token: str, now: datetime) -> str:
        """The service account that a token of ours was given to. Raises TokenRefusedError."""
        async with self._database.statement(Role.APP) as connection:
            cursor = await connection.execute(query("service_by_token"), {"hash": token_hash(token)})
            row = await cursor.fetchone()
        if row is None:
            raise TokenRefusedError(fault="service")
        if row["ends_at"] <= now:
            raise TokenRefusedError(fault="expired")
        return str(row["subject"])

    async def roles(self, now: datetime) -> dict[str, tuple[frozenset[str], tuple[Given, ...]]]:
        """Every enabled person with the roles of their own in force, and what others gave them that is not over."""
        async with self._database.statement(Role.APP) as connection:
            rows = await (await connection.execute(query("people_with_roles"), {"now": now})).fetchall()
        return {
            row["subject"]: (frozenset(row["roles"]), tuple(Given.from_row(each) for each in row["delegations"]))
            for row in rows
        }

    async def site_regions(self) -> dict[str, str | None]:
        """Every site with the region it is in, by code."""
        async with self._database.scoped_transaction(_ALL_LABELS) as connection:
            rows = await (await connection.execute(query("sites_with_regions"))).fetchall()
        return {row["code"]: row["region"] for row in rows}

    async def places(self) -> Places:
        """Every region, site and channel as policies speak of them."""
        found: dict[str, dict[str, int]] = {"region": {}, "site": {}, "channel": {}}
        region_of: dict[int, int] = {}
        async with self._database.scoped_transaction(_ALL_LABELS) as connection:
            for row in await (await connection.execute(query("places"))).fetchall():
                found[row["kind"]][row["code"]] = row["id"]
                if row["region_id"] is not None:
                    region_of[row["id"]] = row["region_id"]
        return Places(regions=found["region"], sites=found["site"], channels=found["channel"], region_of=region_of)

    async def demo_people(self, now: datetime) -> tuple[DemoPerson, ...]:
        """The people who sign in locally, with the first of what they were granted, in words."""
        names = {kind: {number: code for code, number in ids.items()} for kind, ids in (await self.label_ids()).items()}
        async with self._database.statement(Role.APP) as connection:
            rows = await (await connection.execute(query("demo_people"), {"now": now})).fetchall()
        return tuple(
            DemoPerson(subject=row["subject"], name=row["name"], role=row["role"], where=_where(row, names))
            for row in rows
        )

    async def label_ids(self) -> dict[str, dict[str, int]]:
        """Region, site or channel -> code -> label id, of all there are."""
        found: dict[str, dict[str, int]] = {"region": {}, "site": {}, "channel": {}}
        async with self._database.scoped_transaction(_ALL_LABELS) as connection:
            for row in await (await connection.execute(query("label_ids"))).fetchall():
                found[row["kind"]][row["code"]] = row["id"]
        return found


_ALL_LABELS = Scope((Reach(classes=frozenset({"reference"}), regions=None, sites=None, channels=None, accounts=None),))


def _where(row: Mapping[str, Any], names: Mapping[str, Mapping[int, str]]) -> str:
    """The labels of a grant in words: the narrower kind says it."""
    for kind in ("site", "region"):
        ids: Sequence[int] | None = row[f"{kind}s"]
        if ids is not None:
            return f"{kind} {', '.join(names[kind].get(number, '?') for number in ids)}"
    return "all regions"


def _ids(values: Sequence[int] | None) -> frozenset[int] | None:
    return None if values is None else frozenset(values)
