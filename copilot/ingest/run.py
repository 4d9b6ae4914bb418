"""What every part of one sync needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import LockNotAvailable

from copilot.domain.clock import Clock
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
class Run:
    """One batch of one source on one connection, which is in autocommit."""

    connection: Connection
    model: SemanticModel
    source: Source
    batch_id: int
    clock: Clock
    full: bool = False
    accept: bool = False
    """Load also what fails the quality checks."""
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
