"""`erp-copilot policy`: judge a policy, and bring it into force with two people's signatures."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command
from copilot.channels.commands.policy import judging, versions


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    judging.add_arguments(actions.add_parser)
    versions.add_arguments(actions.add_parser)


async def _run(options: argparse.Namespace) -> int:
    return await (versions.run(options) if options.action in versions.ACTIONS else judging.judge(options))


COMMAND = Command("check, explain, simulate and approve policies", _arguments, _run)
