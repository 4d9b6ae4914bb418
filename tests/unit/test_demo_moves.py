"""The demo company moves: what changes after a moment is exactly what differs, and nothing depends on the path."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.base import Cursor, SourceRecord
from connectors.testing import all_keys
from copilot.demo.connector import DemoErp, DemoWms
from copilot.demo.world import ORDER_LIFE, PURCHASE_LIFE, DemoWorld, _work_out

LONG, SHORT = date(2024, 11, 1), date(2026, 6, 1)
"""Epochs: the full two years for what reaches far back, five months where the mechanism is all that matters."""
NOW = datetime(2026, 11, 10, 12, 34, tzinfo=UTC)
STEPS = (timedelta(hours=7), timedelta(days=9))


def world(moment: datetime = NOW, *, seed: int = 7, epoch: date = SHORT) -> DemoWorld:
    return DemoWorld(seed=seed, epoch=epoch, now=moment)


def everything(source: DemoErp | DemoWms, entity: str) -> dict[tuple[str, str], SourceRecord]:
    records = list(source.records(entity))
    found = {(record.company, record.key): record for record in records}
    assert len(found) == len(records), f"{entity} has a key twice"
    return found


async def changed(source: DemoErp | DemoWms, entity: str, since: datetime) -> list[SourceRecord]:
    pages = [page async for page in source.changes(entity, Cursor(since.isoformat()))]
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].cursor is not None
    return [record for page in pages for record in page.records]


@pytest.mark.parametrize("kind", [DemoErp, DemoWms])
async def test_changes_on_top_of_the_old_state_give_the_new_state(kind: type[DemoErp | DemoWms]) -> None:
    moment = NOW
    source = kind(world(moment))
    held = {entity: everything(source, entity) for entity in source.entities}
    for step in STEPS:
        later = kind(world(moment + step))
        for entity in later.entities:
            held[entity] |= {(r.company, r.key): r for r in await changed(later, entity, moment)}
            living = await all_keys(later, entity)
            held[entity] = {key: record for key, record in held[entity].items() if key in living}
            assert held[entity] == everything(later, entity), (entity, step)
        moment += step


@pytest.mark.parametrize("kind", [DemoErp, DemoWms])
async def test_the_same_holds_for_the_whole_two_years(kind: type[DemoErp | DemoWms]) -> None:
    """Only here are there orders older than the window that `changes` looks at, and a journal with balances."""
    before, after = kind(world(epoch=LONG)), kind(world(NOW + STEPS[-1], epoch=LONG))
    for entity in before.entities:
        held = everything(before, entity)
        held |= {(r.company, r.key): r for r in await changed(after, entity, NOW)}
        if entity in after.vanishing:
            living = await all_keys(after, entity)
            held = {key: record for key, record in held.items() if key in living}
        assert held == everything(after, entity), entity


async def test_only_reservations_ever_vanish() -> None:
    before, after = DemoErp(world()), DemoErp(world(NOW + timedelta(days=3)))
    gone = [entity for entity in before.entities if await all_keys(before, entity) - await all_keys(after, entity)]
    assert gone == list(after.vanishing) == ["reservation"]


def test_nothing_happens_to_an_order_after_its_life() -> None:
    now = world(epoch=LONG)
    for life in now.lives():
        moments = [invoice.changed(now.now) for invoice in life.invoices]
        moments += [shipment.changed(now.now) for shipment in life.fulfilment.shipments]
        moments += [invoice.paid for invoice in life.invoices]
        assert max(moments, default=0) - life.order.created < ORDER_LIFE - 20 * 86_400
    for order in now.purchases():
        assert order.changed(now.now) - order.plan.placed < PURCHASE_LIFE - 20 * 86_400


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    first = everything(DemoErp(world()), "sales_order")
    _work_out.cache_clear()
    assert everything(DemoErp(world()), "sales_order") == first
    assert everything(DemoErp(world(seed=8)), "sales_order") != first


async def test_a_fresh_world_has_nothing_new_for_its_own_moment() -> None:
    source = DemoErp(world())
    moment = datetime.fromtimestamp(world().now, UTC)
    for entity in source.entities:
        assert await changed(source, entity, moment) == []


async def test_read_gives_the_same_as_the_whole_and_leaves_out_what_is_not_there() -> None:
    for source in (DemoErp(world()), DemoWms(world())):
        for entity in source.entities:
            whole = everything(source, entity)
            keys = [key for _, key in list(whole)[:: max(1, len(whole) // 5)]]
            read = await source.read(entity, [*keys, "no-such-99999"])
            assert {record.key: record for record in read} == {key: r for (_, key), r in whole.items() if key in keys}
