"""Templates submitted by one person, approved by another after they were tried, revoked and brought back, by keys."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from copilot.channels.cli import say
from copilot.channels.commands.by_key import signed_by_key
from copilot.channels.commands.prompts.reading import read_template
from copilot.domain.prompts import PromptChange
from copilot.errors import UnapprovedTemplateError
from copilot.settings import read_settings

if TYPE_CHECKING:
    from copilot.wiring.opening import Governing
    from copilot.wiring.prompt_changes import Wish

_DONE = {"approve": "is approved", "revoke": "is revoked", "rollback": "is back in force", "label": "has its label"}


async def change(options: argparse.Namespace) -> int:
    """Run one of them."""
    from copilot.wiring.opening import open_governed

    async with open_governed(read_settings(), progress=say, linger=True) as governed:
        return await _ACTIONS[options.action](governed, options)


async def _submit(governed: Governing, options: argparse.Namespace) -> int:
    from copilot.wiring.prompt_changes import draft_text, signed_text, submit

    ident, text = read_template(options.file, options.ident)
    draft = await draft_text(governed, ident, text, options.subject, options.why)
    signed = await signed_by_key(draft, signed_text, options)
    if signed:
        await submit(governed, signed)
        told = f"prompts approve {signed.id} {signed.version}"
        print(f"version {signed.version} of {signed.id} is submitted; another person brings it into force: {told}")
    return 0


async def _approve(governed: Governing, options: argparse.Namespace) -> int:
    from copilot.channels.commands.prompts.trying import tried
    from copilot.wiring.prompt_changes import Wish, check_template, draft_change, text_of

    wish = Wish(
        kind="approve", id=options.ident, version=options.version, until=options.until, roles=tuple(options.roles),
        share=options.share,
    )  # fmt: skip
    await draft_change(governed, wish, options.subject, options.why)  # what can be refused at once is
    text = await text_of(governed, options.ident, options.version)
    check_template(governed, text.id, text.text)
    found = await tried(text.id, text.text)
    if found.failed or not found.cases:
        for fault in found.faults:
            say(f"  {fault}")
        told = f"{found.failed} of {found.cases} cases of its suite failed; mend it and submit it again"
        raise UnapprovedTemplateError(f"version {text.version} of {text.id!r} is not approved: {told}")
    say(f"{found.cases} cases of its suite passed")
    return await _bring(governed, await draft_change(governed, wish, options.subject, options.why, found), options)


async def _simply(governed: Governing, options: argparse.Namespace) -> int:
    """What needs no suite: it ends a version, or brings one that was approved."""
    from copilot.wiring.prompt_changes import draft_change

    return await _bring(
        governed, await draft_change(governed, _wish(options), options.subject, options.why), options
    )  # fmt: skip


def _wish(options: argparse.Namespace) -> Wish:
    from copilot.wiring.prompt_changes import Wish

    if options.action != "label":
        return Wish(kind=options.action, id=options.ident, version=options.version)
    return Wish(
        kind="label", id=options.ident, version=options.version, label=options.label, roles=tuple(options.roles),
        share=options.share,
    )  # fmt: skip


async def _bring(governed: Governing, draft: PromptChange, options: argparse.Namespace) -> int:
    from copilot.wiring.prompt_changes import bring_into_force, signed_change

    signed = await signed_by_key(draft, signed_change, options)
    if signed:
        await bring_into_force(governed, signed)
        print(f"version {signed.version} of {signed.id} {_DONE[signed.kind]}; it holds for the next question")
    return 0


_ACTIONS: Mapping[str, Callable[[Governing, argparse.Namespace], Awaitable[int]]] = {
    "submit": _submit, "approve": _approve, "revoke": _simply, "rollback": _simply, "label": _simply,
}  # fmt: skip
