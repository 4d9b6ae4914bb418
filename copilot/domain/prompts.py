"""Templates as they are submitted, and the changes that bring them into force, as they are signed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from copilot.domain.governance import canonical

PromptKind = Literal["approve", "revoke", "rollback", "label"]
Label = Literal["production", "staging", ""]
WHOLE = 100
"""The share of people of what is not staged, in per cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptText:
    """One version of a template as its author submitted it. `submitted_at` is an instant in ISO 8601; one that came
    with the program has none, and no signature."""

    id: str
    version: int
    sha256: str
    author: str
    why: str
    text: bytes
    submitted_at: str = ""
    signature: bytes = b""
    shipped: bool = False
    """Whether it came with the program: never said of what a database holds."""

    def payload(self) -> bytes:
        """What the author signs."""
        return canonical(
            {
                "what": "prompt text", "id": self.id, "version": self.version, "sha256": self.sha256,
                "author": self.author, "why": self.why, "submitted_at": self.submitted_at,
            }
        )  # fmt: skip

    def is_what_was_signed(self) -> bool:
        """Whether the text is the one that its hash names."""
        return hashlib.sha256(self.text).hexdigest() == self.sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """What trying a template came to: how many cases there were and how many failed, the SHA-256 over all of them, and
    the first faults in words, which are not kept."""

    cases: int
    failed: int
    digest: str
    faults: tuple[str, ...] = field(default=(), compare=False)

    def to_text(self) -> str:
        """As it is kept and signed."""
        return canonical({"cases": self.cases, "failed": self.failed, "digest": self.digest}).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptChange:
    """A change of what is in force. `until` is the last day of an approval, `roles` and `share` say whom a staged
    version is for; where a kind has no use for a field it is empty."""

    sequence: int
    kind: PromptKind
    id: str
    version: int
    sha256: str
    author: str
    """Of the text."""
    approver: str
    why: str
    until: str = ""
    label: Label = ""
    roles: tuple[str, ...] = ()
    share: int = WHOLE
    suite: str = ""
    signed_at: str
    previous: str
    signature: bytes = b""

    def payload(self) -> bytes:
        """What the approver signs: the place in the order too, so that no old word can be given again."""
        return canonical({"what": "prompt change", **self._fields()})

    def hash(self) -> str:
        """What the change after this one names."""
        return hashlib.sha256(self.payload() + self.signature).hexdigest()

    def passed(self) -> bool:
        """Whether the template was tried before it was approved, and nothing failed."""
        try:
            found = json.loads(self.suite)
            return int(found["cases"]) > 0 and int(found["failed"]) == 0
        except (ValueError, KeyError, TypeError):
            return False

    def _fields(self) -> Mapping[str, object]:
        return {
            "sequence": self.sequence, "kind": self.kind, "id": self.id, "version": self.version,
            "sha256": self.sha256, "author": self.author, "approver": self.approver, "why": self.why,
            "until": self.until, "label": self.label, "roles": list(self.roles), "share": self.share,
            "suite": self.suite, "signed_at": self.signed_at, "previous": self.previous,
        }  # fmt: skip
