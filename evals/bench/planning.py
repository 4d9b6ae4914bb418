"""How long the planner thinks: the time that understanding a question takes apart from the statements it runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow

from copilot.domain.plan import Plan
from copilot.domain.question import SessionSubject
from copilot.policy.policy import scope_for
from copilot.wiring import Runtime
from evals.bench.figure import Figure, Stopwatch, middle, percentile, stopwatch
from evals.bench.scene import ASKED, texts
from evals.company import open_company, running

_WARM_UP, _ROUNDS = 1, 6
_P95, _MOST_MS = 0.95, 40.0
_COMPOSED = (
    ("planner", "which open orders are late"),
    ("planner", "open order value by site"),
    ("planner", "how many orders did we ship last month by carrier"),
    ("planner", "top 5 customers by order value this year"),
    ("planner", "on-time in full by month since the beginning of the quarter"),
    ("planner", "orders over 10k EUR promised before friday and not shipped"),
    ("planner", "which items are below their reorder point in Chicago"),
    ("buyer", "average lead time by supplier over the last 90 days"),
    ("buyer", "top 5 suppliers by late receipts last quarter"),
    ("finance", "overdue invoices over 30 days by customer"),
    ("rep.us", "open returns received since monday, oldest first"),
    ("rep.us", "which quotations expire next week"),
    ("rep.us", "orders on hold and the reason why somebody plorked them"),
)
"""Questions of records that nobody names; the last is one that has a word without a place."""


async def measure_planning(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """p50 and p95 of planning without its SQL, beside all of it."""
    async with open_company() as company:
        with company.clone() as name, psycopg.connect(company.dsn(name), autocommit=True) as admin:
            named = [(who, text) for who, ask, rows in ASKED for text in texts(admin, ask, rows)]
            async with running(company, name, company.home / "planning") as runtime:
                asked = [(who, text) for who, text in (*named, *_COMPOSED)]
                say(f"{len(asked)} questions, {_ROUNDS} rounds")
                times = [each async for each in _times(runtime, asked)]
    own, whole = [own for own, _ in times], [whole for _, whole in times]
    yield Figure(name="planner's own p50", value=middle(own) * 1000, unit="ms", peer=middle(whole) * 1000)
    p95 = percentile(own, _P95) * 1000
    yield Figure(name="planner's own p95", value=p95, unit="ms", goal=_MOST_MS, peer=percentile(whole, _P95) * 1000)


async def _times(runtime: Runtime, asked: list[tuple[str, str]]) -> AsyncIterator[tuple[float, float]]:
    """Seconds of each planning, without its statements and with them."""
    asking = await runtime.line()
    scopes = {
        who: scope_for(await asking.authenticate(SessionSubject(who)), asking.policy) for who in {w for w, _ in asked}
    }
    for number in range(_WARM_UP + _ROUNDS):
        for who, text in asked:
            with timed_statements() as statements, stopwatch() as watch:
                plan = await asking.plan(text, scopes[who])
            if plan is None:
                raise RuntimeError(f"{who} may read nothing")
            if number == 0 and who == "rep.us" and text.startswith("where is") and not isinstance(plan, Plan):
                raise RuntimeError(f"{text!r} was not understood")
            if number >= _WARM_UP:
                yield watch.seconds - statements.seconds, watch.seconds


@contextmanager
def timed_statements() -> Generator[Stopwatch]:
    """Adds up the time that statements on any connection take while the block runs; one at a time."""
    spent = Stopwatch()
    plain = AsyncConnection[DictRow].execute

    async def execute(
        self: AsyncConnection[DictRow], query: Any, params: Any = None, **more: Any
    ) -> AsyncCursor[DictRow]:
        begun = time.perf_counter()
        try:
            return await plain(self, query, params, **more)
        finally:
            spent.seconds += time.perf_counter() - begun

    with patch.object(AsyncConnection, "execute", execute):
        yield spent
