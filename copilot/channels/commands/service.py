"""`erp-copilot service`: programs that ask through the API, by a token of ours that is shown once."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command, say
from copilot.channels.commands.grants import asked, grant_arguments
from copilot.settings import read_settings
from copilot.wiring import open_runtime
from copilot.wiring.directory import add_service, changes, rotate_service

_DAYS = 90


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="a new one, with a first grant; prints its token")
    rotate = actions.add_parser("rotate", help="another token in place of the one before; prints it")
    disable = actions.add_parser("disable", help="shut it out at once")
    for action in (add, rotate, disable):
        action.add_argument("subject", help="its name, such as shop-sync")
    for action in (add, rotate):
        action.add_argument("--days", type=int, default=_DAYS, help=f"how long the token is good ({_DAYS})")
    add.add_argument("--name", help="what it is")
    grant_arguments(add)


async def _run(options: argparse.Namespace) -> int:
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        match options.action:
            case "add":
                name = options.name or options.subject
                token = await add_service(runtime, options.subject, name, asked(options), options.days)
            case "rotate":
                token = await rotate_service(runtime, options.subject, options.days)
            case _:
                await changes(runtime).disable_service(options.subject)
                return 0
    say(f"the token of {options.subject}, good for {options.days} days; it is shown this once and kept nowhere")
    print(token)
    return 0


COMMAND = Command("add programs that ask through the API, change their token, shut them out", _arguments, _run)
