"""What a question about one record costs as the business grows to ten and to a hundred times as many records."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from copilot.domain.answer import Verdict
from copilot.semantic.model import Entity, load_model
from copilot.wiring import Runtime
from evals.bench.figure import Figure, middle, stopwatch
from evals.bench.scene import ASKED, texts
from evals.company import Company, ask, open_company, running

_SIZES = (1, 10, 100)
_WARM_UP, _ROUNDS = 2, 7
_EXPONENT = 0.1
_GROWN = (
    "customer", "customer_contact", "item", "item_substitute", "supplier", "stock", "transfer", "transfer_line",
    "sales_order", "sales_order_line", "sales_order_amount", "order_hold", "shipment", "shipment_line", "invoice",
    "invoice_amount", "purchase_order", "purchase_line",
)  # fmt: skip
"""What the questions read. Names are left to the part that measures those: here numbers alone are looked up."""
_APART = 10_000_000
"""How far apart the ids of two copies are."""
_COLUMNS = """
    select attname from pg_attribute
     where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''
"""
_LOOKED_UP: LiteralString = """
    insert into biz.lookup (entity, target_id, kind, key, via, row_entity, row_id,
                            label_region, label_site, label_channel, label_account, record_class)
    select entity, target_id + g * {apart}, kind, key || g, via, row_entity, row_id + g * {apart},
           label_region, label_site, label_channel, label_account, record_class
      from biz.lookup, generate_series(1, {copies}) g
     where kind = 'number' and row_entity = any ({grown})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A company so many times as large, with its questions, and the seconds that each answer took."""

    size: int
    rows: int
    runtime: Runtime
    asked: Sequence[tuple[str, str]]
    times: list[float] = field(default_factory=list[float])


async def measure_growth(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """The median of point questions at each size, asked in turns, and the exponent of its growth."""
    async with open_company() as company, AsyncExitStack() as stack:
        grown = [await stack.enter_async_context(_at(company, size, say)) for size in _SIZES]
        for number in range(_WARM_UP + _ROUNDS):
            for place in range(len(grown[0].asked)):
                for each in grown:
                    await _answer(each, place, counts=number >= _WARM_UP)
    for each in grown:
        name = f"point question p50, {each.size} times the rows ({each.rows:,} in all)"
        yield Figure(name=name, value=middle(each.times) * 1000, unit="ms")
    small, large = grown[0], grown[-1]
    exponent = math.log(middle(large.times) / middle(small.times)) / math.log(large.size / small.size)
    yield Figure(
        name=f"point question, growth over {large.size} times the rows", value=exponent, unit="exponent", goal=_EXPONENT
    )


@asynccontextmanager
async def _at(company: Company, size: int, say: Callable[[str], None]) -> AsyncGenerator[Grown]:
    """The company so many times as large, running."""
    with company.clone() as name:
        with psycopg.connect(company.dsn(name), autocommit=True) as admin:
            asked = [(who, text) for who, question, rows in ASKED for text in texts(admin, question, rows, each=1)]
            rows = _grow(admin, size - 1)
        say(f"{size} times: {rows:,} rows, {len(asked)} questions")
        async with running(company, name, company.home / f"growth_{size}") as runtime:
            yield Grown(size=size, rows=rows, runtime=runtime, asked=asked)


async def _answer(grown: Grown, place: int, *, counts: bool) -> None:
    """Ask one of the questions. Raises RuntimeError for one that gets no answer: copies must not stand in its way."""
    who, text = grown.asked[place]
    with stopwatch() as watch:
        answer = await ask(grown.runtime, who, text)
    if answer.verdict is Verdict.DECLINED:
        raise RuntimeError(f"{who} got no answer to {text!r}: {answer.answer}")
    if counts:
        grown.times.append(watch.seconds)


def _grow(admin: psycopg.Connection[Any], copies: int) -> int:
    """Add so many copies of every record that grows with the business, each found by a number of its own; returns how
    many rows there are then."""
    admin.execute("set session_replication_role = replica")
    tables = [sql.Identifier("biz", name) for name in (*_GROWN, "lookup")]
    if copies:
        for table in tables:  # without the log it takes half the time, and reading them takes as long
            admin.execute(sql.SQL("alter table {} set unlogged").format(table))
        for name in _GROWN:
            _copy(admin, load_model()[name], copies)
        values = {"apart": _APART, "copies": copies, "grown": list(_GROWN)}
        admin.execute(sql.SQL(_LOOKED_UP).format(**{name: sql.Literal(value) for name, value in values.items()}))
    admin.execute("vacuum analyze")
    return sum(_count(admin, table) for table in tables)


def _count(admin: psycopg.Connection[Any], table: sql.Identifier) -> int:
    row = admin.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    return row[0] if row else 0


def _copy(admin: psycopg.Connection[Any], entity: Entity, copies: int) -> None:
    """Copies of the rows of an entity that belong to the same copies of what they refer to."""
    moved = {"id", *(ref.column for ref in entity.refs() if ref.to in _GROWN)}
    columns = [name for (name,) in admin.execute(_COLUMNS, (f"biz.{entity.name}",)).fetchall()]
    values = [_value(column, column in moved) for column in columns]
    statement = sql.SQL("insert into {} ({}) overriding system value select {} from {}, generate_series(1, {}) g")
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    table = sql.Identifier("biz", entity.name)
    admin.execute(statement.format(table, names, sql.SQL(", ").join(values), table, sql.Literal(copies)))


def _value(column: str, moved: bool) -> sql.Composable:  # noqa: FBT001 -- of a column, whether it is moved
    if moved:
        return sql.SQL("{} + g * {}").format(sql.Identifier(column), sql.Literal(_APART))
    if column == "source_key":
        return sql.SQL("source_key || '+' || g")
    return sql.Identifier(column)
