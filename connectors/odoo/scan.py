"""One pass over one entity: pages of changed records, keys, single records.

A pass begins with everything changed since the last one began (less the overlap), in order of id; then come the rows
that did not change themselves but have a changed child. What changes while a pass runs is in the next one, because
the next one begins where this one began, by Odoo's own clock.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from connectors.base import Cursor, Keys, Page, SourceRecord
from connectors.errors import SourceProtocolError
from connectors.odoo import cells
from connectors.odoo.cells import Json, JsonObject, Pair
from connectors.odoo.database import Context, Database
from connectors.odoo.row import Row
from connectors.odoo.spec import Child, Domain, Part, Spec, Tally
from connectors.odoo.world import World

_PORTION = 200
_KEYS_PAGE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a pass has come. `since` is when the last pass began, `until` when this one did; None: not yet."""

    since: datetime | None = None
    until: datetime | None = None
    company: int = 0
    after: int = 0

    @classmethod
    def parse(cls, cursor: Cursor | None) -> Mark:
        """The mark in a cursor. Raises SourceProtocolError for a cursor that isn't ours."""
        if cursor is None:
            return cls()
        try:
            raw = cast("dict[str, str | int | None]", json.loads(cursor.value))
            return cls(
                since=_moment(raw["since"]),
                until=_moment(raw["until"]),
                company=int(raw["company"] or 0),
                after=int(raw["after"] or 0),
            )
        except (ValueError, KeyError, TypeError):
            raise SourceProtocolError(f"the cursor {cursor.value!r} is not one of this connector's") from None

    def cursor(self) -> Cursor:
        """The mark as a cursor."""
        return Cursor(
            json.dumps(
                {
                    "since": self.since.isoformat() if self.since else None,
                    "until": self.until.isoformat() if self.until else None,
                    "company": self.company,
                    "after": self.after,
                }
            )
        )


