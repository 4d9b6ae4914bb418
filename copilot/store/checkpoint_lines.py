"""The lines of the audit checkpoint: where the chain stood, signed, in a file outside the database.

Each line is signed by itself and numbered, so that none can be made up, changed, moved or repeated.

head       the chain's last row after a commit
break      the chain was found shorter than, or other than, what had been signed
restored   a backup was restored: rows after this head are gone, and it says which
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from copilot.domain.answer import Json
from copilot.store.audit_chain import Head, canonical

LineKind = Literal["head", "break", "restored"]

_DOMAIN = b"erp-copilot audit checkpoint 1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: the chain's head at that time, and for a break or a restore what was there before."""

    number: int
    kind: LineKind
    head: Head
    at: str
    signed: Head | None = None
    """The last head signed before a break or a restore."""
    new_keys: bool = False
    """Whether the keys of the data folder began with this line: the stamps of earlier rows are under others."""

    def payload(self) -> dict[str, Json]:
        """What is signed."""
        return {
            "number": self.number,
            "kind": self.kind,
            "id": self.head.id,
            "hash": self.head.hash.hex(),
            "at": self.at,
            "signed_id": self.signed.id if self.signed else None,
            "signed_hash": self.signed.hash.hex() if self.signed else None,
            "new_keys": self.new_keys,
        }

    def encode(self, key: Ed25519PrivateKey) -> bytes:
        """The line as written, with its signature."""
        payload = self.payload()
        payload["signature"] = key.sign(_DOMAIN + canonical(self.payload())).hex()
        return canonical(payload) + b"\n"

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Line:
        """The line of a parsed row. Raises KeyError, TypeError or ValueError for anything else."""
        if row["kind"] not in get_args(LineKind):
            raise ValueError(f"{row['kind']!r} is no kind of line")
        before = row["signed_id"]
        return cls(
            number=int(row["number"]),
            kind=row["kind"],
            head=Head(int(row["id"]), bytes.fromhex(row["hash"])),
            at=str(row["at"]),
            signed=None if before is None else Head(int(before), bytes.fromhex(row["signed_hash"])),
            new_keys=bool(row["new_keys"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLines:
    """What a checkpoint file says, and the numbers (from 1) of its lines that are not ours."""

    lines: tuple[Line, ...] = ()
    forged: tuple[int, ...] = ()
    heads: Mapping[int, Head] = field(default_factory=dict[int, Head])
    """By row number, every signed head that the chain must still hold."""

    @property
    def last(self) -> Line | None:
        """The newest line."""
        return self.lines[-1] if self.lines else None

    @property
    def stamped_after(self) -> int:
        """The last row that was stamped under keys the data folder no longer has."""
        return max((line.head.id for line in self.lines if line.new_keys), default=0)


def decode(text: bytes, key: Ed25519PublicKey) -> Line | None:
    """The line, None where it is damaged or its signature is not by this key."""
    try:
        row = json.loads(text)
        line = Line.from_json(row)
        key.verify(bytes.fromhex(row["signature"]), _DOMAIN + canonical(line.payload()))
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return None
    return line


def read_lines(content: bytes, key: Ed25519PublicKey) -> ReadLines:
    """Read a whole file. A last line without its end is one that a crash cut off: it counts for nothing."""
    lines: list[Line] = []
    forged: list[int] = []
    for place, text in enumerate(content.split(b"\n")[:-1], start=1):
        line = decode(text, key)
        if line is None or (lines and line.number <= lines[-1].number):
            forged.append(place)
        else:
            lines.append(line)
    return ReadLines(lines=tuple(lines), forged=tuple(forged), heads=_binding_heads(lines))


def _binding_heads(lines: list[Line]) -> dict[int, Head]:
    """Every signed head, less those that a restore explains away."""
    heads: dict[int, Head] = {}
    for line in lines:
        if line.kind == "restored":
            heads = {number: head for number, head in heads.items() if number <= line.head.id}
        if line.kind != "break" and line.head.id > 0:
            heads.setdefault(line.head.id, line.head)
    return heads


def read_public_key(file: Path) -> Ed25519PublicKey | None:
    """The public key of a checkpoint, None where there is none to be read."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None
