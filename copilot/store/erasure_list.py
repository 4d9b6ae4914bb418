"""The list of erasures: `home`/erasures.jsonl, a line for each, outside the database and its backups.

It is what brings an erasure about again after something older came back. A line says when, whose (the pseudonym that
the person's key is named by, so nobody reads a subject from it) and which keys were destroyed, by their fingerprints:
one of these is an old key that came back, any other a new one of a person who did.

Each line is sealed, so that none can be made up, and linked to the one before, so that none can be changed or taken
away unnoticed but the last ones; the database knows those by their ids. Both are under a key that follows from the one
which people's keys are named under: wherever a person's key can come back, the list can be read.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from copilot.domain.answer import Json
from copilot.errors import AuditError
from copilot.store.audit_chain import canonical
from copilot.store.sealing import NAMES, PEOPLE, KeyRing, sync_folder

ERASURES = "erasures.jsonl"
_SEAL = b"erp-copilot erasure 1\n"
_LINK = b"erp-copilot erasure link 1\n"
_NO_KEY = f"the key {NAMES!r} of the data folder's keys is missing, so the list of erasures can't be checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One erasure: `person` is a pseudonym, `keys` are fingerprints, `at` a moment as the audit writes it."""

    id: str
    at: str
    person: str
    keys: tuple[str, ...]
    via: str = ""
    """Where it was found again, where the list had lost it: "audit" or "list"."""

    def to_json(self) -> dict[str, Json]:
        """What is sealed."""
        return {"id": self.id, "at": self.at, "person": self.person, "keys": [*self.keys]}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Erasure:
        """The erasure of a parsed row. Raises KeyError or TypeError for anything else."""
        keys = tuple(map(str, row["keys"]))
        return cls(
            id=str(row["id"]), at=str(row["at"]), person=str(row["person"]), keys=keys, via=str(row.get("via", ""))
        )

    @property
    def key(self) -> str:
        """The name of the person's key."""
        return f"{PEOPLE}/{self.person}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a list says: its sealed lines, and what is wrong with it, a sentence each."""

    erasures: tuple[Erasure, ...] = ()
    faults: tuple[str, ...] = ()
    last: str = ""
    """The last line's link."""

    @property
    def ids(self) -> frozenset[str]:
        """Which there are."""
        return frozenset(erasure.id for erasure in self.erasures)


@dataclass(slots=True)
class _Reading:
    """Goes along the lines of a file."""

    key: bytes = field(repr=False)
    found: dict[str, Erasure] = field(default_factory=dict[str, Erasure])
    faults: list[str] = field(default_factory=list[str])
    last: str = ""

    def step(self, place: int, text: bytes) -> None:
        try:
            row = json.loads(text)
            erasure, link = Erasure.from_json(row), str(row["link"])
            sealed = hmac.compare_digest(seal_of(self.key, erasure), str(row["seal"]))
        except (ValueError, KeyError, TypeError):
            sealed, erasure, link = False, None, ""
        if erasure is None or not sealed:
            self.faults.append(f"line {place} is not what was written, or of another installation")
            return
        if not hmac.compare_digest(_link_of(self.key, self.last, erasure), link):
            self.faults.append(f"line {place} does not follow the one before it: something was taken away or moved")
        self.found.setdefault(erasure.id, erasure)
        self.last = link


class ErasureList:
    """The list of one data folder. Every method blocks, for milliseconds."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = home / ERASURES
        self._ring = KeyRing(home)

    def read(self, file: Path | None = None) -> Listed:
        """What the list says, or another file of the same form."""
        file = file or self._file
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return Listed()
        except OSError as error:
            raise AuditError(f"the list of erasures {str(file)!r} cannot be read: {error.strerror}") from error
        return self.parsed(content)

    def parsed(self, content: bytes) -> Listed:
        """What the content of such a file says."""
        names = self._ring.known(NAMES)
        if names is None:
            return Listed(faults=(_NO_KEY,) if content else ())
        reading = _Reading(_key_of(names.secret))
        for place, text in enumerate(content.split(b"\n")[:-1], start=1):
            reading.step(place, text)
        return Listed(erasures=tuple(reading.found.values()), faults=tuple(reading.faults), last=reading.last)

    def add(self, erasures: Iterable[Erasure]) -> Sequence[Erasure]:
        """Put those on the list that are not on it, on the disk when this returns. Returns which."""
        known = self.read().ids
        if not (added := [erasure for erasure in erasures if erasure.id not in known]):
            return added
        with self._alone() as descriptor:
            listed = self.parsed(_content(descriptor))
            added = [erasure for erasure in added if erasure.id not in listed.ids]
            key, last, text = _key_of(self._ring.lasting(NAMES).secret), listed.last, b""
            for erasure in added:
                last = _link_of(key, last, erasure)
                found: dict[str, Json] = {"via": erasure.via} if erasure.via else {}
                line = {**erasure.to_json(), **found, "seal": seal_of(key, erasure), "link": last}
                text += canonical(line) + b"\n"
            os.ftruncate(descriptor, end := _whole_lines(descriptor))  # what a crash cut off
            if os.pwrite(descriptor, text, end) != len(text):
                os.ftruncate(descriptor, end)
                raise OSError(None, "the disk is full")
            os.fsync(descriptor)
        sync_folder(self._home)
        return added

    def sealed(self, erasure: Erasure) -> dict[str, Json]:
        """An erasure with its seal, for the audit."""
        return {**erasure.to_json(), "seal": seal_of(_key_of(self._ring.lasting(NAMES).secret), erasure)}

    def opened(self, rows: Iterable[Any]) -> Sequence[Erasure]:
        """Those of some erasures with their seals that are ours."""
        names = self._ring.known(NAMES)
        found: list[Erasure] = []
        for row in rows:
            try:
                erasure, seal = Erasure.from_json(row), str(row["seal"])
            except (KeyError, TypeError):
                continue
            if names and hmac.compare_digest(seal_of(_key_of(names.secret), erasure), seal):
                found.append(erasure)
        return found

    @contextmanager
    def _alone(self) -> Generator[int]:
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            raise AuditError(f"the list of erasures {str(self._file)!r} cannot be written: {error.strerror}") from error


def seal_of(key: bytes, erasure: Erasure) -> str:
    """What shows that an erasure was ordered here."""
    return hmac.digest(key, _SEAL + canonical(erasure.to_json()), "sha256").hex()


def _link_of(key: bytes, before: str, erasure: Erasure) -> str:
    return hmac.digest(key, _LINK + before.encode() + canonical(erasure.to_json()), "sha256").hex()


def _key_of(names: bytes) -> bytes:
    return hmac.digest(names, b"erp-copilot erasures 1", "sha256")


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _whole_lines(descriptor: int) -> int:
    return _content(descriptor).rfind(b"\n") + 1
