"""Reads what the checks found: the newest result of each, those before it, and what is in quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from copilot.ingest.quality.checks import Check, load_checks
from copilot.store.pool import Connection
from copilot.store.queries import query


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check over one source: its rows, how many fail, up to five of their keys.

    `before` are the shares of the results before, newest first.
    """

    check: Check
    rows: int
    failing: int
    example_keys: tuple[str, ...]
    checked_at: datetime
    before: tuple[float, ...] = ()

    @property
    def share(self) -> float:
        """Failing rows of the rows looked at, 0 to 1."""
        return _share(self.rows, self.failing)

    @property
    def state(self) -> str:
        """`stop`, `warn` or `ok`."""
        if self.check.stops(self.rows, self.failing):
            return "stop"
        return "warn" if self.check.warns(self.rows, self.failing) else "ok"

    @property
    def change(self) -> float | None:
        """The share less that of the result before; None for the first."""
        return self.share - self.before[0] if self.before else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """All results of a source, and how many rows are in quarantine by entity and reason."""

    results: Sequence[Result]
    quarantined: Sequence[tuple[str, str, int]]


async def read_quality(connection: Connection, source: int, *, entity: str | None = None, limit: int = 2) -> Quality:
    """The newest result of each check with up to `limit` - 1 before it, of one entity where it is named."""
    known = {"source": source, "limit": limit, "entity": entity}
    rows = await (await connection.execute(query("quality_results"), known)).fetchall()
    aside = await (await connection.execute(query("quality_quarantine"), known)).fetchall()
    checks = load_checks().checks
    results: list[Result] = []
    for check_id, found in groupby(rows, key=lambda row: row["check_id"]):
        newest, *before = found
        if check_id in checks and entity in (None, newest["entity"]):  # a check may be gone since
            results.append(
                Result(
                    check=checks[check_id],
                    rows=newest["rows"],
                    failing=newest["failing"],
                    example_keys=tuple(newest["example_keys"]),
                    checked_at=newest["checked_at"],
                    before=tuple(_share(row["rows"], row["failing"]) for row in before),
                )
            )
    return Quality(results=results, quarantined=[(row["entity"], row["reason"], row["rows"]) for row in aside])


def _share(rows: int, failing: int) -> float:
    return failing / rows if rows else 0.0
