"""How the time of a question grows with the evidence of its answer, and with what was asked before in its conversation.

The evidence is the lines of an order, up to as many as an answer takes; the history is the turns of a conversation.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from copilot.wiring import Runtime
from evals.bench.figure import Figure, middle, stopwatch
from evals.company import ask, open_company, running

_WARM_UP, _ROUNDS = 2, 15
_LINES: Sequence[int] = (1, 10, 60)
_TURNS: Sequence[int] = (5, 50, 500)
_MOST_IN_EVIDENCE, _MOST_IN_HISTORY = 1.1, 0.1
_WHO = "rep.us"
_ORDERS: LiteralString = """
    select o.number from biz.sales_order o join biz.sales_order_line l on l.order_id = o.id
     where o.status = 'confirmed' and o.label_region = (select id from biz.region where code = 'US')
     group by o.number having count(*) = 1 order by md5(o.number) limit %s
"""
_COLUMNS: LiteralString = """
    select attname from pg_attribute
     where attrelid = 'biz.sales_order_line'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
"""
_MORE_LINES: LiteralString = """
    insert into biz.sales_order_line ({columns}) overriding system value
    select {values} from biz.sales_order_line l join biz.sales_order o on o.id = l.order_id and o.number = {order},
           generate_series(1, {more}) g
"""
_COPIED: Mapping[str, LiteralString] = {
    "id": "l.id + g * 10000000",
    "line_number": "l.line_number + g",
    "source_key": "l.source_key || '+' || g",
}
"""What of a line is another in its copies."""
_MORE_TURNS: LiteralString = """
    with counted as (
        update state.conversation set turns = turns + %(more)s where id = %(conversation)s
    )
    insert into state.turn (conversation_id, position, asked_at, question, plan, verdict, reason, audit_id)
    select conversation_id, position + g, asked_at, question, plan, verdict, reason, gen_random_uuid()
      from state.turn, generate_series(1, %(more)s) g where conversation_id = %(conversation)s and position = %(last)s
"""
_LAST: LiteralString = "select max(position) from state.turn where conversation_id = %s"


async def measure_lengths(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """Medians at each length, asked in turns, and of both the exponent of the steepest step."""
    async with open_company() as company:
        with company.clone() as name, psycopg.connect(company.dsn(name), autocommit=True) as admin:
            orders = _orders_of(admin, _LINES)
            async with running(company, name, company.home / "lengths") as runtime:
                say(f"orders of {_LINES} lines")
                by_lines = {
                    lines: await _asked_about(runtime, order, lines)
                    for lines, order in zip(_LINES, orders, strict=True)
                }
                for figure in await _grown("lines of its evidence", by_lines, _MOST_IN_EVIDENCE):
                    yield figure
                say(f"conversations of {_TURNS} turns")
                by_turns = {turns: await _conversation(runtime, admin, orders[0], turns) for turns in _TURNS}
                for figure in await _grown("turns before it", by_turns, _MOST_IN_HISTORY):
                    yield figure


async def _grown(what: str, asking: Mapping[int, Callable[[], Awaitable[object]]], most: float) -> list[Figure]:
    times: dict[int, list[float]] = {length: [] for length in asking}
    for number in range(_WARM_UP + _ROUNDS):
        for length, ask_it in asking.items():
            with stopwatch() as watch:
                await ask_it()
            if number >= _WARM_UP:
                times[length].append(watch.seconds)
    steps = pairwise((length, middle(taken)) for length, taken in times.items())
    grown = max(math.log(after / before) / math.log(longer / shorter) for (shorter, before), (longer, after) in steps)
    of_each = [
        Figure(name=f"question p50, {length} {what}", value=middle(taken) * 1000, unit="ms")
        for length, taken in times.items()
    ]
    return [*of_each, Figure(name=f"question, growth with the {what}", value=grown, unit="exponent", goal=most)]


async def _asked_about(runtime: Runtime, order: str, lines: int) -> Callable[[], Awaitable[object]]:
    """Asks for the lines of an order. Raises RuntimeError where the answer has not all of them."""

    async def question() -> object:
        return await ask(runtime, _WHO, f"lines of order {order}")

    answer = await ask(runtime, _WHO, f"lines of order {order}")
    if f"has {lines} line" not in answer.answer:
        raise RuntimeError(f"the lines of {order} are not {lines}: {answer.answer[:200]}")
    return question


async def _conversation(
    runtime: Runtime, admin: psycopg.Connection[Any], order: str, turns: int
) -> Callable[[], Awaitable[object]]:
    """Asks about an order in a conversation that has so many turns already."""
    conversation = (await ask(runtime, _WHO, f"lines of order {order}")).conversation
    [last] = admin.execute(_LAST, (conversation,)).fetchone() or (0,)
    admin.execute(_MORE_TURNS, {"more": turns - 1, "conversation": conversation, "last": last})

    async def question() -> object:
        return await ask(runtime, _WHO, f"order status {order}", conversation)

    return question


def _orders_of(admin: psycopg.Connection[Any], lengths: Sequence[int]) -> Sequence[str]:
    """Orders of one line each, the line copied until each has as many as it should."""
    orders = [number for (number,) in admin.execute(_ORDERS, (len(lengths),)).fetchall()]
    columns = [name for (name,) in admin.execute(_COLUMNS).fetchall()]
    values = [sql.SQL(_COPIED[name]) if name in _COPIED else sql.Identifier("l", name) for name in columns]
    admin.execute("set session_replication_role = replica")
    for number, lines in zip(orders, lengths, strict=True):
        statement = sql.SQL(_MORE_LINES).format(
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)), values=sql.SQL(", ").join(values),
            order=sql.Literal(number), more=sql.Literal(lines - 1),
        )  # fmt: skip
        admin.execute(statement)
    admin.execute("vacuum analyze")
    return orders
