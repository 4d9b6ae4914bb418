"""What every part of one sync needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.errors import LockNotAvailable

from copilot.domain.clock import Clock
from copilot.domain.json import Json
from copilot.errors import SyncRunningError
from copilot.ingest.report import Source
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.store.queries import query

_SYNC_PATIENCE = "0"
"""How long to wait for another merge: as long as it takes."""
CONFIRM_PATIENCE = "300ms"
"""Somebody is waiting for an answer, so rather not at all than late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Somebody's decision to load what the quality checks would stop, and the reason they gave."""

    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A check that too many of the rows to be written fail."""

    entity: str
    check: str
    rows: int
    failing: int

    def to_json(self) -> dict[str, Json]:
        """As it is kept with the batch."""
        return {"entity": self.entity, "check": self.check, "rows": self.rows, "failing": self.failing}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One batch of one source on one connection, which is in autocommit."""

    connection: Connection
    model: SemanticModel
    source: Source
    batch_id: int
    clock: Clock
    full: bool = False
    consent: Consent | None = None
    """Whose decision it is to load also what fails the quality checks; None to stop there."""
    stopped: list[Stopped] = field(default_factory=list["Stopped"])
    """What the quality checks stopped, or would have."""
    patience: str = _SYNC_PATIENCE

    async def enter_merge(self) -> datetime:
        """At the start of a transaction: wait for other merges, then fix the moment that this one happens at.

        Raises SyncRunningError when patience runs out.
        """
        try:
            await self.connection.execute(query("ingest_lock_merge"), {"patience": self.patience})
        except LockNotAvailable as error:
            raise SyncRunningError from error
        now = self.clock()
        await self.connection.execute(query("ingest_set_now"), {"now": now.isoformat()})
        return now

    def parameters(self, entity: str, **more: object) -> Mapping[str, object]:
        """The parameters that most statements share."""
        return {"source": self.source.id, "batch": self.batch_id, "entity": entity, **more}
