"""Backup and restore of what cannot be regenerated: the database, and the audit checkpoint that vouches for it.

A backup is one file: pg_dump's archive, a manifest, the list of erasures, and the checkpoint with its public key as
they were before the dump began, so that they are never ahead of it.

It never holds what lies in the data folder's `keys`, nor the roles' passwords. Whoever restores an old backup brings
back rows, not erased keys: that is what makes destroying a key an erasure. So the folder `keys` needs a backup of its
own; without it the sealed values are lost and the chain still verifies. People who were erased since are erased again
before the restored database takes its place: by the data folder's list of erasures, by the one in the backup, and by
what the database that was there has on record.

Restoring goes into a fresh database which then takes the old one's name; the old one stays beside it under another,
so a failure half way costs nothing. The restore is signed into the checkpoint, with the rows that are gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import zipfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from psycopg import AsyncConnection, errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row

from copilot.domain.clock import Clock
from copilot.errors import AuditError, BackupError, StartupError
from copilot.store.audit_chain import EMPTY, Head, instant
from copilot.store.backup_file import (
    Manifest,
    dump_into,
    new_archive,
    open_archive,
    put_beside,
    restore_from,
    size_of,
)
from copilot.store.checkpoint import CHECKPOINT, PUBLIC_KEY, Checkpoint
from copilot.store.embedded_binaries import ServerBinaries
from copilot.store.erasure_list import ERASURES, ErasureList
from copilot.store.erasures import BroughtAbout, as_owner, bring_about, on_record
from copilot.store.migrate import migrate, migrations
from copilot.store.queries import query
from copilot.store.roles import Role

_MAINTENANCE = "postgres"
_PATIENCE = (0.1, 0.2, 0.4, 0.8, 0.0)
"""Seconds between looks at whether a database is in use: the session of a program that has just ended leaves a moment
after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What was written: the file, its size in bytes, and the last audit row it surely holds."""

    file: Path
    size: int
    head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What was restored. Rows after `head` up to `signed` are gone; `previous` is the database that was there."""

    made_at: str
    head: int
    signed: int
    previous: str | None
    new_keys: bool
    erased: BroughtAbout = field(default_factory=BroughtAbout)
    """The erasures that were brought about again in what was restored."""
    listed_again: int = 0
    """Erasures that the data folder's list lacked; the database that was there, or the backup, had them."""


async def backup(dsn: str, binaries: ServerBinaries, target: Path, home: Path, clock: Clock) -> BackupReport:
    """Write a backup of the database at `dsn` (its superuser's or owner's) and of the checkpoint in `home`.

    Raises BackupError, and then leaves nothing behind.
    """
    beside = {name: home / name for name in (CHECKPOINT, PUBLIC_KEY, ERASURES)}
    async with _connected(dsn) as connection:
        facts = await _facts(connection)
        head = await _head(connection)
    arguments = () if facts["unhindered"] else ("--enable-row-security",)
    manifest = Manifest(made_at=instant(clock()), migrations=tuple(facts["migrations"]), head=head.id)
    with new_archive(target) as archive:
        archive.writestr("manifest.json", json.dumps(manifest.to_json()))
        put_beside(archive, beside)
        await asyncio.to_thread(dump_into, archive, binaries.pg_dump, dsn, arguments)
    return BackupReport(file=target, size=size_of(target), head=head.id)


async def restore(dsn: str, binaries: ServerBinaries, source: Path, home: Path, clock: Clock) -> RestoreReport:
    """Put a backup in the place of the database that `dsn` names, which nobody may be using.

    `dsn` is that of a role that may create databases; the roles exist already (`ensure_roles`). Migrate afterwards.
    Raises BackupError; unless its message says otherwise, everything is then as it was.
    """
    with open_archive(source) as archive:
        manifest = Manifest.read(archive)
        _refuse_newer(manifest)
        await asyncio.to_thread(_refuse_damaged, archive, source)
        name = str(conninfo_to_dict(dsn)["dbname"])
        fresh = f"{name}_restoring_{secrets.token_hex(4)}"
        async with _connected(make_conninfo(dsn, dbname=_MAINTENANCE), autocommit=True) as admin:
            await _refuse_used(admin, name)
            listed_again = await _listed_again(archive, dsn, home, there=await _exists(admin, name))
            head, previous, erased = await _replace(admin, dsn, binaries, archive, fresh, home)
        signed = _sign(archive, home, manifest, head, previous, instant(clock()))
        return replace(signed, erased=erased, listed_again=listed_again)


async def _listed_again(archive: zipfile.ZipFile, dsn: str, home: Path, *, there: bool) -> int:
    """Put on the list of erasures what the backup's list has, and what the database has on record that is there still
    and can be asked. Returns how many."""
    kept = ErasureList(home)
    known = [*kept.parsed(archive.read(ERASURES)).erasures] if ERASURES in archive.namelist() else []
    known = [replace(each, via="list") for each in known]
    if there:
        with suppress(psycopg.Error):  # it may be why a backup is restored
            async with as_owner(dsn) as owner:
                known += await on_record(owner, kept)
    return len(await asyncio.to_thread(kept.add, known))


async def _replace(
    admin: AsyncConnection[DictRow], dsn: str, binaries: ServerBinaries, archive: zipfile.ZipFile, fresh: str,
    home: Path,
) -> tuple[Head, str | None, BroughtAbout]:  # fmt: skip
    """Restore beside the database, without who was erased since, and change places; the fresh one goes again where that
    fails."""
    target = make_conninfo(dsn, dbname=fresh)
    await admin.execute(
        sql.SQL("create database {} owner {} template template0").format(
            sql.Identifier(fresh), sql.Identifier(Role.OWNER.login)
        )
    )
    try:
        async with _connected(target) as connection:
            await connection.execute("create extension if not exists vector")
        await asyncio.to_thread(restore_from, archive, binaries.pg_restore, target)
        async with _connected(target) as connection:
            head = await _head(connection)
        erased = await _erase_again(target, home)
        return head, await _swap(admin, str(conninfo_to_dict(dsn)["dbname"]), fresh), erased
    except BaseException:
        await admin.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(fresh)))
        raise


