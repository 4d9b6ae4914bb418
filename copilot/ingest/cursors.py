"""Which entities have to be read anew because the source's keys or hints mean other records than before."""

from __future__ import annotations

from copilot.ingest.run import Run
from copilot.semantic.model import HINTS, Entity
from copilot.store.queries import query


async def forget_cursors(run: Run, entity: Entity) -> None:
    """Have everything of this source read again that names records of this entity, by their keys or by hints."""
    others = [e.name for e in run.model.entities.values() if any(ref.to == entity.name for ref in e.refs())]
    if entity.name in HINTS:
        others = [name for name in run.model.entities if name != entity.name]
    await run.connection.execute(query("ingest_forget_cursors"), run.parameters(entity.name, entities=others))
