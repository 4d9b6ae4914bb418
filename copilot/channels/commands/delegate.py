"""`erp-copilot delegate`: one's own grants of a role for somebody else, for a while."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command, say
from copilot.channels.commands.grants import during, minute, time_arguments
from copilot.settings import read_settings
from copilot.store.directory_changes import listed
from copilot.wiring import open_runtime
from copilot.wiring.directory import changes, delegate, moment


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="let somebody act in a role of somebody else, within that person's own grants")
    add.add_argument("giver", help="whose grants")
    add.add_argument("taker", help="for whom")
    add.add_argument("--role", required=True)
    time_arguments(add, end_required=True)
    end = actions.add_parser("end", help="end a delegation")
    end.add_argument("number", type=int, help="as `delegate list` shows it")
    end.add_argument("--to", dest="last", metavar="DAY", help="before this day or time (default: now)")
    actions.add_parser("list", help="all delegations, those that are over too").add_argument("subject", nargs="?")


async def _run(options: argparse.Namespace) -> int:
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        match options.action:
            case "add":
                number = await delegate(
                    runtime, options.giver, options.taker, options.role, options.first, options.last
                )
                print(f"delegation {number}")
            case "end":
                last = await changes(runtime).end_delegation(options.number, moment(options.last) or runtime.clock())
                print(f"delegation {options.number} ends at {minute(last)}")
            case _:
                for each in await listed(runtime.database, "delegations_of", subject=options.subject):
                    times = during(each["valid_from"], each["valid_to"], runtime.clock())
                    print(f"{each['id']:>5}  {each['role']:<18} {each['giver']} to {each['taker']}; {times}")
    return 0


COMMAND = Command("let somebody act for somebody else for a while", _arguments, _run)
