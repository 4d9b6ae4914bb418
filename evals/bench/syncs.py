"""How many records a second a sync takes in, beside COPY into the same tables and indexes, and how that grows."""

from __future__ import annotations

import math
import resource
import time
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any

import psycopg
from psycopg import sql

from connectors.base import Connector
from copilot.domain.clock import system_clock
from copilot.ingest import Ingest, Source
from copilot.semantic.model import load_model
from copilot.store.pool import Database
from copilot.store.setup import prepare
from evals.bench.figure import Figure, middle
from evals.bench.volume import VolumeConnector
from evals.company import Company, open_server

_SIZES = (10_000, 100_000, 1_000_000)
_ROUNDS = {10_000: 5, 100_000: 3, 1_000_000: 1}
_RATIO, _EXPONENT, _GROWTH_MB, _HELD_MB = 0.5, 1.05, 64.0, 16.0
_FILLED = """
    select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and (n.nspname = 'biz' or (n.nspname = 'core' and c.relname = 'identity'))
       and pg_relation_size(c.oid) > 0 order by c.oid
"""
_MEGABYTE = 1_000_000
_IN_MEMORY = 50 * _MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One load: how many records a connector gave and how many rows stood in the tables afterwards, the seconds of the
    sync, of COPY with the same rows, and of the connector alone, and how far memory grew; then the seconds of a second
    sync, which finds nothing changed and compares all keys, and the most memory that a third one of that kind held."""

    records: int
    rows: int
    sync: float
    copy: float
    source: float
    grown_mb: float
    again: float
    held_mb: float


async def measure_syncs(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """First loads of growing size, each in a database of its own on one server with fsync on."""
    async with open_server() as company:
        loads: dict[int, list[Loaded]] = {}
        for size in _SIZES:
            for _ in range(_ROUNDS[size]):
                loaded = await _load(company, size)
                say(f"{loaded.records:,} records: sync {loaded.sync:.1f} s, COPY {loaded.copy:.1f} s")
                loads.setdefault(size, []).append(loaded)
    for size in _SIZES:
        yield _ratio(size, loads[size])
    for size in _SIZES:
        yield _rate(size, loads[size])
    small, large = loads[_SIZES[0]], loads[_SIZES[-1]]
    yield Figure(
        name="sync, growth of time from 10k to 1M records",
        value=math.log(_seconds(large) / _seconds(small)) / math.log(large[0].records / small[0].records),
        unit="exponent",
        goal=_EXPONENT,
    )
    yield Figure(
        name="sync, memory grown by 1M records",
        value=large[0].grown_mb,
        unit="MB",
        goal=_GROWTH_MB,
    )
    for figure in _second(small, large):
        yield figure


def _second(small: list[Loaded], large: list[Loaded]) -> tuple[Figure, Figure]:
    rate = middle([loaded.records / loaded.again for loaded in large])
    held = middle([loaded.held_mb for loaded in small])
    return (
        Figure(name="second sync, 1M keys compared", value=rate, unit="keys/s"),
        Figure(
            name="second sync, memory held at most, 1M keys (beside: 10k)",
            value=large[0].held_mb,
            unit="MB",
            goal=_HELD_MB,
            peer=held,
        ),
    )


def _ratio(size: int, loads: list[Loaded]) -> Figure:
    return Figure(
        name=f"sync against COPY, {size:,} records",
        value=middle([loaded.copy / loaded.sync for loaded in loads]),
        unit="of COPY's speed",
        goal=_RATIO,
        at_most=False,
    )


def _rate(size: int, loads: list[Loaded]) -> Figure:
    return Figure(
        name=f"sync, {size:,} records",
        value=middle([loaded.records / loaded.sync for loaded in loads]),
        unit="records/s",
        peer=middle([loaded.records / loaded.copy for loaded in loads]),
    )


def _seconds(loads: list[Loaded]) -> float:
    return middle([loaded.sync for loaded in loads])


async def _load(company: Company, size: int) -> Loaded:
    with company.clone() as name:
        dsn = company.dsn(name)
        connector = VolumeConnector(size)
        source = await _drained(connector)
        async with _ingest(company, dsn) as (ingest, kept):
            before = _resident_mb()
            seconds = await _sync(ingest, kept, connector, changed=connector.rows)
            grown = _resident_mb() - before
            again = await _sync(ingest, kept, connector, changed=0)
            held = await _held_mb(ingest, kept, connector)
        with psycopg.connect(dsn, autocommit=True) as admin:
            rows, copy = _copied(admin)
    return Loaded(
        records=connector.rows, rows=rows, sync=seconds, copy=copy, source=source, grown_mb=grown, again=again,
        held_mb=held,
    )  # fmt: skip


async def _drained(connector: Connector) -> float:
    begun = time.perf_counter()
    for entity in connector.entities:
        async for _ in connector.changes(entity, None):
            pass
    return time.perf_counter() - begun


@asynccontextmanager
async def _ingest(company: Company, dsn: str) -> AsyncGenerator[tuple[Ingest, Source]]:
    database = Database(await prepare(dsn, company.home, create=False))
    try:
        ingest = Ingest(database, load_model(), system_clock)
        await ingest.add_source("volume", "volume", {}, {})
        (source,) = await ingest.sources()
        yield ingest, source
    finally:
        await database.close()


async def _sync(ingest: Ingest, source: Source, connector: VolumeConnector, *, changed: int) -> float:
    begun = time.perf_counter()
    report = await ingest.sync(source, connector)
    seconds = time.perf_counter() - begun
    if report.quarantined or report.removed or report.changed != changed:
        raise RuntimeError(
            f"of {connector.rows} records {report.changed} changed, {report.removed} went and {report.quarantined}"
            f" were set aside; {changed} should have changed"
        )
    return seconds


async def _held_mb(ingest: Ingest, source: Source, connector: VolumeConnector) -> float:
    """What Python held at most beyond what it held before. Slows the sync down, so its time says nothing."""
    tracemalloc.start()
    try:
        await _sync(ingest, source, connector, changed=0)
        return tracemalloc.get_traced_memory()[1] / _MEGABYTE
    finally:
        tracemalloc.stop()


def _copied(admin: psycopg.Connection[Any]) -> tuple[int, float]:
    """Rows and seconds of putting back by COPY, in one go, what the sync left, with all indexes in place."""
    tables = [sql.SQL(name) for (name,) in admin.execute(_FILLED).fetchall()]
    with ExitStack() as files:
        kept = [_taken(admin, table, files.enter_context(SpooledTemporaryFile(_IN_MEMORY))) for table in tables]
        return _put_back(admin, tables, kept)


def _put_back(
    admin: psycopg.Connection[Any], tables: list[sql.SQL], kept: list[SpooledTemporaryFile[bytes]]
) -> tuple[int, float]:
    admin.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(tables)))
    admin.execute("checkpoint")
    rows = 0
    begun = time.perf_counter()
    for table, file in zip(tables, kept, strict=True):
        with admin.cursor() as cursor:
            with cursor.copy(sql.SQL("copy {} from stdin").format(table)) as into:
                while chunk := file.read(_MEGABYTE):
                    into.write(chunk)
            rows += cursor.rowcount
    return rows, time.perf_counter() - begun


def _taken(
    admin: psycopg.Connection[Any], table: sql.Composable, file: SpooledTemporaryFile[bytes]
) -> SpooledTemporaryFile[bytes]:
    with admin.cursor() as cursor, cursor.copy(sql.SQL("copy {} to stdout").format(table)) as out:
        for chunk in out:
            file.write(chunk)
    file.seek(0)
    return file


def _resident_mb() -> float:
    """The most this process ever held, in MB; only grows, so the sizes are measured from small to large."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
