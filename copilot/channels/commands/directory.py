"""`erp-copilot directory log`: who changed what about people, grants, delegations and service accounts, and when."""

from __future__ import annotations

import argparse
import json

from copilot.channels.cli import Command, say
from copilot.channels.commands.grants import minute
from copilot.settings import read_settings
from copilot.store.directory_changes import listed
from copilot.wiring import open_runtime


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    log = actions.add_parser("log", help="every change, the oldest first")
    log.add_argument("subject", nargs="?", help="only about this one")


async def _run(options: argparse.Namespace) -> int:
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        rows = await listed(runtime.database, "directory_log", subject=options.subject)
    for row in rows:
        told = json.dumps({name: value for name, value in row["told"].items() if value is not None}, ensure_ascii=False)
        print(f"{minute(row['at'])}  {row['operator']:<12}{row['action']:<16}{row['subject']:<16}{told}")
    return 0


COMMAND = Command("every change to people, grants, delegations and service accounts", _arguments, _run)
