"""`erp-copilot prompts`: templates, tried and brought into force with two people's signatures.

What an action needs is imported when it runs: a rollback waits for nothing else.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from copilot.channels.cli import Command
from copilot.channels.commands.by_key import add_signing

_Add = Callable[..., argparse.ArgumentParser]
"""Adds the parser of an action."""
_LOOKING = ("list", "diff", "test")
_EVERYBODY = 100


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_looking(actions.add_parser)
    _add_changing(actions.add_parser)


async def _run(options: argparse.Namespace) -> int:
    if options.action in _LOOKING:
        from copilot.channels.commands.prompts.looking import look

        return await look(options)
    from copilot.channels.commands.prompts.changing import change

    return await change(options)


def _add_looking(add: _Add) -> None:
    """`list`, `diff` and `test`."""
    listed = add("list", help="every version: its state, label, approver, last day and share")
    listed.add_argument("--json", action="store_true", help="print JSON")
    compared = add("diff", help="what differs from the version in force")
    compared.add_argument("what", metavar="FILE or ID", help="a file, or the id of a template with two versions")
    compared.add_argument("versions", nargs="*", type=int, metavar="VERSION", help="OLD NEW (default: in force, last)")
    compared.add_argument("--id", dest="ident", metavar="ID", help="which template the file is of")
    tested = add("test", help="read a file, write it with its examples, and run its suite; exit status 1 on a failure")
    tested.add_argument("file", type=Path, metavar="FILE")
    tested.add_argument("--id", dest="ident", metavar="ID", help="which template it is of (default: by its name)")


def _add_changing(add: _Add) -> None:
    """`submit`, `approve`, `revoke`, `rollback` and `label`."""
    submitted = add("submit", help="add a version, for somebody else to approve")
    submitted.add_argument("file", type=Path, metavar="FILE")
    submitted.add_argument("--id", dest="ident", metavar="ID", help="which template it is of (default: by its name)")
    approved = add("approve", help="try a version, and bring it into force")
    revoked = add("revoke", help="end a version: it is used no more from the next question on")
    labelled = add("label", help="make an approved version the one of production, or of staging")
    for action in (approved, revoked, labelled):
        action.add_argument("ident", metavar="ID", help="such as claims/orders")
        action.add_argument("version", type=int, metavar="VERSION")
    back = add("rollback", help="bring back an approved version")
    back.add_argument("ident", metavar="ID")
    back.add_argument("--to", type=int, dest="version", metavar="VERSION", help="this one rather than the one before")
    approved.add_argument("--until", required=True, metavar="DAY", help="the last day on which it holds, in UTC")
    labelled.add_argument("label", choices=("production", "staging"))
    for action in (approved, labelled):
        action.add_argument("--roles", nargs="+", default=[], metavar="ROLE", help="only for these first (staging)")
        action.add_argument(
            "--share", type=int, default=_EVERYBODY, metavar="PERCENT", help="only for so many people first (staging)"
        )
    for action in (submitted, approved, revoked, labelled, back):
        add_signing(action)


COMMAND = Command("try, approve and revoke the templates of answers and models", _arguments, _run)
