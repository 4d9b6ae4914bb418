"""published: after each of several rounds of changes, every published figure is for everybody who may read it what the
owner works out from the base tables; who may not read it gets nothing. Only what changed is worked out again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from copilot.domain.clock import fixed_clock
from copilot.domain.query import Group, Query
from copilot.domain.scope import Scope
from copilot.ingest.derived import derive
from copilot.policy.policy import load_policy
from copilot.retrieval.figures import FigureRow, find_figures, read_setting
from copilot.semantic.kpis import load_kpis
from copilot.semantic.model import load_model
from copilot.store.roles import Role
from copilot.wiring import Runtime
from evals.company import NOW, Company, open_company, running
from evals.proofs.oracle import Actor, Row, demo_actors, narrow_actors, read_world
from evals.proofs.planting import add_people
from evals.proofs.probes import given_scope
from evals.proofs.published.changes import change
from evals.proofs.published.measures import MEANINGS, Meaning, expected
from evals.proofs.published.truth import Truth, differences
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial

_STEPS, _SAMPLE_STEPS = (0, 1, 8, 1, 30, 8), (0, 8)
"""Days from one round to the next."""
_ROWS = ("availability", "atp_bucket")
_SAMPLE_PEOPLE = ("rep.us", "warehouse.sg", "buyer", "finance", "rep.key-accounts")
_SAMPLE_GROUPS = ("", "site", "supplier")
_MOST = 3
_GROUPS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "availability": {"": (), "site": ("site",), "region": ("@region",), "item": ("item",)},
    "supplier_rate": {"": (), "supplier": ("supplier",)},
}
_COLUMNS = {"site": "site_id", "region": "label_region", "item": "item_id", "supplier": "supplier_id"}


@dataclass
class PublishedTrial:
    """The opened suite: a company that changes from round to round, and what must be published of it now."""

    company: Company
    database: str
    runtime: Runtime
    setting: Setting
    actors: Mapping[str, Actor]
    steps: Sequence[int]
    cases: Sequence[str] = ()
    round: int = -1
    now: datetime = NOW
    changed: int = 0
    """Rows changed since the last round, until they are counted."""
    truth: Truth = field(default_factory=lambda: Truth({}, {}, ()))

    def __post_init__(self) -> None:
        groups = _SAMPLE_GROUPS if self.setting.sample else {by for each in _GROUPS.values() for by in each}
        people = _SAMPLE_PEOPLE if self.setting.sample else tuple(self.actors)
        of = [(name, by) for name, meaning in MEANINGS.items() for by in _GROUPS[meaning.of] if by in groups]
        everything = (*_ROWS, *(f"{name} {by}".strip() for name, by in of))
        rounds = range(int(self.setting.sample), len(self.steps))
        self.cases = [f"{n} {subject} {what}" for n in rounds for subject in people for what in everything]

    async def run(self, case: str) -> Result:
        """One figure, or all rows of one entity, for one person after one round."""
        number, subject, what = case.split(" ", 2)
        if self.round < int(number):
            while self.round < int(number):
                await self._go_on()
            with psycopg.connect(self.company.dsn(self.database)) as admin:
                self.truth = Truth.of(read_world(admin, load_model()), self.now)
        result = await self._checked(case, self.actors[subject], what)
        changed, self.changed = self.changed, 0
        return replace(result, counts={**result.counts, "changed": changed})

    async def _checked(self, case: str, actor: Actor, what: str) -> Result:
        scope = await given_scope(self.runtime, actor)
        if what in _ROWS:
            found = await self._rows(scope, what)
            failures = differences(self.truth, actor, what, found)
            counts = {"rows": len(found), "refused": int("stock" not in actor.all_classes and not found)}
            return Result(case=case, failures=tuple(failures[:_MOST]), counts=counts)
        return await self._measured(case, actor, scope, what)

    async def _measured(self, case: str, actor: Actor, scope: Scope, what: str) -> Result:
        name, _, by = what.partition(" ")
        meaning = MEANINGS[name]
        told = await self._figures(scope, name, _GROUPS[meaning.of][by])
        record_class = "stock" if meaning.of == "availability" else "supplier_rate"
        if record_class not in actor.all_classes:
            failures = () if told is None else (f"{told[:_MOST]} was told",)
            return Result(case=case, failures=failures, counts={"refused": 1})
        must = expected(meaning, self.truth.seen(actor, meaning.of), _grouped(by))
        failures = ("it was refused",) if told is None else tuple(_unlike(must, _by_group(told, name, meaning)))
        counts = {"figures": len(must), "with_value": sum(value is not None for value in must.values())}
        return Result(case=case, failures=failures[:_MOST], counts=counts)

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """The goal needs figures, rows, refusals, and changes between rounds."""
        enough = all(counts.get(name, 0) > 0 for name in ("refused", "rows", "changed"))
        met = enough and counts.get("with_value", 0) > len(self.cases)
        return Finding(met=met, more={"rounds": len(self.steps), "people": len(self.actors)})

    async def _go_on(self) -> None:
        """The next round: time goes on, records change, and what is published is brought up to them."""
        self.round += 1
        self.now += timedelta(days=self.steps[self.round], minutes=self.round)
        if self.round:
            with psycopg.connect(self.company.dsn(self.database)) as admin:
                self.changed = change(admin, self.setting.seed + self.round, self.now)
            async with self.runtime.database.connection(Role.WORKER) as worker:
                clock = fixed_clock(self.now)
                await derive(
                    worker,
                    source_id=1,
                    batch_id=1000 + self.round,
                    clock=clock,
                    confirmed=self.now,
                    policy=load_policy(),
                )

    async def _rows(self, scope: Scope, entity: str) -> list[Row]:
        """What a person reads of a whole table."""
        async with self.runtime.database.scoped_transaction(scope) as connection:
            statement = sql.SQL("select * from {}").format(sql.Identifier("biz", entity))
            return [*await (await connection.execute(statement)).fetchall()]

    async def _figures(self, scope: Scope, name: str, by: tuple[str, ...]) -> Sequence[FigureRow] | None:
        kpi = load_kpis()[name]
        groups = (Group(by),) if by else ()
        query = Query(entity=kpi.entity, where=kpi.where, figures=(kpi.figure,), groups=groups, limit=100_000)
        async with self.runtime.database.scoped_transaction(scope) as connection:
            setting = await read_setting(connection, scope, self.now)
            return await find_figures(connection, load_model(), query, setting)


def _grouped(by: str) -> Callable[[Row], tuple[Any, ...]] | None:
    return (lambda row: (row[_COLUMNS[by]],)) if by else None


def _by_group(told: Sequence[FigureRow], name: str, meaning: Meaning) -> dict[tuple[Any, ...], Any]:
    return {(row.groups, row.units if meaning.by_unit else ()): row.figures[name] for row in told}


def _unlike(must: Mapping[Any, Any], told: Mapping[Any, Any]) -> Iterator[str]:
    for key in must.keys() | told.keys():
        if must.get(key, "nothing") != told.get(key, "nothing"):
            yield f"{key}: {told.get(key, 'nothing')}, not {must.get(key, 'nothing')}"


@asynccontextmanager
async def open_trial(company: Company, setting: Setting, steps: Sequence[int]) -> AsyncGenerator[PublishedTrial]:
    """The suite over a copy of the company."""
    with company.clone() as database:
        with psycopg.connect(company.dsn(database)) as admin:
            world = read_world(admin, load_model())
            add_people(admin, narrow_actors(world))
        actors = {actor.subject: actor for actor in (*demo_actors(world), *narrow_actors(world))}
        async with running(company, database, company.home / f"published-{database}") as runtime:
            yield PublishedTrial(company, database, runtime, setting, actors, steps)


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    steps = _SAMPLE_STEPS if setting.sample else _STEPS
    async with open_company() as company, open_trial(company, setting, steps) as trial:
        yield trial


PUBLISHED = Suite(
    name="published",
    goal="each published figure is, for everybody who may read it and whatever changed since, the one that the owner "
    "works out from the base tables; who may not read it gets nothing",
    open=_open,
)
"""The suite."""
