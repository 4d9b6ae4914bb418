"""What was last in force, kept in the data folder: a database that is set back would bring back what was revoked."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from copilot.errors import CopilotError
from copilot.store.sealing import write_durably


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far the changes went: the number of the last one, and what nobody can give another one. `ids`, `refused` and
    `day` are what approvals of templates remember besides; see `prompts_in_force`."""

    sequence: int = 0
    signature: str = ""
    ids: tuple[str, ...] = ()
    refused: tuple[int, ...] = ()
    day: str = ""

    def to_text(self) -> str:
        """As the file holds it."""
        told = {"ids": list(self.ids), "refused": list(self.refused), "day": self.day}
        body = {"sequence": self.sequence, "signature": self.signature}
        return json.dumps(body | {name: each for name, each in told.items() if each})


class Remembered:
    """One file, which holds for all programs over this data folder."""

    def __init__(self, file: Path, what: str, command: str, error: type[CopilotError]) -> None:
        self._file = file
        self._what = what
        self._command = command
        self._error = error
        self._seen: Mark | None = None

    def seen(self) -> Mark:
        """What was last in force. Raises the error it was made with for a file that can't be read."""
        if self._seen is None:
            self._seen = self._read()
        return self._seen

    def follow(self, last: Mark) -> None:
        """Take note of what is in force. Raises the error it was made with where less is than before."""
        seen = self.seen()
        if last == seen:
            return
        if last.sequence <= seen.sequence:
            seen = self._seen = self._read()  # another program may have gone on
        same = last.signature == seen.signature
        if last.sequence < seen.sequence or (last.sequence == seen.sequence and not same):
            raise self._error(
                f"change {last.sequence} of {self._what} is the last in the database, and change {seen.sequence} was "
                f"in force before: it was set back. If it was restored on purpose, remove {str(self._file)!r}"
            )
        if last != seen:
            self._write(last)

    def pass_day(self, day: str) -> None:
        """Take note of a day, unless a later one was seen."""
        if day <= self.seen().day:
            return
        seen = self._seen = self._read()  # another program may have gone on
        if day > seen.day:
            self._write(replace(seen, day=day))

    def _write(self, mark: Mark) -> None:
        self._seen = mark
        beside = self._file.with_suffix(".new")
        write_durably(beside, mark.to_text().encode())
        beside.replace(self._file)

    def _read(self) -> Mark:
        try:
            body: dict[str, Any] = json.loads(self._file.read_text())
            return Mark(
                sequence=int(body["sequence"]), signature=str(body["signature"]),
                ids=tuple(map(str, body.get("ids", ()))), refused=tuple(map(int, body.get("refused", ()))),
                day=str(body.get("day", "")),
            )  # fmt: skip
        except FileNotFoundError:
            return Mark()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._error(
                f"{str(self._file)!r} can't be read; it says which change of {self._what} was the last in force. Look "
                f"at `erp-copilot {self._command} list`, and remove the file if that is right"
            ) from error
