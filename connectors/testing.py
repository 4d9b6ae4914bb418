"""What every connector has to pass. Subclass `ConnectorConformance` in a test module and say how to connect.

Written without pytest, so that importing it costs nothing: the methods are plain asserts that pytest-asyncio runs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from connectors.base import Connector, Cursor, Page, SourceRecord, Value
from connectors.errors import ConnectorError, FatalSourceError, RetriableSourceError, SourceAuthFailedError

Breakage = Literal["unreachable", "unauthorised", "slow"]
Known = dict[str, dict[tuple[str, str], SourceRecord]]

_SAMPLE = 25
_KEYS_AT_ONCE = 10_000


class ConnectorConformance:
    """The suite. `known` is read once per class, so the source must hold still while it runs."""

    host: ClassVar[str] = ""
    """The host that links have to be on."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """What may never be seen in a repr or an error."""
    references: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """entity -> field -> entity referred to, for the entities and fields that the connector has."""
    required: ClassVar[Mapping[str, frozenset[str]]] = {}
    """entity -> fields that may not be empty."""
    codes: ClassVar[Mapping[str, Mapping[str, frozenset[str]]]] = {}
    """entity -> field -> the codes it may hold."""
    fields: ClassVar[Mapping[str, frozenset[str]]] = {}
    """entity -> the fields it may have."""
    _known: ClassVar[dict[type, Known]] = {}

    def connect(self) -> Connector:
        """A working connector."""
        raise NotImplementedError

    def connect_broken(self, how: Breakage) -> Connector | None:
        """One whose source can't be reached, doesn't take the credentials, or doesn't answer; None: can't be tried."""
        del how
        return None

    late_entity: ClassVar[str] = ""
    """The entity that `late_change` changes."""

    def late_change(self) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]]] | None:
        """Begins a change when entered, commits it when what it gives is called, undoes it when left.

        None: can't be tried.
        """
        return None

    async def test_check_says_what_the_source_is(self) -> None:
        connector = self.connect()
        info = await connector.check()
        await connector.aclose()
        assert info.system == connector.system
        assert info.version
        assert {found.entity for found in info.unreadable} <= set(connector.entities)
        options = [(option.kind, option.key) for option in info.labels]
        assert len(options) == len(set(options))

    async def test_pages_end_once_and_doubles_agree(self) -> None:
        connector = self.connect()
        for entity in connector.entities:
            pages = await _pages(connector, entity, None)
            assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True], entity
            seen: dict[tuple[str, str], SourceRecord] = {}
            for record in _records(pages):
                assert record.entity == entity
                assert seen.setdefault((record.company, record.key), record) == record
            assert pages[-1].cursor is not None, entity
            for page in pages:
                assert page.cursor is None or json.loads(json.dumps(page.cursor.value)) == page.cursor.value
        await connector.aclose()

    async def test_keys_agree_with_changes(self) -> None:
        known = await self.known()
        connector = self.connect()
        for entity in connector.entities:
            portions = [portion async for portion in connector.keys(entity)]
            assert {key for portion in portions for key in portion} == set(known[entity]), entity
            assert all(len(portion) <= _KEYS_AT_ONCE for portion in portions), entity
        await connector.aclose()

    async def test_a_pass_can_be_taken_up_at_any_page(self) -> None:
        known = await self.known()
        connector = self.connect()
        for entity in connector.entities:
            pages = await _pages(connector, entity, None)
            for done in sorted({1, len(pages) // 2, len(pages) - 1} - {0}):
                rest = await _pages(connector, entity, pages[done - 1].cursor)
                assert _index(_records([*pages[:done], *rest])) == known[entity], entity
        await connector.aclose()

    async def test_the_same_cursor_gives_the_same(self) -> None:
        known = await self.known()
        connector = self.connect()
        for entity in connector.entities:
            cursor = (await _pages(connector, entity, None))[-1].cursor
            first, second = await _pages(connector, entity, cursor), await _pages(connector, entity, cursor)
            assert _index(_records(first)) == _index(_records(second)), entity
            assert _index(_records(first)).items() <= known[entity].items(), entity
        await connector.aclose()

    async def test_overlap_catches_a_late_commit(self) -> None:
        late = self.late_change()
        if late is None:
            return
        connector = self.connect()
        async with late as commit:
            before = await _pages(connector, self.late_entity, None)
            await commit()
            after = _index(_records(await _pages(connector, self.late_entity, before[-1].cursor)))
            whole = _index(_records(await _pages(connector, self.late_entity, None)))
        held = _index(_records(before))
        changed = {place for place, record in whole.items() if held.get(place) != record}
        assert changed
        assert changed <= set(after)
        await connector.aclose()

    async def test_read_gives_what_changes_gave(self) -> None:
        known = await self.known()
        connector = self.connect()
        for entity in connector.entities:
            sample = sorted(known[entity])[:_SAMPLE]
            keys = sorted({key for _, key in sample})
            read = _index(await connector.read(entity, keys))
            wanted = {place: record for place, record in known[entity].items() if place[1] in set(keys)}
            assert read == wanted, entity
        await connector.aclose()

    async def test_read_leaves_out_what_is_not_there(self) -> None:
        known = await self.known()
        connector = self.connect()
        for entity in connector.entities:
            for _, key in sorted(known[entity])[:1]:
                missing = f"{key.rpartition('/')[0]}/999999999"
                read = await connector.read(entity, [missing, "nonsense", key])
                assert {record.key for record in read} == {key}, entity
            assert await connector.read(entity, []) == ()
        await connector.aclose()

    async def test_links_are_on_the_source(self) -> None:
        known = await self.known()
        connector = self.connect()
        for entity in connector.entities:
            for _, key in sorted(known[entity])[:_SAMPLE]:
                link = connector.link(entity, key)
                assert link is None or urlsplit(link).scheme in {"http", "https"}, link
                assert link is None or urlsplit(link).netloc == self.host, link
        await connector.aclose()

    async def test_values_are_scalars(self) -> None:
        for entity, records in (await self.known()).items():
            for record in records.values():
                for name, value in record.values.items():
                    assert _scalar(value), (entity, record.key, name, value)
                assert record.changed_at is None or record.changed_at.utcoffset() is not None, (entity, record.key)
                assert record.key
                assert not self.fields or set(record.values) <= self.fields[entity], (entity, set(record.values))

    async def test_codes_are_the_models(self) -> None:
        known = await self.known()
        for entity, fields in self.codes.items():
            for record in known.get(entity, {}).values():
                for name, codes in fields.items():
                    value = record.values.get(name)
                    assert value is None or value in codes, (entity, record.key, name, value)

    async def test_references_lead_to_records_loaded_before(self) -> None:
        known = await self.known()
        order = list(known)
        for entity, fields in self.references.items():
            for name, target in fields.items() if entity in known else ():
                given = {value for r in known[entity].values() if (value := r.values.get(name)) is not None}
                if given:
                    assert order.index(target) <= order.index(entity), (entity, name)
                    assert given <= {key for _, key in known[target]}, (entity, name)

    async def test_required_values_are_there(self) -> None:
        known = await self.known()
        for entity, names in self.required.items():
            for record in known.get(entity, {}).values():
                empty = [name for name in sorted(names) if record.values.get(name) is None]
                assert not empty, (entity, record.key, empty)

    async def test_labels_are_among_the_options(self) -> None:
        connector = self.connect()
        info = await connector.check()
        await connector.aclose()
        options = {(option.kind, option.key) for option in info.labels}
        kinds = {kind for kind, _ in options}
        for entity, records in (await self.known()).items():
            for record in records.values():
                for kind, key in record.labels.items():
                    assert kind not in kinds or (kind, key) in options, (entity, record.key, kind, key)
                assert not record.company or ("company", record.company) in options, (entity, record.key)

    async def test_an_unknown_entity_is_an_error(self) -> None:
        connector = self.connect()
        try:
            await all_keys(connector, "no such entity")
        except FatalSourceError as error:
            assert "no such entity" in str(error)  # noqa: PT017  # pytest is not imported here
        else:
            raise AssertionError("an unknown entity was accepted")
        await connector.aclose()

    async def test_failures_are_typed_and_keep_secrets(self) -> None:
        kinds: tuple[tuple[Breakage, type[ConnectorError]], ...] = (
            ("unreachable", RetriableSourceError),
            ("unauthorised", SourceAuthFailedError),
            ("slow", RetriableSourceError),
        )
        for how, kind in kinds:
            broken = self.connect_broken(how)
            if broken is None:
                continue
            self._silent(repr(broken))
            first = broken.entities[0]
            for attempt in (broken.check(), all_keys(broken, first), broken.read(first, ["a/1"])):
                try:
                    await attempt
                except kind as error:
                    self._silent(f"{error!r} {error} {error.__cause__!r}")
                else:
                    raise AssertionError(f"{how}: no error")
            await broken.aclose()

    async def known(self) -> Known:
        """Every record of every entity."""
        if type(self) not in self._known:
            connector = self.connect()
            found = {e: _index(_records(await _pages(connector, e, None))) for e in connector.entities}
            await connector.aclose()
            self._known[type(self)] = found
        return self._known[type(self)]

    def _silent(self, text: str) -> None:
        for secret in self.secrets:
            assert secret not in text


async def all_keys(connector: Connector, entity: str) -> frozenset[tuple[str, str]]:
    """(company, key) of every living record, at once."""
    return frozenset([key async for portion in connector.keys(entity) for key in portion])


async def _pages(connector: Connector, entity: str, cursor: Cursor | None) -> list[Page]:
    return [page async for page in connector.changes(entity, cursor)]


def _records(pages: Iterable[Page]) -> list[SourceRecord]:
    return [record for page in pages for record in page.records]


def _index(records: Iterable[SourceRecord]) -> dict[tuple[str, str], SourceRecord]:
    return {(record.company, record.key): record for record in records}


def _scalar(value: Value) -> bool:
    match value:
        case datetime():
            return value.utcoffset() is not None
        case float():
            return math.isfinite(value)
        case Decimal():
            return value.is_finite()
        case str() | int() | date() | None:
            return True
