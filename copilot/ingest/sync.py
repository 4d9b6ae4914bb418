"""The ingest: one sync of one source at a time, entity by entity, each merged in a transaction of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, replace

import psycopg
from psycopg.types.json import Jsonb

from connectors.base import Connector, SourceRecord
from connectors.errors import ConnectorError, SkippableSourceError
from copilot.domain.clock import Clock
from copilot.errors import CopilotError, SourceConfigError, SyncRunningError
from copilot.ingest.ahead import ReadAhead, read_ahead
from copilot.ingest.derived import derive
from copilot.ingest.merge import merge
from copilot.ingest.quality.after import judge
from copilot.ingest.quality.gate import note_stopped
from copilot.ingest.quality.published import Delivery
from copilot.ingest.reading import open_staging
from copilot.ingest.removal import Counts, remove_gone, remove_keys
from copilot.ingest.report import Confirmation, EntityReport, Progress, Source, SyncReport
from copilot.ingest.run import CONFIRM_PATIENCE, Consent, Run
from copilot.ingest.sources import keep_source, list_sources
from copilot.ingest.statements import staging
from copilot.policy.policy import PolicyNow, shipped_policy
from copilot.semantic.model import HINTS, Entity, SemanticModel
from copilot.store.pool import Connection, Database
from copilot.store.queries import query
from copilot.store.roles import Role

LabelMap = Mapping[str, Mapping[str, str]]
Reports = dict[str, EntityReport]


def _silent(_: str) -> None:
    """Nobody is listening."""


class Ingest:
    """Keeps the labelled copy of what the sources hold."""

    def __init__(
        self, database: Database, model: SemanticModel, clock: Clock, policy: PolicyNow = shipped_policy
    ) -> None:
        self._database = database
        self._model = model
        self._clock = clock
        self._policy = policy

    async def add_source(
        self,
        name: str,
        system: str,
        settings: Mapping[str, object],
        label_map: LabelMap,
        *,
        purpose: str = "erp",
        every_minutes: int | None = None,
    ) -> int:
        """Add a source or change the one of this name; returns its id.

        `label_map` gives, for "region", "site" and "channel", our code for a hint or a source key ("" for no hint,
        "*" for shared by all). "identity" among the settings, such as {"item": "number"}, says by which field its
        masters are recognised as ours. Raises SourceConfigError for what can't be used.
        """
        source = Source(
            id=0, name=name, system=system, settings=settings, label_map=label_map, purpose=purpose,
            every_minutes=every_minutes,
        )  # fmt: skip
        async with self._database.connection(Role.LOADER) as connection:
            return await keep_source(connection, self._model, source, self._clock())

    async def sources(self) -> tuple[Source, ...]:
        """Every source, in the order added."""
        async with self._database.connection(Role.LOADER) as connection:
            return await list_sources(connection)

    async def sync(
        self,
        source: Source,
        connector: Connector,
        *,
        full: bool = False,
        consent: Consent | None = None,
        progress: Progress = _silent,
    ) -> SyncReport:
        """Bring the copy up to the source: everything changed since the last sync, or everything at all if `full`.

        Each entity is merged whole or not at all, and its cursor kept with it. Raises SyncRunningError while another
        sync of the source runs, SourceConfigError when most of an entity would go (unless `full`), QualityError when
        too much of it is unsound (unless by `consent`), and what the connector raises; a SkippableSourceError only
        leaves its entity as it is.
        """
        entities = load_order(self._model, source, connector.entities)
        async with _session(self._database) as connection, _alone(connection, source):
            run = replace(await self._begin(connection, source, full=full), consent=consent)
            async with self._batch(run) as reports:
                await _sweep(run)
                async with self._reading(run, connector, entities, progress) as ahead:
                    await self._sync(run, ahead, entities, reports, progress)
                await self._judge(run, entities, reports, progress)
        return SyncReport(source=source.name, batch_id=run.batch_id, entities=reports)

    async def confirm(
        self, source: Source, entity: str, records: Iterable[SourceRecord], *, asked: Collection[str] = ()
    ) -> Confirmation:
        """Merge a live re-read of few records and say which differ from the copy.

        `asked` are the keys that were read: those without a record are removed. Raises SyncRunningError when a merge
        keeps it waiting; the copy is as it was then.
        """
        known = tuple(records)
        gone = sorted(set(asked) - {record.key for record in known})
        async with _session(self._database) as connection, connection.transaction():
            run = replace(await self._begin(connection, source), patience=CONFIRM_PATIENCE)
            async with self._batch(run) as reports:
                return await _confirm(run, self._model[entity], known, gone, reports)

    async def _begin(self, connection: Connection, source: Source, *, full: bool = False) -> Run:
        parameters = {"source": source.id, "now": self._clock()}
        row = await (await connection.execute(query("ingest_begin_batch"), parameters)).fetchone()
        batch_id: int = row["id"] if row else 0
        return Run(
            connection=connection, model=self._model, source=source, batch_id=batch_id, clock=self._clock, full=full
        )

    @asynccontextmanager
    async def _batch(self, run: Run) -> AsyncGenerator[Reports]:
        """Whatever happens, the batch says how it ended."""
        reports: Reports = {}
        try:
            yield reports
        except BaseException as error:
            with suppress(psycopg.Error):  # the next sync finds a batch without an outcome
                await _end(run, reports, error)
            raise
        await _end(run, reports, None)

    @asynccontextmanager
    async def _reading(
        self, run: Run, connector: Connector, entities: tuple[Entity, ...], progress: Progress
    ) -> AsyncGenerator[ReadAhead]:
        async with (
            _session(self._database) as connection,
            read_ahead(replace(run, connection=connection), connector, entities, progress) as ahead,
        ):
            yield ahead

    async def _sync(
        self, run: Run, ahead: ReadAhead, entities: tuple[Entity, ...], reports: Reports, progress: Progress
    ) -> None:
        confirmed = self._clock()
        checked: set[str] = set()
        for entity in entities:
            if await _sync_entity(run, ahead, entity, reports, progress):
                checked.add(entity.name)
        read = tuple(entity.name for entity in entities if reports[entity.name].skipped is None)
        _count_removed(reports, await remove_gone(run, read, confirmed, frozenset(checked)))
        async with self._database.connection(Role.WORKER) as worker:
            await derive(
                worker, source_id=run.source.id, batch_id=run.batch_id, clock=self._clock, confirmed=confirmed,
                policy=await self._policy(),
            )  # fmt: skip

    async def _judge(self, run: Run, entities: tuple[Entity, ...], reports: Reports, progress: Progress) -> None:
        delivery = Delivery(
            offered=[entity.name for entity in entities],
            changed=[name for name, report in reports.items() if report.changed or report.removed],
            skipped=[name for name, report in reports.items() if report.skipped],
        )
        async with self._database.connection(Role.WORKER) as worker:
            await judge(run, worker, delivery, progress)


def load_order(model: SemanticModel, source: Source, offered: tuple[str, ...]) -> tuple[Entity, ...]:
    """What a source offers, in the order it can be merged: labels first, then what is referred to before what refers.

    Raises SourceConfigError for an entity that is unknown or that nobody delivers.
    """
    for name in offered:
        if name not in model.entities or model[name].derived:
            raise SourceConfigError(f"{source.name!r} offers {name!r}, which is no entity a source can deliver")
    known = [entity for entity in model.entities.values() if entity.name in offered]
    return tuple(sorted(known, key=lambda entity: entity.name not in HINTS))


async def _sync_entity(run: Run, ahead: ReadAhead, entity: Entity, reports: Reports, progress: Progress) -> bool:
    """Read and merge one entity and report on it; returns whether its living keys are staged."""
    try:
        living, again = await _read_and_merge(run, ahead, entity, reports, progress)
        if again:
            living, _ = await _read_and_merge(run, ahead, entity, reports, progress)
    except SkippableSourceError as error:
        progress(f"{entity.title}: {error}")
        reports[entity.name] = replace(reports.get(entity.name, EntityReport()), skipped=error.code)
        return False
    return living


async def _read_and_merge(
    run: Run, ahead: ReadAhead, entity: Entity, reports: Reports, progress: Progress
) -> tuple[bool, bool]:
    """Read and merge once; returns whether the living keys are staged, and whether it has to be done once more."""
    reading = await ahead.take(entity)
    merged = await merge(run, entity, reading.staging, confirmed=reading.begun, cursor=reading.cursor)
    if merged.unsettled or merged.again:
        await ahead.read_again()
    report = reports.get(entity.name, EntityReport())
    reports[entity.name] = replace(
        report,
        read=report.read + reading.staging.read,
        changed=report.changed + merged.changed,
        quarantined=len(merged.quarantined),
    )
    _count_removed(reports, merged.removed)
    progress(f"{entity.title}: {reading.staging.read:,} read, {merged.changed:,} changed")
    return reading.living, merged.again


async def _confirm(
    run: Run, entity: Entity, records: tuple[SourceRecord, ...], gone: list[str], reports: Reports
) -> Confirmation:
    into = await open_staging(run, entity)
    await into.take(records)
    await into.flush()
    merged = await merge(run, entity, into, confirmed=run.clock(), cursor=None, live=True)
    reports[entity.name] = EntityReport(read=into.read, changed=merged.changed, quarantined=len(merged.quarantined))
    _count_removed(reports, merged.removed)
    if gone:
        _count_removed(reports, await remove_keys(run, {entity.name: gone}, await run.enter_merge()))
    return Confirmation(differed=merged.written, removed=frozenset(gone), quarantined=merged.quarantined)


def _count_removed(reports: Reports, removed: Counts) -> None:
    """Add to the reports; what hung on a removed row is counted with its own entity, whoever delivers it."""
    for name, count in removed.items():
        report = reports.get(name, EntityReport())
        reports[name] = replace(report, removed=report.removed + count)


async def _sweep(run: Run) -> None:
    """Clear away what a killed sync left."""
    parameters = {"source": run.source.id, "batch": run.batch_id, "now": run.clock()}
    async with run.connection.transaction():
        await run.connection.execute(query("ingest_abandoned_batches"), parameters)
        await run.connection.execute(query("ingest_clear_living"), parameters)
        staged = [entity.name for entity in run.model.entities.values() if not entity.derived]
        filled = await run.connection.execute(query("ingest_filled_stages"), {"entities": staged})
        for row in await filled.fetchall():
            await run.connection.execute(query("ingest_clear_stage").format(stage=staging(row["entity"])), parameters)


async def _end(run: Run, reports: Reports, error: BaseException | None) -> None:
    counts = {name: asdict(report) for name, report in reports.items() if report != EntityReport()}
    parameters = {
        "batch": run.batch_id,
        "now": run.clock(),
        "outcome": "merged" if error is None else "failed",
        "counts": Jsonb(counts),
        "error": None if error is None else _code(error),
    }
    await run.connection.execute(query("ingest_end_batch"), parameters)
    await note_stopped(run)


def _code(error: BaseException) -> str:
    if isinstance(error, CopilotError | ConnectorError):
        return error.code
    return "database" if isinstance(error, psycopg.Error) else "interrupted"


@asynccontextmanager
async def _session(database: Database) -> AsyncGenerator[Connection]:
    """A loader's connection in autocommit: every transaction is opened by name."""
    async with database.connection(Role.LOADER) as connection:
        await connection.set_autocommit(True)
        try:
            yield connection
        finally:
            with suppress(psycopg.Error):
                await connection.set_autocommit(False)


@asynccontextmanager
async def _alone(connection: Connection, source: Source) -> AsyncGenerator[None]:
    """The source's lock, given back with the connection at the latest."""
    row = await (await connection.execute(query("ingest_lock_source"), {"source": source.id})).fetchone()
    if row is None or not row["locked"]:
        raise SyncRunningError(f"another sync of {source.name!r} is running; wait for it to end")
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            await connection.execute(query("ingest_unlock_source"), {"source": source.id})
