"""`erp-copilot redact`: a text as a model, a log or an export would get it, and why."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from copilot.channels.cli import Command, say
from copilot.domain.redaction import AUDIENCES, RedactionTrial
from copilot.errors import CopilotError
from copilot.settings import read_settings
from copilot.wiring import open_runtime

_MOST_BYTES = 10_000_000
_STDIN = "-"


class UnreadableTextError(CopilotError):
    """The text can't be read."""

    code = "unreadable_text"


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", default=_STDIN, help="a text in UTF-8; without it, what comes on stdin")
    parser.add_argument("--for", dest="audience", choices=AUDIENCES, default="providers", help="who would get it")
    parser.add_argument("--why", action="store_true", help="also print each piece, what tells of it and what is done")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")


async def _run(options: argparse.Namespace) -> int:
    text = _read(options.file)
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        trial = await runtime.tried(text, options.audience)
    if options.json:
        print(json.dumps(asdict(trial), indent=2, ensure_ascii=False))
        return 0
    sys.stdout.write(trial.masked if trial.masked.endswith("\n") else f"{trial.masked}\n")
    if options.why:
        print("\n".join(("", *_told(trial))))
    return 0


def _told(trial: RedactionTrial) -> Iterator[str]:
    """A line for each piece, in columns."""
    rows = [(piece.instead, " ".join(piece.text.split()), piece.shown, piece.why) for piece in trial.pieces]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for row in rows:
        *cells, why = row
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), why])
    yield "nothing was found" if not rows else f"{len(rows)} found"
    if trial.uncovered:
        yield f"without COPILOT_NAMES_MODEL found only where records or words around tell: {', '.join(trial.uncovered)}"


def _read(name: str) -> str:
    """The text of a file or of stdin. Raises UnreadableTextError naming it and what is wrong."""
    told = "stdin" if name == _STDIN else repr(name)
    try:
        content = _content(name)
    except OSError as error:
        raise UnreadableTextError(f"{told} can't be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise UnreadableTextError(f"{told} is larger than {_MOST_BYTES:,} bytes; try a part of it")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableTextError(
            f"{told} is not text in UTF-8: byte {error.start} is {content[error.start]:#04x}"
        ) from error


def _content(name: str) -> bytes:
    """One byte more than what is taken, at most."""
    if name == _STDIN:
        return sys.stdin.buffer.read(_MOST_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(_MOST_BYTES + 1)


COMMAND = Command("show what is masked in a text, and why", _arguments, _run)
