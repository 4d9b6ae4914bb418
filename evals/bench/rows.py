"""What row security costs against the same query with a WHERE written by hand, run by a role that no policy holds; and
what reading somebody's grants costs in a small directory and in a large one."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection, IsolationLevel, sql
from psycopg.rows import DictRow, dict_row

from copilot.domain.scope import Reach, Scope
from copilot.policy.policy import load_policy
from copilot.store.pool import STATEMENT_MS
from copilot.store.queries import query
from copilot.wiring import Runtime
from evals.bench.figure import Figure, middle, stopwatch
from evals.bench.lookup import looked_up
from evals.bench.scene import EPOCH
from evals.company import Company, open_company, running

_GOAL, _EXPONENT = 1.1, 0.1
_WARM_UP, _ROUNDS = 3, 15
_RECORDS = 40
_PEOPLE = (1, 1_000)
_GRANTS = 3
_LOOK_UP = 200
_RECORD: LiteralString = "select number, status, promised_date from biz.sales_order r where id = %(id)s"
_ASKED: LiteralString = _RECORD + " and {seen}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A query, with the place for a WHERE by hand, and how often it runs in a round; `goal` is what it may cost."""

    name: str
    statement: LiteralString
    runs: int
    goal: float | None = None


_SHAPES = (
    Shape(name="point look-up", statement=_ASKED, runs=_RECORDS, goal=_GOAL),
    Shape(
        name="filtered list",
        statement="select number, status, order_date from biz.sales_order r where customer_id = %(customer)s"
        " and status <> 'draft' and {seen} order by order_date desc, id limit 50",
        runs=_RECORDS,
        goal=_GOAL,
    ),
    Shape(
        name="sum over the largest table", statement="select sum(quantity) from biz.stock_move r where {seen}", runs=1
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody's scope, and how one would write it by hand."""

    name: str
    scope: Scope
    by_hand: LiteralString
    labels: Mapping[str, Sequence[int]]
    held: bool
    """Whether the goals are for them."""


async def measure_rows(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """Ratios within each round, the two ways in turns, as medians over the rounds."""
    async with open_company(EPOCH) as company:
        async for figure in _against_hand(company, say):
            yield figure
        async for figure in _against_directory(company, say):
            yield figure


async def _against_hand(company: Company, say: Callable[[str], None]) -> AsyncIterator[Figure]:
    with company.clone() as name:
        with psycopg.connect(company.dsn(name), autocommit=True) as admin:
            admin.execute("vacuum analyze")
            readers, values = _readers(admin), _values(admin)
        async with running(company, name, company.home / "rows") as runtime, _unguarded(company, name) as free:
            for reader in readers:
                say(f"{reader.name}: {len(_SHAPES)} queries, {_ROUNDS} rounds")
                for shape in _SHAPES:
                    guarded, by_hand = await _timed(runtime, free, reader, shape, values)
                    ratios = [mine / theirs for mine, theirs in zip(guarded, by_hand, strict=True)]
                    what = f"{shape.name}, row security against a WHERE by hand, {reader.name}"
                    yield Figure(
                        name=what, value=middle(ratios), unit="ratio", goal=shape.goal if reader.held else None, peer=1
                    )
                    yield Figure(
                        name=f"{what}: time", value=middle(guarded) * 1000, unit="ms", peer=middle(by_hand) * 1000
                    )


def _readers(admin: psycopg.Connection[Any]) -> tuple[Reader, ...]:
    """One grant for a region, one for everything, and two of which neither holds the other."""
    row = admin.execute("select id from biz.region where code = 'US'").fetchone()
    place = admin.execute("select min(id) from biz.site where label_region <> %s", row).fetchone()
    if row is None or place is None:
        raise RuntimeError("the demo company lacks its region or its sites")
    classes = load_policy().classes_of("warehouse")
    everywhere = Reach(classes=classes, regions=None, sites=None, channels=None, accounts=None)
    here = Reach(classes=classes, regions=frozenset(row), sites=None, channels=None, accounts=None)
    there = Reach(classes=classes, regions=None, sites=frozenset(place), channels=None, accounts=None)
    labels = {"regions": [0, *row], "sites": [0, *place]}
    region: LiteralString = "label_region = any (%(regions)s)"
    either: LiteralString = "(label_region = any (%(regions)s) or label_site = any (%(sites)s))"
    return (
        Reader(name="one region", scope=Scope((here,)), by_hand=region, labels=labels, held=True),
        Reader(name="everywhere", scope=Scope((everywhere,)), by_hand="true", labels=labels, held=True),
        Reader(name="two grants", scope=Scope((here, there)), by_hand=either, labels=labels, held=False),
    )


def _values(admin: psycopg.Connection[Any]) -> Sequence[Mapping[str, int]]:
    rows = admin.execute(
        "select id, customer_id from biz.sales_order order by md5(id::text) limit %s", (_RECORDS,)
    ).fetchall()
    return [{"id": ident, "customer": customer} for ident, customer in rows]


@asynccontextmanager
async def _unguarded(company: Company, name: str) -> AsyncGenerator[AsyncConnection[DictRow]]:
    """A superuser's connection of the same kind as the questions' own, held to the same time for a statement."""
    async with await AsyncConnection[DictRow].connect(company.dsn(name), row_factory=dict_row) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        await connection.execute(query("limit_statements"), {"timeout": str(STATEMENT_MS)})
        await connection.commit()
        yield connection


async def _timed(
    runtime: Runtime, free: AsyncConnection[DictRow], reader: Reader, shape: Shape, values: Sequence[Mapping[str, int]]
) -> tuple[list[float], list[float]]:
    """The median seconds of a run by round, in turns guarded and by hand.

    Raises RuntimeError where the two find other rows.
    """
    plain = sql.SQL(shape.statement).format(seen=sql.SQL("true"))
    by_hand = sql.SQL(shape.statement).format(seen=sql.SQL(reader.by_hand))
    bound = [{**each, **reader.labels} for each in values[: shape.runs]]
    guarded_times: list[float] = []
    hand_times: list[float] = []
    async with runtime.database.scoped_transaction(reader.scope) as guarded, free.transaction():
        for number in range(_WARM_UP + _ROUNDS):
            pairs: list[tuple[_Ran, _Ran]] = []
            for place, each in enumerate(bound):
                if (number + place) % 2:  # who comes second finds the pages in the processor's cache
                    second, first = await _run(free, by_hand, each), await _run(guarded, plain, each)
                else:
                    first, second = await _run(guarded, plain, each), await _run(free, by_hand, each)
                pairs.append((first, second))
            if any(mine.rows != theirs.rows for mine, theirs in pairs):
                raise RuntimeError(f"{shape.name}: {reader.name} reads other rows than the WHERE by hand")
            if number >= _WARM_UP:
                guarded_times.append(middle([mine.seconds for mine, _ in pairs]))
                hand_times.append(middle([theirs.seconds for _, theirs in pairs]))
    return guarded_times, hand_times


@dataclass(frozen=True, slots=True)
class _Ran:
    rows: Sequence[DictRow]
    seconds: float


async def _run(connection: AsyncConnection[DictRow], statement: sql.Composed, bound: Mapping[str, Any]) -> _Ran:
    with stopwatch() as watch:
        rows = await (await connection.execute(statement, bound, prepare=True)).fetchall()
    return _Ran(rows, watch.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peopled:
    """A company with so many people, and the seconds that one of them took."""

    people: int
    runtime: Runtime
    values: Sequence[Mapping[str, int]]
    times: list[float] = field(default_factory=list[float])


async def _against_directory(company: Company, say: Callable[[str], None]) -> AsyncIterator[Figure]:
    async with AsyncExitStack() as stack:
        peopled = [await stack.enter_async_context(_with_people(company, count)) for count in _PEOPLE]
        say(f"a look-up with the reading of grants, among {' and '.join(f'{count:,}' for count in _PEOPLE)} people")
        for number in range(_WARM_UP + _LOOK_UP):
            for each in peopled:
                value = each.values[number % len(each.values)]
                seconds, _ = await looked_up(each.runtime, "p1", _RECORD, value)
                if number >= _WARM_UP:
                    each.times.append(seconds)
    for each in peopled:
        name = f"point look-up with the reading of grants, {each.people:,} people"
        yield Figure(name=name, value=middle(each.times) * 1000, unit="ms")
    few, many = peopled[0], peopled[-1]
    exponent = math.log(middle(many.times) / middle(few.times)) / math.log(many.people / few.people)
    yield Figure(
        name=f"point look-up, growth over {many.people:,} times the people and grants",
        value=exponent, unit="exponent", goal=_EXPONENT,
    )  # fmt: skip


@asynccontextmanager
async def _with_people(company: Company, count: int) -> AsyncGenerator[Peopled]:
    """The company in which so many people have grants, each as many as the next."""
    with company.clone() as name:
        with psycopg.connect(company.dsn(name), autocommit=True) as admin:
            admin.execute("delete from directory.person")
            admin.execute(
                "insert into directory.person (subject, name) select 'p' || n, 'P' from generate_series(1, %s) n",
                (count,),
            )
            admin.execute(
                "insert into directory.grant (subject, role, regions, sites, valid_from)"
                " select subject, (array['planner', 'customer_service', 'warehouse'])[g],"
                " case g when 3 then null else array[g] end, case g when 3 then array[g] end, '2026-01-01'"
                " from directory.person, generate_series(1, %s) g",
                (_GRANTS,),
            )
            admin.execute("vacuum analyze")
            values = _values(admin)
        async with running(company, name, company.home / f"people_{count}") as runtime:
            yield Peopled(people=count, runtime=runtime, values=values)
