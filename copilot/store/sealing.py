"""Sealed values and the keys that open them.

Keys lie in `home`/keys (0700, files 0600), never in the database and never in a backup of it: one per person, one for
business values. Destroying a person's key is erasure: no restored database brings the values back. The folder needs
a backup of its own; an erased key that comes back with it is destroyed again, see erasures.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.rows import DictRow

from copilot.domain.answer import Json
from copilot.errors import AuditError, CopilotError

PEOPLE = "person"
"""The folder of people's keys."""
NAMES = "names"
"""The key that people's keys are named under; it opens no value."""
_KEY_BYTES = 32
_NONCE_BYTES = 12
_JOINT = "+"


class KeyErasedError(CopilotError):
    """The key of this value was destroyed, so nobody can read it any more."""

    code = "erased"


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key by its name and the fingerprint of its secret: a new key under an old name is another key."""

    name: str
    secret: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What tells the secret from another and says nothing of it."""
        return hmac.digest(self.secret, b"fingerprint", "sha256")[:8].hex()

    @property
    def id(self) -> str:
        """What a blob says of its key."""
        return f"{self.name}:{self.fingerprint}"


def joint(*keys: DataKey) -> DataKey:
    """What several keys give together: with any one of them gone, nobody has it."""
    secret = hmac.digest(b"".join(key.secret for key in keys), b"erp-copilot joint 1", "sha256")
    return DataKey(_JOINT.join(key.name for key in keys), secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBlob:
    """A value under a key, bound to its audit row and its kind."""

    audit_id: str
    kind: str
    key_id: str
    nonce: bytes
    ciphertext: bytes

    @classmethod
    def from_row(cls, row: DictRow) -> SealedBlob:
        """A blob as stored, with the audit id of its row."""
        return cls(
            audit_id=str(row["audit_id"]),
            kind=row["kind"],
            key_id=row["key_id"],
            nonce=row["nonce"],
            ciphertext=row["ciphertext"],
        )

    def digest(self) -> str:
        """The digest of what is stored."""
        parts = (self.kind.encode(), self.key_id.encode(), self.nonce, self.ciphertext)
        whole = hashlib.sha256(b"erp-copilot blob 1\n")
        for part in parts:
            whole.update(len(part).to_bytes(8, "big") + part)
        return whole.hexdigest()

    def open(self, ring: KeyRing) -> bytes:
        """The value. Raises KeyErasedError when its key is gone, AuditError when the blob is not what was sealed."""
        try:
            return AESGCM(ring.find(self.key_id).secret).decrypt(
                self.nonce, self.ciphertext, _binding(self.audit_id, self.kind)
            )
        except (InvalidTag, ValueError) as error:
            raise AuditError(f"the sealed {self.kind} of {self.audit_id!r} is not what was written") from error


def seal(key: DataKey, audit_id: str, kind: str, value: bytes) -> tuple[SealedBlob, Json]:
    """The sealed value and what the audit row says of it.

    The plaintext's digest is keyed by the same secret: nobody can guess at a short question, and it goes with the key.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    bound = _binding(audit_id, kind)
    blob = SealedBlob(
        audit_id=audit_id,
        kind=kind,
        key_id=key.id,
        nonce=nonce,
        ciphertext=AESGCM(key.secret).encrypt(nonce, value, bound),
    )
    plain = hmac.digest(key.secret, b"plain" + bound + value, "sha256").hex()
    return blob, {"kind": kind, "key": key.id, "cipher": blob.digest(), "plain": plain}


def _binding(audit_id: str, kind: str) -> bytes:
    return b"erp-copilot blob 1\n" + UUID(audit_id).bytes + kind.encode()


class KeyRing:
    """The keys of one data folder. Those of values are read afresh each time: an erased one is gone for everybody."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "keys"
        self._kept: dict[str, DataKey] = {}

    def business(self) -> DataKey:
        """The key of business values, made on first use."""
        return self.made("business")

    def person(self, subject: str) -> DataKey:
        """A person's key, made on first use; a new one where they were let in again after an erasure.

        Raises KeyErasedError for somebody erased who was not: what they had asked by then finds no key to be kept by.
        """
        name = f"{PEOPLE}/{self.pseudonym(subject)}"
        mark = self._mark(name)
        key = None if mark.exists() else self.made(name)
        if key is None or mark.exists():  # looked for last too: whoever erases marks first, then destroys
            self.destroy(name)
            raise KeyErasedError("what is kept of this person was erased, so nothing more is kept of them")
        return key

    def pseudonym(self, subject: str) -> str:
        """What stands for a person in the names of keys, and says nothing of them to who has no key."""
        return hmac.digest(self.lasting(NAMES).secret, subject.encode(), "sha256").hex()[:32]

    def find(self, key_id: str) -> DataKey:
        """The key a blob names. Raises KeyErasedError when it is gone."""
        name = key_id.partition(":")[0]
        parts = [] if ".." in name else [key for each in name.split(_JOINT) if (key := self.known(each)) is not None]
        if not parts or len(parts) <= name.count(_JOINT):
            raise KeyErasedError
        key = joint(*parts) if len(parts) > 1 else parts[0]
        if key.id != key_id:
            raise KeyErasedError
        return key

    def names(self, folder: str) -> Sequence[str]:
        """The names of the keys in a folder, in order."""
        return sorted(f"{folder}/{file.stem}" for file in (self._folder / folder).glob("*.key"))

    def erase_person(self, pseudonym: str) -> bool:
        """Destroy a person's key, and make none again until they are let in again. Returns whether there was one.

        Raises AuditError where that can't be done.
        """
        name = f"{PEOPLE}/{pseudonym}"
        mark = self._mark(name)
        try:
            mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_durably(mark, b"")
            sync_folder(mark.parent)
        except OSError as error:
            raise AuditError(f"the key {str(self._file(name))!r} can't be destroyed: {error.strerror}") from error
        return self.destroy(name)

    def has_returned(self, pseudonym: str, fingerprints: Container[str]) -> bool:
        """Whether a person has a key that was destroyed, by its fingerprint or because they may have none."""
        name = f"{PEOPLE}/{pseudonym}"
        try:
            key = self.known(name)
        except AuditError:  # not whole any more, as one that was being destroyed
            return self._mark(name).exists()
        return key is not None and (key.fingerprint in fingerprints or self._mark(name).exists())

    def let_in_again(self, subject: str) -> None:
        """From now on somebody erased may have a key again: a new one."""
        self._mark(f"{PEOPLE}/{self.pseudonym(subject)}").unlink(missing_ok=True)

    def destroy(self, name: str) -> bool:
        """Overwrite and remove a key. Returns whether there was one. Raises AuditError where that can't be done."""
        file = self._file(name)
        try:
            with file.open("r+b") as out:
                out.write(bytes(_KEY_BYTES))
                out.flush()
                os.fsync(out.fileno())
            file.unlink()
            sync_folder(file.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise AuditError(f"the key {str(file)!r} can't be destroyed: {error.strerror}") from error
        return True

    def known(self, name: str) -> DataKey | None:
        """The key of this name, None where there is none."""
        file = self._file(name)
        try:
            secret = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AuditError(f"the key {str(file)!r} cannot be read: {error.strerror}") from error
        if len(secret) != _KEY_BYTES:
            raise AuditError(f"the key {str(file)!r} is damaged; put it back from the backup of the keys")
        return DataKey(name, secret)

    def made(self, name: str) -> DataKey:
        """The key of this name, made if need be: on the disk before anything is sealed under it."""
        return self.known(name) or self._make(name)

    def lasting(self, name: str) -> DataKey:
        """A key that no erasure concerns: made on first use and remembered."""
        if name not in self._kept:
            self._kept[name] = self.made(name)
        return self._kept[name]

    def _make(self, name: str) -> DataKey:
        file = self._file(name)
        part = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._folder.chmod(0o700)
            write_durably(part, secrets.token_bytes(_KEY_BYTES))
            with contextlib.suppress(FileExistsError):  # another process was first: its key it is
                os.link(part, file)
            part.unlink()
            sync_folder(file.parent)
        except OSError as error:
            raise AuditError(f"the key {str(file)!r} cannot be made: {error.strerror}") from error
        return self.made(name)

    def _mark(self, name: str) -> Path:
        return self._folder / f"{name}.erased"

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.key"


def write_durably(file: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a new file that its owner alone reads, on the disk when this returns."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def sync_folder(folder: Path) -> None:
    """See the names of a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
