"""Makes a PostgreSQL ready: roles, database, extension, migrations, and proof that row security can hold there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from copilot.errors import StartupError, UnsafeDatabaseError
from copilot.store.erasures import bring_about
from copilot.store.jobs_schema import install_jobs
from copilot.store.migrate import migrate
from copilot.store.queries import query
from copilot.store.roles import SINCE_RELEASED, Role, dsn_for, ensure_roles, passwords

EMBEDDED_DATABASE = "copilot"
_FIXED = {16: 160010, 17: 170006}
"""First release of each major with CVE-2025-8713 fixed: statistics no longer show rows that policies hide."""
_OLDEST, _FIRST_SAFE_MAJOR = 16, 18


async def prepare(dsn: str, home: Path, *, create: bool) -> dict[Role, str]:
    """Bring a database to the state this program needs, without those who were erased; returns the connection string of
    every role.

    `dsn` is that of a role that may make roles; with `create` the database is made where it is missing. Raises
    StartupError when that can't be done, and UnsafeDatabaseError when row security could not hold there.
    """
    dsns = {role: dsn_for(dsn, role, secret) for role, secret in passwords(home).items()}
    try:
        if not (await _prepared(dsns[Role.OWNER]) and await _known([dsns[role] for role in SINCE_RELEASED])):
            await _first_time(dsn, home, create=create)
        async with await AsyncConnection.connect(dsns[Role.OWNER]) as owner:
            await check_version(owner)
            await migrate(owner)
            await install_jobs(owner)
            await check_row_security(owner)
            await bring_about(owner, home)
    except psycopg.Error as error:
        place = conninfo_to_dict(dsn)
        where = f"{place.get('host', 'the default host')}:{place.get('port', '5432')}"
        raise StartupError(f"the database at {where} could not be prepared: {_first_line(error)}") from error
    return dsns


async def check_version(connection: AsyncConnection) -> None:
    """Raise UnsafeDatabaseError below PostgreSQL 16 or below the release that fixed CVE-2025-8713."""
    number = connection.info.server_version
    major = number // 10000
    fixed = _FIXED.get(major, 0)
    if major < _OLDEST or (major < _FIRST_SAFE_MAJOR and number < fixed):
        needed = f"{fixed // 10000}.{fixed % 10000}" if fixed else f"{_OLDEST}.{_FIXED[_OLDEST] % 10000}"
        raise UnsafeDatabaseError(
            f"PostgreSQL {major}.{number % 10000} can show hidden rows through its statistics (CVE-2025-8713); "
            f"upgrade to {needed} or later"
        )


async def check_row_security(connection: AsyncConnection) -> None:
    """Raise UnsafeDatabaseError naming the first reason why a reader of questions could get around a policy."""
    row = await (await connection.execute(query("row_security_faults"))).fetchone()
    if row is not None:
        raise UnsafeDatabaseError(f"row security would not hold: {row[0]}; nothing is served from this database")


async def _prepared(dsn: str) -> bool:
    """Whether the owner can connect and make schemas: a fresh or restored database on the same server lacks that."""
    try:
        async with await AsyncConnection.connect(dsn) as owner:
            row = await (await owner.execute(query("owner_may_create"))).fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and bool(row[0])


async def _known(dsns: Sequence[str]) -> bool:
    """Whether the newer roles can connect: a data folder from before they existed has none on its server."""
    try:
        for dsn in dsns:
            await (await AsyncConnection.connect(dsn)).close()
    except psycopg.OperationalError:
        return False
    return True


async def make_roles(dsn: str, home: Path) -> None:
    """See that the roles are there with this data folder's passwords: a backup restored needs them, and has none.

    Raises StartupError when that can't be done.
    """
    try:
        async with await AsyncConnection.connect(make_conninfo(dsn, dbname="postgres")) as admin:
            await ensure_roles(admin, home)
    except psycopg.Error as error:
        raise StartupError(f"the database roles could not be made: {_first_line(error)}") from error


async def _first_time(dsn: str, home: Path, *, create: bool) -> None:
    if create:
        await _make_database(dsn)
    async with await AsyncConnection.connect(dsn) as admin:  # all of it or nothing: roles alone would look like ready
        await admin.execute("select pg_advisory_xact_lock(7021)")  # a second program that starts waits, and finds all
        await ensure_roles(admin, home)
        await admin.execute("create extension if not exists vector")
        name = sql.Identifier(str(admin.info.dbname))
        owner = sql.Identifier(Role.OWNER.login)
        await admin.execute(sql.SQL("grant create, connect on database {} to {}").format(name, owner))
        await admin.execute(sql.SQL("grant create on schema public to {}").format(owner))
        await admin.execute(sql.SQL("revoke temporary on database {} from public").format(name))
        loader = sql.Identifier(Role.LOADER.login)  # a merge works out what changes in a table of its own
        await admin.execute(sql.SQL("grant temporary on database {} to {}").format(name, loader))


async def _make_database(dsn: str) -> None:
    name = str(conninfo_to_dict(dsn)["dbname"])
    async with await AsyncConnection.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as admin:
        if not await (await admin.execute("select 1 from pg_database where datname = %s", (name,))).fetchone():
            await admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def _first_line(error: psycopg.Error) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0]
