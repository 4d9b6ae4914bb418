"""Background jobs: every source synced at its own interval, by any number of workers on the same PostgreSQL.

Each worker looks every few seconds which sources are due and queues them; a queueing lock keeps that to one job per
source and a lock to one running. When a source is due is judged by our clock from its last sync, not by the queue, so
a job that was lost is made again by the next look.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

from connectors.errors import ConnectorError
from copilot.errors import CopilotError, SyncRunningError
from copilot.ingest import Source
from copilot.store.roles import Role
from copilot.wiring.runtime import Runtime
from copilot.wiring.schedule import is_due, last_syncs

_TASK, _QUEUE = "sync_source", "sync"
_KEEP_HOURS = 24
_PURGE_EVERY = timedelta(hours=1)
_MODEL_USE_KEPT = timedelta(days=90)
_LONGEST_WAIT_SECONDS = 300
_PAUSE_SECONDS = 5
"""How long to wait before a worker that lost the database begins again."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often the queue is looked after, in seconds."""

    look: float = 10
    poll: float = 5
    heartbeat: float = 10
    dead_after: float = 60
    """A worker without a heartbeat for so long was killed; its jobs are made anew."""
    first_retry: float = 30
    """After a failure; doubled with every further one, up to five minutes."""
    grace: float = 1
    """How long a sync may go on when the worker is to end; it is cancelled then, and done again at the next start."""


class Jobs:
    """One worker: it queues what is due and runs what is queued."""

    def __init__(self, runtime: Runtime, *, say: Callable[[str], None], pace: Pace | None = None) -> None:
        self._runtime = runtime
        self._say = say
        self._pace = pace or Pace()
        self._app = App(connector=_connector(runtime))
        self._app.task(name=_TASK, queue=_QUEUE)(self._sync_source)
        self._purged: datetime | None = None

    async def run(self, *, concurrency: int = 2) -> None:
        """Work until cancelled; a database that went away is waited for."""
        while True:
            try:
                await self._work(concurrency)
            except (ConnectorException, CopilotError) as error:
                _log.warning("the worker begins again: %s", type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _work(self, concurrency: int) -> None:
        async with self._app.open_async():
            looking = asyncio.create_task(self._look_after())
            try:
                await self._app.run_worker_async(
                    queues=[_QUEUE],
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=self._pace.poll,
                    update_heartbeat_interval=self._pace.heartbeat,
                    stalled_worker_timeout=self._pace.dead_after,
                    shutdown_graceful_timeout=self._pace.grace,
                )
            finally:
                looking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await looking

    async def _look_after(self) -> None:
        while True:
            try:
                await self._take_over()
                await self.queue_due()
                await self._purge()
            except (ConnectorException, CopilotError) as error:
                _log.warning("the queue was not looked after: %s", type(error).__name__)
            except Exception:  # noqa: BLE001 -- the next look tries again
                _log.exception("the queue was not looked after")
            await asyncio.sleep(self._pace.look)

    async def queue_due(self) -> None:
        """Queue every source that is due and isn't queued; sources are read afresh, so one just added is among them."""
        sources = await self._runtime.sources.load()
        synced = await last_syncs(self._runtime.database)
        for source in sources:
            if is_due(source, synced.get(source.name), self._runtime.clock()) and not await self._running(source):
                await self._queue(source.name, failures=0, wait=None)

    async def _running(self, source: Source) -> bool:
        """A job behind one that runs would only find that nothing is due."""
        doing = await self._app.job_manager.list_jobs_async(task=_TASK, lock=_lock(source.name), status="doing")
        return bool(list(doing))

    async def _queue(self, name: str, *, failures: int, wait: float | None) -> None:
        later = None if wait is None else {"milliseconds": round(wait * 1000)}
        deferrer = self._app.configure_task(
            _TASK, queue=_QUEUE, lock=_lock(name), queueing_lock=_lock(name), schedule_in=later
        )  # fmt: skip
        with contextlib.suppress(AlreadyEnqueued):
            await deferrer.defer_async(name=name, failures=failures)

    async def _sync_source(self, name: str, failures: int) -> None:
        """Sync a source if it still is due. A failure queues the next attempt and is this job's outcome."""
        source = {each.name: each for each in await self._runtime.sources.load()}.get(name)
        synced = await last_syncs(self._runtime.database)
        if source is None or not is_due(source, synced.get(name), self._runtime.clock()):
            return
        try:
            await self._runtime.ingest.sync(source, self._runtime.sources.connector(name))
        except SyncRunningError:
            return  # somebody syncs it by hand; the next look finds out what came of it
        except Exception as error:
            self._tell(name, error)
            wait = min(self._pace.first_retry * 2 ** min(failures, 10), _LONGEST_WAIT_SECONDS)
            await self._queue(name, failures=failures + 1, wait=wait)
            raise

    def _tell(self, name: str, error: Exception) -> None:
        if isinstance(error, (CopilotError, ConnectorError)):
            self._say(f"{name}: {error}")
            return
        _log.error("the sync of %s failed", name, exc_info=error)
        self._say(f"{name}: not synced ({type(error).__name__}); it will be tried again")

    async def _take_over(self) -> None:
        """End the jobs of workers that were killed: their sources are still due, and are queued again."""
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(task_name=_TASK, seconds_since_heartbeat=self._pace.dead_after):
            with contextlib.suppress(ConnectorException):  # another worker was quicker
                await manager.finish_job(job, Status.FAILED, delete_job=True)

    async def _purge(self) -> None:
        now = self._runtime.clock()
        if self._purged is None or now - self._purged >= _PURGE_EVERY:
            self._purged = now
            await self._app.job_manager.delete_old_jobs(
                nb_hours=_KEEP_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
            )
            kept = (await self._runtime.policy()).everywhere.pseudonyms_kept
            if kept:  # a policy that says nothing destroys nothing
                await self._runtime.asking.pseudonyms.vaults.expire(kept)
            await self._runtime.model_use.forget((now - _MODEL_USE_KEPT).date())


def _lock(name: str) -> str:
    return f"source {name}"


def _connector(runtime: Runtime) -> PsycopgConnector:
    own: Mapping[str, str] = {"options": "-c search_path=jobs", "application_name": "erp-copilot jobs"}
    return PsycopgConnector(conninfo=runtime.database.dsn(Role.JOBS), kwargs=dict(own), min_size=1, max_size=4)
