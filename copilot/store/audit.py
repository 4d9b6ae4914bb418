"""The audit log: no answer leaves before its row is committed.

Appends that come together share a transaction: while one is being written the next ones gather, so many askers cost
little more than one, and a single one never waits for a timer. Programs beside each other take turns by the chain's
lock, which is held for two statements and the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from copilot.domain.answer import Json
from copilot.domain.clock import Clock
from copilot.errors import AuditError, DatabaseError
from copilot.store.audit_chain import EMPTY, Head, canonical, entry_hash, entry_stamp, instant
from copilot.store.audit_entry import AuditEntry, ClaimCheck, PolicyDecision, RecordRef
from copilot.store.checkpoint import Checkpoint
from copilot.store.pool import Connection, Database
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.store.sealing import KeyRing, SealedBlob, joint, seal

__all__ = ["AuditEntry", "AuditLog", "AuditReceipt", "ClaimCheck", "PolicyDecision", "RecordRef", "sealed_blobs"]

STAMP_KEY = "stamp"
QUESTION, ANSWER, MAKING = "question", "answer", "making"
"""The kinds of sealed values."""
_GROUP = 128
_PATIENCE_S = 15.0
_SYNC_EVERY_S = 1.0
_STALE = 8  # as many as a pool may hold after the server was restarted


class _StaleConnectionError(DatabaseError):
    """The connection was lost before anything was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReceipt:
    """Proof that a row is committed: what the answer shows of it, its number in the chain and its hash."""

    audit_id: str
    id: int
    hash: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A row that is ready but for its place in the chain, and who waits for it."""

    body: dict[str, Json]
    blobs: tuple[SealedBlob, ...]
    receipt: asyncio.Future[AuditReceipt]


class AuditLog:
    """Appends to the audit chain. One per process and event loop; close it at the end."""

    def __init__(self, database: Database, home: Path, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ring = KeyRing(home)
        self._checkpoint = Checkpoint(home)
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._syncer: asyncio.Task[None] | None = None
        self._synced = time.monotonic()

    async def append(self, entry: AuditEntry) -> AuditReceipt:
        """Write one row; it is on the disk when this returns. Raises AuditError where that could not be."""
        receipt: asyncio.Future[AuditReceipt] = asyncio.get_running_loop().create_future()
        self._waiting.append(self._sealed(entry, receipt))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await receipt

    async def close(self) -> None:
        """Wait for what is being written and see the checkpoint to the disk."""
        for task in (self._writer, self._syncer):
            if task is not None:
                with contextlib.suppress(AuditError, OSError):
                    await task
        with contextlib.suppress(AuditError, OSError):
            await asyncio.to_thread(self._checkpoint.settle)

    def _sealed(self, entry: AuditEntry, receipt: asyncio.Future[AuditReceipt]) -> _Waiting:
        question = entry.question.encode("utf-8", "surrogatepass")
        try:
            person = self._ring.person(entry.subject)
            both = joint(person, self._ring.business())  # an answer repeats words of the question
            values = [(person, QUESTION, question), (both, ANSWER, canonical(entry.answer))]
            if entry.making:
                values.append((both, MAKING, entry.making))
            sealed = [seal(key, entry.audit_id, kind, value) for key, kind, value in values]
        except ValueError as error:
            raise AuditError(f"what was asked or answered cannot be sealed: {error}") from error
        body = entry.body(self._clock(), [digests for _, digests in sealed])
        return _Waiting(body, tuple(blob for blob, _ in sealed), receipt)

    async def _write_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
            await self._write_or_fail(group)

    async def _write_or_fail(self, group: list[_Waiting]) -> None:
        """Write a group. One row that the database refuses must not take the others with it."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                heads = await self._write_past_stale(group)
        except Exception as error:  # noqa: BLE001 -- whatever it is, each one waiting has to hear of it
            if len(group) > 1 and _refused(error):
                for one in group:
                    await self._write_or_fail([one])
            else:
                _fail(group, error)
        else:
            for one, head in zip(group, heads, strict=True):
                _hand_over(one, head)
            self._sync_soon()

    async def _write_past_stale(self, group: list[_Waiting]) -> list[Head]:
        """Write; where pooled connections turn out to be dead before a row was sent, on the next one."""
        for _ in range(_STALE):
            with contextlib.suppress(_StaleConnectionError):
                return await self._write(group)
        return await self._write(group)

    async def _write(self, group: list[_Waiting]) -> list[Head]:
        at = instant(self._clock())
        async with self._database.connection(Role.AUDIT_WRITER) as connection, connection.pipeline():
            last = await _chain_head(connection)
            self._checkpoint.compare(last, at)
            heads, rows, blobs = self._chained(group, last)
            await connection.execute(query("audit_append"), {"entries": Jsonb(rows), "blobs": Jsonb(blobs)})
            # As a statement, so that it goes with the rows in one trip and the lock is held no longer than need be.
            commit = await connection.execute(query("audit_commit"))
        if commit.statusmessage != "COMMIT":
            raise AuditError
        self._checkpoint.advance(heads[-1], at)
        return heads

    def _chained(self, group: list[_Waiting], last: Head) -> tuple[list[Head], list[Json], list[Json]]:
        """Give each row its place: number, hashes and stamp."""
        stamp_key = self._ring.lasting(STAMP_KEY).secret
        heads: list[Head] = []
        rows: list[Json] = []
        blobs: list[Json] = []
        for one in group:
            head = Head(last.id + 1, entry_hash(one.body, last.id + 1, last.hash))
            links: dict[str, bytes] = {
                "prev_hash": last.hash,
                "hash": head.hash,
                "stamp": entry_stamp(stamp_key, head.hash),
            }
            rows.append({**one.body, "id": head.id, **{name: _bytea(value) for name, value in links.items()}})
            blobs.extend(_blob_row(blob, head.id) for blob in one.blobs)
            heads.append(head)
            last = head
        return heads, rows, blobs

    def _sync_soon(self) -> None:
        """Once a second, off the path of any answer."""
        if time.monotonic() - self._synced >= _SYNC_EVERY_S and (self._syncer is None or self._syncer.done()):
            self._synced = time.monotonic()
            self._syncer = asyncio.create_task(asyncio.to_thread(self._checkpoint.settle))


