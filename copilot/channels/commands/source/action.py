"""What one action of `erp-copilot source` is."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from copilot.wiring import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action: its name, its one-line help, its arguments and what it does; `run` returns the exit code."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Runtime, argparse.Namespace], Awaitable[int]]


def one_or_all(parser: argparse.ArgumentParser) -> None:
    """The argument of an action that takes one source, or all of them."""
    parser.add_argument("name", nargs="?", help="one source; all where left out")


def chosen(runtime: Runtime, name: str | None) -> list[str]:
    """The source of this name, or the names of all. Raises SourceConfigError naming those there are."""
    return [runtime.sources.source(name).name] if name else runtime.sources.names()
