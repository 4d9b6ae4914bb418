"""Rows that nobody delivers: supplier performance, daily stock and availability, computed over everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from copilot.domain.clock import Clock
from copilot.ingest.published import Moment, publish_availability
from copilot.policy.policy import Policy
from copilot.store.pool import Connection
from copilot.store.queries import query

DERIVED = ("supplier_rate", "stock_snapshot")
_YEAR = timedelta(days=365)


async def derive(
    worker: Connection, *, source_id: int, batch_id: int, clock: Clock, confirmed: datetime, policy: Policy
) -> None:
    """Recompute derived rows as the worker, in one transaction; rows that come out the same are not rewritten."""
    async with worker.transaction():
        await worker.execute(query("ingest_relax_commit"))
        # The moment is fixed once no merge can get in between any more.
        await worker.execute(query("ingest_lock_derived"), {"now": clock().isoformat()})
        now = clock()
        await worker.execute(query("ingest_set_now"), {"now": now.isoformat()})
        parameters: dict[str, Any] = {"now": now, "batch": batch_id, **await _calendar(worker, now)}
        await worker.execute(query("ingest_supplier_rates"), parameters)
        await worker.execute(query("ingest_stock_snapshot"), parameters)
        zones = {site: ZoneInfo(zone) for site, zone in zip(parameters["sites"], parameters["zones"], strict=True)}
        moment = Moment(now=now, batch=batch_id, confirmed=confirmed, zones=zones)
        await publish_availability(worker, moment, policy)
        coverage = {"source": source_id, "entities": list(DERIVED), "confirmed": confirmed}
        await worker.execute(query("ingest_keep_coverage"), coverage)


async def _calendar(worker: Connection, now: datetime) -> Mapping[str, Any]:
    """Each site with its zone and its day now, and the year that ends today."""
    sites = await (await worker.execute(query("ingest_sites"))).fetchall()
    zones = [_zone(row["time_zone"]) for row in sites]
    return {
        "sites": [row["id"] for row in sites],
        "zones": [zone.key for zone in zones],
        "days": [now.astimezone(zone).date() for zone in zones],
        "start": now.date() - _YEAR,
        "end": now.date(),
        # A day more, so that no receipt is lost to a time zone.
        "since": now - _YEAR - timedelta(days=1),
    }


def _zone(name: str | None) -> ZoneInfo:
    """A zone that Python and PostgreSQL both know; UTC where the site names none that exists."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
