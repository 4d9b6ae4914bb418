"""What the changes of templates come to: for each template the versions that are approved, and the ones in force.

Every change is signed and names the one before. Where that order is broken nothing of it can be believed. A change
whose signature does not hold ends its own template, until two people approve it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from copilot.domain.prompts import WHOLE, PromptChange, PromptText
from copilot.errors import PolicyError, PromptNotInForceError
from copilot.policy.signing import Signers
from prompts.errors import TemplateError
from prompts.shipped import one_person, require_id

Texts = Mapping[tuple[str, int, str], PromptText]
"""By id, version and SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A version that may be in force, by whom, and the last day on which it is; a shipped one has none."""

    text: PromptText
    approver: str
    until: date | None = None

    def holds(self, today: date) -> bool:
        """Whether it has not ended yet."""
        return self.until is None or today <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A version that some people get first: those of some roles (of any, where none is named), a share in per cent."""

    version: int
    roles: tuple[str, ...]
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a template stands. Without `production` there is none for everybody; a `fault` ends all of it."""

    id: str
    approved: Mapping[int, Approved] = field(default_factory=dict[int, Approved])
    production: int | None = None
    staged: Staged | None = None
    faults: Mapping[int, str] = field(default_factory=dict[int, str])
    """Why a version that an approver signed is none, by version."""
    revoked: frozenset[int] = frozenset()
    fault: str = ""
    changed: bool = False
    """Whether anything but shipping brought it to where it is."""

    def in_force(self, version: int | None, today: date) -> Approved | None:
        """The version, as far as it may run on this day."""
        found = None if version is None or self.fault else self.approved.get(version)
        return found if found is not None and found.holds(today) else None

    def produced(self, today: date) -> Approved | None:
        """What everybody gets."""
        return self.in_force(self.production, today)


def is_among(ident: str, staged: Staged, role: str, subject: str) -> bool:
    """Whether a staged version is for this person: always the same people, in no order that anybody chooses."""
    drawn = hashlib.sha256(f"{ident}\n{staged.version}\n{subject}".encode()).digest()
    mine = int.from_bytes(drawn[:8], "big") % WHOLE < staged.share
    return mine and (not staged.roles or role in staged.roles)


def shipped_standing(text: PromptText, approver: str) -> Standing:
    """How a shipped template stands as long as nobody changed anything about it."""
    approved = {text.version: Approved(text=text, approver=approver)}
    return Standing(id=text.id, approved=approved, production=text.version)


def require_order(changes: Sequence[PromptChange]) -> None:
    """Raises PromptNotInForceError unless each change follows the one before, in place, by hash and in time."""
    previous, at = "", ""
    for place, change in enumerate(changes, start=1):
        if change.sequence != place or change.previous != previous:
            raise PromptNotInForceError(
                f"change {change.sequence} of the templates does not follow the one before; rows were altered or taken "
                "away, so restore the database from a backup"
            )
        if at and _moment(change) < datetime.fromisoformat(at):
            raise PromptNotInForceError(
                f"change {change.sequence} of the templates was signed before the one before it"
            )
        previous, at = change.hash(), change.signed_at


def late(changes: Sequence[PromptChange], signers: Signers, today: date) -> tuple[int, ...]:
    """Of changes that are new, those by a key whose last day is over: who has it may have put an older date to it."""
    now = f"{today.isoformat()}T00:00:00+00:00"
    signed = (each for each in changes if not _unsigned(each, signers, each.signed_at))
    return tuple(each.sequence for each in signed if _unsigned(each, signers, now))


def standings(
    shipped: Mapping[str, Standing],
    changes: Sequence[PromptChange],
    texts: Texts,
    signers: Signers,
    refused: frozenset[int] = frozenset(),
) -> Mapping[str, Standing]:
    """How each template stands after these changes. Raises PromptNotInForceError where their order is broken.

    `refused` are the numbers of changes that were found to be late when they were new.
    """
    require_order(changes)
    found = dict(shipped)
    for change in changes:
        before = found.get(change.id, Standing(id=change.id))
        fault = _unsigned(change, signers, change.signed_at)
        if change.sequence in refused:
            fault = f"the key of {change.approver!r} had ended when change {change.sequence} came"
        if fault:
            found[change.id] = replace(before, fault=fault, changed=True)
        else:
            found[change.id] = replace(_after(before, change, texts, signers), changed=True)
    return found


def _after(before: Standing, change: PromptChange, texts: Texts, signers: Signers) -> Standing:
    match change.kind:
        case "approve":
            return _placed(_with_approval(before, change, texts, signers), change)
        case "revoke":
            left = {number: each for number, each in before.approved.items() if number != change.version}
            ends = change.version == before.production or not before.changed
            staged = before.staged if before.staged and before.staged.version != change.version else None
            now, gone = None if ends else before.production, before.revoked | {change.version}
            return replace(before, approved=left, production=now, staged=staged, revoked=gone)
        case "rollback":
            return replace(before, production=change.version, staged=None)
        case "label":
            return _placed(before, change)


def _with_approval(before: Standing, change: PromptChange, texts: Texts, signers: Signers) -> Standing:
    """The standing with one more approval; a version that may not be approved has none, and its fault."""
    others = {number: each for number, each in before.approved.items() if number != change.version}
    faults = {number: each for number, each in before.faults.items() if number != change.version}
    try:
        approved = {change.version: require_approvable(change, texts, signers)}
    except (PolicyError, TemplateError) as error:
        return replace(before, approved=others, faults=faults | {change.version: str(error)}, fault="")
    revoked = before.revoked - {change.version}
    return replace(before, approved=others | approved, faults=faults, fault="", revoked=revoked)


def require_approvable(change: PromptChange, texts: Texts, signers: Signers) -> Approved:
    """What an approval comes to. Raises PolicyError or TemplateError unless its text is what another person signed, and
    was tried."""
    require_id(change.id)
    text = texts.get((change.id, change.version, change.sha256))
    if text is None or not text.is_what_was_signed():
        raise PolicyError(f"version {change.version} of {change.id!r} is not the text that was approved")
    if not text.shipped:
        signers.require(text.author, "author", text.signature, text.payload(), text.submitted_at)
    if text.author != change.author:
        raise PolicyError(f"version {change.version} of {change.id!r} is by {text.author!r}, not by {change.author!r}")
    if one_person(text.author) == one_person(change.approver):
        raise PolicyError(f"{text.author!r} wrote and approved it; the approver must be another person")
    if not change.passed():
        raise PolicyError(f"version {change.version} of {change.id!r} was approved without having passed its suite")
    return Approved(text=text, approver=change.approver, until=last_day(change.until))


def last_day(text: str) -> date:
    """The last day of an approval. Raises PolicyError for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise PolicyError(f"{text!r} is no day; say until when, like 2027-12-31") from error


def _placed(before: Standing, change: PromptChange) -> Standing:
    """With the label where the change puts it."""
    if change.label == "staging":
        whom = Staged(version=change.version, roles=change.roles, share=min(max(change.share, 0), WHOLE))
        return replace(before, staged=whom)
    if change.label == "production":
        staged = before.staged if before.staged and before.staged.version != change.version else None
        return replace(before, production=change.version, staged=staged)
    return before


def _unsigned(change: PromptChange, signers: Signers, at: str) -> str:
    """Why a change is not by its approver; empty where it is."""
    try:
        signers.require(change.approver, "approve", change.signature, change.payload(), at)
    except PolicyError as error:
        return f"change {change.sequence}: {error}"
    return ""


def _moment(change: PromptChange) -> datetime:
    try:
        return datetime.fromisoformat(change.signed_at)
    except ValueError as error:
        raise PromptNotInForceError(f"change {change.sequence} of the templates was signed at no moment") from error
