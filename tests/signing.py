"""The shipped policy, brought into force by two people with keys of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from copilot.policy.reading import BASELINE
from copilot.policy.signing import make_key, sign
from copilot.wiring import Runtime
from copilot.wiring.policy_changes import bring_into_force, draft_approval, draft_version, submit

_PASSPHRASE = "a passphrase of tests"


async def approve_shipped(runtime: Runtime, keys: Path, *, author: str = "admin", approver: str = "officer") -> None:
    """Sign and approve the shipped policy; `keys` is a folder for the private ones."""
    keys.mkdir()  # noqa: ASYNC240 -- of a test
    duties = {author: "author", approver: "approve"}
    signers = {who: [{"key": make_key(keys / f"{who}.pem", _PASSPHRASE), "may": may}] for who, may in duties.items()}
    runtime.settings.signers.write_text(yaml.safe_dump({"signers": signers}))
    documents = {"enterprise.yaml": (BASELINE / "enterprise.yaml").read_text()}
    version = await draft_version(runtime, documents, author, "to begin with")
    await submit(runtime, replace(version, signature=sign(version.payload(), keys / f"{author}.pem", _PASSPHRASE)))
    change = await draft_approval(runtime, version.number, approver, "as shipped")
    signature = sign(change.payload(), keys / f"{approver}.pem", _PASSPHRASE)
    await bring_into_force(runtime, replace(change, signature=signature))
