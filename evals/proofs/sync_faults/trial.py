"""Each case: a shop is synced, changes, is synced with something going wrong, changes again, and is synced in peace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from connectors.errors import ConnectorError
from connectors.memory import MemoryConnector
from copilot.domain.json import Json
from copilot.errors import CopilotError, DatabaseError
from copilot.ingest import Ingest, Source
from copilot.semantic.model import SemanticModel, load_model
from copilot.store.pool import Database
from copilot.store.roles import Role, dsn_for, passwords
from evals.company import Company, open_server
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial
from evals.proofs.sync_faults.disk import SmallDisk, small_disk
from evals.proofs.sync_faults.faults import Trouble, TroubledConnector, kill_loaders, trap
from evals.proofs.sync_faults.reload import differences, reload, standing
from evals.proofs.sync_faults.shop import ENTITIES, Shop, day_passes, make_shop, new_order

_START = datetime(2026, 11, 2, 8, tzinfo=UTC)
_SOURCE = (
    "dies", "dies asked for keys", "dies asked by key", "slows", "is given up", "sends half a page", "repeats pages",
    "repeats old versions", "reorders", "changes a type", "renames a column", "commits late", "deletes",
)  # fmt: skip
_DATABASE = ("connection dies", "disk full", "connections cut", "server killed")
_TOGETHER = ("two syncs at once", "two sources at once", "confirmed meanwhile")
_REALLY_FULL = "disk really full"
"""Tried only where this account may mount a small file system; the "disk full" above is a trap that says so."""
FAULTS = (*_SOURCE, *_DATABASE, *_TOGETHER)
_FULL, _SAMPLE = 27, 1
_MOST = 10
_RECOVERY_SECONDS = 90
_FILLED = """
    select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname in ('biz', 'hist', 'stage', 'core') and pg_relation_size(c.oid) > 0
