"""Installs the demo company into the embedded database and moves it to today."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from copilot.demo.people import PEOPLE, DemoUser
from copilot.domain.scope import Scope
from copilot.ingest import SyncReport
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.wiring.runtime import Runtime

SEED = 7
_ERP, _WMS = "Demo ERP", "Demo WMS"


async def bring_demo_to_today(
    runtime: Runtime, progress: Callable[[str], None], *, epoch: date | None = None
) -> tuple[SyncReport, ...]:
    """Install the demo company if there is no source yet, else let it live on until now.

    `epoch` is its first day of business, two years ago where left out; a later one makes a smaller company.
    """
    if not await runtime.sources.load():
        progress("setting up the demo company, once")
        await _add_sources(runtime, epoch or _epoch(runtime.clock()))
    sources = [source for source in await runtime.sources.load() if source.system.startswith("demo_")]
    reports = [
        await runtime.ingest.sync(source, runtime.sources.connector(source.name), progress=progress)
        for source in sources
    ]
    if sources:
        await _add_people(runtime)
    return tuple(reports)


async def first_questions(runtime: Runtime) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Role -> (label, question) pairs worth asking of the demo company today; none without it."""
    sources = [source for source in await runtime.sources.load() if source.system == "demo_erp"]
    if not sources:
        return {}
    from copilot.demo.showcase import questions_by_role

    return questions_by_role(runtime.clock())


async def _add_sources(runtime: Runtime, epoch: date) -> None:
    settings = {"seed": SEED, "epoch": epoch.isoformat()}
    await runtime.ingest.add_source(_ERP, "demo_erp", settings, {})
    same = {"item": "number", "site": "code"}
    await runtime.ingest.add_source(_WMS, "demo_wms", {**settings, "identity": same}, {})


def _epoch(now: datetime) -> date:
    """The first day of the month two years before: the demo company's first day of business."""
    return date(now.year - 2, now.month, 1)


async def _add_people(runtime: Runtime) -> None:
    """Write the demo people with their grants; those already there keep theirs."""
    ids = await _label_ids(runtime)
    async with runtime.database.connection(Role.OWNER) as connection:
        for user in PEOPLE:
            home = ids["region"].get(user.home_region)
            person = {"subject": user.subject, "name": user.name, "home_region": home, "demo": True}
            await connection.execute(query("put_person"), person)
            await connection.execute(query("put_grant"), _grant(user, ids, runtime.clock()))


def _grant(user: DemoUser, ids: Mapping[str, Mapping[str, int]], now: datetime) -> dict[str, object]:
    def of(kind: str, codes: tuple[str, ...] | None) -> list[int] | None:
        return None if codes is None else [ids[kind][code] for code in codes]

    return {
        "subject": user.subject,
        "role": user.role,
        "regions": of("region", user.regions),
        "sites": of("site", user.sites),
        "channels": of("channel", user.channels),
        "accounts": None,
        "now": now,
    }


async def _label_ids(runtime: Runtime) -> dict[str, dict[str, int]]:
    everything = Scope(classes=frozenset({"reference"}), regions=None, sites=None, channels=None, accounts=None)
    found: dict[str, dict[str, int]] = {"region": {}, "site": {}, "channel": {}}
    async with runtime.database.scoped_transaction(everything) as connection:
        for row in await (await connection.execute(query("label_ids"))).fetchall():
            found[row["kind"]][row["code"]] = row["id"]
    return found
