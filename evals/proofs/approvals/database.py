"""Ways by the database: rows altered, added, copied, exchanged or taken away by whoever has it all in their hands."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from copilot.domain.prompts import PromptChange, PromptText
from copilot.errors import CopilotError
from copilot.store.roles import Role
from copilot.wiring.prompt_changes import Wish
from evals.company import NOW
from evals.proofs.approvals.scene import UNTIL, Scene

Way = Callable[[Scene, str], Awaitable[None]]
_TEXT = "update governance.prompt_text set "
_CHANGE = "update governance.prompt_change set "
_MINE = " where id = %(id)s and version = 2"
_LAST = " where sequence = (select max(sequence) from governance.prompt_change)"


_TRIED = (
    "alter table governance.prompt_text disable trigger user",
    "update governance.prompt_text set text = replace(text, 'As it is', 'Trust me')",
    "delete from governance.prompt_change",
    """insert into governance.prompt_change select sequence + 1, kind, id, version, sha256, author, approver, why,
       until, label, roles, share, suite, signed_at, previous, signature from governance.prompt_change""",
    """insert into governance.prompt_text select id, version + 1, sha256, author, why,
       replace(text, 'As it is', 'Trust me'), submitted_at, signature from governance.prompt_text""",
)
"""What each role of the database tries to write; the words are those of the scene's MARK."""
_BACKWARDS = "update governance.prompt_change set sequence = -sequence"
_FORWARDS = """update governance.prompt_change
    set sequence = sequence + 1 + (select count(*) from governance.prompt_change)"""
_WITHOUT_LAST = """delete from governance.prompt_change
    where sequence = (select max(sequence) from governance.prompt_change)"""


