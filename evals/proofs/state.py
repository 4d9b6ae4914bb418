"""What a suite has tried so far, kept so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from evals.proofs.suite import Result, Setting


class State:
    """One line per tried case in a file; the first line says which run they belong to."""

    def __init__(self, file: Path, setting: Setting, cases: Sequence[str]) -> None:
        self._file = file
        known = sha256("\n".join(cases).encode()).hexdigest()
        self._head = json.dumps({"seed": setting.seed, "sample": setting.sample, "cases": known})

    def read(self) -> dict[str, Result]:
        """The results of an interrupted run of the very same cases; what failed is to be tried again."""
        try:
            head, *lines = self._file.read_text().split("\n")
        except FileNotFoundError:
            head, lines = "", []
        if head == self._head:
            results = {result.case: result for line in lines if (result := _result(line)) is not None}
            return {case: result for case, result in results.items() if not result.failures}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(self._head + "\n")
        return {}

    def add(self, result: Result) -> None:
        """Keep one result; a crash right after loses at most this one."""
        line = asdict(result)
        with self._file.open("a") as out:
            out.write(json.dumps(line) + "\n")

    def finish(self) -> None:
        """The run is over: the next one starts anew."""
        self._file.unlink(missing_ok=True)


def _result(line: str) -> Result | None:
    """One kept result; None for a line that a crash cut off."""
    try:
        kept = json.loads(line)
        return Result(
            case=kept["case"], failures=tuple(kept["failures"]), misses=tuple(kept["misses"]), counts=kept["counts"],
            tried=kept["tried"],
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None
