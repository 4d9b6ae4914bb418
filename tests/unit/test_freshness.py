"""Records past their limit are asked for again: each source answers for itself, within a bounded time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from connectors.base import Connector, SourceRecord
from connectors.errors import SourceUnreachableError
from connectors.memory import MemoryConnector
from copilot.domain.evidence import Evidence, Record, Value
from copilot.errors import SyncRunningError
from copilot.ingest import Confirmation, Source
from copilot.policy.policy import load_policy
from copilot.semantic.model import load_model
from copilot.wiring import sources as wiring
from copilot.wiring.sources import Sources

_NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


class _Ingest:
    """Notes what it is asked to confirm; says of some records that they changed, or that a merge keeps it waiting."""

    def __init__(self, changed: frozenset[str] = frozenset(), busy: str = "") -> None:
        self.confirmed: list[str] = []
        self._changed = changed
        self._busy = busy

    async def sources(self) -> tuple[Source, ...]:
        names = ("erp", "wms")
        return tuple(
            Source(id=n, name=name, system="memory", settings={}, label_map={}) for n, name in enumerate(names)
        )

    async def confirm(
        self, source: Source, entity: str, records: Iterable[SourceRecord], *, asked: Sequence[str]
    ) -> Confirmation:
        del entity, records
        if source.name == self._busy:
            raise SyncRunningError
        self.confirmed.append(source.name)
        return Confirmation(differed=self._changed & set(asked))


class _Slow(MemoryConnector):
    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        await asyncio.sleep(5)
        return await super().read(entity, keys)


class _Known(Sources):
    """With connectors given instead of made."""

    given: dict[str, Connector]

    def connector(self, name: str) -> Connector:
        return self.given[name]


async def _opened(ingest: _Ingest, **given: Connector) -> _Known:
    opened = _Known(cast("Any", None), cast("Any", ingest), load_model(), cast("Any", None), lambda: _NOW)
    opened.given = given
    await opened.load()
    return opened


def _evidence(*records: Record) -> Evidence:
    return Evidence(steps={"stock": records}, truncated=frozenset(), refused=frozenset())


def _stock(ident: str, system: str, hours: float) -> Record:
    confirmed = _NOW - timedelta(hours=hours)
    return Record(
        id=ident, kind="record", entity="stock", row_id=1, system=system, company="", key=f"key-{ident}",
        version=confirmed, time_zone="UTC", values={"on_hand": Value("quantity", 1, "ea")},
        changed_at=None, confirmed_at=confirmed,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "READ_WITHIN_SECONDS", 0.1)


async def test_a_slow_source_takes_nothing_from_what_another_confirms() -> None:
    ingest = _Ingest()
    opened = await _opened(ingest, erp=_Slow("erp", ["stock"]), wms=MemoryConnector("wms", ["stock"]))
    begun = time.perf_counter()
    stale = await opened.stale(_evidence(_stock("S1", "erp", 6), _stock("S2", "wms", 9)), load_policy())
    assert time.perf_counter() - begun < 10
    assert ingest.confirmed == ["wms"]
    assert stale.asked
    assert stale.since is not None
    assert stale.since.id == "S1"


async def test_the_oldest_of_those_that_did_not_answer_says_since_when() -> None:
    gone = MemoryConnector("erp", ["stock"])
    gone.fail(SourceUnreachableError())
    opened = await _opened(_Ingest(), erp=gone, wms=MemoryConnector("wms", ["stock"]))
    evidence = _evidence(_stock("S1", "erp", 6), _stock("S2", "erp", 30), _stock("S3", "wms", 90))
    stale = await opened.stale(evidence, load_policy())
    assert stale.since is not None
    assert stale.since.id == "S2"
    assert stale.since.raw("confirmed_at") == _NOW - timedelta(hours=30)


async def test_what_all_confirm_is_not_stale() -> None:
    ingest = _Ingest(changed=frozenset({"key-S2"}))
    opened = await _opened(ingest, erp=MemoryConnector("erp", ["stock"]), wms=MemoryConnector("wms", ["stock"]))
    stale = await opened.stale(_evidence(_stock("S1", "erp", 6), _stock("S2", "wms", 6)), load_policy())
    assert stale.since is None
    assert stale.asked
    assert stale.changed
    assert sorted(ingest.confirmed) == ["erp", "wms"]


async def test_a_merge_that_has_to_wait_too_long_confirms_nothing() -> None:
    opened = await _opened(_Ingest(busy="erp"), erp=MemoryConnector("erp", ["stock"]))
    stale = await opened.stale(_evidence(_stock("S1", "erp", 6)), load_policy())
    assert stale.since is not None
    assert not stale.asked


async def test_nobody_is_asked_about_what_is_fresh() -> None:
    ingest = _Ingest()
    opened = await _opened(ingest, erp=MemoryConnector("erp", ["stock"]))
    stale = await opened.stale(_evidence(_stock("S1", "erp", 3)), load_policy())
    assert (stale.since, stale.asked, ingest.confirmed) == (None, False, [])
