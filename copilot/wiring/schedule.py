"""When a source is due: its own interval or its kind's, counted from its last sync by the injected clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.errors import ConnectorError
from copilot.ingest import Source
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.wiring.sources import minutes_between_syncs

_USUAL = timedelta(minutes=5)


def interval(source: Source) -> timedelta:
    """How often a source is synced; one of a kind this program does not know as often as most."""
    try:
        return timedelta(minutes=minutes_between_syncs(source))
    except ConnectorError:
        return _USUAL


def next_due(source: Source, synced: datetime | None) -> datetime | None:
    """When it is to be synced again; None for at once, as it never was."""
    return None if synced is None else synced + interval(source)


def is_due(source: Source, synced: datetime | None, now: datetime) -> bool:
    """Whether it is to be synced now."""
    due = next_due(source, synced)
    return due is None or due <= now


async def last_syncs(database: Database) -> Mapping[str, datetime | None]:
    """Source -> when it was last synced; a live confirmation of single records is no sync."""
    async with database.connection(Role.LOADER) as connection:
        rows = await (await connection.execute(query("source_last_syncs"))).fetchall()
    return {row["name"]: row["synced_at"] for row in rows}
