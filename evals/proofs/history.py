"""history: replaying the history to any moment gives exactly what stood then, for everybody.

Each case is a walk: a shop and a second source for some of its items live on, and after every step, at moments within a
sync too, all that stands is noted, once as the owner sees it and once as somebody with a narrow scope does. In the end
each of these moments is told again from the history, and a moment just before the next change as well.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg

from connectors.base import SourceRecord
from connectors.memory import MemoryConnector
from copilot.domain.scope import Reach, Scope
from copilot.ingest import Ingest, Source
from copilot.semantic.model import load_model
from copilot.store.pool import Database
from copilot.store.roles import Role, dsn_for, passwords
from evals.company import Company, open_server
from evals.proofs.history_replay import Tables, differences, replayed, standing
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial
from evals.proofs.sync_faults.shop import ENTITIES, Shop, day_passes, make_shop

_START = datetime(2026, 11, 2, 8, tzinfo=UTC)
_WALKS, _STEPS = 24, 12
_SAMPLE_WALKS, _SAMPLE_STEPS = 1, 7
_LEAST = 200
_WITHIN = 0.1
"""How often a moment within a sync is noted, after each of its entities."""
_SHARED = 4
"""Items that the second source has too."""
_MOST = 10
_QUIET = timedelta(seconds=30)
"""Nothing happens for so long after a step."""
Spoil = Callable[[psycopg.Connection[Any]], object]


class _Clock:
    """Goes on a millisecond whenever it is asked, so that no two merges happen at once."""

    def __init__(self) -> None:
        self.now = _START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def move(self, minutes: int) -> None:
        """Let time pass."""
        self.now += timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True)
class _Noted:
    """All that somebody could see at a moment."""

    at: datetime
    reader: Scope | None
    tables: Tables


@dataclass
class _Walk:
    """One company on its way, with what was noted of it."""

    random: Random
    admin: psycopg.Connection[Any]
    ingest: Ingest
    clock: _Clock
    shop: Shop
    erp: MemoryConnector
    other: MemoryConnector
    sources: Mapping[str, Source]
    readers: tuple[Scope, ...] = ()
    noted: list[_Noted] = field(default_factory=list[_Noted])
    ends: set[datetime] = field(default_factory=set[datetime])
    """The moments at which a step was over; minutes pass before the next."""

    async def sync(self, connector: MemoryConnector, *, full: bool = False) -> None:
        """Sync a source, noting what stands on the way now and then."""
        await self.ingest.sync(self.sources[connector.system], connector, full=full, progress=self._on_the_way)

    def live(self, changes: int) -> None:
        """Let the shop change and its system with it."""
        self.shop.at = self.clock()
        day_passes(self.shop, changes)
        self.refill()

    def refill(self) -> None:
        """Put into the system what the shop holds."""
        held = {(record.entity, record.key) for entity in ENTITIES for record in self.erp.all(entity)}
        for entity, key in held - self.shop.records.keys():
            self.erp.drop(entity, "", key)
        self.erp.put(*self.shop.records.values())

    def note(self) -> None:
        """Note what stands now, for the owner and for one of the others."""
        for reader in (None, *self.random.sample(self.readers, min(1, len(self.readers)))):
            self.noted.append(_Noted(self.clock.now, reader, standing(self.admin, TABLES, reader)))

    def _on_the_way(self, _: str) -> None:
        if self.random.random() < _WITHIN:
            self.note()

    def failures(self) -> Iterator[str]:
        """Where the history tells a noted moment otherwise, or, after a step, the quiet minutes that followed it."""
        for noted in self.noted:
            yield from self._against(noted, noted.at)
            if noted.reader is None and noted.at in self.ends:
                yield from self._against(noted, noted.at + _QUIET)

    def _against(self, noted: _Noted, at: datetime) -> Iterator[str]:
        who = "the owner" if noted.reader is None else "a narrow reader"
        try:
            told = replayed(self.admin, TABLES, noted.reader, at)
        except ValueError as error:
            yield f"at {at}, for {who}: {error}"
            return
        yield from (f"at {at}, for {who}: {each}" for each in differences(noted.tables, told))


TABLES = tuple(load_model().entities)
"""Every business table, derived ones too."""


async def _syncs(walk: _Walk) -> None:
    walk.live(walk.random.randint(1, 8))
    await walk.sync(walk.erp)


async def _syncs_in_full(walk: _Walk) -> None:
    walk.live(walk.random.randint(1, 8))
    await walk.sync(walk.erp, full=True)


async def _confirms(walk: _Walk) -> None:
    """Live re-reads: of what changed, of what is gone and of what is as it was."""
    keys = walk.shop.keys("sales_order")[:4]
    walk.live(walk.random.randint(0, 4))
    for entity, wanted in (("sales_order", keys), ("stock", walk.shop.keys("stock")[:3])):
        records = await walk.erp.read(entity, wanted)
        await walk.ingest.confirm(walk.sources["erp"], entity, records, asked=wanted)


async def _hands_over(walk: _Walk) -> None:
    """The shop drops an item that the other source still has, or takes it up again."""
    shared = {record.values["number"] for record in walk.other.all("item")}
    places = [(e, k) for (e, k), record in walk.shop.records.items() if record.values.get("number") in shared]
    gone = [place for place, record in walk.shop.gone.items() if record.values.get("number") in shared]
    walk.shop.at = walk.clock()
    if places and (not gone or walk.random.random() < 0.6):
        walk.shop.drop(walk.random.choice(places))
    elif gone:
        walk.shop.bring_back(walk.random.choice(gone))
    walk.refill()
    await walk.sync(walk.erp)
    await walk.sync(walk.other)


async def _other_changes(walk: _Walk) -> None:
    at = walk.clock()
    for record in walk.other.all("item")[: walk.random.randint(1, _SHARED)]:
        renamed = {**record.values, "name": f"Their name {walk.random.randint(1, 99)}"}
        walk.other.put(_item(record.key, renamed, at))
    await walk.sync(walk.other)


_STEPS_TO_TAKE = (_syncs, _syncs, _syncs_in_full, _confirms, _hands_over, _other_changes)


@dataclass
class HistoryTrial:
    """The opened suite; each walk has a database of its own. `spoil` plants a fault before the replay."""

    company: Company
    setting: Setting
    steps: int
    cases: Sequence[str]
    spoil: Spoil | None = None

    async def run(self, case: str) -> Result:
        """Try one walk."""
        with self.company.clone() as name:
            async with _walking(self.company, self.company.dsn(name), Random(f"{self.setting.seed} {case}")) as walk:
                await _go(walk, self.steps)
                if self.spoil:
                    self.spoil(walk.admin)
                failures = tuple(walk.failures())
        counts = {
            "moments": len({noted.at for noted in walk.noted}),
            "snapshots": len(walk.noted),
            "narrow_snapshots": sum(noted.reader is not None for noted in walk.noted),
            "rows_compared": sum(len(rows) for noted in walk.noted for rows in noted.tables.values()),
        }
        return Result(case=case, failures=failures[:_MOST], counts=counts)

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """The goal needs enough moments, and narrow readers who saw something."""
        least = 1 if self.setting.sample else _LEAST
        return Finding(met=counts.get("moments", 0) >= least and counts.get("narrow_snapshots", 0) > 0, more={})


async def _go(walk: _Walk, steps: int) -> None:
    await walk.sync(walk.erp)
    await walk.sync(walk.other)
    walk.readers = _readers(walk)
    for number in range(steps):
        # Every kind of step is taken before chance decides.
        step = _STEPS_TO_TAKE[number] if number < len(_STEPS_TO_TAKE) else walk.random.choice(_STEPS_TO_TAKE)
        await step(walk)
        walk.note()
        walk.ends.add(walk.clock.now)
        walk.clock.move(minutes=walk.random.randint(1, 90))


def _readers(walk: _Walk) -> tuple[Scope, ...]:
    """Somebody for one region, somebody for two customers, somebody who reads orders of one site only, and
    somebody who is all three."""
    classes = load_model().classes

    def ids(table: str, most: int) -> frozenset[int]:
        rows = standing(walk.admin, [table], None)[table]
        return frozenset(sorted(rows)[:most])

    everywhere = Reach(classes=classes, regions=None, sites=None, channels=None, accounts=None)
    in_region, of_two = replace(everywhere, regions=ids("region", 1)), replace(everywhere, accounts=ids("customer", 2))
    at_site = replace(everywhere, classes=frozenset({"sales"}), sites=ids("site", 1))
    return (
        Scope((in_region,)),
        Scope((of_two,)),
        Scope((at_site,)),
        Scope((everywhere,)).without("purchasing", "sales_price"),
        Scope((in_region, of_two, at_site)),
    )


@asynccontextmanager
async def _walking(company: Company, dsn: str, random: Random) -> AsyncGenerator[_Walk]:
    clock = _Clock()
    shop = make_shop(random, "a", clock.now)
    erp = MemoryConnector("erp", ENTITIES, shop.records.values(), page_size=random.randint(5, 60))
    shared = [record for record in shop.records.values() if record.entity == "item"][:_SHARED]
    other = MemoryConnector("other", ("item",), [_item(f"b-{r.key}", r.values, clock.now) for r in shared])
    secrets = passwords(company.home)
    database = Database({role: dsn_for(dsn, role, secrets[role]) for role in Role}, size=4)
    ingest = Ingest(database, load_model(), clock)
    try:
        await ingest.add_source("erp", "memory", {}, {})
        await ingest.add_source("other", "memory", {"identity": {"item": "number"}}, {})
        sources = {source.name: source for source in await ingest.sources()}
        with psycopg.connect(dsn, autocommit=True) as admin:
            yield _Walk(random, admin, ingest, clock, shop, erp, other, sources)
    finally:
        await database.close()


def _item(key: str, values: Mapping[str, Any], at: datetime) -> SourceRecord:
    """An item of the second source, for all regions."""
    return SourceRecord(entity="item", company="", key=key, changed_at=at, values=values, labels={"region": "*"})


@asynccontextmanager
async def open_trial(company: Company, setting: Setting, spoil: Spoil | None = None) -> AsyncGenerator[HistoryTrial]:
    """The suite on a server whose template is empty."""
    walks, steps = (_SAMPLE_WALKS, _SAMPLE_STEPS) if setting.sample else (_WALKS, _STEPS)
    cases = [f"walk {number}" for number in range(1, walks + 1)]
    yield HistoryTrial(company=company, setting=setting, steps=steps, cases=cases, spoil=spoil)


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_server() as company, open_trial(company, setting) as trial:
        yield trial


HISTORY = Suite(
    name="history",
    goal="replaying the history to any moment equals the snapshot taken then, row by row, for the owner and for narrow "
    "readers with the labels of then",
    open=_open,
)
