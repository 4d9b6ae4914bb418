"""scope-interleaved: fifty people on four connections, requests given up and connections killed all the while: whatever
comes back is compared with what the owner's connection says that this person may see."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random

import psycopg
from psycopg import AsyncConnection, sql

from copilot.domain.claims import Outline
from copilot.domain.plan import Filter, Operator, Plan, RecordQuery
from copilot.domain.question import Question, SessionSubject
from copilot.domain.scope import Scope
from copilot.errors import CopilotError
from copilot.retrieval.retrieve import retrieve
from copilot.semantic.model import load_model
from copilot.store.audit_verify import verify
from copilot.store.pool import Connection, Database, together
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.wiring import Runtime
from evals.company import Company, open_company, running
from evals.proofs.oracle import Actor, read_world
from evals.proofs.planting import plant
from evals.proofs.probes import given_scope
from evals.proofs.scope_interleaved.crowd import add_crowd, crowd
from evals.proofs.scope_interleaved.meddling import (
    SPOILS,
    Meddler,
    NoticedDatabase,
    Trouble,
    draw_trouble,
    held,
    quiet,
    spoil,
)
from evals.proofs.scope_interleaved.requests import Drawer, Hit, Request, Truth, Way, read_truth
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial

CONNECTIONS = 4
_EACH = 20
_ROUNDS, _SAMPLED = 100, 2
_RIGHT = 0.99
_DOOR_LASTS = 8
"""A question lasts so many times as long as a transaction."""
_AUDIT = "the audit chain after all of it"
_SHOWN = 5
Pools = Callable[[dict[Role, str]], Database]


@dataclass(slots=True)
class Round:
    """What became of the requests of one round."""

    counts: Counter[str] = field(default_factory=Counter[str])
    failures: list[str] = field(default_factory=list[str])
    misses: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True, kw_only=True)
class InterleavedTrial:
    """The suite, opened over one company."""

    runtime: Runtime
    truth: Truth
    drawer: Drawer
    actors: Sequence[Actor]
    scopes: Mapping[str, Scope]
    meddler: Meddler
    cases: Sequence[str]
    seed: int
    each: int
    """Requests of each person in a round."""

    async def run(self, case: str) -> Result:
        """A round: everybody asks one thing after the other, all at once."""
        if case == _AUDIT:
            report = await verify(self.runtime.database, self.runtime.settings.home)
            return Result(case=case, failures=tuple(finding.text for finding in report.findings))
        done = Round()
        self.meddler.calm()
        await asyncio.gather(*(self._person(actor, Random(f"{self.seed} {case} {actor.subject}"), done)
                               for actor in self.actors))  # fmt: skip
        return Result(case=case, failures=tuple(done.failures), misses=tuple(done.misses), counts=dict(done.counts))

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """The goal is met where 99 of 100 requests that nothing befell got exactly what they may."""
        undisturbed, right = counts.get("undisturbed", 0), counts.get("undisturbed_right", 0)
        troubled = all(counts.get(trouble.value, 0) for trouble in Trouble)
        return Finding(
            met=troubled and right >= _RIGHT * undisturbed > 0,
            more={
                "undisturbed_right_share": round(right / undisturbed, 5) if undisturbed else None,
                "people": len(self.actors),
                "connections": CONNECTIONS,
                "killed_or_interrupted": self.meddler.hits,
            },
        )

    async def _person(self, actor: Actor, random: Random, done: Round) -> None:
        for _ in range(self.each):
            request, (trouble, after) = self.drawer.request(random), draw_trouble(random)
            done.counts.update(("requests", trouble.value, request.way.value))
            await self._one(actor, request, trouble, after, done)

    async def _one(self, actor: Actor, request: Request, trouble: Trouble, after: float, done: Round) -> None:
        """One request, and what befalls it. Rows that came before something befell it count as shown."""
        shown: set[Hit] = set()
        asking = await held(partial(self._asked, actor, request, trouble, shown))
        after *= _DOOR_LASTS if request.way is Way.DOOR else 1
        if trouble in (Trouble.KILLED, Trouble.INTERRUPTED):
            await self.meddler.strike(trouble, after)
        elif trouble is Trouble.GIVEN_UP:
            await asyncio.wait([asking], timeout=after)
            asking.cancel()
        with suppress(asyncio.CancelledError):
            error = await _ending(asking)
            self._judge(actor, request, trouble, shown, error, done)
            return
        done.counts["ended by being given up"] += 1
        self._foreign(actor, request, shown, done)

    def _judge(
        self, actor: Actor, request: Request, trouble: Trouble, shown: set[Hit], error: CopilotError | None, done: Round
    ) -> None:
        self._foreign(actor, request, shown, done)
        if error is not None and (trouble in SPOILS or self.meddler.explains()):
            done.counts["ended by an error"] += 1
            return
        done.counts["undisturbed"] += 1
        meant = self.truth.meant(request, actor)
        if error is None and (shown >= meant if request.way is Way.DOOR else frozenset(shown) == meant):
            done.counts["undisturbed_right"] += 1
        else:
            lacking = sorted(meant - shown)[:_SHOWN]
            done.misses.append(
                f"{actor.subject}, {_told(request)}: lacks {lacking}, {error!r} {error and error.__cause__!r}"
            )

    def _foreign(self, actor: Actor, request: Request, shown: set[Hit], done: Round) -> None:
        """Rows that this person may not see; a question shows others beside the record that it names."""
        if request.way is Way.DOOR:
            foreign = {hit for hit in shown if not actor.sees(self.truth.world.rows[hit[0]][hit[1]])}
        else:
            foreign = shown - self.truth.meant(request, actor)
        done.counts["rows"] += len(shown)
        done.counts["foreign_rows"] += len(foreign)
        if foreign:
            done.failures.append(f"{actor.subject}, {_told(request)}: was shown {sorted(foreign)[:_SHOWN]}")

    async def _asked(self, actor: Actor, request: Request, trouble: Trouble, shown: set[Hit]) -> None:
        """Ask, and keep what came; then spoil the transaction where that is what befalls it."""
        scope = self.scopes[actor.subject]
        if request.way is Way.DOOR:
            shown |= await self._door(actor, request)
        elif request.way is Way.RECORDS:
            shown |= await self._retrieved(request, scope)
        else:
            opened = self.runtime.database.connection(Role.APP) if request.way is Way.UNSCOPED else (
                self.runtime.database.scoped_transaction(scope)
            )  # fmt: skip
            async with opened as connection:
                shown |= await _read(connection, request, scope)
                if trouble in SPOILS:
                    await spoil(connection, trouble)
            return
        if trouble in SPOILS:
            async with self.runtime.database.scoped_transaction(scope) as connection:
                await spoil(connection, trouble)

    async def _retrieved(self, request: Request, scope: Scope) -> set[Hit]:
        """Through retrieval, as the answer to a question is."""
        runtime, asking = self.runtime, await self.runtime.line()
        where = (Filter("id", Operator.IN, request.ids),)
        steps = (RecordQuery(name="rows", entity=request.entity, where=where, limit=len(request.ids)),)
        plan = Plan(kind="probe", references={}, steps=steps, outline=Outline(groups=()))
        found = await retrieve(
            runtime.database, asking.model, plan, scope, policy=asking.policy, now=runtime.clock(), linker=asking.linker
        )
        return {(request.entity, record.row_id) for record in found.get("rows")}

    async def _door(self, actor: Actor, request: Request) -> set[Hit]:
        """By a question about an order: the records that its answer names as sources."""
        world = self.truth.world
        number = world.rows["sales_order"][request.ids[0]]["number"]
        asked = Question(text=f"where is {number}?", channel="api")
        answer = await (await self.runtime.line()).ask(asked, SessionSubject(actor.subject))
        found: set[Hit] = set()
        for source in answer.sources:
            if source.kind == "record":
                rows = list(world.where(source.entity, "source_key", [source.key]))
                mine = [row for row in rows if actor.sees(row)] or rows
                found |= {(source.entity, row["id"]) for row in mine}
        return found


async def _read(connection: Connection, request: Request, scope: Scope) -> set[Hit]:
    match request.way:
        case Way.NUMBERS:
            values = {"words": [*request.words], "bare": []}
            rows = await (await connection.execute(query("find_numbers"), values)).fetchall()
            return {(row["entity"], row["target_id"], row["word"]) for row in rows if row["kind"] == "number"}
        case Way.NAMES:
            rows = await (await connection.execute(query("whole_names"), {"names": [*request.words]})).fetchall()
            return {(row["entity"], row["target_id"], row["key"]) for row in rows}
        case Way.TOGETHER:
            async with together(connection, scope, request.classes):
                return await _table(connection, request.entity)
        case _:
            return await _table(connection, request.entity)


async def _table(connection: Connection, entity: str) -> set[Hit]:
    statement = sql.SQL("select id from {}").format(sql.Identifier("biz", entity))
    return {(entity, row["id"]) for row in await (await connection.execute(statement)).fetchall()}


async def _ending(asking: asyncio.Task[None]) -> CopilotError | None:
    """The error that a request ended with, if it did; what is none of ours is a failure of the suite."""
    try:
        await asking
    except CopilotError as error:
        return error
    return None


def _told(request: Request) -> str:
    return f"{request.way.value} of {request.entity or request.words}"


def few_connections(dsns: dict[Role, str]) -> Database:
    """The pools as everywhere, but for their size."""
    return NoticedDatabase(dsns, size=CONNECTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A copy of the company, who asks in it, and what its owner reads there."""

    company: Company
    database: str
    actors: Sequence[Actor]
    truth: Truth


