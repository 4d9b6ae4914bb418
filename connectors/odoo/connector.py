"""The Odoo connector: checks, walks through changes, lists keys, re-reads records and links to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import httpx

from connectors.base import Cursor, Keys, Page, SourceInfo, SourceRecord
from connectors.errors import SourceSettingsError, SourceTimeoutError, UnknownEntityError
from connectors.http import Limits, SourceHttp, checked_url
from connectors.odoo.check import look
from connectors.odoo.database import Database
from connectors.odoo.load_world import load_world
from connectors.odoo.mapping import SPECS
from connectors.odoo.scan import Mark, Scan
from connectors.odoo.spec import Spec
from connectors.odoo.transport import Account, Transport, Version, detect, transport_for
from connectors.odoo.world import World

# How old companies, locations and units may be: for a pass, and where a single record has to be confirmed quickly.
_PASS_SECONDS, _READ_SECONDS = 60.0, 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooSettings:
    """Where Odoo is and how gently it is read.

    `overlap` is how far behind the last pass the next one begins: Odoo dates a change by the start of its transaction,
    so one that runs long commits behind us. It has to exceed the longest transaction and the difference of the clocks.
    """

    url: str
    account: Account
    page_size: int = 500
    overlap: timedelta = timedelta(minutes=15)
    read_seconds: float = 5.0
    limits: Limits = field(default_factory=Limits)


class OdooConnector:
    """Odoo 14 to 19 through its own API, as one of its users: that user's access rights hold."""

    def __init__(self, settings: OdooSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.system = "odoo"
        self.entities = tuple(SPECS)
        self.vanishing = frozenset(SPECS)
        self._settings = settings
        self._url = checked_url(settings.url)
        self._http = SourceHttp(settings.url, settings.limits, transport)
        self._lock = asyncio.Lock()
        self._open: tuple[Version, Database] | None = None
        self._world: tuple[float, World] | None = None

    async def check(self) -> SourceInfo:
        version, database = await self._connect(afresh=True)
        world = await self._look_around(database, 0)
        return await look(self.system, version, database, world, tuple(SPECS.values()))

    async def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        scan = await self._scan(_spec(entity))
        async for page in scan.changes(Mark.parse(cursor), self._settings.overlap):
            yield page

    async def keys(self, entity: str) -> AsyncIterator[Keys]:
        scan = await self._scan(_spec(entity))
        async for portion in scan.keys():
            yield portion

    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        spec = _spec(entity)
        try:
            async with asyncio.timeout(self._settings.read_seconds):
                scan = await self._scan(spec, _READ_SECONDS)
                return await scan.read(keys)
        except TimeoutError:
            raise SourceTimeoutError(
                f"Odoo did not confirm {len(keys)} {entity!r} within {self._settings.read_seconds} s"
            ) from None

    def link(self, entity: str, key: str) -> str | None:
        _spec(entity)
        # A key is "model/id", or more where a record is a part of that one; notes lie on the document after their own.
        steps = key.split("/")
        model, ident = steps[-2:] if steps[0] == "mail.message" else steps[:2]
        if not ident.isdecimal():
            return None
        # Works in every version and survives signing in, unlike the address bar's own forms.
        return f"{self._url}/mail/view?model={model}&res_id={ident}"

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _scan(self, spec: Spec, oldest: float = _PASS_SECONDS) -> Scan:
        _, database = await self._connect()
        return Scan(spec, database, await self._look_around(database, oldest))

    async def _connect(self, *, afresh: bool = False) -> tuple[Version, Database]:
        async with self._lock:
            if self._open is None or afresh:
                version = await detect(self._http)
                self._open = version, Database(self._speak(version), self._settings.page_size)
            return self._open

    def _speak(self, version: Version) -> Transport:
        return transport_for(version, self._http, self._settings.account)

    async def _look_around(self, database: Database, oldest: float) -> World:
        now = time.monotonic()
        known = self._world
        if known is None or now - known[0] > oldest:
            known = self._world = now, await load_world(database)
        return known[1]


def from_answers(answers: Mapping[str, str]) -> OdooConnector:
    """A connector from what `source add odoo` asked. Raises SourceSettingsError."""
    return OdooConnector(
        OdooSettings(
            url=answers["url"],
            account=Account(
                database=answers["database"], login=answers.get("login", ""), api_key=answers["api_key"].strip()
            ),
            page_size=_count(answers, "page_size", "500", 5000),
            overlap=timedelta(minutes=_count(answers, "overlap_minutes", "15", 24 * 60)),
        )
    )


def _count(answers: Mapping[str, str], name: str, default: str, most: int) -> int:
    text = answers.get(name, default)
    if not text.isdecimal() or not 0 < int(text) <= most:
        raise SourceSettingsError(f"{name!r} is {text!r}; it must be a number between 1 and {most}")
    return int(text)


def _spec(entity: str) -> Spec:
    if entity not in SPECS:
        raise UnknownEntityError(f"no entity {entity!r} in Odoo; there are: {', '.join(SPECS)}")
    return SPECS[entity]