class Scan:
    """A pass over one entity."""

    def __init__(self, spec: Spec, database: Database, world: World) -> None:
        self._spec = spec
        self._database = database
        self._world = world

    async def changes(self, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        """Pages of what changed since the mark; the last one is empty and carries the mark of the next pass."""
        begun = mark.until or await self._now()
        mark = replace(mark, until=begun)
        since = mark.since - overlap if mark.since else None
        for company in self._companies():
            if (company or 0) < mark.company:
                continue
            after = mark.after if company == mark.company or company is None else 0
            async for raw in self._changed(since, company, after):
                mark = replace(mark, company=company or 0, after=cells.ident(raw[-1]))
                yield Page(records=await self._records(raw, company), cursor=mark.cursor(), last=False)
            if since is not None:
                async for raw in self._touched(since, company):
                    yield Page(records=await self._records(raw, company), cursor=mark.cursor(), last=False)
        yield Page(records=(), cursor=Mark(since=begun).cursor(), last=True)

    async def keys(self) -> AsyncIterator[Keys]:
        """(company, key) of all records, page by page."""
        spec = self._spec
        for company in self._companies():
            context = self._context(company)
            paths = {spec.company} if spec.company and spec.plain else spec.paths
            size = _KEYS_PAGE if spec.plain else 0
            async for raw in self._database.pages(spec.model, spec.domain, {*paths} - {None}, context, size=size):
                records = await self._bare(raw) if spec.plain else await self._records(raw, company)
                yield [(record.company, record.key) for record in records]

    async def read(self, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        """The records with these keys."""
        spec, wanted = self._spec, set(keys)
        ids = {ident for key in wanted if (ident := _ident(spec.model, key)) is not None}
        done: list[SourceRecord] = []
        for company in self._companies() if ids else ():
            for portion in cells.chunks(sorted(ids), _PORTION):
                domain: Domain = (*spec.domain, ("id", "in", list(portion)))
                raw = await self._database.search(spec.model, domain, spec.paths, self._context(company), tries=2)
                done += [record for record in await self._records(raw, company) if record.key in wanted]
        return tuple(done)

    async def _now(self) -> datetime:
        """Odoo's clock, asked before anything is read."""
        await self._database.search("res.company", (), ("name",), {}, limit=1)
        return self._database.at

    def _companies(self) -> list[int | None]:
        return [*sorted(self._world.companies)] if self._spec.per_company else [None]

    def _context(self, company: int | None) -> Context:
        chosen: dict[str, Json] = {} if company is None else {"allowed_company_ids": [company]}
        return {**self._spec.context, **chosen}

    def _changed(self, since: datetime | None, company: int | None, after: int) -> AsyncIterator[list[JsonObject]]:
        spec = self._spec
        domain = spec.domain
        if since is not None:
            places = ["write_date", *(f"{path}.write_date" for path in spec.watch)]
            newer = [(place, ">=", cells.stamp(since)) for place in places]
            domain = (*domain, *["|"] * (len(newer) - 1), *newer)
        return self._database.pages(spec.model, domain, spec.paths, self._context(company), after)

    async def _touched(self, since: datetime, company: int | None) -> AsyncIterator[list[JsonObject]]:
        spec = self._spec
        parents: dict[str, set[int]] = defaultdict(set)
        for beside in (*spec.children, *spec.tallies):
            if not isinstance(beside, Child) or beside.touch:
                parents[beside.of] |= await self._parents(beside, since, self._context(company))
        for of, ids in parents.items():
            for portion in cells.chunks(sorted(ids), _PORTION):
                domain: Domain = (*spec.domain, (of, "in", list(portion)))
                async for raw in self._database.pages(spec.model, domain, spec.paths, self._context(company)):
                    yield raw

    async def _parents(self, beside: Child | Tally, since: datetime, context: Context) -> set[int]:
        found: set[int] = set()
        newer: Domain = (("write_date", ">=", cells.stamp(since)),)
        async for raw in self._database.pages(beside.model, newer, {beside.through} - {"id"}, context, size=2000):
            done = await self._database.complete(beside.model, raw, {beside.through} - {"id"}, context)
            for ident, row in done.items():
                parent = ident if beside.through == "id" else row[beside.through]
                found |= {parent.id} if isinstance(parent, Pair) else {parent} if isinstance(parent, int) else set()
        return found

    async def _bare(self, raw: Sequence[JsonObject]) -> list[SourceRecord]:
        spec = self._spec
        paths = {spec.company} if spec.company else set[str]()
        done = await self._database.complete(spec.model, raw, paths, {})
        rows = [Row(model=spec.model, id=i, cells=found, world=self._world) for i, found in done.items()]
        return [
            SourceRecord(entity=spec.entity, company=self._company(row, None), key=row.key, changed_at=None, values={})
            for row in rows
        ]

    async def _records(self, raw: Sequence[JsonObject], company: int | None) -> tuple[SourceRecord, ...]:
        rows = await self._rows(raw, self._context(company))
        return tuple(record for row in rows for record in self._build(row, company))

    async def _rows(self, raw: Sequence[JsonObject], context: Context) -> list[Row]:
        spec = self._spec
        done = await self._database.complete(spec.model, raw, spec.paths, context)
        rows = [Row(model=spec.model, id=i, cells=found, world=self._world) for i, found in done.items()]
        hung = await asyncio.gather(*(self._hang(child, rows, context) for child in (*spec.children, *spec.tallies)))
        by_name = dict(hung)
        return [self._dressed(row, by_name) for row in rows]

    async def _hang(
        self, beside: Child | Tally, rows: Sequence[Row], context: Context
    ) -> tuple[str, dict[int, list[Row]]]:
        parents = {parent for row in rows if (parent := row.ident(beside.of)) is not None}
        if isinstance(beside, Tally):
            return beside.name, await self._database.tallies(beside, parents, self._world, context)
        found = await self._database.children(beside, parents, self._world, context) if beside.hang else {}
        return beside.name, found

    def _dressed(self, row: Row, hung: dict[str, dict[int, list[Row]]]) -> Row:
        spec = self._spec
        children = {
            beside.name: tuple(hung[beside.name].get(row.ident(beside.of) or 0, ()))
            for beside in (*spec.children, *spec.tallies)
        }
        stamps = [row.instant("write_date"), *(row.instant(f"{path}.write_date") for path in _direct(spec.watch))]
        for child in spec.children:
            stamps += [below.changed_at for below in children[child.name]] if child.touch else []
        return replace(row, children=children, changed_at=max((at for at in stamps if at), default=None))

    def _build(self, row: Row, company: int | None) -> Iterable[SourceRecord]:
        spec = self._spec
        if spec.keep is not None and not spec.keep(row):
            return
        values = {name: get.read(row) for name, get in spec.values.items()}
        labels = {
            name: str(found) for name, path in spec.labels.items() if (found := row.ident(path) or row.text(path))
        }
        for part in spec.expand(row) if spec.expand else (Part(),):
            own = part.company if part.company is not None else self._company(row, company)
            yield SourceRecord(
                entity=spec.entity,
                company=own,
                key=row.key + part.suffix,
                changed_at=row.changed_at,
                values={**values, **part.values},
                labels=_hints({**({"company": own} if own else {}), **labels, **part.labels}),
            )

    def _company(self, row: Row, company: int | None) -> str:
        if company is not None:
            return str(company)
        found = row.ident(self._spec.company) if self._spec.company else None
        return str(found) if found else ""


def _hints(said: dict[str, str]) -> dict[str, str]:
    """What Odoo says, and the keys of the region and the channel that its company and sales team are."""
    places = (("region", "res.company", "company"), ("channel", "crm.team", "team"))
    return said | {label: f"{model}/{said[kind]}" for label, model, kind in places if kind in said}


def _direct(watch: tuple[str, ...]) -> list[str]:
    return [path for path in watch if "." not in path]


def _ident(model: str, key: str) -> int | None:
    steps = key.split("/")
    return int(steps[1]) if len(steps) > 1 and steps[0] == model and steps[1].isdecimal() else None


def _moment(text: str | int | None) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
