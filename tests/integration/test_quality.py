"""The quality of the copied data: every kind of fault is found where it is planted and nowhere else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from connectors.base import SourceRecord
from connectors.memory import MemoryConnector
from copilot.errors import QualityError
from copilot.ingest.quality import Result, load_checks, read_quality
from copilot.store.queries import query
from copilot.store.roles import Role
from tests.integration.ingest_support import ENTITIES, START, World, company, erp, line, order, record, stock

pytest_plugins = ("tests.integration.ingest_support",)

OFFERED = (*ENTITIES, "sales_order_amount", "item_unit")
D = Decimal


def source(*more: SourceRecord) -> MemoryConnector:
    """The small company, with order values and units beside."""
    return MemoryConnector("erp", OFFERED, [*company(), *more])


async def results(world: World, *, limit: int = 2) -> dict[str, Result]:
    """The newest result of each check."""
    async with world.database.connection(Role.LOADER) as connection:
        found = await read_quality(connection, world.sources["erp"].id, limit=limit)
    return {result.check.id: result for result in found.results}


def price(key: str, net: str | None, currency: str = "USD") -> SourceRecord:
    """The price of the line of the same key."""
    return record("sales_line_price", key, line=key, net=None if net is None else D(net), currency=currency)


FAULTS = {
    "sales_order.promised_missing": (order("o-30", number="S-30"), line("o-30.1")),
    "item.number_missing": (record("item", "x", {"region": "*"}, name="Nameless", base_unit="pcs"),),
    "stock.unit_missing": (record("stock", "x", item="i-1", site="w-ham", on_hand=D(1)),),
    "sales_order.number_twice": (order("x.1", number="S-00024"),),
    "item.gtin_twice": (
        record("item", "x", {"region": "*"}, number="X", name="X", base_unit="pcs", gtin="4006381333931"),
        record("item", "y", {"region": "*"}, number="Y", name="Y", base_unit="pcs", gtin="4006381333931"),
    ),
    "sales_order.promised_date_impossible": (
        order("x", number="X", order_date=date(2026, 11, 2), promised_date=date(2026, 11, 1)),
    ),
    "sales_order.order_date_impossible": (order("x", number="X", order_date=date(1970, 1, 1)),),
    "purchase_line.received_date_impossible": (
        record("purchase_order", "x", number="P", supplier="s-1", site="w-nyc"),
        record("purchase_line", "x", purchase_order="x", item="i-1", received_date=date(2026, 11, 20)),
    ),
    "stock.on_hand_negative": (stock("i-1/w-ham", on_hand=D(-1)),),
    "stock.unit_unknown": (record("stock", "x", item="i-1", site="w-ham", on_hand=D(1), unit="barrel"),),
    "sales_line_price.currency_unknown": (price("o-24.1", "1", "XXQ"),),
    "sales_order.without_lines": (order("x", number="X"),),
    "stock.available_sum": (stock("i-1/w-ham", on_hand=D(5), reserved=D(2), available=D(4)),),
    "sales_order_line.ordered_sum": (line("o-24.1", ordered_quantity=D(5), shipped_quantity=D(2), open_quantity=D(2)),),
    "sales_order_amount.net_sum": (
        price("o-24.1", "10"),
        price("o-24.2", "20"),
        record("sales_order_amount", "o-24", order="o-24", net=D("30.03"), currency="USD"),
    ),
}
CLEAN = (
    order("o-24", promised_date=date(2026, 11, 9), order_date=date(2026, 11, 9)),
    line("o-24.1", ordered_quantity=D(5), shipped_quantity=D(2), open_quantity=D(3)),
    line("o-25.1", ordered_quantity=D(5), shipped_quantity=D(2), open_quantity=D(1), status="cancelled"),
    record("item_unit", "u-1", item="i-1", unit="box", base_quantity=D(12), base_unit="pcs"),
    record("stock", "boxes", item="i-1", site="w-bos", on_hand=D(5), reserved=D(2), available=D(3), unit="box"),
    record("purchase_order", "p-1", number="P-1", supplier="s-1", site="w-nyc"),
    record("purchase_line", "p-1.1", purchase_order="p-1", item="i-1", received_date=date(2026, 11, 2)),
    price("o-24.1", "10"),
    price("o-24.2", "20"),
    # A cent per line is rounding.
    record("sales_order_amount", "o-24", order="o-24", net=D("30.02"), currency="USD"),
    # A line without a price: what is there sums to something else, and that says nothing.
    price("o-25.1", None),
    record("sales_order_amount", "o-25", order="o-25", net=D(99), currency="USD"),
)


async def test_a_planted_fault_is_found_under_its_check(world: World) -> None:
    """Every kind; where the company is sound the same checks find nothing."""
    clean = source(*CLEAN)
    await world.sync(clean)
    before = await results(world)
    assert {name: found.example_keys for name, found in before.items() if found.failing} == {}
    assert before["stock.available_sum"].rows == 1
    assert before["sales_order_line.ordered_sum"].rows == 1  # neither the cancelled one nor the one without figures
    for name, planted in FAULTS.items():
        world.clock.move(minutes=1)
        faulty = source(*CLEAN, *planted)
        await world.sync(faulty, full=True)
        found = (await results(world))[name]
        assert found.failing >= 1, name
        assert set(found.example_keys) <= {*(each.key for each in planted), "o-24"}, name
        await world.sync(clean, full=True)
        assert (await results(world))[name].failing == 0, name


def unsound(count: int, *, of: int) -> list[SourceRecord]:
    """Stock records, `count` of them negative."""
    return [
        record("stock", f"n{i:03}", item="i-1", site="w-ham", on_hand=D(-1 if i < count else 1), unit="pcs")
        for i in range(of)
    ]


async def test_a_load_that_is_mostly_unsound_stops_and_the_last_good_copy_stays(world: World) -> None:
    source = erp()
    await world.sync(source)
    good = await world.keys("stock")
    world.clock.move(hours=1)
    source.put(*unsound(25, of=50))
    with pytest.raises(QualityError, match=r"negative on hand: 25 of 50 .*'n000'.*sync erp --accept"):
        await world.sync(source)
    assert await world.keys("stock") == good
    batch = await world.row("select outcome, error from core.batch order by id desc limit 1")
    assert (batch["outcome"], batch["error"]) == ("failed", "quality")
    with pytest.raises(QualityError):  # reading everything again is no consent
        await world.sync(source, full=True)
    report = await world.ingest.sync(world.sources["erp"], source, accept=True)
    assert report.entities["stock"].changed == 50
    found = (await results(world))["stock.on_hand_negative"]
    assert (found.rows, found.failing, found.state, len(found.example_keys)) == (51, 25, "stop", 5)
    assert (await world.sync(source, full=True)).changed == 0  # what was let through is not stopped again


async def test_too_few_or_too_small_a_share_does_not_stop(world: World) -> None:
    source = erp(*unsound(19, of=19))
    await world.sync(source)
    assert (await results(world))["stock.on_hand_negative"].state == "warn"
    source.put(*unsound(0, of=19), *unsound(30, of=400))
    await world.sync(source)
    assert len(await world.keys("stock")) == 401


async def test_results_are_kept_per_batch_and_only_of_what_changed(world: World) -> None:
    source = erp()
    await world.sync(source)
    world.clock.move(hours=1)
    source.put(*unsound(1, of=2))
    await world.sync(source)
    found = await results(world)
    assert found["stock.on_hand_negative"].change == pytest.approx(1 / 3)
    assert found["sales_order.number_twice"].change is None  # not judged a second time
    await world.sync(source)
    assert len(await world.rows("select distinct batch_id from core.quality")) == 2


async def test_old_batches_go_but_never_the_last_word(world: World) -> None:
    source = erp()
    await world.sync(source)
    async with world.database.connection(Role.LOADER) as connection:
        for _ in range(105):
            begun = {"source": world.sources["erp"].id, "now": START}
            row = await (await connection.execute(query("ingest_begin_batch"), begun)).fetchone()
            assert row
            kept = {"batch": row["id"], "entity": "stock", "check": "stock.on_hand_negative", "keys": []}
            await connection.execute(query("quality_keep"), {**begun, **kept, "rows": 1, "failing": 0})
        await connection.execute(query("quality_forget"), {"source": world.sources["erp"].id})
    assert len(await world.rows("select 1 from core.quality where check_id = 'stock.on_hand_negative'")) == 100
    assert "item.number_twice" in await results(world)


async def test_a_check_that_fails_does_not_fail_the_sync(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    await world.add("erp")
    real = query
    monkeypatch.setattr(
        "copilot.ingest.quality.after.query", lambda name: real("ingest_awaited" if name == "quality_judged" else name)
    )
    await world.ingest.sync(world.sources["erp"], erp(), progress=told.append)
    assert any("could not be checked" in line for line in told)
    batch = await world.row("select outcome from core.batch")
    assert batch["outcome"] == "merged"
    assert await world.rows("select 1 from core.quality") == []


async def test_only_the_loader_reads_results(world: World) -> None:
    rights = await world.rows(
        "select r.rolname from pg_roles r where r.rolname like 'copilot_%%'"
        " and has_table_privilege(r.rolname, 'core.quality', 'select')"
    )
    assert {row["rolname"] for row in rights} == {"copilot_loader", "copilot_owner"}


def test_every_planted_fault_is_a_shipped_check() -> None:
    checks = load_checks().checks
    assert {checks[name].kind for name in FAULTS} == {check.kind for check in checks.values()}
