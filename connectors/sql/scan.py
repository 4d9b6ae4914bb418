"""Reading one mapped part of an entity: what changed, which records there are, records by key.

The mark of a part is the latest change seen, so that a copy of the source that lags behind loses nothing. A change time
in the future (a mistyped year) does not move the mark, or everything changed before it would be passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from connectors.base import Cursor, SourceRecord
from connectors.errors import SourceProtocolError
from connectors.mapping.rows import RowMapper
from connectors.sql.layout import Select

Clock = Callable[[], datetime]


@dataclass(slots=True)
class Marks:
    """How far each part of an entity has been read, by its prefix. `of` is the mapping they were made under: under
    another one everything is read anew, or unchanged rows would keep the old one's values."""

    of: str
    latest: dict[str, datetime] = field(default_factory=dict[str, datetime])

    @classmethod
    def parse(cls, cursor: Cursor | None, of: str) -> Marks:
        """The marks in a cursor. Raises SourceProtocolError for a cursor that isn't ours."""
        if cursor is None:
            return cls(of)
        try:
            raw = cast("Mapping[str, Any]", json.loads(cursor.value))
            latest = {prefix: _moment(mark) for prefix, mark in raw["latest"].items()}
            return cls(of, latest) if raw["of"] == of else cls(of)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SourceProtocolError(f"the cursor {cursor.value!r} is not one of this connector's") from None

    def cursor(self) -> Cursor:
        """The marks as a cursor."""
        latest = {prefix: mark.isoformat() for prefix, mark in sorted(self.latest.items())}
        return Cursor(json.dumps({"of": self.of, "latest": latest}))


class Watermark:
    """The latest change of the rows that went by, as far as it lies in the past."""

    def __init__(self, now: datetime, tolerance: timedelta) -> None:
        self._horizon = now + tolerance
        self.latest: datetime | None = None

    def see(self, records: Sequence[SourceRecord]) -> None:
        """Take note of some records."""
        times = (record.changed_at for record in records)
        past = [moment for moment in times if moment is not None and moment <= self._horizon]
        if past:
            newest = max(past)
            self.latest = newest if self.latest is None else max(self.latest, newest)


def records_of(mapper: RowMapper, select: Select, rows: Sequence[Sequence[object]]) -> tuple[SourceRecord, ...]:
    """The records that some rows of a statement are."""
    return tuple(mapper.record(row) for row in map(select.row, rows) if mapper.wanted(row))


def identities_of(mapper: RowMapper, select: Select, rows: Sequence[Sequence[object]]) -> set[tuple[str, str]]:
    """(company, key) of those of some rows that are records and have a key."""
    wanted = (row for row in map(select.row, rows) if mapper.wanted(row))
    named = ((mapper.company(row), mapper.key(row)) for row in wanted)
    return {(company, key) for company, key in named if key and isinstance(company, str)}  # pyright: ignore[reportUnnecessaryIsInstance] -- a raw value is handed on as it is


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a mark without a zone")
    return found.astimezone(UTC)
