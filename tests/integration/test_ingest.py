"""Syncs of one source: what is placed, what changes, what goes, and what nothing does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from connectors.base import Keys
from connectors.errors import ConnectorError, SourceAccessDeniedError, SourceUnreachableError
from connectors.memory import MemoryConnector
from copilot.domain.scope import Reach, Scope
from copilot.errors import SourceConfigError, SyncRunningError
from copilot.ingest import removal
from tests.integration.ingest_support import ENTITIES, START, World, company, erp, line, order, record, site

pytest_plugins = ("tests.integration.ingest_support",)

LABELS = "label_region, label_site, label_channel, label_account"


def labels(row: dict[str, int]) -> tuple[int, ...]:
    """The four labels of a row."""
    return tuple(row[name] for name in LABELS.split(", "))


async def test_a_first_sync_places_everything_with_references_values_and_labels(world: World) -> None:
    report = await world.sync(erp())
    assert report.quarantined == 0
    assert report.entities["sales_order_line"].changed == 3
    region, place, channel = await world.ids("region"), await world.ids("site"), await world.ids("channel")
    customer, item, orders = await world.ids("customer"), await world.ids("item"), await world.ids("sales_order")
    row = await world.row("select * from biz.sales_order_line where source_key = 'o-24.2'")
    assert (row["order_id"], row["item_id"], row["ordered_quantity"]) == (orders["o-24"], item["i-2"], 2_500_000)
    # From the order, but the line's own site.
    assert labels(row) == (region["r-us"], place["w-bos"], channel["c-web"], customer["k-1"])
    price = await world.row("select * from biz.sales_line_price")
    assert labels(price) == (region["r-us"], place["w-nyc"], channel["c-web"], customer["k-1"])
    assert (price["unit_price"], price["record_class"]) == (12_500_000, "sales_price")
    assert labels(await world.row("select * from biz.region where source_key = 'r-de'")) == (region["r-de"], 0, 0, 0)
    assert labels(await world.row("select * from biz.item where source_key = 'i-1'")) == (0, 0, 0, 0)
    batch = await world.row("select outcome, error, counts from core.batch")
    assert (batch["outcome"], batch["error"], batch["counts"]["item"]["changed"]) == ("merged", None, 2)


async def test_a_second_sync_touches_no_row(world: World) -> None:
    source = erp(record("customer", "k-bad", number="K9", name="No hint"))
    await world.sync(source)
    before = await world.physical()
    world.clock.move(hours=1)
    report = await world.sync(source)
    assert (report.changed, report.removed) == (0, 0)
    assert (await world.sync(source, full=True)).changed == 0
    assert await world.physical() == before
    assert await world.rows("select 1 from stage.sales_order union all select 1 from stage.living_key") == []


async def test_a_change_is_written_with_its_history_and_can_be_replayed(world: World) -> None:
    source = erp()
    await world.sync(source)
    before = await world.rows("select * from biz.sales_order order by id")
    first = world.clock.now
    later = world.clock.move(hours=2)
    source.put(order("o-24", at=later, status="shipped"))
    source.drop("sales_order", "", "o-25")
    source.drop("sales_order_line", "", "o-25.1")
    report = await world.sync(source)
    assert report.entities["sales_order"].changed == 1
    assert report.entities["sales_order"].removed == 1
    now = await world.row("select * from biz.sales_order")
    assert (now["status"], now["valid_from"], now["changed_at"]) == ("shipped", later, later)
    old = await world.rows("select status, valid_from, valid_to, removed from hist.sales_order order by id")
    assert [tuple(row.values()) for row in old] == [
        ("confirmed", first, later, False),
        ("confirmed", first, later, True),
    ]
    replay = await world.rows(
        "select * from (select * from biz.sales_order where valid_from <= %s union all"
        " select * from (select h.* from hist.sales_order h where valid_from <= %s and valid_to > %s) h) v order by id"
        .replace("h.*", ", ".join(f"h.{name}" for name in before[0])),
        *[first + timedelta(minutes=1)] * 3,
    )  # fmt: skip
    assert replay == before


async def test_what_hangs_on_a_removed_record_goes_with_it(world: World) -> None:
    source = erp()
    await world.sync(source)
    source.drop("sales_order", "", "o-24")
    world.clock.move(minutes=1)
    report = await world.sync(source)
    assert await world.keys("sales_order_line") == {"o-25.1"}
    assert await world.keys("sales_line_price") == set()
    assert report.entities["sales_order_line"].removed == 2
    assert len(await world.rows("select 1 from hist.sales_order_line where removed")) == 2
    assert await world.rows("select 1 from biz.lookup where key = 'S00024'") == []
    # The lines the source still names have no order to belong to.
    await world.sync(source)
    assert (await world.quarantine())["sales_order_line", "o-24.1"] == "ref_unresolved"


async def test_a_child_moved_away_from_a_removed_parent_stays(world: World) -> None:
    source = erp()
    await world.sync(source)
    before = await world.ids("sales_order_line")
    later = world.clock.move(minutes=1)
    source.drop("customer", "", "k-2")
    source.put(order("o-25", customer="k-1", site="w-ham", at=later))
    await world.sync(source)
    assert await world.ids("sales_order_line") == before
    account = (await world.ids("customer"))["k-1"]
    assert {row["label_account"] for row in await world.rows("select label_account from biz.sales_order_line")} == {
        account
    }


async def test_changed_labels_reach_every_row_below(world: World) -> None:
    source = erp()
    await world.sync(source)
    later = world.clock.move(minutes=1)
    source.put(site("w-nyc", "NYC", "r-de", "America/New_York", at=later))
    await world.sync(source)
    region = await world.ids("region")
    for entity in ("site", "sales_order", "sales_line_price", "stock", "stock_snapshot"):
        found = await world.rows(
            f"select label_region, valid_from from biz.{entity} where label_site = %s",
            (await world.ids("site"))["w-nyc"],
        )
        assert {(row["label_region"], row["valid_from"]) for row in found} == {(region["r-de"], later)}, entity
    assert len(await world.rows("select 1 from hist.sales_line_price")) == 1
    found = await world.rows("select distinct label_region from biz.lookup where via = 'sales_order.number'")
    assert found == [{"label_region": region["r-de"]}]
    before = await world.physical()
    await world.sync(source)
    assert await world.physical() == before


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line("o-24.9", colour="red"), "unknown_field"),
        (line("o-24.9", ordered_quantity=2.5), "bad_type"),
        (line("o-24.9", ordered_quantity=Decimal("1e18")), "bad_value"),
        (line("o-24.9", status="gone"), "unknown_code"),
        (line("o-24.9", item=None), "missing_field"),
        (line("o-24.9", item="i-9"), "ref_unresolved"),
        (line("o-24.9", site="w-9"), "label_unresolved"),
        (record("invoice", "v-1", {"region": "*", "channel": "*"}, customer="k-1"), "label_unresolved"),
        (record("customer", "k-9", {"region": "r-9", "channel": "*"}, name="Nine"), "label_unresolved"),
        (record("customer", "k-9", name="Nine"), "label_unresolved"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.entity,
)
async def test_a_record_that_cannot_be_placed_is_set_aside_and_the_rest_goes_on(
    world: World, bad: object, reason: str
) -> None:
    report = await world.sync(erp(bad))  # type: ignore[arg-type]
    (found,) = (await world.quarantine()).items()
    assert found == ((bad.entity, bad.key), reason)  # type: ignore[attr-defined]
    assert report.quarantined == 1
    assert await world.keys("sales_order_line") == {"o-24.1", "o-24.2", "o-25.1"}


async def test_what_was_set_aside_is_placed_once_it_can_be_and_found_again_by_what_refers_to_it(world: World) -> None:
    orphan = record("invoice", "v-1", {"region": "r-us", "channel": "*"}, number="INV1", customer="k-1", order="o-30")
    source = erp(order("o-30", customer="k-3"), line("o-30.1"), orphan)
    await world.sync(source)
    assert set(await world.quarantine()) == {("sales_order", "o-30"), ("sales_order_line", "o-30.1")}
    assert (await world.row("select order_id from biz.invoice"))["order_id"] is None
    later = world.clock.move(days=9)
    source.put(record("customer", "k-3", {"region": "r-us", "channel": "*"}, at=later, number="K3", name="Late"))
    await world.sync(source)
    assert await world.quarantine() == {}
    assert "o-30.1" in await world.keys("sales_order_line")
    assert (await world.row("select order_id from biz.invoice"))["order_id"] == (await world.ids("sales_order"))["o-30"]


async def test_a_row_whose_new_version_cannot_be_placed_is_seen_no_more(world: World) -> None:
    source = erp()
    await world.sync(source)
    later = world.clock.move(minutes=1)
    source.put(order("o-24", at=later, site="w-unknown"))
    report = await world.sync(source)
    assert await world.keys("sales_order") == {"o-25"}
    assert await world.keys("sales_order_line") == {"o-25.1"}
    assert report.entities["sales_order"].removed == 1
    source.put(order("o-24", at=world.clock.move(minutes=1)))
    await world.sync(source)
    assert await world.keys("sales_order_line") == {"o-24.1", "o-24.2", "o-25.1"}
    assert await world.quarantine() == {}


async def test_of_one_key_twice_the_newest_wins_then_the_last(world: World) -> None:
    class Twice(MemoryConnector):
        async def changes(self, entity, cursor):
            async for page in super().changes(entity, cursor):
                yield page
                if entity == "item":
                    at = START - timedelta(hours=1)
                    twice = [record("item", "i-1", {"region": "*"}, at=at, name="Old", base_unit="pcs")]
                    twice += [record("item", "i-2", {"region": "*"}, name=n, base_unit="pcs") for n in ("A", "B")]
                    yield type(page)(records=tuple(twice), cursor=page.cursor, last=True)

    await world.sync(Twice("erp", ENTITIES, company()))
    found = await world.rows("select name from biz.item order by source_key")
    assert [row["name"] for row in found] == ["Large Desk", "B"]


async def test_a_mass_deletion_is_refused_unless_the_sync_is_full(world: World) -> None:
    many = [line(f"o-24.{n}") for n in range(10, 200)]
    source = erp(*many)
    await world.sync(source)
    for each in many[:150]:
        source.drop("sales_order_line", "", each.key)
    with pytest.raises(SourceConfigError, match=r"erp.*43 of the 193.*nothing was removed"):
        await world.sync(source)
    assert len(await world.keys("sales_order_line")) == 193
    assert (await world.rows("select outcome, error from core.batch order by id"))[-1] == {
        "outcome": "failed",
        "error": "source_config",
    }
    assert (await world.sync(source, full=True)).entities["sales_order_line"].removed == 150
    assert len(await world.keys("sales_order_line")) == 43


async def test_removing_what_most_of_an_entity_hangs_on_is_refused(world: World) -> None:
    source = erp(*(order(f"o-{n}") for n in range(100, 250)))
    await world.sync(source)
    source.drop("customer", "", "k-1")
    with pytest.raises(SourceConfigError, match="151 of 152 records of 'sales_order' hang on"):
        await world.sync(source)
    assert await world.keys("customer") == {"k-1", "k-2"}
    assert (await world.sync(source, full=True)).entities["sales_order"].removed == 151


async def test_a_source_that_suddenly_names_nothing_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "_FEW_ROWS", 0)  # so few may otherwise all be gone
    source = erp()
    await world.sync(source)
    source.drop("supplier", "", "s-1")
    source.drop("sales_order", "", "o-25")
    with pytest.raises(SourceConfigError, match="supplier"):
        await world.sync(source)
    assert await world.keys("sales_order") == {"o-24", "o-25"}
    await world.sync(source, full=True)
    assert await world.keys("supplier") == set()


async def test_a_label_mapping_that_would_hide_most_rows_is_refused(world: World) -> None:
    many = [record("customer", f"m-{n}", {"region": "r-us", "channel": "*"}, name=f"M{n}") for n in range(150)]
    source = erp(*many)
    await world.sync(source)
    await world.add("erp", region={"r-us": "NOWHERE"})
    with pytest.raises(SourceConfigError, match="could not be placed"):
        await world.sync(source)
    assert len(await world.keys("customer")) == 152


async def test_two_syncs_of_one_source_do_not_run_at_once(world: World) -> None:
    source = erp()
    await world.add("erp")
    refused: list[bool] = []

    class Nosy(MemoryConnector):
        async def keys(self, entity: str) -> AsyncIterator[Keys]:
            with pytest.raises(SyncRunningError):
                await world.sync(source)
            refused.append(True)
            async for portion in super().keys(entity):
                yield portion

    await world.sync(source)
    await world.sync(Nosy("erp", ENTITIES, company()))
    assert refused
    await world.sync(source)


async def test_a_failed_sync_keeps_the_copy_and_the_cursor(world: World) -> None:
    source = erp()
    await world.sync(source)
    cursors = await world.rows("select entity, value from core.cursor order by entity")
    coverage = await world.rows("select entity, confirmed_at from core.coverage order by entity")
    later = world.clock.move(hours=1)
    source.put(order("o-24", at=later, status="shipped"))
    source.fail(SourceUnreachableError())
    with pytest.raises(SourceUnreachableError):
        await world.sync(source)
    assert (await world.rows("select outcome, error from core.batch order by id"))[-1] == {
        "outcome": "failed",
        "error": "source_unreachable",
    }
    assert await world.rows("select entity, value from core.cursor order by entity") == cursors
    assert await world.rows("select entity, confirmed_at from core.coverage order by entity") == coverage
    source.fail(None)
    assert (await world.sync(source)).changed == 1
    assert (await world.rows("select distinct confirmed_at from core.coverage"))[0]["confirmed_at"] == later


@pytest.mark.parametrize("error", [SourceUnreachableError, SourceAccessDeniedError])
async def test_a_source_that_dies_while_naming_its_keys_takes_nothing_away(
    world: World, error: type[ConnectorError]
) -> None:
    class Dying(MemoryConnector):
        dying = True

        async def keys(self, entity: str) -> AsyncIterator[Keys]:
            async for portion in super().keys(entity):
                yield portion
                if self.dying and entity == "sales_order":
                    raise error

    source = Dying("erp", ENTITIES, company(), page_size=1)
    source.dying = False
    await world.sync(source)
    source.dying = True
    with suppress(SourceUnreachableError):
        assert (await world.sync(source)).entities["sales_order"].skipped == "source_access_denied"
    assert await world.keys("sales_order") == {"o-24", "o-25"}
    source.dying = False
    source.drop("sales_order", "", "o-25")
    source.drop("sales_order_line", "", "o-25.1")
    await world.sync(source)
    assert await world.keys("sales_order") == {"o-24"}
    assert await world.rows("select 1 from stage.living_key") == []


async def test_a_source_added_again_goes_on_and_a_changed_one_is_read_anew(world: World) -> None:
    settings: dict[str, object] = {"page": "2", "identity": {"item": "number"}}
    await world.add("erp", settings, region={"": "*"})
    source = erp()
    await world.sync(source)
    cursors = await world.rows("select entity, value from core.cursor order by entity")
    assert cursors
    await world.add("erp", dict(reversed(settings.items())), region={"": "*"})
    await world.ingest.add_source("erp", "erp", settings, {"region": {"": "*"}}, every_minutes=5, purpose="wms")
    assert await world.rows("select entity, value from core.cursor order by entity") == cursors
    await world.add("erp", settings, region={"": "*"}, channel={"": "*"})
    assert await world.rows("select entity, value from core.cursor") == []
    assert sum(entity.read for entity in (await world.sync(source)).entities.values()) == len(company())


async def test_an_entity_we_may_not_read_is_left_as_it_is(world: World) -> None:
    class Closed(MemoryConnector):
        async def keys(self, entity: str) -> AsyncIterator[Keys]:
            if entity == "stock":
                raise SourceAccessDeniedError
            async for portion in super().keys(entity):
                yield portion

    await world.sync(erp())
    world.clock.move(hours=1)
    report = await world.sync(Closed("erp", ENTITIES, company()))
    assert report.entities["stock"].skipped == "source_access_denied"
    assert await world.keys("stock") == {"i-1/w-nyc"}
    covered = await world.row("select confirmed_at from core.coverage where entity = 'stock'")
    assert covered["confirmed_at"] == START


async def test_what_a_killed_sync_left_is_cleared_away(world: World) -> None:
    source = erp()
    await world.sync(source)
    ident = world.sources["erp"].id
    async with world.database.connection("loader") as connection:  # type: ignore[arg-type]
        await connection.execute("insert into core.batch (source_id, started_at) values (%s, %s)", (ident, START))
        await connection.execute(
            "insert into stage.item (batch_id, arrival, company, source_key, name, base_unit)"
            " select max(id), 1, '', 'ghost', 'Ghost', 'pcs' from core.batch"
        )
    await world.sync(source)
    assert await world.rows("select 1 from stage.item") == []
    assert await world.rows("select 1 from core.batch where error = 'interrupted'") != []


async def test_the_reader_sees_what_its_labels_allow_and_nothing_else(world: World) -> None:
    await world.sync(erp())
    region, place = await world.ids("region"), await world.ids("site")
    channel = frozenset((await world.ids("channel")).values())
    reach = Reach(
        classes=frozenset({"sales", "customer"}),
        regions=frozenset({region["r-de"]}),
        sites=frozenset(place.values()),
        channels=channel,
        accounts=None,
    )
    scope = Scope((reach,))

    async def seen(scope: Scope, entity: str) -> set[str]:
        async with world.database.scoped_transaction(scope) as connection:
            rows = await (await connection.execute(f"select * from {entity}".encode())).fetchall()
            return {str(row.get("source_key") or row.get("key")) for row in rows}

    assert await seen(scope, "biz.sales_order") == {"o-25"}
    assert await seen(scope, "biz.sales_order_line") == {"o-25.1"}
    assert await seen(scope, "biz.sales_line_price") == set()
    assert await seen(scope, "biz.lookup") >= {"S00025", "nordwind"}
    assert "S00024" not in await seen(scope, "biz.lookup")
    assert await seen(Scope(), "biz.sales_order") == set()
    nobody = Scope((replace(reach, sites=frozenset()),))
    assert await seen(nobody, "biz.sales_order") == set()


async def test_people_find_records_by_number_and_name(world: World) -> None:
    await world.sync(erp())

    async def found(key: str, kind: str) -> set[tuple[str, str]]:
        rows = await world.rows("select entity, via from biz.lookup where key = %s and kind = %s", key, kind)
        return {(row["entity"], row["via"]) for row in rows}

    assert await found("S00024", "number") == {("sales_order", "sales_order.number")}
    assert await found("S24", "loose") == {("sales_order", "sales_order.number")}
    assert await found("24", "digits") == {("sales_order", "sales_order.number")}
    assert await found("815", "digits") == {("sales_order", "sales_order.customer_po")}
    assert await found("7", "digits") == {("item", "item.number")}  # and of no alias or part number
    assert await found("4006381333931", "number") == {("item", "item_alias.value")}
    assert await found("acme muller sohne", "name") == {("customer", "customer.name")}
    assert await found("desk", "word") == {("item", "item.name")}
    for key in ("desk/desk", "esk/desk", "dsk/desk", "dek/desk", "des/desk"):
        assert await found(key, "near") == {("item", "item.name")}
    alias = await world.row(
        "select target_id, row_entity from biz.lookup where key = '4006381333931' and kind = 'loose'"
    )
    assert alias == {"target_id": (await world.ids("item"))["i-1"], "row_entity": "item_alias"}


async def test_lookup_follows_a_renamed_record(world: World) -> None:
    source = erp()
    await world.sync(source)
    later = world.clock.move(minutes=1)
    source.put(record("item", "i-1", {"region": "*"}, at=later, number="DESK-007", name="Huge Table", base_unit="pcs"))
    await world.sync(source)
    words = await world.rows("select key from biz.lookup where kind = 'word' and via = 'item.name'")
    assert {row["key"] for row in words} == {"huge", "table", "lamp"}


async def test_an_order_without_promise_keeps_it_empty(world: World) -> None:
    await world.sync(erp())
    found = await world.rows("select promised_date from biz.sales_order order by source_key")
    assert [row["promised_date"] for row in found] == [None, date(2026, 11, 9)]
