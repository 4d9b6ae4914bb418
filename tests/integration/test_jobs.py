"""Background jobs: each source at its own interval, one sync of it at a time whatever the number of workers."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connectors.memory import MemoryConnector
from copilot.domain.clock import Clock
from copilot.errors import SyncRunningError
from copilot.ingest import Source, SyncReport
from copilot.store import jobs_schema
from copilot.store.roles import Role, passwords
from copilot.store.setup import prepare
from copilot.wiring import Runtime
from copilot.wiring.jobs import Jobs, Pace
from tests.company import Company
from tests.integration.ingest_support import MovableClock

# Dead after long enough that a busy machine does not make one out of a worker that waits for the processor
_QUICK = Pace(look=0.1, poll=0.1, heartbeat=0.2, dead_after=15, first_retry=0.2, grace=0.2)


class _Syncing:
    """Stands for the ingest: notes who was synced, how many at once, and fails where it is told to."""

    def __init__(self, inner: Any, clock: Clock) -> None:
        self._inner, self._clock = inner, clock
        self.done: list[str] = []
        self.failing: set[str] = set()
        self.tried: list[str] = []
        self.running: dict[str, int] = {}
        self.most = 0

    async def sync(self, source: Source, connector: object) -> SyncReport:
        self.tried.append(source.name)
        self.running[source.name] = self.running.get(source.name, 0) + 1
        self.most = max(self.most, *self.running.values())
        try:
            await asyncio.sleep(0.3)
            if source.name in self.failing:
                raise SyncRunningError if source.name == "busy" else RuntimeError("gone")
            report: SyncReport = await self._inner.sync(source, connector)
            self.done.append(source.name)
            return report
        finally:
            self.running[source.name] -= 1


class _Sources:
    """The sources of the test, without a demo company among them."""

    def __init__(self, ingest: Any, names: set[str]) -> None:
        self._ingest, self.names = ingest, names

    async def load(self) -> tuple[Source, ...]:
        return tuple(source for source in await self._ingest.sources() if source.name in self.names)

    def connector(self, name: str) -> MemoryConnector:
        return MemoryConnector(name, ("region",))


async def _until(what: Callable[[], bool], seconds: float = 45) -> None:
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110 -- what is waited for is in another task's list
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _workers(runtime: Runtime, count: int) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(Jobs(runtime, say=lambda _: None, pace=_QUICK).run()) for _ in range(count)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _over(runtime: Runtime, clock: Clock, **minutes: int) -> tuple[Runtime, _Syncing]:
    ingest: Any = type(runtime.ingest)(runtime.database, runtime.asking.model, clock)
    for name, every in minutes.items():
        await ingest.add_source(name, "memory", {}, {}, every_minutes=every)
    syncing = _Syncing(ingest, clock)
    parts: Any = {"ingest": syncing, "sources": _Sources(ingest, set(minutes)), "clock": clock}
    return replace(runtime, **parts), syncing


async def test_each_source_at_its_interval_and_never_twice_at_once(runtime: Runtime) -> None:
    clock = MovableClock(runtime.clock())
    own, syncing = await _over(runtime, clock, often=5, seldom=60)
    async with _workers(own, 2):
        await _until(lambda: len(syncing.done) >= 2)
        await asyncio.sleep(0.8)
        assert sorted(syncing.done) == ["often", "seldom"]
        clock.move(minutes=6)
        await _until(lambda: len(syncing.done) >= 3)
        await asyncio.sleep(0.8)
    assert sorted(syncing.done) == ["often", "often", "seldom"]
    assert syncing.most == 1


async def test_a_failing_source_is_tried_again_and_stops_no_other(runtime: Runtime) -> None:
    own, syncing = await _over(runtime, MovableClock(runtime.clock()), broken=5, sound=5)
    syncing.failing.add("broken")
    async with _workers(own, 1):
        await _until(lambda: syncing.tried.count("broken") >= 2 and "sound" in syncing.done)
        syncing.failing.clear()
        await _until(lambda: "broken" in syncing.done)
    assert syncing.done.count("sound") == 1


async def test_the_job_of_a_killed_worker_is_taken_over(runtime: Runtime) -> None:
    own, syncing = await _over(runtime, MovableClock(runtime.clock()), orphan=5)
    async with await psycopg.AsyncConnection.connect(runtime.database.dsn(Role.JOBS)) as queue:
        await queue.execute("set search_path to jobs")
        await queue.execute(
            "with dead as (insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 h')"
            " returning id) insert into procrastinate_jobs (queue_name, task_name, lock, args, status, worker_id)"
            " select 'sync', 'sync_source', 'source orphan', '{\"name\": \"orphan\", \"failures\": 0}', 'doing', id"
            " from dead"
        )
    async with _workers(own, 1):
        await _until(lambda: "orphan" in syncing.done)


async def test_the_queue_has_no_right_elsewhere_and_nobody_else_has_one_there(runtime: Runtime) -> None:
    async with await psycopg.AsyncConnection.connect(runtime.database.dsn(Role.JOBS)) as queue:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await queue.execute("select count(*) from biz.item")
    for role in (Role.APP, Role.STATE, Role.LOADER):
        async with await psycopg.AsyncConnection.connect(runtime.database.dsn(role)) as other:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await other.execute("select count(*) from jobs.procrastinate_jobs")


def test_the_installed_version_is_the_librarys() -> None:
    assert version("procrastinate") == jobs_schema.VERSION


async def test_an_installed_copy_from_before_starts(company: Company, database: str, tmp_path: Path) -> None:
    kept = {role.value: secret for role, secret in passwords(company.home).items() if role is not Role.JOBS}
    (tmp_path / "roles.json").write_text(json.dumps(kept))
    async with await psycopg.AsyncConnection.connect(company.dsn(database)) as admin:
        await admin.execute("drop schema jobs cascade")
    first, second = await asyncio.gather(*(prepare(company.dsn(database), tmp_path, create=True) for _ in range(2)))
    assert first == second
    assert stat.S_IMODE((tmp_path / "roles.json").stat().st_mode) == 0o600
    for role, secret in kept.items():
        assert passwords(tmp_path)[Role(role)] == secret
    async with await psycopg.AsyncConnection.connect(first[Role.JOBS]) as queue:
        row = await (await queue.execute("select version from jobs.installed")).fetchone()
    assert row == (jobs_schema.VERSION,)
    await prepare(company.dsn(database), company.home, create=True)  # the server's other home goes on