"""
_EXPECTED = (ConnectorError, CopilotError, psycopg.Error, TimeoutError)


class _Clock:
    """Moves when told."""

    def __init__(self) -> None:
        self.now = _START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class _Scene:
    """One case: its database, its shops and what the ingest is told."""

    random: Random
    admin: psycopg.Connection[Any]
    ingest: Ingest
    clock: _Clock
    model: SemanticModel
    shops: dict[str, Shop]
    connectors: dict[str, TroubledConnector]
    sources: dict[str, Source]
    disk: SmallDisk | None

    async def sync(self, name: str = "a", *, full: bool = False) -> int:
        """Sync one shop; how many rows changed or went."""
        report = await self.ingest.sync(self.sources[name], self.connectors[name], full=full)
        return report.changed + report.removed

    def move(self, minutes: int) -> None:
        """Let time pass."""
        self.clock.now += timedelta(minutes=minutes)
        for shop in self.shops.values():
            shop.at = self.clock.now

    def refill(self) -> None:
        """Put into the sources what the shops hold now."""
        for name, shop in self.shops.items():
            inner = self.connectors[name].inner
            held = {(r.entity, r.key) for entity in ENTITIES for r in inner.all(entity)}
            for entity, key in held - shop.records.keys():
                inner.drop(entity, "", key)
            inner.put(*shop.records.values())

    def faults(self) -> list[str]:
        """How the copy differs from a full reload of what the sources hold."""
        found: list[str] = []
        for name, shop in self.shops.items():
            should = reload(self.model, shop.records.values())
            stands = standing(self.admin, self.model, self.sources[name].id)
            found += [f"{name}: {each}" for each in differences(should, stands)]
        return found


@dataclass
class SyncFaultTrial:
    """The opened suite: one database, emptied before each case."""

    company: Company
    dsn: str
    cases: Sequence[str]
    seed: int
    disk: SmallDisk | None

    async def run(self, case: str) -> Result:
        """Try one case."""
        _, _, kind = case.partition(" ")
        random = Random(f"{self.seed} {case}")
        async with _scene(self.company, self.dsn, random, kind, self.disk) as scene:
            failures, broke = await _play(scene, kind)
        return Result(case=case, failures=tuple(failures[:_MOST]), counts={"syncs_broken": int(broke), "runs": 1})

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """The goal needs syncs that really broke: a fault that never strikes proves nothing."""
        broken = counts.get("syncs_broken", 0)
        kinds = [*FAULTS, _REALLY_FULL] if self.disk else [*FAULTS]
        left_out = [] if self.disk else [f"{_REALLY_FULL}: this account may not mount a file system"]
        more: dict[str, Json] = {"kinds_of_fault": [*kinds], "left_out": [*left_out]}
        return Finding(met=broken * 3 >= counts.get("runs", 0), more=more)


async def _play(scene: _Scene, kind: str) -> tuple[list[str], bool]:
    """Failures, and whether the fault broke the sync it struck."""
    for name in scene.shops:
        await scene.sync(name)
    failures = [f"after the first sync: {each}" for each in scene.faults()]
    for shop in scene.shops.values():
        scene.move(5)
        day_passes(shop, scene.random.randint(1, 14))
    scene.refill()
    broke = await _struck(scene, kind)
    if scene.random.random() < 0.5:
        scene.move(3)
        day_passes(scene.shops["a"], scene.random.randint(1, 5))
        scene.refill()
    scene.move(20)
    for name in scene.shops:
        await scene.sync(name)
    failures += [f"after the fault: {each}" for each in scene.faults()]
    scene.move(5)
    for name in scene.shops:
        again = await scene.sync(name)
        failures += [f"nothing changed, yet {again} rows did"] if again else []
    return failures, broke


async def _struck(scene: _Scene, kind: str) -> bool:
    connector = scene.connectors["a"]
    connector.trouble = Trouble(
        kind=kind,
        entity=scene.random.choice(ENTITIES[5:]),
        at=0,
        random=scene.random,
    )
    try:
        if kind in _DATABASE:
            return await _database_fails(scene, kind, connector.trouble)
        if kind == _REALLY_FULL:
            return await _disk_fills(scene)
        if kind in _TOGETHER:
            return await _together(scene, kind, connector.trouble)
        return await _source_fails(scene, kind)
    finally:
        connector.trouble = None
        scene.refill()


async def _source_fails(scene: _Scene, kind: str) -> bool:
    if kind == "commits late":
        # Committed behind the watermark, as a long transaction does it, but within the overlap.
        await scene.sync()
        shop = scene.shops["a"]
        shop.at = scene.clock.now - timedelta(minutes=9)
        day_passes(shop, 6)
        scene.refill()
        return True
    if kind == "deletes":
        shop = scene.shops["a"]
        for entity in ("sales_order", "item", "purchase_order", "customer"):
            shop.drop((entity, shop.any(entity)))
        scene.refill()
    if kind == "dies asked by key":
        # Committed so late that only the comparison of keys finds it.
        scene.shops["a"].at = scene.clock.now - timedelta(hours=2)
        new_order(scene.shops["a"])
        scene.connectors["a"].trouble = Trouble(kind=kind, entity="sales_order", at=0, random=scene.random)
        scene.refill()
    seconds = 0.02 if kind == "is given up" else 30
    return await _broken(scene, seconds)


async def _broken(scene: _Scene, seconds: float = 30) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await scene.sync()
    except _EXPECTED:
        return True
    return False


async def _database_fails(scene: _Scene, kind: str, trouble: Trouble) -> bool:
    killed: list[int] = []

    async def cut() -> None:
        killed.extend(kill_loaders(scene.admin, hard=kind == "server killed"))

    if kind in ("connections cut", "server killed"):
        trouble.hook = cut
        broke = await _broken(scene)
        if killed and kind == "server killed":
            await _up_again(scene)
        return broke
    what = scene.random.choice(("insert", "update", "delete"))
    with trap(scene.admin, "full" if kind == "disk full" else "dies", scene.random.choice(ENTITIES[3:]), what):
        return await _broken(scene)


async def _disk_fills(scene: _Scene) -> bool:
    """Whether the server found no room, in its own words: 53100. Any other error is raised."""
    assert scene.disk is not None  # noqa: S101 -- the case is not there without
    with scene.disk.full(scene.admin, ENTITIES):
        try:
            await scene.sync()
        except DatabaseError as error:
            if isinstance(error.__cause__, psycopg.errors.DiskFull) and "disk is full" in str(error):
                return True
            raise
    return False


async def _up_again(scene: _Scene) -> None:
    """Wait until a crashed server has recovered: it ends every connection, ours too, before it does."""
    info = scene.admin.info
    async with asyncio.timeout(_RECOVERY_SECONDS):
        while True:
            try:
                scene.admin.execute("select 1")
            except psycopg.Error:
                break
            await asyncio.sleep(0.05)
        while True:
            with suppress(psycopg.Error):
                scene.admin = psycopg.connect(info.dsn, password=info.password, autocommit=True)
                return
            await asyncio.sleep(0.1)


async def _together(scene: _Scene, kind: str, trouble: Trouble) -> bool:
    if kind == "confirmed meanwhile":
        trouble.hook = lambda: _confirm(scene, trouble.entity)
        return await _broken(scene)
    names = ("a", "a") if kind == "two syncs at once" else ("a", "b")
    results = await asyncio.gather(*(scene.sync(name) for name in names), return_exceptions=True)
    wrong = [each for each in results if isinstance(each, BaseException) and not isinstance(each, _EXPECTED)]
    if wrong:
        raise wrong[0]
    return any(isinstance(each, BaseException) for each in results)


async def _confirm(scene: _Scene, entity: str) -> None:
    keys = scene.shops["a"].keys(entity)[:3]
    records = await scene.connectors["a"].inner.read(entity, keys)
    with suppress(CopilotError):
        await scene.ingest.confirm(scene.sources["a"], entity, records, asked=keys)


@asynccontextmanager
async def _scene(
    company: Company, dsn: str, random: Random, kind: str, disk: SmallDisk | None
) -> AsyncGenerator[_Scene]:
    clock = _Clock()
    names = ("a", "b") if kind == "two sources at once" else ("a",)
    shops = {name: make_shop(random, name, clock.now) for name in names}
    connectors = {
        name: TroubledConnector(MemoryConnector(name, ENTITIES, shop.records.values(), page_size=random.randint(3, 40)))
        for name, shop in shops.items()
    }
    admin = psycopg.connect(dsn, autocommit=True)
    _empty(admin)
    secrets = passwords(company.home)
    database = Database({role: dsn_for(dsn, role, secrets[role]) for role in Role}, size=4)
    scene = None
    try:
        ingest = Ingest(database, load_model(), clock)
        for name in names:
            await ingest.add_source(name, "memory", {}, {})
        sources = {source.name: source for source in await ingest.sources()}
        scene = _Scene(random, admin, ingest, clock, load_model(), shops, connectors, sources, disk)
        yield scene
    finally:
        await database.close()
        (scene.admin if scene else admin).close()


def _empty(admin: psycopg.Connection[Any]) -> None:
    """Take every row of the last case away."""
    tables = [sql.SQL(name) for (name,) in admin.execute(_FILLED).fetchall()]
    if tables:
        admin.execute(sql.SQL("truncate {} cascade").format(sql.SQL(", ").join(tables)))


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    each = _SAMPLE if setting.sample else _FULL
    with small_disk() as disk:
        kinds = (*FAULTS, _REALLY_FULL) if disk else FAULTS
        cases = [f"{number} {kind}" for number in range(each) for kind in kinds]
        async with open_server() as company:
            if disk:
                disk.settle(company)
            with company.clone() as name, _quiet_pools():
                yield SyncFaultTrial(company=company, dsn=company.dsn(name), cases=cases, seed=setting.seed, disk=disk)


@contextmanager
def _quiet_pools() -> Generator[None]:
    """Lost connections are what these cases are about; the pool need not tell of each."""
    logger = logging.getLogger("psycopg")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


SYNC_FAULTS = Suite(
    name="sync-faults",
    goal="after every fault of source or database, and the next sync in peace, the copy equals a full reload",
    open=_open,
)
