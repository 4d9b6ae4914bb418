"""Which of our records a source's keys and hints mean: the label map and core.identity."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from psycopg import sql

from copilot.ingest.hints import SHARED, HintMap
from copilot.ingest.run import Run
from copilot.ingest.statements import business
from copilot.semantic.model import HINTS, Entity
from copilot.store.queries import query


@dataclass(frozen=True, slots=True)
class LabelTargets:
    """Source keys that the label map gives to records of ours, and the ids of those."""

    keys: list[str] = field(default_factory=list[str])
    ids: list[int] = field(default_factory=list[int])


async def hint_map(run: Run) -> HintMap:
    """What the source's label hints mean now."""
    by_key: dict[str, dict[str, int]] = defaultdict(dict)
    statement = query("ingest_hint_keys")
    parameters = run.parameters("", entities=list(HINTS))
    for row in await (await run.connection.execute(statement, parameters)).fetchall():
        by_key[row["entity"]][row["key"]] = row["id"]
    by_code = {name: await _codes(run, run.model[name]) for name in HINTS}
    return HintMap(label_map=run.source.label_map, by_code=by_code, by_key=by_key)


async def label_targets(run: Run, entity: Entity) -> LabelTargets:
    """What the label map says about records of this entity; a code that none of ours has says nothing."""
    mapping = run.source.label_map.get(entity.name, {})
    if not mapping or entity.key is None:
        return LabelTargets()
    codes = await _codes(run, entity)
    known = {key: codes[code] for key, code in mapping.items() if code != SHARED and code in codes}
    return LabelTargets(list(known), list(known.values()))


async def _codes(run: Run, entity: Entity) -> dict[str, int]:
    statement = query("ingest_hint_codes").format(column=sql.Identifier(str(entity.key)), table=business(entity.name))
    rows = await (await run.connection.execute(statement, run.parameters(entity.name))).fetchall()
    return {row["key"]: row["id"] for row in rows}
