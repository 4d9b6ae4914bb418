"""Erasing somebody, step by step, so that wherever it is interrupted nothing is better kept than before, and doing it
again completes it: the list first, then the key, then the rows, then the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow

from copilot.domain.clock import Clock
from copilot.errors import CopilotError, ErasureError, SettingsError
from copilot.store.audit import AuditLog
from copilot.store.audit_chain import instant
from copilot.store.audit_entry import NOBODY, OPERATOR, erasure
from copilot.store.erasure_list import Erasure, ErasureList
from copilot.store.erasures import (
    BroughtAbout,
    Removed,
    as_owner,
    bring_about,
    keep,
    log_erasure,
    on_record,
    remove,
    rows_of,
)
from copilot.store.migrate import migrate
from copilot.store.pool import Database
from copilot.store.roles import Role
from copilot.store.sealing import KeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure came to. `before` is when it was done already, and this went through it once more."""

    keys: int
    removed: Removed
    before: str | None
    copies: int
    """Databases beside this one that were gone through too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What replaying the list came to, and how many erasures another list added to it."""

    listed: int
    added: int
    about: BroughtAbout
    recorded: int
    """Erasures that the audit did not have, and has now."""


@dataclass(frozen=True, slots=True)
class Erasing:
    """Erases by one operator. `admin_dsn` is that of a role that may make databases."""

    database: Database
    home: Path
    clock: Clock
    audit: AuditLog
    admin_dsn: str
    operator: str
    version: str
    """The policy in force, for the audit."""

    async def check(self, subject: str) -> None:
        """Raise SettingsError for somebody of whom nothing is known."""
        await self._found(subject)

    async def erase(self, subject: str) -> Erased:
        """Erase somebody. Raises SettingsError for whom nothing is known of: then nothing was changed."""
        found = await self._found(subject)
        line, before = await self._on_list(subject, found)
        ring = KeyRing(self.home)
        keys = await asyncio.to_thread(ring.erase_person, line.person)
        removed = await self._rows(subject, line)
        copies = await self._copies()
        await self._record(line.id)
        removed += await self._rows(subject, line)  # what a question under way had still kept
        return Erased(keys=int(keys), removed=removed, before=before, copies=copies)

    async def replay(self, other: Path | None = None) -> Replayed:
        """Bring the whole list about again, with the lines of another one. Raises SettingsError where that is no list
        that can be read here: then nothing was changed."""
        kept = ErasureList(self.home)
        lines = _read(kept, other) if other else ()
        added = await asyncio.to_thread(kept.add, lines)
        async with self.database.connection(Role.OWNER) as owner:
            about = await bring_about(owner, self.home)
        await self._copies()
        recorded = await self._record()
        return Replayed(listed=len(kept.read().erasures), added=len(added), about=about, recorded=recorded)

    async def _found(self, subject: str) -> DictRow:
        if subject == NOBODY or subject.startswith(OPERATOR):
            raise SettingsError(f"{subject!r} is nobody who asks, so there is nothing to erase")
        async with self.database.connection(Role.OWNER) as owner:
            (found,) = await rows_of(owner, "erasure_known", {"subject": subject})
        if not found["known"]:
            raise SettingsError(
                f"nothing is known of {subject!r}, so nothing was changed; is it spelt as they sign in?"
            )
        return found

    async def _on_list(self, subject: str, found: DictRow) -> tuple[Erasure, str | None]:
        """The line of this erasure, on the disk: the last one of this person, where nothing came after it."""
        kept, ring = ErasureList(self.home), KeyRing(self.home)
        person = ring.pseudonym(subject)
        async with self.database.connection(Role.OWNER) as owner:
            applied = {row["id"] for row in await rows_of(owner, "erasures_applied")}
            rows = await rows_of(owner, "erasure_keys", {"name": f"person/{person}:"})
        current = ring.known(f"person/{person}")
        prints = {str(row["key_id"]).partition(":")[2] for row in rows}
        if current is not None:
            prints.add(current.fingerprint)
        lines = [line for line in kept.read().erasures if line.person == person]
        if lines and prints <= {each for line in lines for each in line.keys}:
            if lines[-1].id not in applied:  # interrupted
                return lines[-1], None
            if not found["kept"]:
                return lines[-1], lines[-1].at
        now = self.clock()
        latest: datetime = max(now, found["latest"] or now)
        line = Erasure(id=uuid4().hex, at=instant(latest), person=person, keys=tuple(sorted(prints)))
        await asyncio.to_thread(kept.add, [line])
        return line, None

    async def _rows(self, subject: str, line: Erasure) -> Removed:
        now = self.clock()
        async with self.database.connection(Role.OWNER) as owner:
            removed = await remove(owner, subject, now=now)
            if await keep(owner, line, now):
                await log_erasure(owner, subject, operator=self.operator, now=now)
        return removed

    async def _copies(self) -> int:
        """Go through the databases that restores have left beside this one. Raises ErasureError naming the first that
        could not be."""
        names = await copies_of(self.admin_dsn)
        for name in names:
            try:
                async with as_owner(make_conninfo(self.admin_dsn, dbname=name)) as owner:
                    await migrate(owner)
                    await bring_about(owner, self.home)
            except (psycopg.Error, CopilotError) as error:
                raise ErasureError(
                    f"the database {name!r}, which a restore left behind, could not be gone through: drop it, or see "
                    f"that it can be used, and run this again: {str(error).strip().splitlines()[0]}"
                ) from error
        return len(names)

    async def _record(self, fresh: str = "") -> int:
        """Put on record what of the list is not: all but the fresh one were, in rows that a restore has lost. Returns
        how many."""
        kept = ErasureList(self.home)
        async with self.database.connection(Role.OWNER) as owner:
            known = {each.id for each in await on_record(owner, kept)}
            applied = {row["id"] for row in await rows_of(owner, "erasures_applied")}
        todo = [each for each in kept.read().erasures if each.id not in known and each.id in applied]
        for each in todo:
            told = kept.sealed(each)
            await self.audit.append(erasure(self.operator, self.version, told, again=each.id != fresh))
        return len(todo)


async def copies_of(dsn: str) -> Sequence[str]:
    """The databases that restores have left beside this one."""
    beside = sql.SQL("select datname from pg_database where starts_with(datname, {}) order by datname")
    name = str(conninfo_to_dict(dsn)["dbname"])
    async with await AsyncConnection.connect(dsn) as admin:
        rows = await (await admin.execute(beside.format(sql.Literal(f"{name}_before_")))).fetchall()
    return [str(row[0]) for row in rows]


def _read(kept: ErasureList, other: Path) -> Sequence[Erasure]:
    if not other.is_file():
        raise SettingsError(f"there is no list of erasures {str(other)!r}")
    listed = kept.read(other)
    if listed.faults and not listed.erasures:
        raise SettingsError(
            f"{str(other)!r} is no list of erasures that can be read here: it takes the keys of the data folder it is "
            f"of, 'names.key' in its folder 'keys' at least ({listed.faults[0]})"
        )
    return [replace(each, via="list") for each in listed.erasures]
