"""What can go wrong: with the source, by a connector that misbehaves; with the database, by traps set in it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from connectors.base import Cursor, Keys, Page, SourceInfo, SourceRecord
from connectors.errors import SourceBusyError, SourceTimeoutError, SourceUnreachableError
from connectors.memory import MemoryConnector

_LOADERS: LiteralString = """
    select pid from pg_stat_activity
     where usename = 'copilot_loader' and datname = current_database() and state <> 'idle'
"""
_TRAP_FUNCTION: LiteralString = """
    create function public.trap() returns trigger language plpgsql security definer as $$
    begin
        if tg_argv[0] = 'full' then
            raise exception 'could not extend file: No space left on device' using errcode = '53100';
        end if;
        perform pg_terminate_backend(pg_backend_pid());
        perform pg_sleep(1);
        return null;
    end $$
"""
Hook = Callable[[], Awaitable[None]]


@dataclass
class Trouble:
    """What a connector does wrong while this is set: at the `at`-th page of `entity`, or with all of that entity."""

    kind: str
    entity: str
    at: int
    random: Random
    hook: Hook | None = None


class TroubledConnector:
    """A connector over records in memory that misbehaves as told; with no trouble it is that connector."""

    def __init__(self, inner: MemoryConnector) -> None:
        self.inner = inner
        self.system = inner.system
        self.entities = inner.entities
        self.vanishing = inner.vanishing
        self.trouble: Trouble | None = None

    async def check(self) -> SourceInfo:
        return await self.inner.check()

    async def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        pages = [page async for page in self.inner.changes(entity, cursor)]
        for number, page in enumerate(self._disturbed(entity, pages)):
            yield await self._page(entity, number, page)

    async def keys(self, entity: str) -> AsyncIterator[Keys]:
        named = [key async for portion in self.inner.keys(entity) for key in portion]
        if self._here("dies asked for keys", entity):
            yield named[: len(named) // 2]
            raise SourceUnreachableError
        yield named

    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        if self._here("dies asked by key", entity):
            raise SourceTimeoutError
        return tuple(self._spoilt(entity, await self.inner.read(entity, keys)))

    def link(self, entity: str, key: str) -> str | None:
        return self.inner.link(entity, key)

    async def aclose(self) -> None:
        """Nothing to close."""

    def _here(self, kind: str, entity: str) -> bool:
        return self.trouble is not None and self.trouble.kind == kind and self.trouble.entity == entity

    def _disturbed(self, entity: str, pages: list[Page]) -> list[Page]:
        if self._here("repeats pages", entity):
            return [*(replace(page, last=False) for page in pages), *pages]
        if self._here("reorders", entity):
            records = [record for page in pages for record in page.records]
            _mixed(self.trouble, records)
            return [replace(page, records=part) for page, part in zip(pages, _dealt(records, pages), strict=True)]
        return pages

    async def _page(self, entity: str, number: int, page: Page) -> Page:
        trouble = self.trouble
        if trouble is None or trouble.entity != entity:
            return page
        if number == trouble.at:
            await self._strike(trouble)
            if trouble.kind == "sends half a page":
                raise SourceBusyError  # the first half has been swallowed with it
        return replace(page, records=tuple(self._spoilt(entity, page.records)))

    async def _strike(self, trouble: Trouble) -> None:
        if trouble.kind == "dies":
            raise SourceUnreachableError
        if trouble.kind in ("slows", "is given up"):
            await asyncio.sleep(0.03)
        if trouble.hook is not None:
            await trouble.hook()

    def _spoilt(self, entity: str, records: Iterable[SourceRecord]) -> list[SourceRecord]:
        given = list(records)
        if self._here("changes a type", entity):
            return [_other_type(record) if number % 3 == 0 else record for number, record in enumerate(given)]
        if self._here("renames a column", entity):
            return [_renamed(record) for record in given]
        if self._here("repeats old versions", entity):
            return [version for record in given for version in (record, _older(record), record)]
        return given


def _mixed(trouble: Trouble | None, records: list[SourceRecord]) -> None:
    if trouble is not None:
        trouble.random.shuffle(records)


def _dealt(records: list[SourceRecord], pages: list[Page]) -> list[tuple[SourceRecord, ...]]:
    """The records on as many pages of the same sizes."""
    dealt: list[tuple[SourceRecord, ...]] = []
    start = 0
    for page in pages:
        dealt.append(tuple(records[start : start + len(page.records)]))
        start += len(page.records)
    return dealt


def _other_type(record: SourceRecord) -> SourceRecord:
    return replace(record, values=dict.fromkeys(record.values, 1.5))


def _renamed(record: SourceRecord) -> SourceRecord:
    first, *others = record.values.items()
    return replace(record, values={f"{first[0]}_neu": first[1], **dict(others)})


def _older(record: SourceRecord) -> SourceRecord:
    """As it may have been before: what came last must count, not what came late."""
    spoilt = {name: "from before" if isinstance(value, str) and name == "name" else value
              for name, value in record.values.items()}  # fmt: skip
    earlier = None if record.changed_at is None else record.changed_at.replace(year=record.changed_at.year - 1)
    return replace(record, changed_at=earlier, values=spoilt)


@contextmanager
def trap(admin: psycopg.Connection[Any], kind: str, table: str, what: LiteralString) -> Generator[None]:
    """While this holds, the connection that does `what` to a business table dies, or finds the disk full."""
    name = sql.Identifier("biz", table)
    admin.execute(_TRAP_FUNCTION)
    admin.execute(
        sql.SQL("create trigger trap before {} on {} for each statement execute function public.trap({})").format(
            sql.SQL(what), name, sql.Literal(kind)
        )
    )
    try:
        yield
    finally:
        admin.execute("drop function public.trap cascade")


def kill_loaders(admin: psycopg.Connection[Any], *, hard: bool) -> list[int]:
    """End what the loader runs just now and say which processes these were; `hard` kills them, upon which PostgreSQL
    restarts and recovers."""
    pids = [pid for (pid,) in admin.execute(_LOADERS).fetchall()]
    for pid in pids:
        if hard:
            os.kill(pid, signal.SIGKILL)
        else:
            admin.execute("select pg_terminate_backend(%s)", (pid,))
    return pids
