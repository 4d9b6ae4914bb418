"""A connector over records in memory: the shipped fake, and the smallest complete example of a connector."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connectors.base import Cursor, Keys, LabelOption, Page, SourceInfo, SourceRecord
from connectors.errors import ConnectorError, UnknownEntityError

_DAWN = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryConnector:
    """Serves what it was given. `put` and `drop` change it; `fail` makes every later call raise."""

    def __init__(
        self,
        system: str,
        entities: Sequence[str],
        records: Iterable[SourceRecord] = (),
        *,
        labels: tuple[LabelOption, ...] = (),
        page_size: int = 100,
        overlap: timedelta = timedelta(minutes=15),
        base_url: str = "https://memory.example",
    ) -> None:
        self.system = system
        self.entities = tuple(entities)
        self.vanishing = frozenset(entities)
        self._labels = labels
        self._page_size = page_size
        self._overlap = overlap
        self._base_url = base_url
        self._records: dict[tuple[str, str, str], SourceRecord] = {}
        self._failure: ConnectorError | None = None
        self.put(*records)

    def put(self, *records: SourceRecord) -> None:
        """Add records or replace them."""
        for record in records:
            self._records[record.entity, record.company, record.key] = record

    def drop(self, entity: str, company: str, key: str) -> None:
        """Delete a record."""
        del self._records[entity, company, key]

    def all(self, entity: str) -> tuple[SourceRecord, ...]:
        """Every record of one entity."""
        return tuple(self._of(entity))

    def fail(self, error: ConnectorError | None) -> None:
        """Raise this from now on, or work again for None."""
        self._failure = error

    async def check(self) -> SourceInfo:
        self._stand()
        return SourceInfo(system=self.system, version="memory", labels=self._labels, unreadable=())

    async def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        self._stand(entity)
        mark = _mark(cursor)
        since = mark - self._overlap if mark > _DAWN else _DAWN
        found = sorted(
            (r for r in self._of(entity) if (r.changed_at or _DAWN) >= since),
            key=lambda r: (r.changed_at or _DAWN, r.company, r.key),
        )
        for start in range(0, len(found), self._page_size) or (0,):
            part = tuple(found[start : start + self._page_size])
            mark = max([mark, *(r.changed_at or _DAWN for r in part)])
            yield Page(records=part, cursor=_cursor(mark), last=start + self._page_size >= len(found))

    async def keys(self, entity: str) -> AsyncIterator[Keys]:
        self._stand(entity)
        found = [(r.company, r.key) for r in self._of(entity)]
        for start in range(0, len(found), self._page_size):
            yield found[start : start + self._page_size]

    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        self._stand(entity)
        wanted = set(keys)
        return tuple(r for r in self._of(entity) if r.key in wanted)

    def link(self, entity: str, key: str) -> str | None:
        return f"{self._base_url}/{entity}/{key}"

    async def aclose(self) -> None:
        """Nothing to close."""

    def _of(self, entity: str) -> list[SourceRecord]:
        return [r for (name, _, _), r in self._records.items() if name == entity]

    def _stand(self, entity: str | None = None) -> None:
        if self._failure is not None:
            raise self._failure
        if entity is not None and entity not in self.entities:
            raise UnknownEntityError(f"no entity {entity!r}; this source has {', '.join(self.entities)}")


def _cursor(mark: datetime) -> Cursor:
    return Cursor(json.dumps({"mark": mark.isoformat()}))


def _mark(cursor: Cursor | None) -> datetime:
    if cursor is None:
        return _DAWN
    stored: Mapping[str, str] = json.loads(cursor.value)
    return datetime.fromisoformat(stored["mark"])
