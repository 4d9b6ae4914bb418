"""The database roles, one per duty, each with a password of its own kept in one 0600 file.

owner         migrations and backup; owns every table and is still under forced row security
loader        copies into staging and merges
worker        reads labelled rows and writes derived ones
gazetteer     reads names, to know what to mask
app           answers questions: read only, through the scope
state         conversations and feedback
audit_writer  inserts audit rows
auditor       reads audit rows, no business record
jobs          the queue of background jobs, in a schema of its own and nowhere else
governor      adds versions of the policy and what comes into force; nothing else
identity      sessions, and what an identity provider says of its accounts; no business record
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
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
    JOBS = "jobs"
    IDENTITY = "identity"
    GOVERNOR = "governor"

    @property
    def login(self) -> str:
        """The role's name in PostgreSQL."""
        return f"copilot_{self.value}"


SINCE_RELEASED = (Role.JOBS, Role.IDENTITY, Role.GOVERNOR)
"""Roles that older data folders have no password for, and their servers no login."""


def passwords(home: Path) -> dict[Role, str]:
    """The roles' passwords, made on first use in `home`/roles.json, readable by nobody else.

    A folder from before a role existed gets that role's password added. Raises StartupError for a damaged file.
    """
    file = home / "roles.json"
    with _alone(home / "roles.lock"):
        if not file.exists():
            _write(file, {role: secrets.token_urlsafe(24) for role in Role})
        kept = _read(file)
        missing = {role: secrets.token_urlsafe(24) for role in Role if role not in kept}
        if missing:
            kept |= missing
            _write(file, kept)
    return {role: kept[role] for role in Role}


def _read(file: Path) -> dict[Role, str]:
    try:
        found = json.loads(file.read_text())
        return {role: str(found[role.value]) for role in Role if role not in SINCE_RELEASED or role.value in found}
    except (ValueError, KeyError, TypeError) as error:
        raise StartupError(
            f"{str(file)!r} is damaged; remove it and start again, and new passwords are set for the database roles"
        ) from error


def _write(file: Path, kept: dict[Role, str]) -> None:
    """Whole or not at all: beside the file first, then in its place."""
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump({role.value: secret for role, secret in kept.items()}, out)
    beside.replace(file)


@contextmanager
def _alone(lock: Path) -> Generator[None]:
    """Two programs that start at once must end with the same passwords."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


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
