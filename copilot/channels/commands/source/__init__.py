"""`erp-copilot source …`: the systems that the copy is made from. An action is a file here and a line below."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command, say
from copilot.channels.commands.source.action import Action
from copilot.channels.commands.source.add import ADD, CHECK
from copilot.channels.commands.source.different import DIFFERENT
from copilot.channels.commands.source.disagreements import DISAGREEMENTS
from copilot.channels.commands.source.identity import IDENTITY
from copilot.channels.commands.source.map import MAP
from copilot.channels.commands.source.quality import QUALITY
from copilot.channels.commands.source.same import SAME
from copilot.channels.commands.source.sync import LIST, SYNC
from copilot.settings import read_settings
from copilot.wiring import open_runtime

ACTIONS: tuple[Action, ...] = (
    ADD,
    CHECK,
    SYNC,
    LIST,
    MAP,
    QUALITY,
    DISAGREEMENTS,
    IDENTITY,
    SAME,
    DIFFERENT,
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    for action in ACTIONS:
        action.arguments(actions.add_parser(action.name, help=action.help))


async def _run(options: argparse.Namespace) -> int:
    action = next(known for known in ACTIONS if known.name == options.action)
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        return await action.run(runtime, options)


COMMAND = Command("add, check, sync and list sources", _arguments, _run)
