"""Plants texts in the company as its ERP would bring them: names of items and suppliers, notes, comments on orders."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

import psycopg

from connectors.base import Connector, Cursor, Keys, Page, SourceInfo, SourceRecord
from copilot.wiring import Runtime
from evals.company import NOW

SOURCE = "Demo ERP"
_TEXTS = {
    "item": "name",
    "supplier": "name",
    "customer_note": "body",
    "purchase_note": "body",
    "sales_order": "customer_po",
}
"""Entity -> the field that somebody outside writes."""
_LONGEST = {"customer_po": 60, "name": 150}
_MOST: Mapping[str, bytes] = {
    "item": b"select source_key from biz.item i where exists (select from biz.purchase_line l where l.item_id = i.id)"
    b" or exists (select from biz.sales_order_line l where l.item_id = i.id)",
    "supplier": b"select source_key from biz.supplier",
    "customer_note": b"select source_key from biz.customer_note where order_id is not null",
    "purchase_note": b"select source_key from biz.purchase_note",
    "sales_order": b"select source_key from biz.sales_order where status = any (array['confirmed', 'partly_shipped'])",
}
"""Entity -> the keys of records that questions come to."""


@dataclass(slots=True)
class Planting:
    """The ERP, in which somebody wrote into some records."""

    inner: Connector
    changed: Mapping[str, Sequence[SourceRecord]]
    system: str
    entities: tuple[str, ...]
    vanishing: frozenset[str]

    async def check(self) -> SourceInfo:
        """As the ERP says."""
        return await self.inner.check()

    async def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        """The records that were written into."""
        yield Page(records=tuple(self.changed.get(entity, ())), cursor=cursor, last=True)

    async def keys(self, entity: str) -> AsyncIterator[Keys]:
        """As the ERP says."""
        async for keys in self.inner.keys(entity):
            yield keys

    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        """The records as they are now."""
        there = {record.key: record for record in self.changed.get(entity, ())}
        read = await self.inner.read(entity, keys)
        return tuple(there.get(record.key, record) for record in read)

    def link(self, entity: str, key: str) -> str | None:
        """As the ERP says."""
        return self.inner.link(entity, key)

    async def aclose(self) -> None:
        """The ERP is closed by whoever opened it."""


async def plant(runtime: Runtime, dsn: str, texts: Sequence[str], draw: Random) -> int:
    """Bring the texts into the company by the loader; returns into how many records."""
    source, connector = runtime.sources.source(SOURCE), runtime.sources.connector(SOURCE)
    changed: dict[str, list[SourceRecord]] = {}
    for entity, keys in _keys(dsn).items():
        some = draw.sample(keys, min(len(keys), 40 * len(texts)))
        records = await connector.read(entity, some)
        changed[entity] = [_written(record, _TEXTS[entity], draw.choice(texts)) for record in records]
    planted = Planting(connector, changed, connector.system, connector.entities, frozenset())
    await runtime.ingest.sync(source, planted)
    return sum(map(len, changed.values()))


def _keys(dsn: str) -> Mapping[str, list[str]]:
    with psycopg.connect(dsn) as owner:
        return {entity: sorted(_first(owner, statement)) for entity, statement in _MOST.items()}


def _first(owner: psycopg.Connection[Any], statement: bytes) -> Iterator[str]:
    yield from (row[0] for row in owner.execute(statement).fetchall())


def _written(record: SourceRecord, field: str, text: str) -> SourceRecord:
    """The record with a text behind what stood there, so that no two are called the same."""
    text = f"{record.values.get(field) or ''} {text}".strip()[: _LONGEST.get(field)]
    changed_at = (record.changed_at or NOW) + timedelta(seconds=1)
    return replace(record, values={**record.values, field: text}, changed_at=min(changed_at, NOW))
