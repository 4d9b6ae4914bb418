"""What is published of stock: by the rules of answers, over everything, brought up to what changed after each sync."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from connectors.base import SourceRecord
from copilot.domain.scope import Reach, Scope
from evals.proofs.published.trial import PublishedTrial, open_trial
from evals.proofs.suite import Setting
from tests.company import Company
from tests.integration.ingest_support import START, World, erp, line, order, record, stock

pytest_plugins = ("tests.integration.ingest_support",)

TODAY = START.date()
MILLION = 1_000_000


def purchase(key: str, promised: date | None, amount: int, *, status: str = "confirmed") -> list[SourceRecord]:
    values = {"supplier": "s-1", "site": "w-nyc", "status": status, "promised_date": promised}
    fields = {"item": "i-1", "open_quantity": Decimal(amount), "unit": "pcs", "status": "open"}
    return [
        record("purchase_order", key, number=key.upper(), **values),
        record("purchase_line", f"{key}.1", purchase_order=key, line_number=1, **fields),
    ]


def sold(key: str, due: date | None, amount: int, *, reserved: int = 0, customer: str = "k-1") -> list[SourceRecord]:
    fields = {"open_quantity": Decimal(amount), "reserved_quantity": Decimal(reserved), "status": "open"}
    return [order(key, promised_date=due, customer=customer), line(f"{key}.1", line_number=1, **fields)]


def later(days: int) -> date:
    return TODAY + timedelta(days=days)


async def buckets(world: World) -> list[tuple[Any, ...]]:
    """Day, receipts, demand, balance and what can be promised, of the desk in New York."""
    rows = await world.rows(
        "select b.day, b.receipts, b.demand, b.balance, b.promisable from biz.atp_bucket b"
        " join biz.item i on i.id = b.item_id join biz.site s on s.id = b.site_id"
        " where i.source_key = 'i-1' and s.code = 'NYC' order by b.day"
    )
    return [(row["day"], *(value // MILLION for value in list(row.values())[1:])) for row in rows]


async def test_availability_and_buckets_follow_every_change_and_only_what_changed_is_written(world: World) -> None:
    more = [
        stock("i-1/w-nyc", on_hand=Decimal(20), reserved=Decimal(4)),
        *sold("o-30", later(3), 6, reserved=4),
        *sold("o-31", later(-2), 1, customer="k-2"),
        *purchase("p-1", later(5), 10),
        *purchase("p-2", later(-1), 7),
        *purchase("p-3", None, 3),
    ]
    source = erp()
    source.put(*more)
    await world.sync(source)
    row = await world.row(
        "select * from biz.availability a join biz.item i on i.id = a.item_id where i.source_key = 'i-1'"
    )
    figures = [row[name] and row[name] // MILLION for name in ("on_hand", "reserved", "available")]
    assert figures == [20, 4, 16]
    assert (row["demand"], row["incoming"], row["late_incoming"]) == (3 * MILLION, 10 * MILLION, 10 * MILLION)
    assert (row["governed_by"], row["agrees"], row["promised"], row["live"]) == ("erp", None, True, True)
    assert await buckets(world) == [
        (TODAY, 0, 1, 15, 13),
        (later(3), 0, 2, 13, 13),
        (later(5), 10, 0, 23, 23),
    ]

    world.clock.move(hours=1)
    written = await world.rows("select id, valid_from from biz.availability")
    await world.sync(source)  # nothing changed
    assert await world.rows("select id, valid_from from biz.availability") == written

    world.clock.move(hours=1)
    source.put(order("o-31", status="cancelled", at=world.clock.now))
    await world.sync(source)
    assert await buckets(world) == [(TODAY, 0, 0, 16, 14), (later(3), 0, 2, 14, 14), (later(5), 10, 0, 24, 24)]

    world.clock.move(days=6)  # nothing changes but the day: what was expected is late now, what was due is due
    await world.sync(source)
    assert await buckets(world) == [(later(6), 0, 2, 14, 14)]


async def test_what_is_not_recorded_is_never_published_as_nothing(world: World) -> None:
    source = erp()
    source.put(line("o-24.1", line_number=1, status="open"))  # open, nobody knows how much
    await world.sync(source)
    row = await world.row("select * from biz.availability")
    assert (row["on_hand"], row["reserved"], row["available"]) == (5 * MILLION, None, 4 * MILLION)
    assert (row["demand"], row["promised"]) == (None, False)
    assert await buckets(world) == []


@pytest.fixture
async def desks(world: World) -> World:
    source = erp()
    source.put(stock("i-1/w-ham", on_hand=Decimal(8), reserved=Decimal(0)))
    await world.sync(source)
    return world


async def test_who_may_see_stock_at_a_site_sees_the_same_row_and_nobody_else_any(desks: World) -> None:
    sites = {row["code"]: row["id"] for row in await desks.rows("select id, code from biz.site")}
    stock = Reach(classes=frozenset({"stock"}), regions=None, sites=None, channels=None, accounts=None)
    assert await seen(desks, Scope((stock,))) == 2
    only = frozenset({sites["HAM"]})
    narrow = Reach(classes=stock.classes, regions=None, sites=only)
    assert await seen(desks, Scope((narrow,))) == 1
    assert await seen(desks, Scope((replace(stock, classes=frozenset({"sales"})),))) == 0
    assert await seen(desks, Scope((Reach(classes=stock.classes, regions=None, sites=frozenset()),))) == 0


async def seen(world: World, scope: Scope) -> int:
    async with world.database.scoped_transaction(scope) as connection:
        row = await (await connection.execute("select count(*) as rows from biz.availability")).fetchone()
        return row["rows"] if row else -1


# --- the proof ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def trial(company: Company) -> AsyncIterator[PublishedTrial]:
    async with open_trial(company, Setting(seed=3, sample=True), (0, 8)) as opened:
        yield opened


async def test_published_figures_are_the_same_for_everybody_and_one_that_is_off_is_found(company: Company) -> None:
    async with trial(company) as opened:
        results = [await opened.run(case) for case in opened.cases]
        assert [failure for result in results for failure in result.failures] == []
        told = ("with_value", "refused", "rows", "changed")
        counts = {name: sum(r.counts.get(name, 0) for r in results) for name in told}
        assert all(counts.values()), counts
        assert opened.finding(counts).met
        spoil(company, opened)
        for case in ("1 warehouse.sg availability", "1 warehouse.sg stock_available"):
            assert (await opened.run(case)).failures, case
        assert not (await opened.run("1 warehouse.sg stock_on_hand")).failures


def spoil(company: Company, opened: PublishedTrial) -> None:
    """One available figure at one site, by a millionth."""
    first = (
        "select min(a.id) from biz.availability a join biz.site s on s.id = a.site_id"
        " where s.code = 'TUA' and a.available is not null"
    )
    with psycopg.connect(company.dsn(opened.database)) as admin:
        admin.execute("select set_config('copilot.now', '2026-11-29T00:00:00Z', true)")
        admin.execute(f"update biz.availability set available = available + 1 where id = ({first})".encode())
