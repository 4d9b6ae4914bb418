"""Publishes what checks found, per place, under the labels and the record class of the rows they were made on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from copilot.domain.quantity import to_scaled
from copilot.domain.scope import SPREAD
from copilot.ingest.quality.checks import Check
from copilot.ingest.quality.parts import Part, load_parts, published_entities, spread
from copilot.ingest.run import Run
from copilot.ingest.statements import business
from copilot.store.pool import Connection
from copilot.store.queries import query

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the checks of one entity found in one source: a row for each place, with the columns of `by_place`."""

    entity: str
    checks: tuple[Check, ...]
    places: Sequence[Row]

    @property
    def totals(self) -> Sequence[tuple[Check, int, int]]:
        """Each check with the rows looked at and failing over all places."""
        return [
            (check, sum(row[f"r{n}"] for row in self.places), sum(row[f"f{n}"] for row in self.places))
            for n, check in enumerate(self.checks)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a sync brought: the entities that the source offers, those that changed, those that could not be read."""

    offered: Collection[str]
    changed: Collection[str]
    skipped: Collection[str] = ()


async def published(run: Run) -> Mapping[str, int]:
    """The entities of this source whose soundness stands, with the number set aside that is told of each."""
    each = (query("soundness_entities").format(table=business(name)) for name in published_entities(run.model))
    statement = sql.SQL(" union all ").join(each)
    rows = await (await run.connection.execute(statement, {"source": run.source.id})).fetchall()
    return {row["entity"]: row["failing"] for row in rows}


async def publish(
    run: Run, worker: Connection, found: Sequence[Judged], delivery: Delivery, standing: Mapping[str, int]
) -> None:
    """Write what was found as the worker, in one transaction; rows that come out the same are not rewritten.

    What stands of entities that were not judged, because nothing of them changed, is confirmed, unless the source did
    not let us read them.
    """
    parts = load_parts()
    checked = [entity for entity in parts if entity in delivery.offered]
    held = await _set_aside(run)
    aside = {entity: held.get(entity, 0) for entity in checked}
    rows = _by_table(run, found, aside)
    differing = {judged.entity for judged in found}
    differing |= {entity for entity, _ in set(aside.items()) ^ set(standing.items()) if entity in parts}
    tables = {parts[entity].published for entity in differing}
    if {"site", "region"} & set(delivery.changed):  # one of them may be gone
        tables = set(published_entities(run.model))
    async with worker.transaction():
        now = await _begin(run, worker)
        whole = {"offered": checked, "judged": [judged.entity for judged in found], "now": now}
        for name in sorted(tables):
            known = run.parameters(name, rows=Jsonb(rows[name]), **whole)
            await worker.execute(query("soundness_write").format(table=business(name)), known)
        unread = {parts[entity].published for entity in delivery.skipped if entity in parts}
        confirmed = {parts[entity].published for entity in checked} - unread
        known = {"source": run.source.id, "entities": sorted(confirmed), "confirmed": now}
        await worker.execute(query("ingest_keep_coverage"), known)


async def _begin(run: Run, worker: Connection) -> datetime:
    """Wait for others that write derived rows, then fix the moment at which this happens."""
    await worker.execute(query("ingest_relax_commit"))
    await worker.execute(query("ingest_lock_derived"), {"now": run.clock().isoformat()})
    now = run.clock()
    await worker.execute(query("ingest_set_now"), {"now": now.isoformat()})
    return now


def _by_table(run: Run, found: Sequence[Judged], aside: Mapping[str, int]) -> Mapping[str, list[Row]]:
    parts = load_parts()
    rows: dict[str, list[Row]] = defaultdict(list)
    for judged in found:
        rows[parts[judged.entity].published] += _rows(run, judged)
    for entity, count in aside.items():
        rows[parts[entity].published].append(_aside(parts[entity], entity, count))
    return rows


async def withdraw(run: Run, entity: str) -> None:
    """Take back what is published of an entity, whatever source it is of, because its rows have other labels now."""
    part = load_parts().get(entity)
    if part is not None:
        statement = query("soundness_withdraw").format(table=business(part.published))
        await run.connection.execute(statement, run.parameters(entity))


async def _set_aside(run: Run) -> Mapping[str, int]:
    """Records in quarantine by entity."""
    known = {"source": run.source.id, "entity": None}
    rows = await (await run.connection.execute(query("quality_quarantine"), known)).fetchall()
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[row["entity"]] += row["rows"]
    return found


def _rows(run: Run, judged: Judged) -> Iterator[Row]:
    """The rows of one entity: per place one for its records and one for each check that some of them fail."""
    part = load_parts()[judged.entity]
    entity = run.model[judged.entity]
    wide = {f"label_{name}": spread(run.model, entity, name) for name in ("channel", "account")}
    for place in judged.places:
        region, site = place["label_region"], place["label_site"]
        where = {"label_region": region, "label_site": site, "region_id": region or None, "site_id": site or None}
        common = {**_common(part, judged.entity), **wide, **where}
        counts = {"checked": place["rows"], "failing": place["flawed"], "checks": len(judged.checks)}
        key = f"{judged.entity}/{region}/{site}"
        yield {**common, **counts, "what": "records", "source_key": key}
        for number, check in enumerate(judged.checks):
            failing = place.get(f"h{number}", place[f"f{number}"])
            if failing:
                finding = {"check_id": check.id, "title": check.title, "checked": place[f"r{number}"], **_limits(check)}
                yield {**common, **finding, "what": "finding", "failing": failing, "source_key": f"{key}/{check.id}"}


def _aside(part: Part, entity: str, count: int) -> Row:
    """Nobody knows where a record belongs that was set aside, so only who sees everything is told of it."""
    labels = dict.fromkeys(("label_region", "label_site", "label_channel", "label_account"), SPREAD)
    return {**_common(part, entity), **labels, "what": "set_aside", "failing": count, "source_key": f"{entity}/aside"}


def _common(part: Part, entity: str) -> Row:
    return {"area": part.area, "subject": part.title, "records_of": entity}


def _limits(check: Check) -> Row:
    return {
        "warn_over": to_scaled(str(check.warn_over)),
        "stop_over": to_scaled(str(check.stop_over)),
        "at_least": check.at_least,
    }
