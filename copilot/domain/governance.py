"""Versions of the policy, and the changes that brought them into force, as they are signed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ChangeKind = Literal["approve", "rollback"]


def documents_digest(documents: Mapping[str, str]) -> str:
    """SHA-256 over the documents of a policy, by the names of their files."""
    return hashlib.sha256(canonical({"documents": dict(documents)})).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version as its author submitted it. `submitted_at` is an instant in ISO 8601."""

    number: int
    digest: str
    author: str
    why: str
    submitted_at: str
    documents: Mapping[str, str] | None = None
    signature: bytes = b""

    def payload(self) -> bytes:
        """What the author signs."""
        return canonical(
            {
                "what": "policy version", "number": self.number, "digest": self.digest, "author": self.author,
                "why": self.why, "submitted_at": self.submitted_at,
            }
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A version that came into force, by approval or because another was rolled back."""

    sequence: int
    kind: ChangeKind
    version: int
    digest: str
    """Of the version's documents: not stored with the change, and signed with it."""
    approver: str
    why: str
    signed_at: str
    previous: str
    signature: bytes = b""

    def payload(self) -> bytes:
        """What the approver signs: the place in the order too, so that no old word can be given again."""
        return canonical(
            {
                "what": "policy change", "sequence": self.sequence, "kind": self.kind, "version": self.version,
                "digest": self.digest, "approver": self.approver, "why": self.why, "signed_at": self.signed_at,
                "previous": self.previous,
            }
        )  # fmt: skip

    def hash(self) -> str:
        """What the change after this one names."""
        return hashlib.sha256(self.payload() + self.signature).hexdigest()


def canonical(body: Mapping[str, object]) -> bytes:
    """A body as it is hashed and signed: JSON with its keys in order and no space."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
