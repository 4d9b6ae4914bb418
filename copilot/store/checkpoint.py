"""Writes the signed checkpoint of the audit chain: `home`/audit-checkpoint.jsonl, its public key beside it.

A line is written after each commit, so the file may lag behind the chain (a program killed in between) but is never
ahead of it. Lines reach the operating system before the answer leaves and the disk within about a second: a killed
program loses none, a power cut at most the last second's, which the next commit covers again. Waiting for the disk
each time would double the time of an append.

Several programs write one file, each line under a lock. The last `KEPT` lines stay, breaks and restores for ever.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from copilot.errors import AuditError
from copilot.store.audit_chain import EMPTY, Head
from copilot.store.checkpoint_lines import Line, LineKind, ReadLines, decode, read_lines, read_public_key
from copilot.store.sealing import KeyRing, write_durably

KEPT = 1_000
_COMPACT_AT = 4 * KEPT * 400  # bytes, at about 400 a line
_TAIL = 4_096

CHECKPOINT = "audit-checkpoint.jsonl"
PUBLIC_KEY = "audit-checkpoint.pub"
SIGNING_KEY = "checkpoint"


@dataclass(frozen=True, slots=True)
class _Seen:
    """The file as last read: which one, how long, and its last line."""

    identity: tuple[int, int]
    line: Line | None


class Checkpoint:
    """The checkpoint of one data folder. Every method blocks: `settle` for milliseconds, so call it in a thread, the
    others for about a tenth of one."""

    def __init__(self, home: Path) -> None:
        self._ring = KeyRing(home)
        self._file = home / CHECKPOINT
        self._public = home / PUBLIC_KEY
        self._lock = home / f"{CHECKPOINT}.lock"
        self._guard = threading.Lock()
        self._key: Ed25519PrivateKey | None = None
        self._seen: _Seen | None = None

    def compare(self, head: Head, at: str) -> None:
        """Hold the chain's head, read under the chain's lock, against what is signed.

        Nothing signed can be newer than it, so a chain that is shorter or other was cut or rewritten. That is written
        down for good and appending goes on: the evidence stays, and people keep their answers.
        """
        last = self._last()
        if last is None and head == EMPTY:
            self._write("head", head, at, durable=True)
        elif last is None or last.head.id > head.id or (last.head.id == head.id and last.head != head):
            self._write("break", head, at, signed=last.head if last else None, durable=True)

    def advance(self, head: Head, at: str) -> None:
        """Sign a committed head, unless a newer one is signed already."""
        self._write("head", head, at)

    def restored(self, head: Head, at: str, *, new_keys: bool) -> Head | None:
        """Sign that a backup with this head was restored; returns the head that was signed before."""
        last = self._last()
        self._write("restored", head, at, signed=last.head if last else None, new_keys=new_keys, durable=True)
        return last.head if last else None

    def settle(self) -> None:
        """See that every line is on the disk and the file no longer than need be; takes milliseconds."""
        with contextlib.suppress(FileNotFoundError):
            if self._file.stat().st_size > _COMPACT_AT:
                with _sentence(self._file), self._alone():
                    self._compact()
            self._sync()

    def _sync(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(self._file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def has_key(self) -> bool:
        """Whether this data folder has a signing key yet."""
        return self._ring.known(SIGNING_KEY) is not None

    # --- writing -------------------------------------------------------------------------------------------

    def _write(
        self, kind: LineKind, head: Head, at: str, *, signed: Head | None = None, new_keys: bool = False,
        durable: bool = False,
    ) -> None:  # fmt: skip
        key = self._signing_key()
        with _sentence(self._file), self._alone():
            last = self._last()
            if kind == "head" and last is not None and last.head.id >= head.id:
                return
            line = Line(
                number=last.number + 1 if last else 1, kind=kind, head=head, at=at, signed=signed, new_keys=new_keys
            )
            self._append(line, key)
            if durable:
                self._sync()

    def _append(self, line: Line, key: Ed25519PrivateKey) -> None:
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            end = _whole_lines(descriptor)
            text = line.encode(key)
            os.ftruncate(descriptor, end)  # what a crash cut off
            if os.pwrite(descriptor, text, end) != len(text):
                os.ftruncate(descriptor, end)
                raise OSError(None, "the disk is full")
            self._seen = _Seen(_identity(os.fstat(descriptor)), line)
        finally:
            os.close(descriptor)

    def _compact(self) -> None:
        """Keep the last lines and every break and restore; whole or not at all. Verifying looks at signatures."""
        lines = self._file.read_bytes().splitlines(keepends=True)
        kept = [*(line for line in lines[:-KEPT] if not _is_head(line)), *lines[-KEPT:]]
        part = self._file.with_suffix(".part")
        write_durably(part, b"".join(kept))
        part.replace(self._file)

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        with self._guard:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)

    # --- reading -------------------------------------------------------------------------------------------

    def _last(self) -> Line | None:
        """The newest line; read again only where the file changed since."""
        try:
            descriptor = os.open(self._file, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            identity = _identity(os.fstat(descriptor))
            if self._seen is None or self._seen.identity != identity:
                self._seen = _Seen(identity, self._read_last(descriptor))
            return self._seen.line
        finally:
            os.close(descriptor)

    def _read_last(self, descriptor: int) -> Line | None:
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
        key = self._signing_key().public_key()
        for text in reversed(tail.split(b"\n")[:-1]):
            line = decode(text, key)
            if line is not None:
                return line
        return read_lines(os.pread(descriptor, size, 0), key).last

    def _signing_key(self) -> Ed25519PrivateKey:
        if self._key is None:
            if self._public.exists() and not self.has_key():
                raise AuditError(
                    f"the key that signed {str(self._file)!r} is missing from the data folder's keys: put it back, or "
                    f"move that file and {str(self._public)!r} away to begin a new checkpoint"
                )
            self._key = Ed25519PrivateKey.from_private_bytes(self._ring.made(SIGNING_KEY).secret)
            self._publish(self._key)
        return self._key

    def _publish(self, key: Ed25519PrivateKey) -> None:
        known = read_public_key(self._public)
        if known is not None and known != key.public_key():
            raise AuditError(f"{str(self._public)!r} does not belong to the signing key of this data folder")
        if known is None:
            pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            with _sentence(self._public):
                write_durably(self._public, pem, mode=0o644)


def read_checkpoint(home: Path) -> ReadLines | None:
    """What the checkpoint of a data folder says, None where it or its public key is missing."""
    key = read_public_key(home / PUBLIC_KEY)
    try:
        content = (home / CHECKPOINT).read_bytes()
    except OSError:
        return None
    return None if key is None else read_lines(content, key)


def _whole_lines(descriptor: int) -> int:
    """Where the last whole line ends."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - _TAIL)
    tail = os.pread(descriptor, _TAIL, start)
    return start + tail.rfind(b"\n") + 1


def _is_head(line: bytes) -> bool:
    try:
        return json.loads(line)["kind"] == "head"
    except (ValueError, KeyError, TypeError):
        return False  # whatever it is, it stays to be found


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_ino, status.st_size


@contextlib.contextmanager
def _sentence(file: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise AuditError(f"the audit checkpoint {str(file)!r} cannot be written: {error.strerror}") from error
