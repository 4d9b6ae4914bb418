"""The files connector: CSV and Excel files in a folder or an S3-compatible store, by a mapping.

Files are read whole whenever one of those that an entity is made of changed: a file may be written anew with any of
its rows changed, whatever its change times say.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from contextlib import aclosing
from itertools import islice
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

from connectors.base import Cursor, Keys, Page, SourceInfo, SourceRecord, SourceTable
from connectors.errors import SourceProtocolError, SourceSettingsError, UnknownEntityError
from connectors.files.bucket import Bucket, BucketSettings
from connectors.files.check import look
from connectors.files.describe import describe
from connectors.files.parts import Listing, Part
from connectors.files.recent import Recent
from connectors.files.storage import Folder, Storage
from connectors.mapping.parse import parse_mapping
from connectors.mapping.rows import RowMapper
from connectors.mapping.spec import FieldTypes, SourceMapping

PAGE_SIZE = 2000
_T = TypeVar("_T")


class FilesConnector:
    """Files as a source. A file is read as it was listed, or the pass ends with a SourceBusyError."""

    def __init__(self, storage: Storage, mapping: SourceMapping, types: FieldTypes, page_size: int = PAGE_SIZE) -> None:
        self.system = mapping.system
        self.entities = _in_load_order(mapping, types)
        self.vanishing = frozenset(part.entity for part in mapping.entities if part.vanishing)
        self._mapping = mapping
        self._storage = storage
        self._page_size = page_size
        self._recent = Recent()
        self._all = {
            entity: tuple(
                Part(RowMapper(mapping, part, types.get(entity, {})), mapping, storage)
                for part in mapping.entities
                if part.entity == entity
            )
            for entity in self.entities
        }

    def __repr__(self) -> str:
        return f"FilesConnector({self.system!r}, {self._storage!r})"

    async def check(self) -> SourceInfo:
        return await asyncio.to_thread(look, self.system, self._storage, self._all)

    async def tables(self) -> tuple[SourceTable, ...]:
        return await asyncio.to_thread(describe, self._storage, self._mapping)

    async def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        parts = self._parts(entity)
        listings = await asyncio.to_thread(_listings, parts)
        now = self._cursor(parts, listings)
        if cursor is None or _parsed(cursor) != _parsed(now):
            async with aclosing(_portions(_records(parts, listings), self._page_size)) as portions:
                async for portion in portions:
                    yield Page(records=portion, cursor=cursor, last=False)
        yield Page(records=(), cursor=now, last=True)

    async def keys(self, entity: str) -> AsyncIterator[Keys]:
        async with aclosing(_portions(_identities(self._parts(entity)), self._page_size)) as portions:
            async for portion in portions:
                yield portion

    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        parts = self._parts(entity)
        return await asyncio.to_thread(self._read, parts, frozenset(keys)) if keys else ()

    def link(self, entity: str, key: str) -> str | None:
        self._parts(entity)
        page = self._mapping.pages.get(entity)
        return None if page is None else page.replace("{key}", quote(key.encode(errors="replace"), safe=""))

    async def aclose(self) -> None:
        await asyncio.to_thread(self._storage.close)

    def _parts(self, entity: str) -> tuple[Part, ...]:
        if entity not in self._all:
            known = ", ".join(self.entities)
            raise UnknownEntityError(f"the mapping of {self.system} has no entity {entity!r}; it has: {known}")
        return self._all[entity]

    def _read(self, parts: Sequence[Part], wanted: frozenset[str]) -> tuple[SourceRecord, ...]:
        found: dict[str, SourceRecord] = {}
        for part in parts:
            for record in self._recent.records(part, part.listing(), wanted):
                held = found.get(record.key)
                if held is None or _later(record, held):
                    found[record.key] = record
        return tuple(found.values())

    def _cursor(self, parts: Sequence[Part], listings: Sequence[Listing]) -> Cursor:
        mapping = self._mapping
        told = repr((mapping.time_zone, mapping.formats, [part.entity for part in parts]))
        files: dict[str, str] = {}
        for listing in listings:
            files |= listing.versions()
        of = hashlib.sha256(told.encode(errors="replace")).hexdigest()[:16]
        return Cursor(json.dumps({"of": of, "files": files}, sort_keys=True))


async def _portions(items: Generator[_T, None, None], size: int) -> AsyncGenerator[tuple[_T, ...]]:
    """What a generator gives, portion by portion, made in a thread and closed there.

    The lock is for a pass given up while a thread is still at work: a generator that runs can't be closed.
    """
    busy = threading.Lock()

    def portion() -> tuple[_T, ...]:
        with busy:
            return tuple(islice(items, size))

    def close() -> None:
        with busy:
            items.close()

    try:
        while found := await asyncio.to_thread(portion):
            yield found
    finally:
        await asyncio.to_thread(close)


def from_answers(answers: Mapping[str, str], types: FieldTypes) -> FilesConnector:
    """A connector from what `source add files` asked. Raises SourceSettingsError, or its MappingError."""
    mapping = parse_mapping(answers["mapping"])
    return FilesConnector(storage_of(answers), mapping, types)


def storage_of(answers: Mapping[str, str]) -> Storage:
    """The place that `location` names: a folder's path, or s3://bucket/prefix. Raises SourceSettingsError."""
    location = answers["location"].strip()
    if not location.casefold().startswith("s3://"):
        return Folder(location)
    url = urlsplit(location)
    if not url.netloc or "@" in url.netloc or url.query or url.fragment:
        raise SourceSettingsError("the location can't be used; give one like 's3://bucket/prefix', without a key")
    return Bucket(
        BucketSettings(
            bucket=url.netloc,
            prefix=url.path,
            endpoint=answers.get("endpoint", ""),
            region=answers.get("region") or "us-east-1",
            access_key=answers.get("access_key", ""),
            secret_key=answers.get("secret_key", ""),
        )
    )


def _listings(parts: Sequence[Part]) -> list[Listing]:
    return [part.listing() for part in parts]


def _records(parts: Sequence[Part], listings: Sequence[Listing]) -> Generator[SourceRecord, None, None]:
    for part, listing in zip(parts, listings, strict=True):
        yield from part.records(listing)


def _identities(parts: Sequence[Part]) -> Generator[tuple[str, str], None, None]:
    for part in parts:
        yield from part.identities(part.listing())


def _later(record: SourceRecord, held: SourceRecord) -> bool:
    """Whether the ingest would take a record, which comes after another of its key, in that one's place."""
    if record.broken or held.broken or held.changed_at is None:
        return True
    return record.changed_at is not None and record.changed_at >= held.changed_at


def _parsed(cursor: Cursor) -> tuple[str, dict[str, str]]:
    try:
        raw = cast("Mapping[str, Any]", json.loads(cursor.value))
        return str(raw["of"]), {str(name): str(version) for name, version in raw["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SourceProtocolError(f"the cursor {cursor.value!r} is not one of this connector's") from None


def _in_load_order(mapping: SourceMapping, types: FieldTypes) -> tuple[str, ...]:
    """The semantic model's order, in which what is referred to comes first."""
    order = {entity: place for place, entity in enumerate(types)}
    named = dict.fromkeys(part.entity for part in mapping.entities)
    return tuple(sorted(named, key=lambda entity: order.get(entity, len(order))))
