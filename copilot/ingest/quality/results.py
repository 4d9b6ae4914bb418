"""Reads what the checks found: the newest result of each, those before it, and what is in quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from copilot.ingest.quality.checks import Check, load_checks
from copilot.store.pool import Connection
from copilot.store.queries import query

_LOADS = 5


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
class Load:
    """A load that checks stopped, or that somebody let through: `accepted_by` and why."""

    batch: int
    started_at: datetime
    loaded: bool
    stopped: Sequence[tuple[str, int, int]]
    """Check, new or changed rows looked at, and those failing."""
    accepted_by: str | None
    accepted_why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """All results of a source, how many rows are in quarantine by entity and reason, and the last loads that checks
    stopped or somebody let through, newest first."""

    results: Sequence[Result]
    quarantined: Sequence[tuple[str, str, int]]
    loads: Sequence[Load] = ()


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
    quarantined = [(row["entity"], row["reason"], row["rows"]) for row in aside]
    return Quality(results=results, quarantined=quarantined, loads=await _loads(connection, source, entity))


async def _loads(connection: Connection, source: int, entity: str | None) -> Sequence[Load]:
    known = {"source": source, "limit": _LOADS}
    found: list[Load] = []
    for row in await (await connection.execute(query("quality_loads"), known)).fetchall():
        stopped = [
            (each["check"], each["rows"], each["failing"])
            for each in row["stopped"]
            if entity in (None, each["entity"])
        ]
        if stopped:
            found.append(
                Load(
                    batch=row["id"],
                    started_at=row["started_at"],
                    loaded=row["outcome"] == "merged",
                    stopped=stopped,
                    accepted_by=row["accepted_by"],
                    accepted_why=row["accepted_why"],
                )
            )
    return found


def _share(rows: int, failing: int) -> float:
    return failing / rows if rows else 0.0
