"""What every change that is signed needs: two people who are apart, each with the duty, and a reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from copilot.errors import PolicyError
from copilot.policy.effective import effective
from copilot.policy.findings import Person
from copilot.policy.reading import baseline
from copilot.policy.values import Duty
from copilot.wiring.opening import Governing
from copilot.wiring.policies import all_people

_TOLD = {"policy": "a policy", "template": "a template"}


async def require_duty(
    runtime: Governing, subject: str, side: Literal["author", "approve"], change: Literal["policy", "template"]
) -> None:
    """Raises PolicyError unless a person holds a role, of their own or by delegation, that the policy in force names
    for this side of this kind of change."""
    documents = (await runtime.policy()).documents
    if not documents.documents:
        documents = baseline()  # nothing is in force yet, and somebody must begin
    duty: Duty = effective(documents, None, None, None, at=runtime.clock()).duty(change).value
    needed = duty.author if side == "author" else duty.approve
    people = {person.subject: person for person in await all_people(runtime)}
    held = {role for each in _acts_for(people, subject) if each in people for role in people[each].roles}
    if not needed & held:
        told = " or ".join(sorted(needed)) or "nobody"
        raise PolicyError(f"{subject!r} may not {side} {_TOLD[change]}: that is for {told}")


def require_apart(people: Iterable[Person], author: str, approver: str) -> None:
    """Author and approver are two people, neither may act for the other, and both for no third. Raises PolicyError."""
    known = {person.subject: person for person in people}
    shared = _acts_for(known, author) & _acts_for(known, approver)
    if shared:
        why = "is its author" if author == approver else f"and its author {author!r} both may act for {min(shared)!r}"
        raise PolicyError(f"{approver!r} {why}; a change needs two people who are apart, also by delegation")


def reason(why: str) -> str:
    """Why a change is made. Raises PolicyError where nobody says."""
    if not why.strip():
        raise PolicyError("a change needs a reason; say it with --why")
    return why.strip()


def signed_body(payload: bytes) -> Mapping[str, Any]:
    """What was signed elsewhere. Raises PolicyError for what is no such thing."""
    try:
        body = json.loads(payload)
    except ValueError as error:
        raise PolicyError("what was signed is no change of ours; write it with --to-sign") from error
    return cast("Mapping[str, Any]", body) if isinstance(body, dict) else {}


def _acts_for(people: Mapping[str, Person], subject: str) -> frozenset[str]:
    """The person, and everybody for whom they may act, by however many delegations."""
    found, left = {subject}, [subject]
    while left:
        person = people.get(left.pop())
        new = {each.of for each in person.delegations} - found if person else set[str]()
        found |= new
        left += new
    return frozenset(found)
