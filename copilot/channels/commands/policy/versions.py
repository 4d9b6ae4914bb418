"""Versions of the policy: submitted by one person, approved by another, brought back by an approver, each by a key.

A key is used where it lies: with `--key` where the command runs beside it, else by `--to-sign` on the server, `policy
sign` where the key is, and `--signed` on the server again. No key belongs into the data folder.
"""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from copilot.channels.cli import say
from copilot.channels.commands.by_key import beside, passphrase, read_bytes, signed_by_key
from copilot.domain.governance import Change, Version
from copilot.errors import PolicyError
from copilot.policy.reading import BASELINE
from copilot.policy.signing import make_key, sign
from copilot.settings import read_settings

if TYPE_CHECKING:
    from copilot.wiring.opening import Governing


async def run(options: argparse.Namespace) -> int:
    """Run one of them."""
    match options.action:
        case "key":
            return _key(options.file)
        case "sign":
            return _sign(options.file, options.key)
        case _:
            from copilot.wiring.opening import open_governed

            async with open_governed(read_settings(), progress=say, linger=True) as governed:
                return await _WITH_DATABASE[options.action](governed, options)


def _key(file: Path) -> int:
    if file.absolute().is_relative_to(read_settings().home):
        raise PolicyError(f"{str(file)!r} is in the data folder; a key that signs policies stays with its owner")
    public = make_key(file, passphrase(twice=True))
    print(f"  YOU: [{{key: {public}, may: approve}}]")
    say(f"{str(file)!r} is your key; the line above goes into signers.yaml, with your name, and `author` or `approve`")
    return 0


def _sign(file: Path, key: Path) -> int:
    payload = read_bytes(file)
    print(json.dumps(json.loads(payload), indent=2, ensure_ascii=False))
    signature = sign(payload, key, passphrase())
    beside(file).write_text(base64.b64encode(signature).decode() + "\n")
    say(f"signed; take {str(file)!r} and {str(beside(file))!r} to the server")
    return 0


async def _submit(governed: Governing, options: argparse.Namespace) -> int:
    from copilot.wiring.policy_changes import draft_version, signed_version, submit

    draft = await draft_version(governed, _texts(options.folder), options.subject, options.why)
    signed = await signed_by_key(draft, signed_version, options)
    if signed:
        await submit(governed, signed)
        print(
            f"version {signed.number} is submitted; another person brings it into force: policy approve {signed.number}"
        )
    return 0


async def _approve(governed: Governing, options: argparse.Namespace) -> int:
    from copilot.wiring.policy_changes import draft_approval

    return await _change(
        governed, await draft_approval(governed, options.number, options.subject, options.why), options
    )


async def _rollback(governed: Governing, options: argparse.Namespace) -> int:
    from copilot.wiring.policy_changes import draft_rollback

    return await _change(
        governed, await draft_rollback(governed, options.number, options.subject, options.why), options
    )


async def _change(governed: Governing, draft: Change, options: argparse.Namespace) -> int:
    from copilot.wiring.policy_changes import bring_into_force, signed_change

    signed = await signed_by_key(draft, signed_change, options)
    if signed:
        await bring_into_force(governed, signed)
        print(f"version {signed.version} of the policy is in force; it holds for the next question")
    return 0


async def _list(governed: Governing, options: argparse.Namespace) -> int:
    versions, changes = await governed.policy.versions.all(), await governed.policy.versions.changes()
    if options.json:
        body = {"versions": [_row(each) for each in versions], "changes": [_row(each) for each in changes]}
        print(json.dumps(body, indent=2, ensure_ascii=False))
        return 0
    for version in versions:
        print(f"version {version.number:<4} by {version.author}, {version.submitted_at[:16]}: {version.why}")
        for change in (each for each in changes if each.version == version.number):
            verb = "approved" if change.kind == "approve" else "brought back"
            print(f"  {verb} by {change.approver}, {change.signed_at[:16]}: {change.why}")
    say(f"in force: {(await governed.policy()).version}")
    return 0


def _row(said: Version | Change) -> dict[str, object]:
    return json.loads(said.payload())


async def _show(governed: Governing, options: argparse.Namespace) -> int:
    documents = (await governed.policy.versions.version(options.number)).documents or {}
    for name, text in documents.items():
        if options.folder is None:
            print(f"# {name}\n{text}")
        else:
            options.folder.mkdir(parents=True, exist_ok=True)
            (options.folder / Path(name).name).write_text(text)
    if options.folder:
        say(f"{len(documents)} documents in {str(options.folder)!r}")
    return 0


_WITH_DATABASE: Mapping[str, Callable[[Governing, argparse.Namespace], Awaitable[int]]] = {
    "submit": _submit, "approve": _approve, "rollback": _rollback, "list": _list, "show": _show,
}  # fmt: skip


def _texts(folder: Path | None) -> dict[str, str]:
    place = BASELINE if folder is None else folder
    try:
        return {
            each.name: each.read_text()
            for each in sorted(place.iterdir(), key=lambda each: each.name)
            if each.name.endswith(".yaml")
        }
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"the policy in {str(folder)!r} can't be read; name a folder with YAML files") from error
