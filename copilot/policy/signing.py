"""Keys of authors and approvers: Ed25519, the private one in a file of its owner, the public ones in `signers.yaml`.

    signers:
      gina: [{key: MCowBQYDK2VwAyEA…, may: approve, until: 2027-12-31}]
      adam: [{key: MCowBQYDK2VwAyEA…, may: author}]

What a key signed up to the end of its last day in UTC stays valid: a key that ends is a key that signs nothing more.
One that was stolen is taken out of the file, and what it signed no longer holds.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from copilot.errors import PolicyError

Duty = Literal["author", "approve"]
_DUTIES = ("author", "approve")
_LEAST_PASSPHRASE = 8


@dataclass(frozen=True, slots=True)
class Signer:
    """One public key of a person, what it signs for, and the last day on which it does."""

    key: Ed25519PublicKey
    may: Duty
    until: date | None

    def made(self, signature: bytes, payload: bytes, at: datetime) -> bool:
        """Whether it made a signature over this at that moment."""
        if self.until and at.astimezone(UTC).date() > self.until:
            return False
        try:
            self.key.verify(signature, payload)
        except InvalidSignature:
            return False
        return True


class Signers:
    """The people who may sign, as the file says at this moment."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read: tuple[tuple[int, int], Mapping[str, tuple[Signer, ...]]] | None = None

    def stamp(self) -> tuple[int, int]:
        """What changes whenever the file does."""
        try:
            found = self._file.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def require(self, subject: str, duty: Duty, signature: bytes, payload: bytes, signed_at: str) -> None:
        """Raises PolicyError unless this person signed exactly this, with a key for this duty."""
        known = [signer for signer in self._known().get(subject, ()) if signer.may == duty]
        if not known:
            raise PolicyError(
                f"{str(self._file)!r} has no key by which {subject!r} may {duty}; add the public one of the two"
            )
        at = _instant(signed_at)
        if not any(signer.made(signature, payload, at) for signer in known):
            raise PolicyError(f"no key of {subject!r} in {str(self._file)!r} signed this; sign it again with their own")

    def _known(self) -> Mapping[str, tuple[Signer, ...]]:
        stamp = self.stamp()
        if self._read is None or self._read[0] != stamp:
            self._read = stamp, _read_signers(self._file)
        return self._read[1]


def make_key(file: Path, passphrase: str) -> str:
    """Make a private key under a passphrase in a new file that only its owner reads; returns the public key.

    Raises PolicyError where the file exists or can't be written, or the passphrase is short.
    """
    if len(passphrase) < _LEAST_PASSPHRASE:
        raise PolicyError(f"the passphrase has {len(passphrase)} characters; take at least {_LEAST_PASSPHRASE}")
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise PolicyError(f"{str(file)!r} exists already; a key is never written over another") from error
    except OSError as error:
        raise PolicyError(f"{str(file)!r} can't be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as out:
        out.write(text)
    return public_text(key)


def public_text(key: Ed25519PrivateKey) -> str:
    """The public key as `signers.yaml` holds it."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def sign(payload: bytes, file: Path, passphrase: str) -> bytes:
    """The signature of a private key over this. Raises PolicyError for a file or passphrase that is not right."""
    try:
        key = load_pem_private_key(file.read_bytes(), passphrase.encode() or None)
    except OSError as error:
        raise PolicyError(f"the key {str(file)!r} can't be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PolicyError(f"{str(file)!r} is no key of ours, or the passphrase is not its own") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise PolicyError(f"{str(file)!r} is not an Ed25519 key; make one with `erp-copilot policy key`")
    return key.sign(payload)


def _read_signers(file: Path) -> Mapping[str, tuple[Signer, ...]]:
    try:
        body: Any = yaml.safe_load(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{str(file)!r} can't be read; it lists who may sign: {_FORM}") from error
    people: Any = cast("dict[Any, Any]", body).get("signers") if isinstance(body, dict) else None
    if not isinstance(people, dict):
        raise PolicyError(f"{str(file)!r} has no `signers`; it lists who may sign: {_FORM}")
    named = cast("dict[Any, Any]", people)
    found = {
        str(subject): tuple(_signer(file, str(subject), each) for each in keys or ()) for subject, keys in named.items()
    }
    _require_apart(file, found)
    return found


def _require_apart(file: Path, people: Mapping[str, tuple[Signer, ...]]) -> None:
    """A key signs for one person and one duty: else one person could stand for two."""
    owners: dict[bytes, tuple[str, Duty]] = {}
    for subject, signers in people.items():
        for signer in signers:
            raw = signer.key.public_bytes_raw()
            if owners.setdefault(raw, (subject, signer.may)) != (subject, signer.may):
                raise PolicyError(
                    f"{str(file)!r} gives one key to {owners[raw][0]!r}, who may {owners[raw][1]}, and to {subject!r}, "
                    f"who may {signer.may}; everybody signs with a key of their own"
                )


_FORM = "`signers: {USER: [{key: PUBLIC KEY, may: author or approve, until: 2027-12-31}]}`"


def _signer(file: Path, subject: str, body: Any) -> Signer:
    try:
        key = load_der_public_key(base64.b64decode(str(body["key"]), validate=True))
        may, until = body["may"], body.get("until")
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise PolicyError(f"{str(file)!r}: a key of {subject!r} is not well formed; {_FORM}") from error
    if not isinstance(key, Ed25519PublicKey) or may not in _DUTIES or not (until is None or type(until) is date):
        raise PolicyError(f"{str(file)!r}: a key of {subject!r} is not well formed; {_FORM}")
    return Signer(key, may, until)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise PolicyError(f"{text!r} is no moment, so what was signed then can't be judged") from error
