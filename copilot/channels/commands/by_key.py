"""Signs what a command is about to do, with a key that is here or by way of files where it is elsewhere."""

from __future__ import annotations

import argparse
import base64
import binascii
import getpass
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from copilot.channels.cli import say
from copilot.domain.governance import Change, Version
from copilot.domain.prompts import PromptChange, PromptText
from copilot.errors import PolicyError
from copilot.policy.signing import sign

_PASSPHRASE = "COPILOT_KEY_PASSPHRASE"  # noqa: S105 -- the name of a variable
_Signed = TypeVar("_Signed", Version, Change, PromptText, PromptChange)


def add_signing(action: argparse.ArgumentParser) -> None:
    """`--as`, `--why`, and one of `--key`, `--to-sign` and `--signed`."""
    action.add_argument("--as", dest="subject", required=True, metavar="USER")
    action.add_argument("--why", required=True, metavar="TEXT")
    how = action.add_mutually_exclusive_group(required=True)
    how.add_argument("--key", type=Path, metavar="KEY", help="sign with this key")
    how.add_argument("--to-sign", type=Path, metavar="FILE", help="write what is to be signed, and do nothing yet")
    how.add_argument("--signed", type=Path, metavar="FILE", help="go on with what was signed; needs FILE.sig too")


async def signed_by_key(
    draft: _Signed, elsewhere: Callable[[_Signed, bytes, bytes], _Signed], options: argparse.Namespace
) -> _Signed | None:
    """The draft with its signature; None where it is only written out, to be signed elsewhere."""
    if options.to_sign:
        options.to_sign.write_bytes(draft.payload())
        say(f"{str(options.to_sign)!r} is to be signed: `policy sign {options.to_sign} --key KEY`, then --signed")
        return None
    if options.signed:
        return elsewhere(draft, read_bytes(options.signed), _signature(beside(options.signed)))
    return replace(draft, signature=sign(draft.payload(), options.key, passphrase()))


def passphrase(*, twice: bool = False) -> str:
    """The passphrase of a key, from the environment or typed."""
    given = os.environ.get(_PASSPHRASE)
    if given is not None:
        return given
    typed = getpass.getpass("Passphrase of the key: ")
    if twice and getpass.getpass("Once more: ") != typed:
        raise PolicyError("the two passphrases differ; nothing was written")
    return typed


def beside(file: Path) -> Path:
    """Where the signature over a file lies."""
    return file.with_name(f"{file.name}.sig")


def read_bytes(file: Path) -> bytes:
    """What a file holds. Raises PolicyError where it can't be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise PolicyError(f"{str(file)!r} can't be read: {error.strerror}") from error


def _signature(file: Path) -> bytes:
    try:
        return base64.b64decode(read_bytes(file).strip(), validate=True)
    except (ValueError, binascii.Error) as error:
        raise PolicyError(f"{str(file)!r} is no signature; sign with `policy sign`") from error
