"""Which of our regions, sites and channels a source's hints mean: the label map and core.identity."""

from __future__ import annotations

from collections import defaultdict

from psycopg import sql

from copilot.ingest.hints import HintMap
from copilot.ingest.run import Run
from copilot.ingest.statements import business
from copilot.semantic.model import HINTS, Entity
from copilot.store.queries import query


async def hint_map(run: Run) -> HintMap:
    """What the source's label hints mean now."""
    by_key: dict[str, dict[str, int]] = defaultdict(dict)
    statement = query("ingest_hint_keys")
    parameters = run.parameters("", entities=list(HINTS))
    for row in await (await run.connection.execute(statement, parameters)).fetchall():
        by_key[row["entity"]][row["key"]] = row["id"]
    by_code = {name: await _codes(run, run.model[name]) for name in HINTS}
    return HintMap(label_map=run.source.label_map, by_code=by_code, by_key=by_key)


async def _codes(run: Run, entity: Entity) -> dict[str, int]:
    statement = query("ingest_hint_codes").format(column=sql.Identifier(str(entity.key)), table=business(entity.name))
    rows = await (await run.connection.execute(statement, run.parameters(entity.name))).fetchall()
    return {row["key"]: row["id"] for row in rows}
