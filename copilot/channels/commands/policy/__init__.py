"""`erp-copilot policy`: judge a policy, and bring it into force with two people's signatures.

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
_OF_VERSIONS = ("key", "sign", "submit", "list", "show", "approve", "rollback")


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_judging(actions.add_parser)
    _add_versions(actions.add_parser)


async def _run(options: argparse.Namespace) -> int:
    if options.action in _OF_VERSIONS:
        from copilot.channels.commands.policy.versions import run

        return await run(options)
    from copilot.channels.commands.policy.judging import judge

    return await judge(options)


def _add_judging(add: _Add) -> None:
    """`check`, `explain`, `diff` and `simulate`."""
    checked = add("check", help="name all that is wrong; exit status 1 if there is an error")
    checked.add_argument("folder", nargs="?", help="the folder of a policy (default: the shipped one)")
    checked.add_argument("--live", action="store_true", help="hold it against the people and places that there are too")
    checked.add_argument("--schema", action="store_true", help="print the JSON Schema of a document instead")
    explained = add("explain", help="what holds for a person, and which layer and rule decided it")
    explained.add_argument("--as", dest="subject", required=True, metavar="USER")
    explained.add_argument("--policy", metavar="FOLDER", help="the folder of a policy (default: the one in force)")
    explained.add_argument("what", nargs="+", metavar="WHAT", help='such as "invoice_amount in SG"')
    compared = add("diff", help="what differs between two policies, rule by rule")
    compared.add_argument("old", help="the folder of the one")
    compared.add_argument("new", nargs="?", help="the folder of the other (default: the shipped one)")
    simulated = add("simulate", help="decide what was decided again under another policy, and list what would change")
    simulated.add_argument("folder", help="the folder of the proposed policy")
    simulated.add_argument("--last", type=int, default=10_000, metavar="N", help="so many decisions (10000)")
    for action in (checked, explained, compared, simulated):
        action.add_argument("--json", action="store_true", help="print JSON")


def _add_versions(add: _Add) -> None:
    """`key`, `sign`, `submit`, `list`, `show`, `approve` and `rollback`."""
    key = add("key", help="make a key of one's own, for `signers.yaml` to name")
    key.add_argument("file", type=Path, metavar="FILE", help="where the private key goes; it stays with its owner")
    signing = add("sign", help="sign what --to-sign wrote, where the key is")
    signing.add_argument("file", type=Path, metavar="FILE", help="what to sign; the signature goes to FILE.sig")
    signing.add_argument("--key", type=Path, required=True, metavar="KEY")
    submitted = add("submit", help="add a version, for somebody else to approve")
    submitted.add_argument("folder", nargs="?", type=Path, help="the folder of a policy (default: the shipped one)")
    approved = add("approve", help="bring a version into force")
    approved.add_argument("number", type=int, metavar="VERSION")
    back = add("rollback", help="bring back what was in force before")
    back.add_argument("--to", type=int, dest="number", metavar="VERSION", help="this version rather than the last one")
    for action in (submitted, approved, back):
        add_signing(action)
    listed = add("list", help="every version, and what is in force since when")
    listed.add_argument("--json", action="store_true", help="print JSON")
    shown = add("show", help="the documents of a version")
    shown.add_argument("number", type=int, metavar="VERSION")
    shown.add_argument("folder", nargs="?", type=Path, help="write them there rather than print them")


COMMAND = Command("check, explain, simulate and approve policies", _arguments, _run)
