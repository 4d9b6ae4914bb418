"""Brings erasures about: in the key folder, and in a database.

An erasure is on the list before anything is destroyed, so that whatever interrupts it, the next start goes on with it.
Which of the list a database has seen stands in the database: one from before an erasure lacks it and goes through it
again, whole. What somebody who came back keeps since is left alone: its key is another one, and it is of a later time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from copilot.store.erasure_list import Erasure, ErasureList
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.store.sealing import KeyRing

ERASED = "erased person"
"""What somebody erased is called."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How much an erasure found in a database."""

    conversations: int = 0
    turns: int = 0
    vaults: int = 0
    ratings: int = 0
    reviews: int = 0
    sessions: int = 0
    accounts: int = 0
    tokens: int = 0
    grants: int = 0
    delegations: int = 0
    names: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtAbout:
    """What had to be done for the list to hold: keys that had come back, erasures whose rows had, and erasures that the
    list lacked and the database had on record."""

    keys: int = 0
    erasures: int = 0
    from_record: int = 0


async def bring_about(owner: AsyncConnection[Any], home: Path) -> BroughtAbout:
    """See that every erasure holds in the key folder and in a database, to which `owner` is connected as the owner.

    Without any it costs a look for the list and one short query. Raises AuditError where a key can't be destroyed.
    """
    kept, ring = ErasureList(home), KeyRing(home)
    listed = (await asyncio.to_thread(kept.read)).erasures
    applied = {str(row["id"]) for row in await rows_of(owner, "erasures_applied")}
    lacking = [] if applied <= {each.id for each in listed} else await on_record(owner, kept)
    added = await asyncio.to_thread(kept.add, lacking)
    listed = (*listed, *added)
    keys = await asyncio.to_thread(destroy_returned, ring, listed)
    pending = [each for each in listed if each.id not in applied]
    if pending:
        await _again(owner, ring, pending)
    done = BroughtAbout(keys=keys, erasures=len(pending), from_record=len(added))
    if done != BroughtAbout():
        _log.warning(
            "erasures that had come undone were brought about again: %s keys, %s people; %s were not on the list",
            done.keys, done.erasures, done.from_record,
        )  # fmt: skip
    return done


async def on_record(owner: AsyncConnection[Any], kept: ErasureList) -> list[Erasure]:
    """The erasures that the audit of a database has."""
    found = kept.opened([row["plan"] for row in await rows_of(owner, "erasures_on_record")])
    return [replace(each, via="audit") for each in found]


async def faults_of(owner: AsyncConnection[Any], home: Path) -> Sequence[str]:
    """What is wrong with the list of erasures, held against what a database has on record; a sentence each."""
    kept = ErasureList(home)
    listed = await asyncio.to_thread(kept.read)
    known = {row["plan"]["id"] for row in await rows_of(owner, "erasures_on_record")}
    known |= {row["id"] for row in await rows_of(owner, "erasures_applied")}
    told: list[str] = [*listed.faults]
    if lost := known - listed.ids:
        what = f"the list of erasures in {str(home)!r} {'lacks' if listed.erasures else 'is gone:'} {len(lost)}"
        told.append(f"{what} that are on record; put back its copy with `erp-copilot erase --replay FILE`")
    return told


def destroy_returned(ring: KeyRing, erasures: Iterable[Erasure]) -> int:
    """Destroy each key of erased people that is there although it was destroyed. Returns how many were."""
    return sum(ring.destroy(each.key) for each in erasures if ring.has_returned(each.person, each.keys))


async def _again(owner: AsyncConnection[Any], ring: KeyRing, pending: Iterable[Erasure]) -> None:
    """Erase once more, in a database from before: whoever of those that it knows has the pseudonym."""
    subjects = {ring.pseudonym(row["subject"]): str(row["subject"]) for row in await rows_of(owner, "erasure_subjects")}
    for each in pending:
        at = datetime.fromisoformat(each.at)
        subject = subjects.get(each.person)
        async with owner.transaction():
            if subject is not None:
                await remove(owner, subject, now=at, until=at)
                await log_erasure(owner, subject, operator="replay", now=at)
            await keep(owner, each, at)


async def remove(owner: AsyncConnection[Any], subject: str, *, now: datetime, until: datetime | None = None) -> Removed:
    """Delete what is kept of somebody and shut them out, within the caller's transaction; with `until` no conversation
    that began later, and no complaint of later."""
    values = {"subject": subject, "now": now, "until": until, "name": ERASED}

    async def done(name: LiteralString) -> int:
        return (await owner.execute(query(name), values)).rowcount

    (conversations,) = await rows_of(owner, "erase_conversations", values)
    removed = Removed(
        conversations=conversations["conversations"], turns=int(conversations["turns"]),
        vaults=await done("erase_vaults"), ratings=await done("erase_feedback"),
        reviews=await done("erase_review_words"), sessions=await done("erase_sessions"),
        accounts=await done("erase_identities"), tokens=await done("erase_service_token"),
        grants=await done("erase_grants"), delegations=await done("erase_delegations"),
        names=await done("erase_logged_name"),
    )  # fmt: skip
    await done("erase_person")
    return removed


async def keep(owner: AsyncConnection[Any], erasure: Erasure, now: datetime) -> bool:
    """Note that a database has seen an erasure. Returns whether it had not before."""
    return (await owner.execute(query("keep_erasure"), {"id": erasure.id, "now": now})).rowcount > 0


async def log_erasure(owner: AsyncConnection[Any], subject: str, *, operator: str, now: datetime) -> None:
    """A line in the directory's log."""
    values = {"now": now, "operator": operator, "action": "erase", "subject": subject, "told": Jsonb({})}
    await owner.execute(query("add_directory_log"), values)


@asynccontextmanager
async def as_owner(dsn: str) -> AsyncGenerator[AsyncConnection]:
    """A connection of a role that may make databases, which acts as the owner of ours."""
    async with await AsyncConnection.connect(dsn, connect_timeout=10) as connection:
        await connection.execute(sql.SQL("set role {}").format(sql.Identifier(Role.OWNER.login)))
        await connection.commit()
        yield connection


async def rows_of(
    connection: AsyncConnection[Any], name: LiteralString, values: Mapping[str, Any] | None = None
) -> list[DictRow]:
    """What a statement finds, by name of column whatever the connection gives."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query(name), values)).fetchall()
