"""`erp-copilot worker`: one more worker for the background jobs, beside those of `run`, on the same database."""

from __future__ import annotations

import argparse

from copilot.channels.cli import Command, say
from copilot.settings import read_settings
from copilot.wiring import open_runtime

_MOST = 16


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {_MOST}")
    return int(text)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--concurrency", type=_count, default=2, help="how many sources at once (2)")


async def _run(options: argparse.Namespace) -> int:
    from copilot.wiring.jobs import Jobs

    async with open_runtime(read_settings(), progress=say) as runtime:
        say("working; Ctrl-C stops it")
        await Jobs(runtime, say=say).run(concurrency=options.concurrency)
    return 0


COMMAND = Command("sync the sources that are due, beside others that do", _arguments, _run)