async def sealed_blobs(database: Database, audit_id: str) -> tuple[SealedBlob, ...]:
    """The sealed values of one answer, as the auditor role reads them; `open` them only for who may read them now."""
    async with database.connection(Role.AUDITOR) as connection:
        cursor = await connection.execute(query("audit_sealed"), {"audit_id": UUID(audit_id)})
        return tuple([SealedBlob.from_row(row) async for row in cursor])


async def _chain_head(connection: Connection) -> Head:
    try:
        row = await (await connection.execute(query("audit_head"))).fetchone()
    except psycopg.OperationalError as error:
        if connection.broken:
            raise _StaleConnectionError from error
        raise
    return EMPTY if row is None else Head(row["id"], row["hash"])


def _blob_row(blob: SealedBlob, entry_id: int) -> Json:
    return {
        "entry_id": entry_id,
        "kind": blob.kind,
        "key_id": blob.key_id,
        "nonce": _bytea(blob.nonce),
        "ciphertext": _bytea(blob.ciphertext),
    }


def _bytea(value: bytes) -> str:
    return f"\\x{value.hex()}"


def _refused(error: Exception) -> bool:
    """Whether the database refused what was in the rows, rather than failed."""
    return isinstance(error.__cause__, psycopg.DataError | psycopg.IntegrityError)


def _hand_over(one: _Waiting, head: Head) -> None:
    if not one.receipt.done():  # the asker may be gone
        one.receipt.set_result(AuditReceipt(audit_id=str(one.body["audit_id"]), id=head.id, hash=head.hash.hex()))


def _fail(group: list[_Waiting], error: Exception) -> None:
    for one in group:
        if not one.receipt.done():
            one.receipt.set_exception(_as_audit_error(error))


def _as_audit_error(error: Exception) -> AuditError:
    if isinstance(error, AuditError):
        return error
    failure = AuditError("the audit row could not be written, so there is no answer; try again in a moment")
    failure.__cause__ = error.__cause__ if isinstance(error, DatabaseError) else error
    return failure
