"""The demo company as two sources: its ERP, and a warehouse system that counts a few rows differently."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Any, TypeVar

from connectors.base import Cursor, Keys, Page, SourceInfo, SourceRecord
from connectors.errors import UnknownEntityError
from copilot.demo.tables import Table
from copilot.demo.tables_after import BILLING, SERVICE, SHIPPING
from copilot.demo.tables_items import ITEMS, PRICES
from copilot.demo.tables_partners import CUSTOMERS, SUPPLIERS
from copilot.demo.tables_places import PLACES
from copilot.demo.tables_sales import SALES
from copilot.demo.tables_supply import PURCHASING, STOCK
from copilot.demo.tables_wms import WAREHOUSE
from copilot.demo.worktime import instant
from copilot.demo.world import DemoWorld

_PAGE = 2_000
_ONE_AT_A_TIME = Lock()
"""Worlds share what they have worked out so far, and work out more as they are read."""


class _Simulated:
    """A connector over tables of the demo world. Its keys are stable, and it has no pages to link to."""

    def __init__(self, world: DemoWorld, system: str, tables: Iterable[Table[Any]]) -> None:
        self.system = system
        self._world = world
        self._tables: dict[str, Table[Any]] = {table.entity: table for table in tables}
        self.entities = tuple(self._tables)

    vanishing: frozenset[str] = frozenset()
    """The entities whose records can cease to exist; of all others, nothing is ever deleted."""

    async def check(self) -> SourceInfo:
        """Always there. Its hints are its own keys, so nothing needs mapping."""
        return SourceInfo(system=self.system, version="1", labels=(), unreadable=())

    async def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        """Everything that changed between the cursor's moment and the world's; exact, so nothing comes twice."""
        since = 0 if cursor is None else int(datetime.fromisoformat(cursor.value).timestamp())
        records = self._table(entity).records(self._world, since)
        end = Cursor(instant(self._world.now).isoformat())
        page = await _portion(records)
        while True:
            following = await _portion(records)
            yield Page(records=page, cursor=None if following else end, last=not following)
            if not following:
                return
            page = following

    async def keys(self, entity: str) -> AsyncIterator[Keys]:
        """(company, key) of everything alive at the world's moment."""
        every = self._table(entity).keys(self._world)
        while portion := await _portion(every):
            yield portion

    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        """These records at the world's moment."""
        return await _portion(self._table(entity).read(self._world, keys), at_most=None)

    def link(self, entity: str, key: str) -> str | None:
        """A simulated system has no pages."""
        del entity, key

    async def aclose(self) -> None:
        """Nothing to close."""

    def records(self, entity: str) -> Iterator[SourceRecord]:
        """Every record of an entity, without the event loop."""
        return self._table(entity).records(self._world, 0)

    def _table(self, entity: str) -> Table[Any]:
        try:
            return self._tables[entity]
        except KeyError:
            raise UnknownEntityError(f"no entity {entity!r}; this source has {', '.join(self.entities)}") from None


class DemoErp(_Simulated):
    """The ERP: everything but derived rows."""

    vanishing: frozenset[str] = frozenset({"reservation"})

    def __init__(self, world: DemoWorld) -> None:
        places, customers, last = PLACES, CUSTOMERS[:-1], CUSTOMERS[-1:]
        masters = (*places, *customers[:1], *ITEMS, *customers[1:], *PRICES, *last, *SUPPLIERS)
        super().__init__(world, "demo_erp", (*masters, *SALES, *SHIPPING, *BILLING, *SERVICE, *PURCHASING, *STOCK))


class DemoWms(_Simulated):
    """The warehouse system: what lies where and what moved, under its own keys for items and sites."""

    def __init__(self, world: DemoWorld) -> None:
        super().__init__(world, "demo_wms", WAREHOUSE)


_T = TypeVar("_T")


async def _portion(rows: Iterator[_T], at_most: int | None = _PAGE) -> tuple[_T, ...]:
    """The next rows, off the event loop: making them can take seconds, and questions are answered meanwhile."""

    def taken() -> tuple[_T, ...]:
        with _ONE_AT_A_TIME:
            return tuple(islice(rows, at_most))

    return await asyncio.to_thread(taken)
