"""Reads the next entity of a sync while the one before it is merged: the source and the database wait for each other
no longer than they have to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from connectors.base import Connector
from copilot.ingest.reading import Reading, read_entity
from copilot.ingest.report import Progress
from copilot.ingest.run import Run
from copilot.ingest.statements import staging
from copilot.semantic.model import HINTS, Entity
from copilot.store.queries import query


class ReadAhead:
    """The reading of one source's entities in their order, at most one of them ahead of the merge."""

    def __init__(self, run: Run, connector: Connector, entities: tuple[Entity, ...], progress: Progress) -> None:
        self._run = run
        self._connector = connector
        self._progress = progress
        self._next = dict(zip((entity.name for entity in entities), entities[1:], strict=False))
        self._begun: tuple[Entity, asyncio.Task[Reading]] | None = None

    async def take(self, entity: Entity) -> Reading:
        """The reading of this entity, begun ahead or made now; begins the next. Raises what the connector raises."""
        reading = await (self._ahead(entity) or self._read(entity))
        following = self._next.get(entity.name)
        # What the source's hints mean is known only when its regions, sites and channels are merged.
        if following is not None and entity.name not in HINTS and following.name not in HINTS:
            self._begun = following, asyncio.create_task(self._read(following))
        return reading

    async def read_again(self) -> None:
        """Forget what was read ahead: the merge has changed what has to be read."""
        if self._begun is None:
            return
        entity, task = self._begun
        await self._end(task)
        parameters = self._run.parameters(entity.name)
        await self._run.connection.execute(query("ingest_unstage").format(stage=staging(entity.name)), parameters)
        await self._run.connection.execute(query("ingest_unstage_living"), parameters)

    async def stop(self) -> None:
        """Break off what was begun."""
        if self._begun is not None:
            _, task = self._begun
            task.cancel()
            await self._end(task)

    async def _end(self, task: asyncio.Task[Reading]) -> None:
        """Wait for its end; what it came to is no longer wanted, an error comes again when it is read again."""
        self._begun = None
        with suppress(asyncio.CancelledError, Exception):
            await task

    def _ahead(self, entity: Entity) -> asyncio.Task[Reading] | None:
        if self._begun is None or self._begun[0] is not entity:
            return None
        _, task = self._begun
        self._begun = None
        return task

    async def _read(self, entity: Entity) -> Reading:
        return await read_entity(self._run, self._connector, entity, self._progress)


@asynccontextmanager
async def read_ahead(
    run: Run, connector: Connector, entities: tuple[Entity, ...], progress: Progress
) -> AsyncGenerator[ReadAhead]:
    """Reads on the connection of `run`, which nothing else may use meanwhile."""
    ahead = ReadAhead(run, connector, entities, progress)
    try:
        yield ahead
    finally:
        await ahead.stop()
