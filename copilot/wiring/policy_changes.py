"""Changes of the policy: a version by one person, its approval by another, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from copilot.domain.governance import Change, ChangeKind, Version, documents_digest
from copilot.errors import PolicyError
from copilot.policy.check import check
from copilot.policy.reading import read_texts
from copilot.wiring.opening import Governing
from copilot.wiring.policies import all_people, known_places
from copilot.wiring.policy_in_force import require_signed
from copilot.wiring.two_people import reason, require_apart, require_duty, signed_body

_CHANGE = "policy"
"""What the duties of the policy call this kind of change."""


async def draft_version(runtime: Governing, documents: Mapping[str, str], author: str, why: str) -> Version:
    """The next version, to be signed by its author. Raises PolicyError for documents with errors, or a person who may
    author no policy."""
    policy = read_texts(documents)
    findings = check(policy, await known_places(runtime), await all_people(runtime), at=runtime.clock())
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        told = "\n".join(f"{error.place or ''} {error.rule}: {error.sentence}" for error in errors)
        raise PolicyError(f"the policy has {len(errors)} errors:\n{told}")
    await require_duty(runtime, author, "author", _CHANGE)
    known = await runtime.policy.versions.all()
    return Version(
        number=known[-1].number + 1 if known else 1,
        digest=documents_digest(documents),
        author=author,
        why=reason(why),
        submitted_at=runtime.clock().isoformat(),
        documents=documents,
    )


async def submit(runtime: Governing, version: Version) -> None:
    """Keep a signed version. Raises PolicyError where the signature is not its author's."""
    signed = version.signature, version.payload(), version.submitted_at
    runtime.policy.signers.require(version.author, "author", *signed)
    await runtime.policy.versions.add(version)


async def draft_approval(runtime: Governing, number: int, approver: str, why: str) -> Change:
    """What brings a version into force, to be signed by its approver. Raises PolicyError where that may not be them."""
    version = await runtime.policy.versions.version(number)
    return await _draft(runtime, "approve", version, approver, why)


async def draft_rollback(runtime: Governing, number: int | None, approver: str, why: str) -> Change:
    """What brings back the version that was in force before, or one named, to be signed by an approver.

    Only what two people brought into force once can be brought back. Raises PolicyError where there is no such.
    """
    changes = await runtime.policy.versions.changes()
    approved = [change.version for change in changes if change.kind == "approve"]
    now = changes[-1].version if changes else 0
    if number is None:
        number = next((each for each in reversed(approved) if each < now), None)
    if number is None or number not in approved:
        there = ", ".join(str(each) for each in dict.fromkeys(approved) if each != now) or "none"
        raise PolicyError(
            f"there is no approved version {number or 'before this one'} to go back to; there are: {there}"
        )
    return await _draft(runtime, "rollback", await runtime.policy.versions.version(number), approver, why)


async def bring_into_force(runtime: Governing, change: Change) -> None:
    """Bring a signed change into force: it holds for the next question. Raises PolicyError where it is not signed as it
    must be, or something else came into force meanwhile."""
    version = await runtime.policy.versions.version(change.version)
    require_signed(version, [*await runtime.policy.versions.changes(), change], runtime.policy.signers)
    read_texts(version.documents or {})
    await runtime.policy.versions.bring_into_force(change)


def signed_version(version: Version, payload: bytes, signature: bytes) -> Version:
    """A version signed elsewhere. Raises PolicyError where something else was signed."""
    body = signed_body(payload)
    found = replace(version, submitted_at=str(body.get("submitted_at")), signature=signature)
    if found.payload() != payload:
        raise PolicyError("what was signed is not this version; write it anew with --to-sign")
    return found


def signed_change(change: Change, payload: bytes, signature: bytes) -> Change:
    """A change signed elsewhere. Raises PolicyError where something else was signed, or it came too late."""
    body = signed_body(payload)
    found = replace(change, signed_at=str(body.get("signed_at")), why=str(body.get("why")), signature=signature)
    if found.payload() != payload:
        raise PolicyError("what was signed is not this change, or another came into force since; write it anew")
    return found


async def _draft(runtime: Governing, kind: ChangeKind, version: Version, approver: str, why: str) -> Change:
    await require_duty(runtime, approver, "approve", _CHANGE)
    if kind == "approve":
        require_apart(await all_people(runtime), version.author, approver)
    changes = await runtime.policy.versions.changes()
    if changes and changes[-1].version == version.number:
        raise PolicyError(f"version {version.number} is in force already")
    return Change(
        sequence=len(changes) + 1,
        kind=kind,
        version=version.number,
        digest=version.digest,
        approver=approver,
        why=reason(why),
        signed_at=runtime.clock().isoformat(),
        previous=changes[-1].hash() if changes else "",
    )
