"""Installs the demo company into the embedded database and moves it to today."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date, datetime

from copilot.demo.people import PEOPLE
from copilot.ingest import SyncReport
from copilot.wiring.people import add_person
from copilot.wiring.runtime import Runtime

SEED = 7
_ERP, _WMS = "Demo ERP", "Demo WMS"


async def bring_demo_to_today(
    runtime: Runtime, progress: Callable[[str], None], *, epoch: date | None = None
) -> tuple[SyncReport, ...]:
    """Install the demo company if there is no source yet, else let it live on until now.

    `epoch` is its first day of business, two years ago where left out; a later one makes a smaller company with whole
    journals.
    """
    first = not await runtime.sources.load()
    if first:
        await _add_sources(runtime, epoch or _epoch(runtime.clock()), whole=epoch is not None)
    sources = [source for source in await runtime.sources.load() if source.system.startswith("demo_")]
    with _uncollected():
        reports = [
            await runtime.ingest.sync(source, runtime.sources.connector(source.name), progress=progress)
            for source in sources
        ]
    if sources:
        await _add_people(runtime)
    if first:
        await runtime.database.analyze()  # so that the first questions are planned well, a minute before autovacuum
    return tuple(reports)


@contextmanager
def _uncollected() -> Generator[None]:
    """Without the cycle collector: it would walk the hundreds of thousands of objects of the company, again and again,
    and free none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _add_sources(runtime: Runtime, epoch: date, *, whole: bool) -> None:
    settings = {"seed": SEED, "epoch": epoch.isoformat(), "whole": whole}
    await runtime.ingest.add_source(_ERP, "demo_erp", settings, {})
    same = {"item": "number", "site": "code"}
    await runtime.ingest.add_source(_WMS, "demo_wms", {**settings, "identity": same}, {}, purpose="wms")


def _epoch(now: datetime) -> date:
    """The first day of the month two years before: the demo company's first day of business."""
    return date(now.year - 2, now.month, 1)


async def _add_people(runtime: Runtime) -> None:
    """Write the demo people with their grants; those already there keep theirs."""
    for user in PEOPLE:
        await add_person(
            runtime, user.subject, user.name, user.role,
            home=user.home_region, regions=user.regions, sites=user.sites, channels=user.channels,
        )  # fmt: skip
