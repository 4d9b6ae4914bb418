"""Changes to people, grants, delegations and service accounts, each with its line in the log, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from copilot.domain.clock import Clock
from copilot.errors import SettingsError
from copilot.store.directory import token_hash
from copilot.store.pool import Connection, Database
from copilot.store.queries import query
from copilot.store.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """A grant to be made: a role within label ids and record classes, from a moment to one that it ends before; None
    means every one, and no end."""

    role: str
    regions: Sequence[int] | None = None
    sites: Sequence[int] | None = None
    channels: Sequence[int] | None = None
    accounts: Sequence[int] | None = None
    classes: Sequence[str] | None = None
    first: datetime
    last: datetime | None = None

    def values(self) -> dict[str, Any]:
        """As the statement takes them, each list in the one order that equal ones have."""
        kinds = ("regions", "sites", "channels", "accounts", "classes")
        lists = {kind: None if (ids := getattr(self, kind)) is None else sorted(set(ids)) for kind in kinds}
        return {"role": self.role, **lists, "first": self.first, "last": self.last}


@dataclass(frozen=True, slots=True)
class DirectoryChanges:
    """Changes by one operator. Whatever can't be done raises SettingsError and leaves nothing."""

    database: Database
    clock: Clock
    operator: str

    async def add_person(self, subject: str, name: str, *, home: int | None, local: bool, grant: NewGrant) -> None:
        """Somebody new, with a first grant; `local` is whether they sign in to the embedded default."""
        async with self.database.connection(Role.OWNER) as connection:
            await self._new(connection, subject, name, home=home, local=local, service=False)
            await self._grant(connection, subject, grant)

    async def disable(self, subject: str, *, disabled: bool) -> None:
        """Shut somebody out, with all they are signed in as, or let them in again."""
        async with self.database.connection(Role.OWNER) as connection:
            await _known(connection, subject)
            if await _row(connection, "set_disabled", {"subject": subject, "disabled": disabled}) is None:
                raise SettingsError(f"{subject!r} is {'disabled' if disabled else 'enabled'} already")
            if disabled:
                await connection.execute(query("end_sessions_of"), {"subject": subject, "now": self.clock()})
            await self._log(connection, "disable" if disabled else "enable", subject, {})

    async def rename(self, subject: str, name: str) -> None:
        """Call somebody by another name."""
        async with self.database.connection(Role.OWNER) as connection:
            await connection.execute(query("rename_person"), {"subject": subject, "name": name})
            await self._log(connection, "rename", subject, {"name": name})

    async def add_grant(self, subject: str, grant: NewGrant) -> int:
        """One more grant of somebody; returns its number."""
        async with self.database.connection(Role.OWNER) as connection:
            await _known(connection, subject)
            return await self._grant(connection, subject, grant)

    async def end_grant(self, number: int, last: datetime) -> datetime:
        """End a grant before its time; returns when it ends."""
        async with self.database.connection(Role.OWNER) as connection:
            row = await _row(connection, "end_grant", {"id": number, "last": last})
            if row is None:
                raise SettingsError(f"there is no grant {number} that would hold then; `grant list` shows them all")
            told = {"grant": number, "role": row["role"], "last": row["valid_to"].isoformat()}
            await self._log(connection, "grant end", row["subject"], told)
            return row["valid_to"]

    async def add_delegation(self, giver: str, taker: str, role: str, first: datetime, last: datetime) -> int:
        """Somebody's own grants of a role for somebody else; returns its number."""
        values = {"giver": giver, "taker": taker, "role": role, "first": first, "last": last, "now": self.clock()}
        async with self.database.connection(Role.OWNER) as connection:
            for subject in (giver, taker):
                if (await _known(connection, subject))["service"]:
                    raise SettingsError(f"{subject!r} is a service account, which neither gives nor takes")
            if await _row(connection, "holds_role", {**values, "subject": giver}) is None:
                raise SettingsError(f"{giver!r} has no grant of {role!r} of their own to give on")
            row = await _row(connection, "add_delegation", values)
            if row is None:
                raise SettingsError(f"{giver!r} gives {role!r} to {taker!r} at some of that time already")
            times = {"first": first.isoformat(), "last": last.isoformat()}
            told = {"delegation": row["id"], "to": taker, "role": role, **times}
            await self._log(connection, "delegate add", giver, told)
            return row["id"]

    async def end_delegation(self, number: int, last: datetime) -> datetime:
        """End a delegation before its time; returns when it ends."""
        async with self.database.connection(Role.OWNER) as connection:
            row = await _row(connection, "end_delegation", {"id": number, "last": last})
            if row is None:
                raise SettingsError(f"there is no delegation {number} that would hold then; `delegate list` shows them")
            told = {"delegation": number, "to": row["taker"], "role": row["role"], "last": row["valid_to"].isoformat()}
            await self._log(connection, "delegate end", row["giver"], told)
            return row["valid_to"]

    async def add_service(self, subject: str, name: str, grant: NewGrant, token: str, last: datetime) -> None:
        """A program that comes in by this token until then, with a first grant."""
        async with self.database.connection(Role.OWNER) as connection:
            await self._new(connection, subject, name, home=None, local=False, service=True)
            await self._grant(connection, subject, grant)
            await self._token(connection, subject, token, last, "service token")

    async def rotate(self, subject: str, token: str, last: datetime) -> None:
        """Another token in place of the one before, which is good for nothing from now on."""
        async with self.database.connection(Role.OWNER) as connection:
            await _service(connection, subject)
            await self._token(connection, subject, token, last, "service rotate")

    async def disable_service(self, subject: str) -> None:
        """Shut a program out, with its token."""
        async with self.database.connection(Role.OWNER) as connection:
            await _service(connection, subject)
            await connection.execute(query("remove_service_token"), {"subject": subject})
            await connection.execute(query("set_disabled"), {"subject": subject, "disabled": True})
            await self._log(connection, "service disable", subject, {})

    async def _new(
        self, connection: Connection, subject: str, name: str, *, home: int | None, local: bool, service: bool
    ) -> None:
        values = {"subject": subject, "name": name, "home_region": home, "demo": local, "service": service}
        if await _row(connection, "add_directory_person", values) is None:
            raise SettingsError(f"{subject!r} is known already; `erp-copilot grant add` gives them more")
        await self._log(connection, "service add" if service else "person add", subject, {"name": name})

    async def _grant(self, connection: Connection, subject: str, grant: NewGrant) -> int:
        values = grant.values()
        row = await _row(connection, "add_grant", {**values, "subject": subject})
        if row is None:
            raise SettingsError(f"{subject!r} has exactly this grant of {grant.role!r} at some of that time already")
        times = {name: at.isoformat() if at else None for name, at in (("first", grant.first), ("last", grant.last))}
        await self._log(connection, "grant add", subject, {"grant": row["id"], **values, **times})
        return row["id"]

    async def _token(self, connection: Connection, subject: str, token: str, last: datetime, action: str) -> None:
        values = {"hash": token_hash(token), "subject": subject, "now": self.clock(), "last": last}
        await connection.execute(query("put_service_token"), values)
        await self._log(connection, action, subject, {"last": last.isoformat()})

    async def _log(self, connection: Connection, action: str, subject: str, told: Mapping[str, Any]) -> None:
        values = {"now": self.clock(), "operator": self.operator, "action": action, "subject": subject}
        await connection.execute(query("add_directory_log"), {**values, "told": Jsonb(dict(told))})


async def listed(database: Database, name: LiteralString, **values: Any) -> list[DictRow]:
    """The rows of one of the listing statements."""
    async with database.connection(Role.OWNER) as connection:
        return await (await connection.execute(query(name), values)).fetchall()


async def _known(connection: Connection, subject: str) -> DictRow:
    row = await _row(connection, "person_by_subject", {"subject": subject})
    if row is None:
        raise SettingsError(f"there is nobody {subject!r}; `erp-copilot person list` shows everybody")
    return row


async def _service(connection: Connection, subject: str) -> None:
    row = await _known(connection, subject)
    if not row["service"] or row["disabled"]:
        raise SettingsError(f"{subject!r} is {'a disabled' if row['service'] else 'no'} service account")


async def _row(connection: Connection, name: str, values: Mapping[str, Any]) -> DictRow | None:
    return await (await connection.execute(query(name), values)).fetchone()
