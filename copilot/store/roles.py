"""The database roles, one per duty, each with a password of its own kept in one 0600 file.

owner         migrations and backup; owns every table and is still under forced row security
loader        copies into staging and merges
worker        reads labelled rows and writes derived ones
gazetteer     reads names, to know what to mask
app           answers questions: read only, through the scope
state         conversations and feedback
audit_writer  inserts audit rows
auditor       reads audit rows, no business record
"""

from __future__ import annotations

import json
import os
import secrets
from enum import StrEnum
from pathlib import Path

from psycopg import AsyncConnection, sql
from psycopg.conninfo import make_conninfo

from copilot.errors import StartupError

_CREATE = sql.SQL("create role {} login nosuperuser nobypassrls nocreatedb nocreaterole noinherit password {}")
_ALTER = sql.SQL("alter role {} login password {}")


class Role(StrEnum):
    """The duties that have a database role of their own."""

    OWNER = "owner"
    LOADER = "loader"
    WORKER = "worker"
    GAZETTEER = "gazetteer"
    APP = "app"
    STATE = "state"
    AUDIT_WRITER = "audit_writer"
    AUDITOR = "auditor"

    @property
    def login(self) -> str:
        """The role's name in PostgreSQL."""
        return f"copilot_{self.value}"


def passwords(home: Path) -> dict[Role, str]:
    """The roles' passwords, made on first use in `home`/roles.json, readable by nobody else."""
    file = home / "roles.json"
    if not file.exists():
        fresh = {role.value: secrets.token_urlsafe(24) for role in Role}
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(fresh, out)
    try:
        kept = json.loads(file.read_text())
        return {role: kept[role.value] for role in Role}
    except (ValueError, KeyError) as error:
        raise StartupError(
            f"{str(file)!r} is damaged; remove it and start again, and new passwords are set for the database roles"
        ) from error


def dsn_for(base: str, role: Role, secret: str) -> str:
    """The connection string of `base` with this role's login."""
    return make_conninfo(base, user=role.login, password=secret)


async def ensure_roles(admin: AsyncConnection, home: Path) -> None:
    """Create or update all roles on the server; `admin` may create roles.

    Every role is made without superuser, bypass of row security, or membership in another.
    """
    for role, secret in passwords(home).items():
        known = await (await admin.execute("select 1 from pg_roles where rolname = %s", (role.login,))).fetchone()
        statement = _ALTER if known else _CREATE
        await admin.execute(statement.format(sql.Identifier(role.login), sql.Literal(secret)))
