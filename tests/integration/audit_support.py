"""What the tests of the audit, the conversations and the backup share; run as a program, it appends audit rows."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from copilot.domain.clock import Clock, fixed_clock, system_clock
from copilot.domain.scope import Reach, Scope
from copilot.store.audit import AuditEntry, AuditLog, ClaimCheck, PolicyDecision, RecordRef
from copilot.store.migrate import migrate
from copilot.store.pool import Database
from copilot.store.roles import Role, dsn_for, ensure_roles, passwords

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """One migrated database with its data folder. `roles_home` holds the cluster's passwords."""

    superuser_dsn: str
    home: Path
    roles_home: Path
    _opened: list[Database] = field(default_factory=list[Database], compare=False)

    def dsn(self, role: Role) -> str:
        """The connection string of a role."""
        return dsn_for(self.superuser_dsn, role, passwords(self.roles_home)[role])

    def database(self) -> Database:
        """Pools of this database, closed with the site if not before."""
        self._opened.append(Database({role: self.dsn(role) for role in Role}))
        return self._opened[-1]

    async def close(self) -> None:
        """Close what is open yet: a pool left to the end of its event loop may keep that from ending."""
        for database in self._opened:
            await database.close()

    @asynccontextmanager
    async def log(self, clock: Clock = system_clock) -> AsyncIterator[AuditLog]:
        """An audit log with pools of its own, closed at the end."""
        database = self.database()
        log = AuditLog(database, self.home, clock)
        try:
            yield log
        finally:
            await log.close()
            await database.close()

    async def as_superuser(self, *statements: str, replica: bool = True) -> None:
        """Do what an intruder with the superuser's password would: past the triggers unless told otherwise."""
        async with await psycopg.AsyncConnection.connect(self.superuser_dsn, autocommit=True) as connection:
            if replica:
                await connection.execute("set session_replication_role = replica")
            for statement in statements:
                await connection.execute(statement.encode())

    async def value(self, statement: str) -> object:
        """The first column of the first row."""
        async with await psycopg.AsyncConnection.connect(self.superuser_dsn) as connection:
            row = await (await connection.execute(statement.encode())).fetchone()
            return None if row is None else row[0]


async def make_site(superuser_dsn: str, home: Path, roles_home: Path) -> Site:
    """Create and migrate a fresh database on a running cluster."""
    name = f"audit_{secrets.token_hex(6)}"
    async with await psycopg.AsyncConnection.connect(superuser_dsn, autocommit=True) as admin:
        await ensure_roles(admin, roles_home)
        await admin.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(Role.OWNER.login))
        )
    site = Site(make_conninfo(superuser_dsn, dbname=name), home, roles_home)
    await site.as_superuser("create extension vector", "grant create on schema public to copilot_owner", replica=False)
    async with await psycopg.AsyncConnection.connect(site.dsn(Role.OWNER)) as owner:
        await migrate(owner)
    return site


async def drop_site(superuser_dsn: str, site: Site) -> None:
    """Remove the database, whoever still uses it."""
    name = conninfo_to_dict(site.superuser_dsn)["dbname"]
    async with await psycopg.AsyncConnection.connect(superuser_dsn, autocommit=True) as admin:
        await admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(str(name))))


def entry(number: int = 1, subject: str = "rep.us", question: str = "where is S00024 for Anna Schmidt?") -> AuditEntry:
    """A row of about the usual size."""
    reach = Reach(
        classes=frozenset({"sales", "shipping"}), regions=frozenset({1}), sites=frozenset({1, 2}),
        channels=frozenset({1, 2, 3, 4}), accounts=None,
    )  # fmt: skip
    return AuditEntry(
        subject=subject,
        channel="api",
        conversation="0b0e0d0c-0000-4000-8000-000000000001",
        masked_question=f"where is [ORDER_{number}] for [PERSON_1]?",
        kind="order_status",
        plan={"kind": "order_status", "steps": [{"entity": "sales_order", "ids": [number]}], "subject": [number]},
        records=tuple(
            RecordRef(ref=f"S{i}", entity="sales_order", row_id=i, system="odoo", key=str(i), version=NOW)
            for i in range(1, 5)
        ),
        verdict="verified",
        reason=None,
        engine="rules",
        claims=(ClaimCheck(claim="order_status", refs=("S1.status", "S1.promised_date"), verdict="backed"),),
        policy=PolicyDecision(
            subject=subject, roles=("customer_service",), scope=Scope((reach,)), version="1", outcome="allowed"
        ),
        elapsed_ms=42,
        question=question,
        answer={"answer": "S00024 ships on 24 November. " * 30, "facts": [{"ref": "S1.amount", "value": 1250000000}]},
    )


async def append_many(site: Site, count: int, *, subject: str = "rep.us") -> None:
    """Append rows one after the other."""
    async with site.log(fixed_clock(NOW)) as log:
        for number in range(1, count + 1):
            await log.append(entry(number, subject))


async def _appending_process(superuser_dsn: str, home: str, roles_home: str, count: int) -> None:
    async with Site(superuser_dsn, Path(home), Path(roles_home)).log() as log:
        for number in range(1, count + 1):
            await log.append(entry(number))
            print(number, flush=True)


if __name__ == "__main__":  # another program beside the test
    asyncio.run(_appending_process(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