async def _erase_again(target: str, home: Path) -> BroughtAbout:
    """Bring the erasures of the list about in what was restored."""
    if not await asyncio.to_thread(lambda: ErasureList(home).read().erasures):
        return BroughtAbout()
    try:
        async with as_owner(target) as owner:
            await migrate(owner)
            return await bring_about(owner, home)
    except (psycopg.Error, StartupError, AuditError) as error:
        why = str(error).strip().splitlines()[0]
        raise BackupError(f"those who were erased could not be erased in the backup, so it stays out: {why}") from error


async def _swap(admin: AsyncConnection[DictRow], name: str, fresh: str) -> str | None:
    """Both renames or neither. Returns what the database that was there is called now."""
    previous = f"{name}_before_{secrets.token_hex(4)}" if await _exists(admin, name) else None
    rename = sql.SQL("alter database {} rename to {}")
    try:
        async with admin.transaction():
            if previous:
                await admin.execute(rename.format(sql.Identifier(name), sql.Identifier(previous)))
            await admin.execute(rename.format(sql.Identifier(fresh), sql.Identifier(name)))
    except errors.ObjectInUse as error:
        raise _in_use(name) from error
    return previous


def _sign(
    archive: zipfile.ZipFile, home: Path, manifest: Manifest, head: Head, previous: str | None, at: str
) -> RestoreReport:
    """Sign the restore into the checkpoint: the folder's own, else the backup's if the key to go on with it is here."""
    checkpoint = Checkpoint(home)
    try:
        new_keys = not checkpoint.has_key()
        if not (home / CHECKPOINT).exists() and CHECKPOINT in archive.namelist():
            _lay_out(archive, home, suffix=".before-restore" if new_keys else "")
        signed = checkpoint.restored(head, at, new_keys=new_keys)
    except (AuditError, OSError) as error:
        raise BackupError(
            f"the backup is restored, but that could not be signed, so the audit will report missing rows: {error}"
        ) from error
    return RestoreReport(
        made_at=manifest.made_at,
        head=head.id,
        signed=signed.id if signed else head.id,
        previous=previous,
        new_keys=new_keys,
    )


def _lay_out(archive: zipfile.ZipFile, home: Path, *, suffix: str) -> None:
    for name in (CHECKPOINT, PUBLIC_KEY):
        if name in archive.namelist() and not (home / name).exists():
            descriptor = os.open(home / f"{name}{suffix}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(archive.read(name))


# --- looking before ----------------------------------------------------------------------------------------


def _refuse_newer(manifest: Manifest) -> None:
    newer = sorted(set(manifest.migrations) - {migration.name for migration in migrations()})
    if newer:
        raise BackupError(f"the backup was made by a newer version (it has {newer[0]!r}); restore it with that version")


def _refuse_damaged(archive: zipfile.ZipFile, source: Path) -> None:
    try:
        bad = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise BackupError(f"{str(source)!r} is damaged ({error}); take another backup") from error
    if bad is not None:
        raise BackupError(f"{str(source)!r} is damaged (in {bad!r}); take another backup")


async def _refuse_used(admin: AsyncConnection[DictRow], name: str) -> None:
    for wait in _PATIENCE:
        row = await (await admin.execute(query("other_sessions"), {"database": name})).fetchone()
        if row is None or not row["others"]:
            return
        await asyncio.sleep(wait)
    raise _in_use(name)


def _in_use(name: str) -> BackupError:
    return BackupError(f"the database {name!r} is in use; end every program that uses it and restore again")


async def _exists(admin: AsyncConnection[DictRow], name: str) -> bool:
    return await (await admin.execute(query("database_exists"), {"database": name})).fetchone() is not None


async def _facts(connection: AsyncConnection[DictRow]) -> DictRow:
    try:
        row = await (await connection.execute(query("backup_facts"))).fetchone()
    except errors.UndefinedTable as error:
        raise BackupError("there is nothing to back up: the database has no schema of ours yet") from error
    hidden: Sequence[str] = (row or {}).get("hidden") or ()
    if row is None or (hidden and not row["unhindered"]):
        raise BackupError(f"row security would hide {', '.join(hidden)} from this role; back up as the superuser")
    return row


async def _head(connection: AsyncConnection[DictRow]) -> Head:
    row = await (await connection.execute(query("audit_last"))).fetchone()
    return EMPTY if row is None else Head(row["id"], row["hash"])


@asynccontextmanager
async def _connected(dsn: str, *, autocommit: bool = False) -> AsyncGenerator[AsyncConnection[DictRow]]:
    """A connection of its own; what PostgreSQL refuses becomes one sentence."""
    try:
        connecting = AsyncConnection[DictRow].connect(
            dsn, row_factory=dict_row, autocommit=autocommit, connect_timeout=10
        )
        async with await connecting as connection:
            yield connection
    except errors.DiskFull as error:
        raise BackupError("the disk of the database is full; free some space and try again") from error
    except errors.InsufficientPrivilege as error:
        raise BackupError(f"this database role may not do that: {error.diag.message_primary}") from error
    except psycopg.Error as error:
        raise BackupError(f"the database could not be used: {str(error).strip().splitlines()[0]}") from error
