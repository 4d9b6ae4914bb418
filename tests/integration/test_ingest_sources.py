"""Several sources, label maps, live re-reads, and the rows that are derived."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from connectors.base import SourceRecord
from connectors.memory import MemoryConnector
from copilot.errors import SourceConfigError, SyncRunningError
from copilot.store.queries import query
from copilot.store.roles import Role
from tests.integration.ingest_support import ENTITIES, START, World, erp, order, record, site, stock

pytest_plugins = ("tests.integration.ingest_support",)

WMS = ("item", "site", "stock")
RULE = {"identity": {"item": "number"}}
SITES = {"lager": "NYC"}


def wms(*more: SourceRecord) -> MemoryConnector:
    """A warehouse system that knows the desk by its number, in its own words, and one item of its own."""
    return MemoryConnector(
        "wms",
        WMS,
        [
            record("site", "lager", code="L1", name="Lager", region="r-us"),
            record("item", "4711", {"region": "*"}, number="desk 007", name="DSK LRG", base_unit="ea"),
            record("item", "4712", {"region": "*"}, number="PALLET", name="Pallet", base_unit="ea"),
            stock("4711/lager", on_hand=Decimal(7), available=Decimal(7)),
            *more,
        ],
    )


async def with_wms(world: World) -> tuple[MemoryConnector, MemoryConnector]:
    """Both sources, synced."""
    first, second = erp(), wms()
    await world.sync(first)
    await world.add("wms", RULE, site=SITES)
    await world.sync(second)
    return first, second


async def test_a_second_source_names_our_records_and_leaves_them_as_they_are(world: World) -> None:
    await with_wms(world)
    assert await world.quarantine() == {}
    items = await world.rows("select source_key, name from biz.item order by source_key")
    assert [tuple(row.values()) for row in items] == [("4712", "Pallet"), ("i-1", "Large Desk"), ("i-2", "Lamp")]
    assert await world.keys("site") == {"w-nyc", "w-bos", "w-ham"}
    item, place = (await world.ids("item"))["i-1"], (await world.ids("site"))["w-nyc"]
    stocks = await world.rows("select item_id, site_id, label_site, on_hand from biz.stock order by on_hand")
    assert [tuple(row.values()) for row in stocks] == [
        (item, place, place, 5_000_000),
        (item, place, place, 7_000_000),
    ]
    decided = await world.rows("select entity, source_key, decided_by from core.identity where source_id = 2")
    assert {tuple(row.values()) for row in decided} == {
        ("item", "4711", "number"),
        ("item", "4712", "first"),
        ("site", "lager", "label_map"),
    }
    before = await world.physical()
    assert (await world.sync(wms())).changed == 0
    assert await world.physical() == before


async def test_a_number_that_two_of_our_records_share_is_decided_by_nobody(world: World) -> None:
    await world.sync(erp(record("item", "i-3", {"region": "*"}, number="Desk007", name="Twin", base_unit="pcs")))
    await world.add("wms", RULE, site=SITES)
    await world.sync(wms())
    assert await world.quarantine() == {}
    doubt = await world.rows("select source_key, reason, other_key from core.identity_doubt order by other_key")
    assert [tuple(row.values()) for row in doubt] == [("4711", "several", "i-1"), ("4711", "several", "i-3")]
    stock_of = await world.row("select item_id from biz.stock where source_key = '4711/lager'")
    assert stock_of["item_id"] == (await world.ids("item"))["4711"]


async def test_a_record_its_source_drops_goes_on_under_the_other(world: World) -> None:
    first, second = await with_wms(world)
    item = (await world.ids("item"))["i-1"]
    for entity, key in [
        ("item", "i-1"), ("item_alias", "a-1"), ("stock", "i-1/w-nyc"), ("sales_line_price", "o-24.1"),
        ("sales_order_line", "o-24.1"), ("sales_order_line", "o-25.1"),
    ]:  # fmt: skip
        first.drop(entity, "", key)
    world.clock.move(minutes=1)
    await world.sync(first, full=True)
    assert (await world.ids("item"))["4711"] == item
    assert await world.keys("stock") == {"4711/lager"}
    world.clock.move(minutes=1)
    await world.sync(second)
    assert (await world.row("select name from biz.item where id = %s", item))["name"] == "DSK LRG"


async def test_hints_in_the_source_s_own_words_and_defaults(world: World) -> None:
    await world.add("erp", region={"company=7": "DE", "": "US"}, channel={"": "*"})
    source = erp(
        record("customer", "k-7", {"company": "7", "team": "3"}, name="Seven"),
        record("customer", "k-8", {"company": "8"}, name="Eight"),
        record("customer", "k-9", {"region": "*"}, name="Nine"),
    )
    await world.sync(source)
    region = await world.ids("region")
    found = await world.rows("select source_key, label_region from biz.customer where source_key >= 'k-7'")
    assert {row["source_key"]: row["label_region"] for row in found} == {
        "k-7": region["r-de"],
        "k-8": region["r-us"],
        "k-9": 0,
    }
    await world.add("erp", region={"company=7": "US", "": "US"}, channel={"": "*"})
    await world.sync(source)
    moved = await world.row("select label_region from biz.customer where source_key = 'k-7'")
    assert moved["label_region"] == region["r-us"]


@pytest.mark.parametrize(
    ("settings", "label_map", "said"),
    [
        ({"api_key": "hidden"}, {}, "api_key"),
        ({}, {"sales_order": {"1": "2"}}, "sales_order"),
        ({}, {"region": {"1": ""}}, "empty code"),
        ({"identity": {"item": "name"}}, {}, "number, gtin"),
        ({"identity": {"item": "number,name"}}, {}, "'name'; it can be one of: number, gtin, part_number"),
        ({"identity": {"item": "gtin,gtin"}}, {}, "'gtin' twice"),
        ({"identity": {"sales_order": "number"}}, {}, "sales_order"),
    ],
)
async def test_settings_that_mean_nothing_or_are_secret_are_refused(
    world: World, settings: dict[str, object], label_map: dict[str, dict[str, str]], said: str
) -> None:
    with pytest.raises(SourceConfigError, match=said) as refusal:
        await world.ingest.add_source("odoo", "odoo", settings, label_map)
    assert "hidden" not in str(refusal.value)
    assert await world.ingest.sources() == ()


async def test_an_entity_no_source_can_deliver_is_refused(world: World) -> None:
    source = await world.add("erp")
    with pytest.raises(SourceConfigError, match="supplier_rate"):
        await world.ingest.sync(source, MemoryConnector("erp", ("supplier_rate",)))


async def test_a_live_read_says_what_differs_and_confirms_what_does_not(world: World) -> None:
    source = erp()
    await world.sync(source)
    later = world.clock.move(hours=1)
    same, other = order("o-24"), order("o-25", site="w-ham", customer="k-2", status="shipped", at=later)
    found = await world.ingest.confirm(world.sources["erp"], "sales_order", [same, other], asked=["o-24", "o-25"])
    assert (found.differed, found.removed, found.agrees) == ({"o-25"}, frozenset(), False)
    rows = await world.rows("select source_key, valid_from, confirmed_at from biz.sales_order order by 1")
    assert [tuple(row.values()) for row in rows] == [("o-24", START, later), ("o-25", later, later)]
    # Being confirmed is no new version.
    assert [row["source_key"] for row in await world.rows("select source_key from hist.sales_order")] == ["o-25"]
    assert (await world.ingest.confirm(world.sources["erp"], "sales_order", [same, other])).agrees
    gone = await world.ingest.confirm(world.sources["erp"], "sales_order", [], asked=["o-25"])
    assert gone.removed == {"o-25"}
    assert await world.keys("sales_order_line") == {"o-24.1", "o-24.2"}


async def test_a_live_read_does_not_wait_for_a_merge(world: World) -> None:
    await world.sync(erp())
    async with world.database.connection(Role.LOADER) as busy:
        await busy.execute(query("ingest_lock_merge"), {"patience": "0"})
        with pytest.raises(SyncRunningError):
            await world.ingest.confirm(world.sources["erp"], "sales_order", [order("o-24")])
    assert (await world.ingest.confirm(world.sources["erp"], "sales_order", [order("o-24")])).agrees
    assert await world.rows("select 1 from core.batch where outcome is null") == []


def purchase(key: str, status: str, promised: date, received: date | None) -> list[SourceRecord]:
    """A purchase order of one line, ordered ten days before the promise."""
    ordered = promised - timedelta(days=10)
    head = {"supplier": "s-1", "site": "w-nyc", "order_date": ordered, "promised_date": promised}
    return [
        record("purchase_order", key, number=key, status="received" if received else "confirmed", **head),
        record(
            "purchase_line", key, purchase_order=key, item="i-1", status=status, received_date=received,
            ordered_quantity=Decimal(1), unit="pcs",
        ),
    ]  # fmt: skip


async def test_supplier_performance_is_published_over_a_year(world: World) -> None:
    day = date(2026, 9, 1)
    source = erp(
        *purchase("p-1", "received", day, day),
        *purchase("p-2", "received", day, day + timedelta(days=4)),
        *purchase("p-3", "open", day, None),
        *purchase("p-4", "received", day - timedelta(days=500), day - timedelta(days=500)),
    )
    await world.sync(source)
    rate = await world.row("select * from biz.supplier_rate")
    assert (rate["receipts"], rate["on_time"], rate["on_time_rate"]) == (2, 1, 500_000)
    assert (rate["lead_time_mean"], rate["open_orders"]) == (12_000_000, 1)
    assert (rate["period_start"], rate["period_end"]) == (date(2025, 11, 2), date(2026, 11, 2))
    assert rate["supplier_id"] == (await world.ids("supplier"))["s-1"]
    assert rate["label_site"] == 0
    before = await world.physical()
    await world.sync(source)
    assert await world.physical() == before
    covered = await world.row("select confirmed_at from core.coverage where entity = 'supplier_rate'")
    assert covered["confirmed_at"] == START


async def test_a_supplier_is_in_time_by_the_site_s_working_days(world: World) -> None:
    friday = date(2026, 9, 4)
    source = erp(
        *purchase("p-1", "received", friday, friday + timedelta(days=1)),
        *purchase("p-2", "received", friday, friday + timedelta(days=2)),
        *purchase("p-3", "received", friday, friday + timedelta(days=3)),
    )
    source.put(site("w-nyc", "NYC", "r-us", "America/New_York", working_days="12345"))
    await world.sync(source)
    rate = await world.row("select receipts, on_time from biz.supplier_rate")
    assert (rate["receipts"], rate["on_time"]) == (3, 2)


async def test_the_stock_of_the_site_s_day_is_kept(world: World) -> None:
    source = erp(stock("i-1/w-nyc#lot2", lot="2", on_hand=Decimal(1), available=Decimal(1)))
    world.clock.now = START.replace(hour=2)  # still yesterday in New York
    await world.sync(source)
    first = await world.row("select day, on_hand, available from biz.stock_snapshot")
    assert first == {"day": date(2026, 11, 1), "on_hand": 6_000_000, "available": 5_000_000}
    world.clock.now = START.replace(hour=12)
    source.drop("stock", "", "i-1/w-nyc#lot2")
    await world.sync(source)
    days = await world.rows("select day, on_hand from biz.stock_snapshot order by day")
    assert [tuple(row.values()) for row in days] == [(date(2026, 11, 1), 6_000_000), (date(2026, 11, 2), 5_000_000)]


async def test_an_unknown_source_entity_order_does_not_matter(world: World) -> None:
    await world.sync(MemoryConnector("erp", tuple(reversed(ENTITIES)), erp()._records.values()))
    assert await world.quarantine() == {}
    assert await world.keys("sales_line_price") == {"o-24.1"}
