"""Changes of the policy: a version by one person, its approval by another, and the way back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from copilot.domain.governance import Change, ChangeKind, Version, documents_digest
from copilot.errors import PolicyError
from copilot.policy.check import check
from copilot.policy.effective import effective
from copilot.policy.findings import Person
from copilot.policy.reading import baseline, read_texts
from copilot.policy.values import Duty
from copilot.wiring.opening import Governing
from copilot.wiring.policies import all_people, known_places
from copilot.wiring.policy_in_force import require_signed


async def draft_version(runtime: Governing, documents: Mapping[str, str], author: str, why: str) -> Version:
    """The next version, to be signed by its author. Raises PolicyError for documents with errors, or a person who may
    author no policy."""
    policy = read_texts(documents)
    findings = check(policy, await known_places(runtime), await all_people(runtime), at=runtime.clock())
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        told = "\n".join(f"{error.place or ''} {error.rule}: {error.sentence}" for error in errors)
        raise PolicyError(f"the policy has {len(errors)} errors:\n{told}")
    await _require_duty(runtime, author, "author")
    known = await runtime.policy.versions.all()
    return Version(
        number=known[-1].number + 1 if known else 1,
        digest=documents_digest(documents),
        author=author,
        why=_reason(why),
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
    body = _body(payload)
    found = replace(version, submitted_at=str(body.get("submitted_at")), signature=signature)
    if found.payload() != payload:
        raise PolicyError("what was signed is not this version; write it anew with --to-sign")
    return found


def signed_change(change: Change, payload: bytes, signature: bytes) -> Change:
    """A change signed elsewhere. Raises PolicyError where something else was signed, or it came too late."""
    body = _body(payload)
    found = replace(change, signed_at=str(body.get("signed_at")), why=str(body.get("why")), signature=signature)
    if found.payload() != payload:
        raise PolicyError("what was signed is not this change, or another came into force since; write it anew")
    return found


async def _draft(runtime: Governing, kind: ChangeKind, version: Version, approver: str, why: str) -> Change:
    await _require_duty(runtime, approver, "approve")
    if kind == "approve":
        _require_apart(await all_people(runtime), version.author, approver)
    changes = await runtime.policy.versions.changes()
    if changes and changes[-1].version == version.number:
        raise PolicyError(f"version {version.number} is in force already")
    return Change(
        sequence=len(changes) + 1,
        kind=kind,
        version=version.number,
        digest=version.digest,
        approver=approver,
        why=_reason(why),
        signed_at=runtime.clock().isoformat(),
        previous=changes[-1].hash() if changes else "",
    )


async def _require_duty(runtime: Governing, subject: str, side: str) -> None:
    """Whether a person holds a role, of their own or by delegation, that the policy in force names for this side."""
    documents = (await runtime.policy()).documents
    if not documents.documents:
        documents = baseline()  # nothing is in force yet, and somebody must begin
    duty: Duty = effective(documents, None, None, None, at=runtime.clock()).duty("policy").value
    needed = duty.author if side == "author" else duty.approve
    people = {person.subject: person for person in await all_people(runtime)}
    held = {role for each in _acts_for(people, subject) if each in people for role in people[each].roles}
    if not needed & held:
        told = " or ".join(sorted(needed)) or "nobody"
        raise PolicyError(f"{subject!r} may not {side} a policy: that is for {told}")


def _require_apart(people: Iterable[Person], author: str, approver: str) -> None:
    """Author and approver are two people, neither may act for the other, and both for no third."""
    known = {person.subject: person for person in people}
    shared = _acts_for(known, author) & _acts_for(known, approver)
    if shared:
        why = "is its author" if author == approver else f"and its author {author!r} both may act for {min(shared)!r}"
        raise PolicyError(f"{approver!r} {why}; a change needs two people who are apart, also by delegation")


def _acts_for(people: Mapping[str, Person], subject: str) -> frozenset[str]:
    """The person, and everybody for whom they may act, by however many delegations."""
    found, left = {subject}, [subject]
    while left:
        person = people.get(left.pop())
        new = {each.of for each in person.delegations} - found if person else set[str]()
        found |= new
        left += new
    return frozenset(found)


def _reason(why: str) -> str:
    if not why.strip():
        raise PolicyError("a change needs a reason; say it with --why")
    return why.strip()


def _body(payload: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(payload)
    except ValueError as error:
        raise PolicyError("what was signed is no change of a policy; write it with --to-sign") from error
    return cast("Mapping[str, Any]", body) if isinstance(body, dict) else {}