def _sha(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def altering(*statements: str) -> Way:
    """A good version is in force; then rows of it are altered so that it says something else."""

    async def way(scene: Scene, ident: str) -> None:
        await scene.approved(ident, scene.fine(ident))
        text = scene.evil(ident)
        values = {"id": ident, "text": text.decode(), "sha": _sha(text)}
        scene.as_owner(*(each + _MINE for each in statements), values=values)

    return way


def reviving(*statements: str) -> Way:
    """What was approved once was revoked; then rows are altered so that it would be approved again."""

    async def way(scene: Scene, ident: str) -> None:
        await scene.approved(ident, scene.evil(ident))
        await scene.changed(Wish(kind="revoke", id=ident, version=2))
        scene.as_owner(*statements, values={"id": ident, "until": "2099-12-31"})

    return way


def prolonging(*statements: str) -> Way:
    """An approval has ended; then rows are altered so that it would hold."""

    async def way(scene: Scene, ident: str) -> None:
        await scene.approved(ident, scene.evil(ident), until=NOW.date().isoformat())
        scene.now = NOW + timedelta(days=1)
        await scene.runs(ident)
        scene.as_owner(*statements, values={"id": ident})

    return way


def forging(key: str, approver: str = "officer", author: str = "admin", *, signed_text: bool = True) -> Way:
    """A text that its author signed, or nobody did, and an approval that is signed by another key."""

    async def way(scene: Scene, ident: str) -> None:
        draft = PromptText(
            id=ident, version=2, sha256=_sha(scene.evil(ident)), author=author, why="words", text=scene.evil(ident),
            submitted_at=scene.now.isoformat(),
        )  # fmt: skip
        made = replace(draft, signature=scene.signature(draft, "admin" if signed_text else "stranger"))
        await scene.runtime.prompts.store.add(made)
        change = await _approval(scene, made, approver)
        await scene.runtime.prompts.store.bring_into_force(replace(change, signature=scene.signature(change, key)))

    return way


async def _approval(scene: Scene, text: PromptText, approver: str) -> PromptChange:
    changes = await scene.runtime.prompts.changes()
    return PromptChange(
        sequence=len(changes) + 1, kind="approve", id=text.id, version=text.version, sha256=text.sha256,
        author=text.author, approver=approver, why="why", until=UNTIL, label="production",
        suite='{"cases":1,"digest":"","failed":0}', signed_at=scene.now.isoformat(),
        previous=changes[-1].hash() if changes else "",
    )  # fmt: skip


async def backdated(scene: Scene, ident: str) -> None:
    """A key whose last day is over signs with a date before that."""
    await scene.runs(ident)  # the day was seen
    made = await scene.submitted(ident, scene.evil(ident))
    change = replace(await _approval(scene, made, "officer"), signed_at=(NOW - timedelta(days=3)).isoformat())
    await scene.runtime.prompts.store.bring_into_force(replace(change, signature=scene.signature(change, "ended")))


async def replayed(scene: Scene, ident: str) -> None:
    """The old approval is given again after it was revoked, in the place that is next."""
    first = await scene.approved(ident, scene.evil(ident))
    last = await scene.changed(Wish(kind="revoke", id=ident, version=2))
    again = replace(first, sequence=last.sequence + 1, previous=last.hash())
    await scene.runtime.prompts.store.bring_into_force(again)


async def copied_to_another(scene: Scene, ident: str) -> None:
    """What is approved as one template is given as another: rows are copied under its id."""
    other = "plan/question" if ident != "plan/question" else "draft/answer"
    made = await scene.approved(other, scene.fine(other))
    text = scene.evil(ident)
    scene.as_owner(
        "insert into governance.prompt_text select %(id)s, version, %(sha)s, author, why, %(text)s, submitted_at, "
        "signature from governance.prompt_text where id = %(other)s",
        "insert into governance.prompt_change select sequence + 1, kind, %(id)s, version, %(sha)s, author, approver, "
        "why, until, label, roles, share, suite, signed_at, %(previous)s, signature from governance.prompt_change"
        " order by sequence desc limit 1",
        values={
            "id": ident,
            "other": other,
            "text": text.decode(),
            "sha": _sha(text),
            "previous": made.hash(),
        },
    )


async def copied_to_another_version(scene: Scene, ident: str) -> None:
    """The approval of one version is made one of another that nobody approved."""
    await scene.approved(ident, scene.fine(ident))
    await scene.submitted(ident, scene.evil(ident, 3))
    sha = _sha(scene.evil(ident, 3))
    scene.as_owner(f"{_CHANGE}version = 3, sha256 = '{sha}'{_LAST}")


async def unapproved(scene: Scene, ident: str) -> None:
    """A version that was only submitted."""
    await scene.submitted(ident, scene.evil(ident))


async def staged_for_nobody(scene: Scene, ident: str) -> None:
    """A version staged for nobody is made one for everybody; sentences are not staged, so there it is revoked."""
    made = await scene.submitted(ident, scene.evil(ident))
    wish = Wish(kind="approve", id=ident, version=made.version, until=UNTIL)
    if ident.startswith("claims/"):
        await scene.changed(wish)
        await scene.changed(Wish(kind="revoke", id=ident, version=2))
    else:
        await scene.changed(replace(wish, label="staging", share=0))
    scene.as_owner(_CHANGE + "label = 'production', share = 100, roles = '[]', kind = 'label'" + _LAST)


def as_role(role: Role) -> Way:
    """A role of the database tries to write what would bring a template into force."""

    async def way(scene: Scene, ident: str) -> None:
        await scene.approved(ident, scene.fine(ident))
        for statement in _TRIED:
            try:
                async with scene.runtime.database.connection(role) as connection:
                    await connection.execute(statement)
            except CopilotError:
                continue

    return way


WAYS: Mapping[str, Way] = {
    "only submitted": unapproved,
    "the text altered": altering(_TEXT + "text = %(text)s"),
    "the text and its hash altered": altering(_TEXT + "text = %(text)s, sha256 = %(sha)s"),
    "the text and both hashes altered": altering(
        _TEXT + "text = %(text)s, sha256 = %(sha)s", _CHANGE + "sha256 = %(sha)s"
    ),
    "the text altered, its author another": altering(
        _TEXT + "text = %(text)s, sha256 = %(sha)s, author = 'officer'",
        _CHANGE + "sha256 = %(sha)s, author = 'officer'",
    ),
    "the text altered, its author shipped": altering(_TEXT + "text = %(text)s, sha256 = %(sha)s, submitted_at = ''"),
    "an approval by a stranger's key": forging("stranger"),
    "an approval by the author's key": forging("admin"),
    "a self-approval": forging("admin", approver="admin"),
    "a self-approval in other letters": forging("admin", approver=" Admin "),
    "a stranger who calls themselves approver": forging("stranger", approver="stranger"),
    "a key that has ended": forging("ended"),
    "a key that has ended, with an older date": backdated,
    "a text by nobody, approved by the author's key": forging("admin", signed_text=False),
    "a text by nobody, approved by the approver": forging("officer", signed_text=False),
    "an approver as author of what a stranger wrote": forging("stranger", author="officer", signed_text=False),
    "the revocation deleted": reviving(_WITHOUT_LAST),
    "all changes deleted": reviving("delete from governance.prompt_change"),
    "the revocation of another": reviving(_CHANGE + "id = 'claims/items'" + _LAST),
    "the revocation of another version": reviving(_CHANGE + "version = 9" + _LAST),
    "the revocation made a label": reviving(_CHANGE + "kind = 'label', label = 'production'" + _LAST),
    "the revocation made a rollback": reviving(_CHANGE + "kind = 'rollback'" + _LAST),
    "the order exchanged": reviving(
        _BACKWARDS,
        _FORWARDS,
    ),
    "the revocation moved away": reviving(_CHANGE + "sequence = 0" + _LAST),
    "an old approval given again": replayed,
    "the last day altered": prolonging(_CHANGE + "until = '2099-12-31'"),
    "the last day taken away": prolonging(_CHANGE + "until = ''"),
    "copied under another id": copied_to_another,
    "copied under another version": copied_to_another_version,
    "a label for everybody": staged_for_nobody,
    **{f"as the role {role.value}": as_role(role) for role in Role},
}
"""Name -> what is tried."""
