"""The command line: finds a command by name among the entry points and runs it, importing nothing else."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from time import monotonic

from copilot.errors import CopilotError

GROUP = "erp_copilot.commands"
_INTERRUPTED = 130
_PACE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Command:
    """One command: a line of help, how its arguments are declared, and what it does; returns the exit status."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Awaitable[int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. A mistake or a failure is one sentence on stderr, never a stack trace."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    known = {point.name: point for point in entry_points(group=GROUP)}
    if not given or given[0] not in known:
        return _usage(known, given)
    command: Command = known[given[0]].load()
    parser = argparse.ArgumentParser(prog=f"erp-copilot {given[0]}", description=command.help)
    command.arguments(parser)
    return _run(command, parser.parse_args(given[1:]))


def say(text: str) -> None:
    """Progress and remarks: to stderr, so that stdout holds the result alone."""
    print(text, file=sys.stderr, flush=True)


class Paced:
    """Progress for long work: a line when it begins to take long, then one every two seconds."""

    def __init__(self) -> None:
        self._last = monotonic()

    def __call__(self, text: str) -> None:
        """Show the text if nothing was shown for two seconds."""
        if monotonic() - self._last >= _PACE_SECONDS:
            self._last = monotonic()
            say(f"  {text}")


def _run(command: Command, options: argparse.Namespace) -> int:
    try:
        return asyncio.run(_until_asked_to_stop(command, options))
    except CopilotError as error:
        say(f"erp-copilot: {error}")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 -- the edge: whatever it was, a person gets a sentence
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    code = getattr(type(error), "code", None)
    if isinstance(code, str):  # a connector's own errors, which say what to do
        say(f"erp-copilot: {error}")
        return 1
    if os.environ.get("COPILOT_DEBUG"):
        raise error
    say(f"erp-copilot: something unexpected went wrong ({type(error).__name__}: {error}); COPILOT_DEBUG=1 shows where")
    return 70


async def _until_asked_to_stop(command: Command, options: argparse.Namespace) -> int:
    """SIGTERM ends a command the way Ctrl-C does: what it opened is closed."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await command.run(options)
    except asyncio.CancelledError:
        return _INTERRUPTED


def _usage(known: dict[str, EntryPoint], given: list[str]) -> int:
    asked = not given or given[0] in ("-h", "--help", "help")
    if not asked:
        say(f"erp-copilot: there is no command {given[0]!r}")
    print("usage: erp-copilot COMMAND [OPTIONS]\n")
    for name in sorted(known):
        command: Command = known[name].load()
        print(f"  {name:<10} {command.help}")
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main())
