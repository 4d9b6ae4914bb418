"""Versions of the policy: submitted by one person, approved by another, brought back by an approver, each by a key.

A key is used where it lies: with `--key` where the command runs beside it, else by `--to-sign` on the server, `policy
sign` where the key is, and `--signed` on the server again. No key belongs into the data folder.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import getpass
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from copilot.channels.cli import say
from copilot.domain.governance import Change, Version
from copilot.errors import PolicyError
from copilot.policy.reading import BASELINE
from copilot.policy.signing import make_key, sign
from copilot.settings import read_settings

if TYPE_CHECKING:
    from copilot.wiring.opening import Governing

_PASSPHRASE = "COPILOT_KEY_PASSPHRASE"  # noqa: S105 -- the name of a variable
_Signed = TypeVar("_Signed", Version, Change)


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
    public = make_key(file, _passphrase(twice=True))
    print(f"  YOU: [{{key: {public}, may: approve}}]")
    say(f"{str(file)!r} is your key; the line above goes into signers.yaml, with your name, and `author` or `approve`")
    return 0


def _sign(file: Path, key: Path) -> int:
    payload = _read(file)
    print(json.dumps(json.loads(payload), indent=2, ensure_ascii=False))
    signature = sign(payload, key, _passphrase())
    _beside(file).write_text(base64.b64encode(signature).decode() + "\n")
    say(f"signed; take {str(file)!r} and {str(_beside(file))!r} to the server")
    return 0


async def _submit(governed: Governing, options: argparse.Namespace) -> int:
    from copilot.wiring.policy_changes import draft_version, signed_version, submit

    draft = await draft_version(governed, _texts(options.folder), options.subject, options.why)
    signed = await _signed(draft, signed_version, options)
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

    signed = await _signed(draft, signed_change, options)
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


async def _signed(
    draft: _Signed, elsewhere: Callable[[_Signed, bytes, bytes], _Signed], options: argparse.Namespace
) -> _Signed | None:
    """The draft with its signature; None where it is only written out, to be signed elsewhere."""
    from dataclasses import replace

    if options.to_sign:
        options.to_sign.write_bytes(draft.payload())
        say(f"{str(options.to_sign)!r} is to be signed: `policy sign {options.to_sign} --key KEY`, then --signed")
        return None
    if options.signed:
        return elsewhere(draft, _read(options.signed), _signature(_beside(options.signed)))
    return replace(draft, signature=sign(draft.payload(), options.key, _passphrase()))


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


def _passphrase(*, twice: bool = False) -> str:
    """The passphrase of a key, from the environment or typed."""
    given = os.environ.get(_PASSPHRASE)
    if given is not None:
        return given
    typed = getpass.getpass("Passphrase of the key: ")
    if twice and getpass.getpass("Once more: ") != typed:
        raise PolicyError("the two passphrases differ; nothing was written")
    return typed


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.sig")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PolicyError(f"{str(file)!r} can't be read: {error.strerror}") from error


def _signature(file: Path) -> bytes:
    try:
        return base64.b64decode(_read(file).strip(), validate=True)
    except (ValueError, binascii.Error) as error:
        raise PolicyError(f"{str(file)!r} is no signature; sign with `policy sign`") from error
