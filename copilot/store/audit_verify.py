"""Verifies the audit chain: every row against itself, the row before, its stamp, its blobs, and the checkpoint.

Reads as the auditor role, in order and a page at a time, and opens nothing: a value whose key was erased verifies
like any other.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from psycopg.rows import DictRow

from copilot.domain.answer import Json
from copilot.store.audit import STAMP_KEY
from copilot.store.audit_chain import EMPTY, Head, entry_hash, entry_stamp, instant, parse
from copilot.store.checkpoint import read_checkpoint
from copilot.store.checkpoint_lines import Line, ReadLines
from copilot.store.pool import Connection, Database
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.store.sealing import KeyRing, SealedBlob

MAX_FINDINGS = 200
_PAGE = 500
_PLAIN = ("subject", "channel", "masked_question", "kind", "verdict", "reason", "engine", "elapsed_ms")
_JSON = ("plan", "records", "claims", "policy", "sealed")
_ADDED = ("help",)
"""Columns that rows have only where they have something to say: those from before know nothing of them."""


class Problem(StrEnum):
    """What can be wrong with a chain."""

    ALTERED = "altered"
    MISSING = "missing"
    DUPLICATE = "duplicate"
    NOT_LINKED = "not_linked"
    FORGED = "forged"
    BLOB = "blob"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    BREAK = "break"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. `id` is the row it is about, `last` the end where it is about several."""

    problem: Problem
    id: int | None
    text: str
    last: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What verifying found. `findings` holds the first `MAX_FINDINGS` of `found`; `notes` are no failures."""

    rows: int
    head: Head
    signed: Head | None
    found: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.found == 0


async def verify(database: Database, home: Path) -> VerifyReport:
    """Verify the whole chain of `database` against itself and the checkpoint in `home`.

    Raises DatabaseError when the chain could not be read.
    """
    signed = await asyncio.to_thread(read_checkpoint, home)  # before the rows: it is never ahead of them
    key = KeyRing(home).known(STAMP_KEY)
    walk = _Walk(signed=signed or ReadLines(), stamp_key=key.secret if key else None)
    async with database.connection(Role.AUDITOR) as connection:
        await connection.execute(query("audit_snapshot"))
        await _walk(connection, walk)
        strays = await (await connection.execute(query("audit_stray_blobs"))).fetchall()
    for row in strays:
        walk.add(Problem.BLOB, row["entry_id"], f"a sealed {row['kind']} belongs to no row {row['entry_id']}")
    _check_signed(walk)
    return walk.report()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenRow:
    """One row with its sealed values, and what is wrong with it or its place; the chain in whole is for `verify`."""

    id: int
    body: Mapping[str, Json]
    """Its columns as they were hashed; those that can't be read are left out."""
    blobs: Mapping[str, SealedBlob]
    findings: tuple[Finding, ...]


async def prove(database: Database, home: Path, audit_id: str) -> ProvenRow | None:
    """Hold one row against its hash, its stamp, its blobs, the checkpoint and the rows beside it; None where there is
    no such row. Opens nothing. Raises DatabaseError when it could not be read."""
    signed = await asyncio.to_thread(read_checkpoint, home)
    key = KeyRing(home).known(STAMP_KEY)
    walk = _Walk(signed=signed or ReadLines(), stamp_key=key.secret if key else None)
    async with database.connection(Role.AUDITOR) as connection:
        await connection.execute(query("audit_snapshot"))
        rows = await (await connection.execute(query("audit_stretch"), {"audit_id": UUID(audit_id)})).fetchall()
        row = next((row for row in rows if str(row["audit_id"]) == audit_id), None)
        if row is None:
            return None
        blobs = (await _blobs(connection, [row])).get(row["id"], [])
    before = next((each for each in rows if each["id"] == row["id"] - 1), None)
    if before is not None:
        walk.head = Head(before["id"], before["hash"])
    walk.step(row, blobs)
    following = next((each for each in rows if each["id"] == row["id"] + 1), None)
    if following is not None and following["prev_hash"] != row["hash"]:
        walk.add(Problem.NOT_LINKED, following["id"], f"row {following['id']} does not follow the row before it")
    kept = {blob["kind"]: SealedBlob.from_row({**blob, "audit_id": audit_id}) for blob in blobs}
    return ProvenRow(id=row["id"], body=_body(row) or _plain(row), blobs=kept, findings=tuple(walk.findings))


async def _walk(connection: Connection, walk: _Walk) -> None:
    async with connection.cursor(name="audit_chain") as cursor:
        await cursor.execute(query("audit_rows"))
        while rows := await cursor.fetchmany(_PAGE):
            blobs = await _blobs(connection, rows)
            for row in rows:
                walk.step(row, blobs.get(row["id"], []))


