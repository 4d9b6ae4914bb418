"""What must run: templates that two people brought into force as they should."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from copilot.wiring.prompt_changes import Wish
from evals.company import NOW
from evals.proofs.approvals.database import forging
from evals.proofs.approvals.scene import UNTIL, Scene

Permitted = Callable[[Scene, str], Awaitable[None]]


async def approved(scene: Scene, ident: str) -> None:
    """Submitted by one, approved by another."""
    await scene.approved(ident, scene.evil(ident))


async def on_its_last_day(scene: Scene, ident: str) -> None:
    """To the end of the day."""
    await scene.approved(ident, scene.evil(ident), until=NOW.date().isoformat())
    scene.now = NOW.replace(hour=23, minute=59)


async def rolled_back(scene: Scene, ident: str) -> None:
    """An earlier version after a later one was revoked."""
    await scene.approved(ident, scene.evil(ident))
    await scene.approved(ident, scene.fine(ident, 3))
    await scene.changed(Wish(kind="revoke", id=ident, version=3))
    await scene.changed(Wish(kind="rollback", id=ident))


async def approved_again(scene: Scene, ident: str) -> None:
    """Revoked, and then approved anew."""
    await scene.approved(ident, scene.evil(ident))
    await scene.changed(Wish(kind="revoke", id=ident, version=2))
    await scene.changed(Wish(kind="approve", id=ident, version=2, until=UNTIL))


async def labelled(scene: Scene, ident: str) -> None:
    """Approved, superseded, and labelled the one of production again."""
    await scene.approved(ident, scene.evil(ident))
    await scene.approved(ident, scene.fine(ident, 3))
    await scene.changed(Wish(kind="label", id=ident, version=2, label="production"))


async def staged(scene: Scene, ident: str) -> None:
    """For one role first; sentences are for everybody at once."""
    made = await scene.submitted(ident, scene.evil(ident))
    roles = () if ident.startswith("claims/") else ("finance",)
    await scene.changed(Wish(kind="approve", id=ident, version=made.version, until=UNTIL, roles=roles))


async def after_another_was_forged(scene: Scene, ident: str) -> None:
    """A forged change of another template ends nothing of this one."""
    await scene.approved(ident, scene.evil(ident))
    other = "plan/question" if ident != "plan/question" else "draft/answer"
    await forging("stranger")(scene, other)


async def weeks_later(scene: Scene, ident: str) -> None:
    """As long as the approval lasts."""
    await scene.approved(ident, scene.evil(ident))
    scene.now = NOW + timedelta(days=100)


PERMITTED: Mapping[str, Permitted] = {
    "approved": approved,
    "on its last day": on_its_last_day,
    "rolled back": rolled_back,
    "approved again": approved_again,
    "labelled": labelled,
    "staged": staged,
    "after another was forged": after_another_was_forged,
    "weeks later": weeks_later,
}
"""Name -> what is done."""
