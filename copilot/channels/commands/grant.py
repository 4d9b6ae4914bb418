"""`erp-copilot grant`: what people may ask about, each grant for itself and for a time."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command, say
from copilot.channels.commands.grants import asked, during, grant_arguments, minute, where
from copilot.settings import read_settings
from copilot.store.directory_changes import listed
from copilot.wiring import Runtime, open_runtime
from copilot.wiring.directory import changes, moment, new_grant


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="one more grant of somebody")
    add.add_argument("subject")
    grant_arguments(add)
    end = actions.add_parser("end", help="end a grant")
    end.add_argument("number", type=int, help="as `grant list` shows it")
    end.add_argument("--to", dest="last", metavar="DAY", help="before this day or time (default: now)")
    actions.add_parser("list", help="all grants, those that are over too").add_argument("subject", nargs="?")


async def _run(options: argparse.Namespace) -> int:
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        match options.action:
            case "add":
                number = await changes(runtime).add_grant(options.subject, await new_grant(runtime, asked(options)))
                print(f"grant {number}")
            case "end":
                last = await changes(runtime).end_grant(options.number, moment(options.last) or runtime.clock())
                print(f"grant {options.number} ends at {minute(last)}")
            case _:
                await _list(runtime, options.subject)
    return 0


async def _list(runtime: Runtime, subject: str | None) -> None:
    grants = await listed(runtime.database, "grants_of", subject=subject)
    for grant, place in zip(grants, await where(runtime, grants), strict=True):
        times = during(grant["valid_from"], grant["valid_to"], runtime.clock())
        print(f"{grant['id']:>5}  {grant['subject']:<16}{grant['role']:<18} {place}; {times}")


COMMAND = Command("give, end and list what people may ask about", _arguments, _run)