async def _blobs(connection: Connection, rows: list[DictRow]) -> dict[int, list[DictRow]]:
    span = {"first": rows[0]["id"], "last": rows[-1]["id"]}
    found: defaultdict[int, list[DictRow]] = defaultdict(list)
    for blob in await (await connection.execute(query("audit_blobs"), span)).fetchall():
        found[blob["entry_id"]].append(blob)
    return found


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Goes along the chain, remembering the last row and what was wrong."""

    signed: ReadLines
    stamp_key: bytes | None
    rows: int = 0
    head: Head = EMPTY
    found: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])
    notes: list[str] = field(default_factory=list[str])

    def add(self, problem: Problem, row_id: int | None, text: str, *, last: int | None = None) -> None:
        """Note something wrong; all are counted, the first ones kept."""
        self.found += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(problem=problem, id=row_id, last=last, text=text))

    def step(self, row: DictRow, blobs: list[DictRow]) -> None:
        """Check the next row."""
        self._check_place(row)
        body = _body(row)
        if body is None or entry_hash(body, row["id"], row["prev_hash"]) != row["hash"]:
            self.add(Problem.ALTERED, row["id"], f"row {row['id']} is not what was written")
        elif self._badly_stamped(row):
            self.add(Problem.FORGED, row["id"], f"row {row['id']} was not written by this installation")
        if body is not None:
            self._check_blobs(row, body, blobs)
        self._check_signed_head(row)
        self.rows += 1
        self.head = Head(row["id"], row["hash"])

    def _check_place(self, row: DictRow) -> None:
        expected, found = self.head.id + 1, row["id"]
        if found > expected:
            self.add(Problem.MISSING, expected, f"{_rows(expected, found - 1)} missing", last=found - 1)
        elif found < expected:
            self.add(Problem.DUPLICATE, found, f"row {found} is there more than once or out of place")
        elif row["prev_hash"] != self.head.hash:
            self.add(Problem.NOT_LINKED, found, f"row {found} does not follow the row before it")

    def _badly_stamped(self, row: DictRow) -> bool:
        if self.stamp_key is None or row["id"] <= self.signed.stamped_after:
            return False
        return entry_stamp(self.stamp_key, row["hash"]) != row["stamp"]

    def _check_signed_head(self, row: DictRow) -> None:
        head = self.signed.heads.get(row["id"])
        if head is not None and head.hash != row["hash"]:
            self.add(Problem.REWRITTEN, row["id"], f"row {row['id']} is not the one that was signed")

    def _check_blobs(self, row: DictRow, body: dict[str, Json], blobs: list[DictRow]) -> None:
        there = {blob["kind"]: _digest(str(row["audit_id"]), blob) for blob in blobs}
        listed = dict(_digests(body["sealed"]))
        for kind in sorted(listed.keys() | there.keys()):
            if kind not in there:
                self.add(Problem.BLOB, row["id"], f"the sealed {kind} of row {row['id']} is missing")
            elif kind not in listed:
                self.add(Problem.BLOB, row["id"], f"a sealed {kind} was added to row {row['id']}")
            elif listed[kind] != there[kind]:
                self.add(Problem.BLOB, row["id"], f"the sealed {kind} of row {row['id']} is not what was written")

    def report(self) -> VerifyReport:
        """What was found in all."""
        last = self.signed.last
        return VerifyReport(
            rows=self.rows,
            head=self.head,
            signed=last.head if last else None,
            found=self.found,
            findings=tuple(self.findings),
            notes=tuple(self.notes),
        )


def _body(row: DictRow) -> dict[str, Json] | None:
    """The columns as they were hashed, None where one holds what no row of ours does."""
    try:
        parsed = {name: parse(row[name]) for name in (*_JSON, *_ADDED) if name in _JSON or row[name] is not None}
    except ValueError:
        return None
    return _plain(row) | parsed


def _plain(row: DictRow) -> dict[str, Json]:
    """The columns that hold no JSON."""
    body: dict[str, Json] = {name: row[name] for name in _PLAIN}
    body["audit_id"] = str(row["audit_id"])
    body["conversation"] = None if row["conversation"] is None else str(row["conversation"])
    body["at"] = instant(row["at"])
    return body


def _digest(audit_id: str, blob: DictRow) -> str:
    return SealedBlob.from_row({**blob, "audit_id": audit_id}).digest()


def _digests(sealed: Json) -> Iterable[tuple[str, Json]]:
    for part in sealed if isinstance(sealed, list) else ():
        if isinstance(part, dict):
            yield str(part.get("kind")), part.get("cipher")


def _check_signed(walk: _Walk) -> None:
    signed = walk.signed
    for place in signed.forged:
        walk.add(Problem.CHECKPOINT, None, f"line {place} of the checkpoint was not signed by this installation")
    if walk.rows and not signed.lines:
        walk.add(Problem.CHECKPOINT, None, "there are rows but no signed checkpoint, or its public key is missing")
        return
    _check_end(walk, max(signed.heads, default=0))
    for line in signed.lines:
        _explain(walk, line)
    if walk.stamp_key is None and walk.rows:
        walk.notes.append("the key of the stamps is not in this data folder, so they were not checked")


def _check_end(walk: _Walk, last: int) -> None:
    first = walk.head.id + 1
    if last >= first:
        walk.add(Problem.TRUNCATED, first, f"{_rows(first, last)} cut off the end: row {last} was signed", last=last)
    elif last < walk.head.id:
        walk.notes.append(f"{_rows(last + 1, walk.head.id)} not signed yet: a program ended before it could")


def _explain(walk: _Walk, line: Line) -> None:
    before = line.signed
    if line.kind == "break":
        what = f"row {before.id} had been signed" if before else "there was no checkpoint"
        walk.add(Problem.BREAK, line.head.id, f"on {line.at} the chain ended with row {line.head.id} although {what}")
    elif line.kind == "restored":
        lost = before.id - line.head.id if before else 0
        gone = f"{_rows(line.head.id + 1, before.id)} lost" if before and lost > 0 else "no row was lost"
        walk.notes.append(f"on {line.at} a backup that ends with row {line.head.id} was restored: {gone}")


def _rows(first: int, last: int) -> str:
    return f"row {first} is" if first == last else f"rows {first} to {last} are"
