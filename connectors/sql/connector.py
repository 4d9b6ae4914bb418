"""The SQL connector: any database that SQLAlchemy speaks to, by a mapping, with select statements only."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import quote
from zoneinfo import ZoneInfo

from connectors.base import Cursor, Keys, Page, SourceInfo, SourceRecord, SourceTable
from connectors.errors import SourceProtocolError, SourceSettingsError, SourceTimeoutError, UnknownEntityError
from connectors.mapping.parse import parse_mapping
from connectors.mapping.rows import RowMapper
from connectors.mapping.spec import FieldTypes, SourceMapping
from connectors.sql.check import look
from connectors.sql.database import Database, Snapshot
from connectors.sql.describe import describe
from connectors.sql.dialects import Patience
from connectors.sql.layout import Layout, Select, lay_out
from connectors.sql.scan import Clock, Marks, Watermark, identities_of, records_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSettings:
    """Where the database is and how it is read. `overlap` is how far behind the last change seen the next pass begins:
    it has to exceed the longest transaction, whose rows bear the time it began."""

    url: str
    mapping: SourceMapping
    password: str = field(default="", repr=False)
    page_size: int = 5000
    overlap: timedelta = timedelta(minutes=15)
    patience: Patience = field(default_factory=Patience)


class SqlConnector:
    """A database as a source. An entity is read in one read-only transaction, where the database can in a snapshot."""

    def __init__(self, settings: SqlSettings, types: FieldTypes, clock: Clock = lambda: datetime.now(UTC)) -> None:
        mapping = settings.mapping
        self.system = mapping.system
        self.entities = _in_load_order(mapping, types)
        self.vanishing = frozenset(part.entity for part in mapping.entities if part.vanishing)
        self._settings = settings
        self._zone = ZoneInfo(mapping.time_zone)
        self._clock = clock
        self._database = Database(settings.url, settings.password, settings.patience)
        self._mappers = {
            entity: tuple(
                RowMapper(mapping, part, types.get(entity, {})) for part in mapping.entities if part.entity == entity
            )
            for entity in self.entities
        }
        self._layouts: dict[RowMapper, Layout] = {}

    def __repr__(self) -> str:
        return f"SqlConnector({self.system!r})"

    async def check(self) -> SourceInfo:
        return await look(self.system, self._settings.mapping, self._database, self._mappers)

    async def tables(self) -> tuple[SourceTable, ...]:
        return await self._database.run(
            f"describing {self.system}", lambda connection: describe(connection, self._database.dialect)
        )

    async def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        parts = self._parts(entity)
        before = Marks.parse(cursor, self._fingerprint(parts))
        after = Marks(before.of)
        async with self._reading(parts, f"reading {entity}") as snapshot:
            for mapper in parts:
                seen = Watermark(self._clock(), self._settings.overlap)
                mark = before.latest.get(mapper.entity.prefix)
                async for records in self._changed(snapshot, mapper, mark):
                    seen.see(records)
                    yield Page(records=records, cursor=before.cursor(), last=False)
                latest = [moment for moment in (mark, seen.latest) if moment is not None]
                if latest and mapper.entity.changed:
                    after.latest[mapper.entity.prefix] = max(latest)
        yield Page(records=(), cursor=after.cursor(), last=True)

    async def keys(self, entity: str) -> AsyncIterator[Keys]:
        parts = self._parts(entity)
        async with self._reading(parts, f"listing the keys of {entity}") as snapshot:
            for mapper in parts:
                if mapper.entity.table is None:
                    yield [(mapper.company(row), mapper.key(row)) for row in mapper.entity.rows]
                    continue
                select = (await self._layout(snapshot, mapper)).identities()
                make = partial(identities_of, mapper, select)
                async for identities in snapshot.pages(select.statement, self._settings.page_size, make):
                    yield identities

    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        parts, wanted = self._parts(entity), frozenset(keys)
        seconds = self._settings.patience.confirm
        found: list[SourceRecord] = []
        try:
            async with asyncio.timeout(seconds):
                async with self._reading(parts if wanted else (), f"confirming {entity}") as snapshot:
                    for mapper in parts:
                        found += await self._named(snapshot, mapper, wanted)
        except TimeoutError:
            raise SourceTimeoutError(
                f"{self.system} did not confirm {len(wanted)} {entity} within {seconds:g} s"
            ) from None
        return tuple(found)

    def link(self, entity: str, key: str) -> str | None:
        self._parts(entity)
        page = self._settings.mapping.pages.get(entity)
        return None if page is None else page.replace("{key}", quote(key.encode(errors="replace"), safe=""))

    async def aclose(self) -> None:
        await self._database.aclose()

    def _parts(self, entity: str) -> tuple[RowMapper, ...]:
        if entity not in self._mappers:
            known = ", ".join(self.entities)
            raise UnknownEntityError(f"the mapping of {self.system} has no entity {entity!r}; it has: {known}")
        return self._mappers[entity]

    def _fingerprint(self, parts: Sequence[RowMapper]) -> str:
        mapping = self._settings.mapping
        told = repr((mapping.time_zone, mapping.formats, [mapper.entity for mapper in parts]))
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:16]

    @asynccontextmanager
    async def _reading(self, parts: Sequence[RowMapper], doing: str) -> AsyncGenerator[Snapshot]:
        """A snapshot, which is not even connected where all rows are the mapping's own."""
        held = self._database.snapshot(f"{doing} from {self.system}")
        try:
            if any(mapper.entity.table is not None for mapper in parts):
                await held.open()
            yield held
        finally:
            await asyncio.to_thread(held.leave)

    async def _layout(self, snapshot: Snapshot, mapper: RowMapper, *, afresh: bool = False) -> Layout:
        if afresh or mapper not in self._layouts:
            self._layouts.pop(mapper, None)
            layout, complaints = await snapshot.run(lambda connection: lay_out(connection, mapper))
            if layout is None:
                told = "; ".join(complaint.message for complaint in complaints)
                raise SourceProtocolError(f"{mapper.entity.entity} can't be read from {self.system}: {told}")
            self._layouts[mapper] = layout
        return self._layouts[mapper]

    async def _changed(
        self, snapshot: Snapshot, mapper: RowMapper, mark: datetime | None
    ) -> AsyncIterator[tuple[SourceRecord, ...]]:
        if mapper.entity.table is None:
            yield tuple(mapper.record(row) for row in mapper.entity.rows)
            return
        layout = await self._layout(snapshot, mapper, afresh=True)
        if mark is None or not mapper.entity.changed:
            select = layout.everything()
        else:
            select = layout.changed_since(mark - self._settings.overlap, self._zone)
        make = partial(records_of, mapper, select)
        async for records in snapshot.pages(select.statement, self._settings.page_size, make):
            yield records

    async def _named(self, snapshot: Snapshot, mapper: RowMapper, wanted: frozenset[str]) -> list[SourceRecord]:
        if mapper.entity.table is None:
            return [mapper.record(row) for row in mapper.entity.rows if mapper.key(row) in wanted]
        if not wanted:
            return []
        layout = await self._layout(snapshot, mapper)
        if not layout.by_key:
            return await self._matching(snapshot, mapper, [layout.everything()], wanted)
        found = await self._matching(snapshot, mapper, layout.with_keys(sorted(wanted)), wanted)
        missing = sorted(wanted - {record.key for record in found}) if layout.padded else ()
        return found + await self._matching(snapshot, mapper, layout.with_keys(missing, trimmed=True), wanted)

    async def _matching(
        self, snapshot: Snapshot, mapper: RowMapper, selects: Sequence[Select], wanted: frozenset[str]
    ) -> list[SourceRecord]:
        """The records of some statements that really have these keys: a database may compare more loosely."""
        found: list[SourceRecord] = []
        for select in selects:
            make = partial(records_of, mapper, select)
            async for records in snapshot.pages(select.statement, self._settings.page_size, make):
                found += [record for record in records if record.key in wanted]
        return found


def from_answers(answers: Mapping[str, str], types: FieldTypes) -> SqlConnector:
    """A connector from what `source add sql` asked. Raises SourceSettingsError, or its MappingError."""
    settings = SqlSettings(
        url=answers["url"],
        password=answers.get("password", ""),
        mapping=parse_mapping(answers["mapping"]),
        page_size=_count(answers, "page_size", "5000", 100_000),
        overlap=timedelta(minutes=_count(answers, "overlap_minutes", "15", 24 * 60)),
    )
    return SqlConnector(settings, types)


def _count(answers: Mapping[str, str], name: str, default: str, most: int) -> int:
    text = answers.get(name) or default
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= most:
        raise SourceSettingsError(f"{name!r} is {text!r}; it must be a number between 1 and {most}")
    return int(text)


def _in_load_order(mapping: SourceMapping, types: FieldTypes) -> tuple[str, ...]:
    """The semantic model's order, in which what is referred to comes first."""
    order = {entity: place for place, entity in enumerate(types)}
    named = dict.fromkeys(part.entity for part in mapping.entities)
    return tuple(sorted(named, key=lambda entity: order.get(entity, len(order))))
