"""Policies brought into force by two people with keys of their own, as benchmarks and tests need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from copilot.domain.governance import Change, Version
from copilot.domain.prompts import PromptChange, PromptText
from copilot.policy.reading import BASELINE
from copilot.policy.signing import make_key, sign
from copilot.wiring import Runtime
from copilot.wiring.policy_changes import bring_into_force, draft_approval, draft_rollback, draft_version, submit

_ENTERPRISE = "enterprise.yaml"
Signable = Version | Change | PromptText | PromptChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two people who hold the duties, each with a key beside the data folder."""

    runtime: Runtime
    keys: Path
    author: str = "admin"
    approver: str = "officer"
    passphrase: str = "a passphrase of nobody's"  # noqa: S105 -- it guards two keys that end with the run

    def make_keys(self) -> None:
        """Make both keys and name them in signers.yaml; the folder must not exist yet."""
        self.keys.mkdir()
        duties = {self.author: "author", self.approver: "approve"}
        signers = {who: [{"key": make_key(self.key(who), self.passphrase), "may": may}] for who, may in duties.items()}
        self.runtime.settings.signers.write_text(yaml.safe_dump({"signers": signers}))

    async def approve(self, documents: Mapping[str, str]) -> int:
        """Submit and approve documents; the number of their version."""
        draft = await draft_version(self.runtime, documents, self.author, "as was asked")
        await submit(self.runtime, replace(draft, signature=self.signed(draft, self.author)))
        change = await draft_approval(self.runtime, draft.number, self.approver, "checked")
        await bring_into_force(self.runtime, replace(change, signature=self.signed(change, self.approver)))
        return draft.number

    async def roll_back(self, number: int | None = None) -> None:
        """Bring back the version before, or one named."""
        change = await draft_rollback(self.runtime, number, self.approver, "back")
        await bring_into_force(self.runtime, replace(change, signature=self.signed(change, self.approver)))

    def signed(self, what: Signable, who: str) -> bytes:
        """The signature of a person."""
        return sign(what.payload(), self.key(who), self.passphrase)

    def key(self, who: str) -> Path:
        """The file of a person's private key."""
        return self.keys / f"{who}.pem"


def shipped(**beside: str) -> dict[str, str]:
    """The shipped document for the whole company, with others beside it by name."""
    return {_ENTERPRISE: (BASELINE / _ENTERPRISE).read_text()} | {f"{name}.yaml": text for name, text in beside.items()}
