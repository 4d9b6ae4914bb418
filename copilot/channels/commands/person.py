"""`erp-copilot person add|list`: who may sign in to the embedded default."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command, say
from copilot.errors import SettingsError
from copilot.settings import read_settings
from copilot.wiring import open_runtime
from copilot.wiring.people import add_person


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="let somebody sign in")
    add.add_argument("subject", help="what they sign in as, such as anna")
    add.add_argument("--name", help="their name")
    add.add_argument("--role", required=True)
    for label in ("region", "site", "channel"):
        add.add_argument(f"--{label}", action="append", metavar="CODE", help=f"only this {label}; may be repeated")
    actions.add_parser("list", help="who may sign in, and as what")


async def _run(options: argparse.Namespace) -> int:
    settings = read_settings()
    if not settings.embedded:
        raise SettingsError("people sign in through your identity provider here; the local sign-in is not in use")
    async with open_runtime(settings, progress=say, linger=True) as runtime:
        if options.action == "add":
            await add_person(
                runtime, options.subject, options.name or options.subject, options.role,
                regions=options.region, sites=options.site, channels=options.channel,
            )  # fmt: skip
        for person in await runtime.demo_people():
            print(f"{person.subject:<16}{person.role:<18}{person.where:<14}{person.name}")
    return 0


COMMAND = Command("add and list the people who may sign in locally", _arguments, _run)