@contextmanager
def set_stage(company: Company, seed: int) -> Generator[Stage]:
    """Make the stage."""
    with company.clone() as name:
        with psycopg.connect(company.dsn(name)) as admin:
            plant(admin, load_model().entities)
            world = read_world(admin, load_model())
            actors = crowd(world, seed)
            add_crowd(admin, world, actors)
            truth = read_truth(admin, world, seed)
        yield Stage(company=company, database=name, actors=actors, truth=truth)


@asynccontextmanager
async def open_trial(
    stage: Stage, setting: Setting, pools: Pools = few_connections, rounds: int | None = None, each: int = _EACH
) -> AsyncGenerator[InterleavedTrial]:
    """The suite on a stage; `pools` may plant a leak in the pools, to see that it is found."""
    company, truth = stage.company, stage.truth
    home = company.home / f"interleaved-{stage.database}"
    async with (
        running(company, stage.database, home, pools=pools) as runtime,
        await AsyncConnection.connect(company.dsn(stage.database), autocommit=True) as admin,
    ):
        scopes = {actor.subject: await given_scope(runtime, actor) for actor in stage.actors}
        count = rounds or (_SAMPLED if setting.sample else _ROUNDS)
        with quiet():
            yield InterleavedTrial(
                runtime=runtime, truth=truth, drawer=Drawer(truth, truth.words("number"), truth.words("name")),
                actors=stage.actors, scopes=scopes, meddler=Meddler(admin), seed=setting.seed, each=each,
                cases=[*(f"round {number}" for number in range(1, count + 1)), _AUDIT],
            )  # fmt: skip


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_company() as company:
        with set_stage(company, setting.seed) as stage:
            async with open_trial(stage, setting) as trial:
                yield trial


SCOPE_INTERLEAVED = Suite(
    name="scope-interleaved",
    goal="50 people on 4 connections, requests given up and connections killed: no row of another's, and 99% of what "
    "nothing befell exactly right",
    open=_open,
)
"""The suite."""
