"""Reading Odoo: descriptions of models, pages in order of id, references followed, children hung on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from connectors.odoo import cells
from connectors.odoo.cells import Cell, FieldInfo, Json, JsonObject, Pair
from connectors.odoo.faults import MissingModelError
from connectors.odoo.row import Row
from connectors.odoo.spec import Child, Domain, Tally
from connectors.odoo.transport import Transport
from connectors.odoo.world import World

Context = Mapping[str, Json]
_ATTRIBUTES: list[Json] = ["type", "relation", "digits"]
_PORTION = 1000


class Database:
    """One Odoo database through one transport. Archived records are always included."""

    def __init__(self, transport: Transport, page_size: int) -> None:
        self._transport = transport
        self._page_size = page_size
        self._models: dict[str, Mapping[str, FieldInfo]] = {}

    @property
    def at(self) -> datetime:
        """Odoo's clock."""
        return self._transport.at

    async def fields(self, model: str) -> Mapping[str, FieldInfo]:
        """The fields of a model that this user may read; none at all where Odoo has no such model."""
        if model not in self._models:
            try:
                raw = await self._transport.call(model, "fields_get", {"attributes": _ATTRIBUTES})
            except MissingModelError:
                raw = {}
            described = raw if isinstance(raw, dict) else {}
            self._models[model] = {
                name: FieldInfo.from_json(name, told) for name, told in described.items() if isinstance(told, dict)
            }
        return self._models[model]

    async def field(self, model: str, step: str) -> FieldInfo | None:
        """The field a path's step names in this version of Odoo."""
        known = await self.fields(model)
        return next((known[name] for name in step.split("|") if name in known), None)

    async def pages(
        self, model: str, domain: Domain, paths: Collection[str], context: Context, after: int = 0, size: int = 0
    ) -> AsyncIterator[list[JsonObject]]:
        """Raw records in order of id, beyond `after`.

        Not in order of change: Odoo shows `write_date` without the fraction it compares by and gives one import's
        records the same one, so that no page could end between them; and it has no index on it.
        """
        limit = size or self._page_size
        while True:
            page = await self.search(model, (*domain, ("id", ">", after)), paths, context, limit)
            if page:
                yield page
                after = cells.ident(page[-1])
            if len(page) < limit:
                return

    async def search(
        self, model: str, domain: Domain, paths: Collection[str], context: Context, limit: int = 0, tries: int = 0
    ) -> list[JsonObject]:
        """Raw records in order of id, with the first step of each path."""
        if not await self.fields(model):
            return []
        found = [await self.field(model, path.split(".")[0]) for path in {*paths, "write_date"}]
        names: list[Json] = [*sorted({field.name for field in found if field})]
        arguments: JsonObject = {
            "domain": await self._domain(model, domain),
            "fields": names,
            "order": "id",
            "context": {"active_test": False, "bin_size": True, **context},
        }
        if limit:
            arguments["limit"] = limit
        return cells.objects(await self._transport.call(model, "search_read", arguments, tries=tries))

    async def complete(
        self, model: str, raw: Sequence[JsonObject], paths: Collection[str], context: Context
    ) -> dict[int, dict[str, Cell]]:
        """The cells of raw records by id, references followed, under the paths as they were asked."""
        done: dict[int, dict[str, Cell]] = {cells.ident(record): {} for record in raw}
        tails: dict[str, set[str]] = defaultdict(set)
        for path in {*paths, "write_date"}:
            step, _, tail = path.partition(".")
            field = await self.field(model, step)
            for record in raw:
                value = cells.cell(field, record.get(field.name)) if field else None
                done[cells.ident(record)][step] = value
                if tail:
                    done[cells.ident(record)][path] = None
            if tail and field and field.relation:
                tails[step].add(tail)
        hops = [self._hop(model, step, found, done, context) for step, found in tails.items()]
        await asyncio.gather(*hops)
        return done

    async def _hop(
        self, model: str, step: str, tails: set[str], done: dict[int, dict[str, Cell]], context: Context
    ) -> None:
        field = await self.field(model, step)
        if field is None or field.relation is None:
            return
        ids = {i for known in done.values() for i in _ids(known[step])}
        beyond = await self.by_id(field.relation, ids, tails, context)
        for known in done.values():
            many = isinstance(known[step], tuple)
            for tail in tails:
                reached = tuple(beyond[i].get(tail) for i in _ids(known[step]) if i in beyond)
                known[f"{step}.{tail}"] = reached if many else next(iter(reached), None)

    async def by_id(
        self, model: str, ids: Iterable[int], paths: Collection[str], context: Context
    ) -> dict[int, dict[str, Cell]]:
        """The cells of these records."""
        done: dict[int, dict[str, Cell]] = {}
        for portion in cells.chunks(sorted(ids), _PORTION):
            raw = await self.search(model, (("id", "in", list(portion)),), paths, context)
            done |= await self.complete(model, raw, paths, context)
        return done

    async def children(
        self, child: Child, parents: Collection[int], world: World, context: Context
    ) -> dict[int, list[Row]]:
        """The children of these parents."""
        hung: dict[int, list[Row]] = defaultdict(list)
        paths = {*child.paths, child.through} - {"id"}
        for portion in cells.chunks(sorted(parents), _PORTION):
            domain: Domain = (*child.domain, (child.through, "in", list(portion)))
            async for raw in self.pages(child.model, domain, paths, context, size=2 * _PORTION):
                for ident, found in (await self.complete(child.model, raw, paths, context)).items():
                    row = _row(child.model, ident, found, world)
                    parent = row.ident(child.through)
                    if parent is not None:
                        hung[parent].append(row)
        return hung

    async def tallies(
        self, tally: Tally, parents: Collection[int], world: World, context: Context
    ) -> dict[int, list[Row]]:
        """The tallies of these parents."""
        hung: dict[int, list[Row]] = defaultdict(list)
        step, _, tail = tally.through.partition(".")
        through = await self.field(tally.model, step)
        if through is None or through.relation is None:
            return hung
        for portion in cells.chunks(sorted(parents), _PORTION):
            groups = await self._groups(tally, through.name, portion, context)
            ends = {found.id for group in groups if isinstance(found := group[step], Pair)}
            beyond = await self.by_id(through.relation, ends, {tail}, context) if tail else {}
            for group in groups:
                end = group[step]
                parent = beyond.get(end.id, {}).get(tail) if tail and isinstance(end, Pair) else end
                if isinstance(parent, Pair):
                    hung[parent.id].append(_row(tally.model, 0, group, world))
        return hung

    async def _groups(
        self, tally: Tally, through: str, parents: Sequence[int], context: Context
    ) -> list[dict[str, Cell]]:
        known = [(path, field) for path in tally.by if (field := await self.field(tally.model, path))]
        raw = await self._transport.call(
            tally.model,
            "read_group",
            {
                "domain": await self._domain(tally.model, (*tally.domain, (tally.through, "in", list(parents)))),
                "fields": ["id:count"],
                "groupby": [through, *(field.name for _, field in known)],
                "lazy": False,
                "context": {"active_test": False, **context},
            },
        )
        groups: list[dict[str, Cell]] = []
        for group in cells.objects(raw):
            found: dict[str, Cell] = dict.fromkeys(tally.by)
            found |= {path: cells.cell(field, group.get(field.name)) for path, field in known}
            found[tally.through.partition(".")[0]] = cells.cell(
                FieldInfo(name=through, type="many2one"), group.get(through)
            )
            found["count"] = cells.number(group.get("__count"))
            groups.append(found)
        return groups

    async def _domain(self, model: str, domain: Domain) -> list[Json]:
        """A domain with the names of this version; a condition on a field it doesn't have falls away."""
        terms: list[Json] = []
        for term in domain:
            if isinstance(term, str):
                terms.append(term)
                continue
            path, operator, value = term
            actual = await self._path(model, path)
            terms.append([actual, operator, value] if actual else [1, "=", 1])
        return terms

    async def _path(self, model: str, path: str) -> str | None:
        steps: list[str] = []
        for step in path.split("."):
            field = await self.field(model, step)
            if field is None:
                return None
            steps.append(field.name)
            model = field.relation or ""
        return ".".join(steps)


def _row(model: str, ident: int, found: dict[str, Cell], world: World) -> Row:
    changed = found.get("write_date")
    return Row(
        model=model,
        id=ident,
        cells=found,
        world=world,
        changed_at=changed if isinstance(changed, datetime) else None,
    )


def _ids(found: Cell) -> tuple[int, ...]:
    match found:
        case Pair():
            return (found.id,)
        case tuple():
            return tuple(i for i in found if isinstance(i, int))
        case _:
            return ()
