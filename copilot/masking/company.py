"""The redactor over what the company's records know now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from copilot.masking.values import number_fields, personal_fields
from copilot.semantic.model import SemanticModel
from copilot.store.known import KnownValues, Stamp
from redaction.gazetteer import Gazetteer, Known
from redaction.identifiers import Identifiers, learn
from redaction.redactor import Finder, Redactor

_LOOKED_EVERY_S = 1.0
_OVERLAP = timedelta(days=1)
"""A sync writes when it began: one that ends after a reading may hold rows that are older than that."""
_ADDED_AT_MOST = 20_000
PEOPLE = "directory.person"
"""Where the names of those who use the copilot are from."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read at a time, and the latest change in it."""

    gazetteer: Gazetteer
    size: int
    latest: datetime | None


class Company:
    """Gives the redactor; values that a sync brings are known to it a second later.

    All that there is is read once. What changed since is read after each sync, by itself, and joined to the rest when
    it has become much: hundreds of thousands of names take ten seconds.
    """

    def __init__(self, known: KnownValues, model: SemanticModel, others: Sequence[Finder] = ()) -> None:
        self._known = known
        self._personal = personal_fields(model)
        self._numbers = number_fields(model)
        self._reading = asyncio.Lock()
        self._stamp: Stamp | None = None
        self._looked = 0.0
        self._all: _Read | None = None
        self._redactor = Redactor((), learn(()), others)

    @property
    def latest(self) -> Redactor:
        """The redactor as it was last given; before that, one that knows no value."""
        return self._redactor

    async def redactor(self) -> Redactor:
        """The redactor over what is known now. Raises DatabaseError where that can't be read."""
        if self._stamp is None or time.monotonic() - self._looked > _LOOKED_EVERY_S:
            async with self._reading:
                if self._stamp is None or time.monotonic() - self._looked > _LOOKED_EVERY_S:
                    await self._look()
        return self._redactor

    async def _look(self) -> None:
        stamp = await self._known.stamp()
        if stamp != self._stamp:
            await self._read()
            self._stamp = stamp
        self._looked = time.monotonic()

    async def _read(self) -> None:
        known: list[Gazetteer] = []
        if self._all is not None and self._all.latest is not None:
            added = await self._gazetteer(self._all.latest - _OVERLAP)
            known = [self._all.gazetteer, added.gazetteer]
            if added.size > max(_ADDED_AT_MOST, self._all.size // 10):
                self._all = None
        if not known or self._all is None:
            self._all = await self._gazetteer(None)
            known = [self._all.gazetteer]
        self._redactor = Redactor(known, await self._ours(), self._redactor.others)

    async def _gazetteer(self, since: datetime | None) -> _Read:
        values: list[Known] = [Known("PERSON", name, "name", PEOPLE) for name in await self._known.people()]
        latest: datetime | None = None
        for field in self._personal:
            async for row in self._known.values(field.entity, field.columns, since):
                values.extend(field.known(row))
                latest = row["since"] if latest is None else max(latest, row["since"])
        return _Read(await asyncio.to_thread(Gazetteer, values), len(values), latest)

    async def _ours(self) -> Identifiers:
        numbers: list[str] = []
        for entity, column in self._numbers:
            numbers += await self._known.numbers(entity, column)
        return await asyncio.to_thread(learn, numbers)
