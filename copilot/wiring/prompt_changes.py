"""Changes of templates: a text by one person, its approval by another, and the ways back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from copilot.domain.prompts import WHOLE, Label, PromptChange, PromptKind, PromptText, SuiteResult
from copilot.errors import PolicyError, PromptNotInForceError, UnapprovedTemplateError
from copilot.policy.prompt_chain import last_day, require_approvable, require_order
from copilot.wiring.opening import Governing
from copilot.wiring.policies import all_people
from copilot.wiring.two_people import reason, require_apart, require_duty, signed_body
from prompts.errors import TemplateError
from prompts.prompt import parse
from prompts.shipped import CLAIMS, digest, require_id
from prompts.template import read_claims, says_the_same

_CHANGE = "template"
"""What the duties of the policy call this kind of change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to become of a version: until when it is approved, and for whom it is staged. Without roles and with the
    whole share it is for everybody."""

    kind: PromptKind
    id: str
    version: int | None = None
    until: str = ""
    label: Label = ""
    roles: tuple[str, ...] = ()
    share: int = WHOLE

    def labelled(self) -> Label:
        """Where it is put: production where nothing says otherwise and it is for everybody."""
        if self.kind not in ("approve", "label"):
            return ""
        return self.label or ("production" if not self.roles and self.share == WHOLE else "staging")


def check_template(runtime: Governing, ident: str, text: bytes) -> None:
    """Raises UnapprovedTemplateError for a template that is not well formed, or that says other values than the shipped
    one, whose place it takes."""
    try:
        known = runtime.prompts.shipped.get(require_id(ident))
        _require_like(ident, text, known[0].text if known else None, ", ".join(sorted(runtime.prompts.shipped)))
    except TemplateError as error:
        raise UnapprovedTemplateError(str(error)) from error


def _require_like(ident: str, text: bytes, shipped: bytes | None, there: str) -> None:
    if shipped is None:
        raise TemplateError(f"there is no template {ident!r} to take the place of; there are: {there}")
    if ident.startswith(f"{CLAIMS}/"):
        _require_same_claims(ident, text, shipped)
    elif (found := parse(text).id) != ident:
        raise TemplateError(f"the text is of {found!r}, not of {ident!r}; name that, or set the id in its front matter")


def _require_same_claims(ident: str, text: bytes, shipped: bytes) -> None:
    claims, known = read_claims(ident, text), read_claims(ident, shipped)
    other = claims.keys() ^ known.keys()
    if other:
        raise TemplateError(f"{ident!r}: {min(other)!r} is in only one of this and the shipped text; keep all names")
    for name, template in claims.items():
        if not says_the_same(template, known[name]):
            raise TemplateError(f"{ident!r}: {name!r} does not have the slots of the shipped one; keep them")


async def draft_text(runtime: Governing, ident: str, text: bytes, author: str, why: str) -> PromptText:
    """The next version of a template, to be signed by its author. Raises UnapprovedTemplateError for one that is not as
    it must be and PolicyError for a person who may author none."""
    check_template(runtime, ident, text)
    await require_duty(runtime, author, "author", _CHANGE)
    known = [version for each, version, _ in await runtime.prompts.texts() if each == ident]
    number = max(known) + 1
    if not ident.startswith(f"{CLAIMS}/") and parse(text).version != number:
        raise UnapprovedTemplateError(f"{ident!r} says it is version {parse(text).version}; the next one is {number}")
    return PromptText(
        id=ident, version=number, sha256=digest(text), author=author, why=reason(why), text=text,
        submitted_at=runtime.clock().isoformat(),
    )  # fmt: skip


async def submit(runtime: Governing, text: PromptText) -> None:
    """Keep a signed text. Raises PolicyError where the signature is not its author's."""
    runtime.prompts.signers.require(text.author, "author", text.signature, text.payload(), text.submitted_at)
    await runtime.prompts.store.add(text)


async def text_of(runtime: Governing, ident: str, version: int | None) -> PromptText:
    """A version of a template, without a number the one in force. Raises UnapprovedTemplateError for none."""
    if version is None:
        approvals = await runtime.prompts()
        standing = approvals.standings.get(ident)
        found = standing.produced(approvals.today) if standing else None
        if found is None:
            raise UnapprovedTemplateError(f"nothing is in force of {ident!r}; `erp-copilot prompts list` names all")
        return found.text
    texts = [
        text
        for (each, number, _), text in (await runtime.prompts.texts()).items()
        if (each, number) == (ident, version)
    ]
    if not texts:
        told = f"there is no version {version} of {ident!r}; `erp-copilot prompts list` names all"
        raise UnapprovedTemplateError(told)
    return texts[-1]  # where a release brought another text under a number that was given here: that one


