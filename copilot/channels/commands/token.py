"""`erp-copilot token`: an access token for the API, with the embedded default only."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command, say
from copilot.settings import read_settings
from copilot.wiring import open_runtime


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="subject", required=True, metavar="USER", help="whose token, such as rep.us")


async def _run(options: argparse.Namespace) -> int:
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        await runtime.signed_in(options.subject)
        print(runtime.token(options.subject))
    return 0


COMMAND = Command("print an access token for the API", _arguments, _run)