async def draft_change(
    runtime: Governing, wish: Wish, approver: str, why: str, suite: SuiteResult | None = None
) -> PromptChange:
    """What brings a wish into force, to be signed by its approver. Raises PolicyError where that may not be them, and
    UnapprovedTemplateError where the template may not become that."""
    await require_duty(runtime, approver, "approve", _CHANGE)
    changes = await runtime.prompts.changes()
    text = await _meant(runtime, wish, changes)
    _require_sensible(wish)
    if wish.kind == "approve":
        require_apart(await all_people(runtime), text.author, approver)
        await _require_ahead(runtime, wish)
    elif wish.kind in ("rollback", "label"):
        await _require_approved(runtime, text)
    return PromptChange(
        sequence=len(changes) + 1, kind=wish.kind, id=text.id, version=text.version, sha256=text.sha256,
        author=text.author, approver=approver, why=reason(why), until=wish.until, label=wish.labelled(),
        roles=tuple(sorted(wish.roles)), share=wish.share, suite=suite.to_text() if suite else "",
        signed_at=runtime.clock().isoformat(), previous=changes[-1].hash() if changes else "",
    )  # fmt: skip


async def bring_into_force(runtime: Governing, change: PromptChange) -> None:
    """Bring a signed change into force: it holds for the next question. Raises PolicyError where it is not signed as it
    must be, UnapprovedTemplateError where something else changed meanwhile."""
    changes, texts = await runtime.prompts.changes(), await runtime.prompts.texts()
    signers, today = runtime.prompts.signers, runtime.clock().astimezone(UTC).date().isoformat()
    for at in (change.signed_at, f"{today}T00:00:00+00:00"):
        signers.require(change.approver, "approve", change.signature, change.payload(), at)
    if change.kind == "approve":
        require_approvable(change, texts, signers)
    if change.sequence <= len(changes):
        raise UnapprovedTemplateError("another template changed meanwhile; look at it, and sign again")
    require_order([*changes, change])
    await runtime.prompts.store.bring_into_force(change)
    if fault := (await runtime.prompts()).fault:  # remembered from now on
        raise PromptNotInForceError(fault)


def signed_text(text: PromptText, payload: bytes, signature: bytes) -> PromptText:
    """A text signed elsewhere. Raises PolicyError where something else was signed."""
    body = signed_body(payload)
    found = replace(text, submitted_at=str(body.get("submitted_at")), signature=signature)
    if found.payload() != payload:
        raise PolicyError("what was signed is not this template; write it anew with --to-sign")
    return found


def signed_change(change: PromptChange, payload: bytes, signature: bytes) -> PromptChange:
    """A change signed elsewhere. Raises PolicyError where something else was signed, or it came too late."""
    body = signed_body(payload)
    found = replace(change, signed_at=str(body.get("signed_at")), why=str(body.get("why")), signature=signature)
    if found.payload() != payload:
        raise PolicyError("what was signed is not this change, or another template changed since; write it anew")
    return found


async def _meant(runtime: Governing, wish: Wish, changes: Sequence[PromptChange]) -> PromptText:
    """The version that a wish is about; a rollback without one is to the approved version before."""
    if wish.kind != "rollback" or wish.version is not None:
        return await text_of(runtime, wish.id, wish.version)
    approvals = await runtime.prompts()
    standing = approvals.standings.get(wish.id)
    now = next((each.version for each in reversed(changes) if each.id == wish.id and each.kind != "label"), None)
    before = [
        number
        for number in (standing.approved if standing else ())
        if standing and standing.in_force(number, approvals.today) and number < (standing.production or now or 0)
    ]
    if not before:
        raise UnapprovedTemplateError(f"there is no approved version of {wish.id!r} to go back to; see `prompts list`")
    return await text_of(runtime, wish.id, max(before))


def _require_sensible(wish: Wish) -> None:
    whole = not wish.roles and wish.share == WHOLE
    if not 0 <= wish.share <= WHOLE:
        raise UnapprovedTemplateError(f"a share of {wish.share} is none; say a number of per cent from 0 to {WHOLE}")
    if wish.labelled() == "production" and not whole:
        raise UnapprovedTemplateError("production is for everybody; leave out --roles and --share, or label it staging")
    if wish.id.startswith(f"{CLAIMS}/") and wish.labelled() == "staging":
        told = "is what everybody is told; it is not staged, so leave out --roles and --share"
        raise UnapprovedTemplateError(f"{wish.id!r} {told}")


async def _require_ahead(runtime: Governing, wish: Wish) -> None:
    today = (await runtime.prompts()).today
    if last_day(wish.until) < today:
        raise UnapprovedTemplateError(f"{wish.until!r} is over: today is {today}; say a day to come")


async def _require_approved(runtime: Governing, text: PromptText) -> None:
    approvals = await runtime.prompts()
    standing = approvals.standings.get(text.id)
    found: Any = standing.in_force(text.version, approvals.today) if standing else None
    if found is None or found.text.sha256 != text.sha256:
        told = "is not approved, or was revoked or has ended; have it approved again"
        raise UnapprovedTemplateError(f"version {text.version} of {text.id!r} {told}")
