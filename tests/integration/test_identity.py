"""The same thing in several systems: what rules recognise, what they leave to a person, and what a decision does."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import permutations

import pytest

from connectors.base import SourceRecord
from connectors.memory import MemoryConnector
from copilot.errors import DatabaseError, SourceConfigError
from copilot.ingest.identity_listing import Listing, open_identities
from copilot.store.roles import Role
from tests.integration.identity_support import (
    ITEM_RULES,
    MODEL,
    OTHER_GTIN,
    SITES,
    customer,
    dangling,
    decide,
    doubts,
    groups,
    item,
    told,
    wms,
)
from tests.integration.ingest_support import World, company, erp, order, record, stock

pytest_plugins = ("tests.integration.ingest_support",)

CASE = item("4711", "desk 007")


async def second(world: World, *more: SourceRecord, rules: str = ITEM_RULES) -> MemoryConnector:
    """A warehouse system added after the ERP and synced."""
    connector = wms(*more)
    await world.add("wms", {"identity": {"item": rules}}, site=SITES)
    await world.sync(connector)
    return connector


async def stock_of(world: World, key: str) -> list[int]:
    """What is on hand of an item by its source key, over all sources."""
    rows = await world.rows(
        "select s.on_hand from biz.stock s join biz.item i on i.id = s.item_id where i.source_key = %s order by 1", key
    )
    return [row["on_hand"] // 1_000_000 for row in rows]


async def listing(world: World, entity: str = "item", limit: int = 50) -> Listing:
    async with world.database.connection(Role.LOADER) as connection:
        return await open_identities(connection, MODEL[entity], await world.ingest.sources(), limit=limit)


GTINS = ("5901234123457", "73513537", "036000291452", "4012345678901", "9780201379624", "4000539003707")
RECOGNISED = (
    # number and GTIN of ours, other numbers of ours, number and GTIN of theirs, the rule that finds it
    ("DESK-1", None, (), "Desk 1", None, "number"),
    ("DESK-2", GTINS[0], (), "other", GTINS[0], "gtin"),
    ("DESK-3", GTINS[1], (), None, f"000000{GTINS[1]}", "gtin"),
    ("DESK-4", GTINS[2], (), "desk4", f"00{GTINS[2]}", "gtin"),
    ("DESK-5", None, (GTINS[3],), "401-2345 678901", "none", "part_number"),
    ("DESK-6", None, (GTINS[4],), None, f"0{GTINS[4]}", "part_number"),
    ("DESK-7", GTINS[5], (f"0{GTINS[4]}0",), "desk-7", None, "number"),
    ("DESK-8", None, ("old desk 8",), "OLD.DESK8", None, "part_number"),
    ("DESK-9", None, ("oak-9",), "oak/9", None, "part_number"),
    ("DESK-10", "5901234123458", (), "5901234123458", "5901234123458", "first"),
    ("DESK-11", None, (), "-", " ", "first"),
    ("DESK-12", None, (), "unheard of", None, "first"),
)


async def test_items_are_recognised_by_the_first_rule_that_finds_one(world: World) -> None:
    first = erp()
    first.entities = (*first.entities, "supplier_item")
    theirs: list[SourceRecord] = []
    for place, (number, gtin, others, their_number, their_gtin, _) in enumerate(RECOGNISED):
        first.put(item(f"o{place}", number, gtin))
        theirs.append(item(f"t{place}", their_number, their_gtin))
        for value in others:
            ref = {"item": f"o{place}"}
            first.put(
                record("supplier_item", f"a{place}", {"region": "*"}, supplier="s-1", part_number=value, **ref)
                if value.startswith("oak")
                else record("item_alias", f"a{place}", kind="other", value=value, **ref)
            )
    await world.sync(first)
    await second(world, *theirs)
    rows = await world.rows("select source_key, decided_by from core.identity where entity = 'item' and source_id = 2")
    assert {row["source_key"]: row["decided_by"] for row in rows} == {
        f"t{place}": rule for place, (*_, rule) in enumerate(RECOGNISED)
    }
    found = {frozenset({f"erp/o{n}", f"wms/t{n}"}) for n, (*_, rule) in enumerate(RECOGNISED) if rule != "first"}
    assert {group for group in await groups(world) if len(group) > 1} == found
    assert (await doubts(world), await world.quarantine()) == ({}, {})


async def test_partners_are_recognised_by_their_tax_number(world: World) -> None:
    labels = {"customer": {"region": "*", "channel": "*"}, "supplier": {"region": "*"}}
    ours = {"p-1": "DE 123.456.789", "p-2": "n/a", "p-3": "000000000"}
    theirs = {"9": "de123456789", "10": "N/A", "11": "0000-00000", "12": None}

    def partners(taxes: Mapping[str, str | None], prefix: str) -> list[SourceRecord]:
        return [
            record(entity, key, hints, number=f"{prefix}{key}", name=key, tax_number=tax)
            for entity, hints in labels.items()
            for key, tax in taxes.items()
        ]

    await world.sync(erp(*partners(ours, "")))
    await world.add("crm", {"identity": dict.fromkeys(labels, "tax_number,number")})
    await world.sync(MemoryConnector("crm", tuple(labels), partners(theirs, "x")))
    for entity in labels:
        found = {group for group in await groups(world, entity) if any(key.startswith("crm") for key in group)}
        assert found == {frozenset({"erp/p-1", "crm/9"}), *(frozenset({f"crm/{key}"}) for key in ("10", "11", "12"))}


async def test_a_doubtful_item_stands_by_itself_with_all_that_is_its_own(world: World) -> None:
    ours = {"a": ("A", GTINS[0]), "b": ("B", None), "c": ("C", None), "d": ("c.", None), "e": ("E", None)}
    await world.sync(erp(*(item(key, *numbers) for key, numbers in ours.items()), item("f", "F", GTINS[1])))
    theirs = {"1": ("B", GTINS[0]), "2": ("C", None), "3": ("E", None), "4": ("e", None), "5": ("F", GTINS[2])}
    await second(world, *(item(key, *numbers) for key, numbers in theirs.items()))
    reasons = {"1": "different", "2": "several", "3": "contested", "4": "contested", "5": "contradicted"}
    assert await doubts(world) == {f"wms/{key}": reason for key, reason in reasons.items()}
    assert await world.quarantine() == {}
    stand = await groups(world)
    for key in theirs:
        assert frozenset({f"wms/{key}"}) in stand
        assert await stock_of(world, key) == [7]
    shown = {(each.state, each.place.key, each.reason) for each in (await listing(world)).open}
    assert shown == {("doubtful", key, reason) for key, reason in reasons.items()}


async def test_what_is_unmatched_is_listed_with_the_nearest_names(world: World) -> None:
    await world.sync(erp(item("i-3", "T-1", name="Oak Table round"), item("i-4", "T-2", name="Steel Table")))
    await second(world, item("77", "X1", name="Round Oak Table"), item("78", "X2", name="Forklift"))
    open_ones = (await listing(world)).open
    assert [(each.state, each.place.key, each.name) for each in open_ones] == [
        ("unmatched", "77", "Round Oak Table"),
        ("unmatched", "78", "Forklift"),
    ]
    nearest = open_ones[0].candidates
    assert (nearest[0].place.key, nearest[0].name, nearest[0].rules) == ("i-3", "Oak Table round", ("name",))
    assert open_ones[1].candidates == ()
    assert (await listing(world, limit=1)).more == 1


async def test_a_decision_joins_two_rows_and_parts_them_again(world: World) -> None:
    await world.sync(erp())
    source = await second(world, item("4711", "X-9"))
    own = (await world.ids("item"))["4711"]
    world.clock.move(hours=1)
    await decide(world, "same", "item", "wms/4711", "erp/i-1")
    assert frozenset({"wms/4711"}) in await groups(world), "nothing moves before the sync"
    await world.sync(source)
    assert frozenset({"erp/i-1", "wms/4711"}) in await groups(world)
    assert await stock_of(world, "i-1") == [5, 7]
    assert (
        await world.rows("select 1 from biz.lookup where entity = 'item' and (key = 'X9' or target_id = %s)", own) == []
    )
    old = await world.row("select source_key, number, valid_to, removed from hist.item where id = %s", own)
    assert old == {"source_key": "4711", "number": "X-9", "valid_to": world.clock.now, "removed": True}
    was = await world.row("select item_id, valid_to, removed from hist.stock")
    assert was == {"item_id": own, "valid_to": world.clock.now, "removed": False}
    before = await world.physical()
    await world.sync(source)
    await world.sync(source, full=True)
    assert await world.physical() == before
    world.clock.move(hours=1)
    await decide(world, "different", "item", "erp/i-1", "wms/4711", change=True)
    await world.sync(source)
    assert frozenset({"wms/4711"}) in await groups(world)
    assert (await stock_of(world, "i-1"), await stock_of(world, "4711")) == ([5], [7])
    assert len(await world.rows("select 1 from biz.lookup where key = 'X9' and kind = 'number'")) == 1
    assert await dangling(world) == []


async def test_a_decision_beats_every_rule_and_outlives_the_records(world: World) -> None:
    first, lamp = erp(), record("item", "i-2", {"region": "*"}, number="LAMP-1", name="Lamp", base_unit="pcs")
    await world.sync(first)
    await decide(world, "same", "item", "erp/i-2", "erp/i-1")
    await decide(world, "different", "item", "erp/i-2", "erp/i-1", change=True)
    source = await second(world, CASE)
    await decide(world, "same", "item", "wms/4711", "erp/i-2")
    await world.sync(source)
    together = frozenset({"erp/i-2", "wms/4711"})
    assert together in await groups(world)
    for _ in range(2):
        first.drop("item", "", "i-2")
        await world.sync(first)
        await world.sync(source)
        assert frozenset({"wms/4711"}) in await groups(world), "what it is the same as is still not i-1"
        first.put(lamp)
        await world.sync(first)
        await world.sync(source)
        assert together in await groups(world)
        source.drop("item", "", "4711")
        await world.sync(source)
        source.put(CASE)
        await world.sync(source)
        assert together in await groups(world)
    assert await dangling(world) == []


async def test_a_decision_that_cannot_hold_is_refused(world: World) -> None:
    await world.sync(erp())
    await second(world, item("a", "A"), item("b", "B"), rules="gtin")
    await decide(world, "same", "item", "erp/i-1", "wms/a")
    with pytest.raises(SourceConfigError, match=r"same by dana on 2026-11-02 \(looked at both\).*--change"):
        await decide(world, "different", "item", "wms/a", "erp/i-1")
    await decide(world, "same", "item", "wms/a", "wms/b")
    with pytest.raises(SourceConfigError, match="item 'a' of 'wms' and item 'b' of 'wms' are same by dana"):
        await decide(world, "different", "item", "wms/b", "erp/i-1", change=True)
    await decide(world, "different", "item", "erp/i-1", "erp/i-2")
    with pytest.raises(SourceConfigError, match="by which the two are different"):
        await decide(world, "same", "item", "wms/b", "erp/i-2")
    for one, other, said in [
        ("erp/i-1", "erp/i-1", "nothing to decide"),
        ("erp/nothing", "erp/i-1", "'erp' has no item with the key 'nothing'"),
    ]:
        with pytest.raises(SourceConfigError, match=said):
            await decide(world, "same", "item", one, other)
    assert len(await world.rows("select 1 from core.identity_decision")) == 3
    with pytest.raises(DatabaseError, match="refused"):
        async with world.database.connection(Role.LOADER) as loader:
            await loader.execute("delete from core.identity_decision")


async def test_rules_and_label_maps_that_change_are_followed(world: World) -> None:
    await world.sync(erp())
    source = await second(world, CASE, item("4712", "LAMP-1"), rules="gtin")
    assert len(await groups(world)) == 4
    await world.add("wms", {"identity": {"item": "number"}}, site={"lager": "BOS"})
    await world.sync(source)
    place = (await world.ids("site"))["w-bos"]
    assert await groups(world) == {frozenset({"erp/i-1", "wms/4711"}), frozenset({"erp/i-2", "wms/4712"})}
    stocks = await world.rows("select distinct site_id, label_site from biz.stock where source_id = 2")
    assert stocks == [{"site_id": place, "label_site": place}]
    # Without any, all is as if the second source had never known the first.
    await world.add("wms", {})
    source.put(record("site", "lager", at=world.clock.move(minutes=1), code="L1", name="Lager", region=None))
    await world.sync(source)
    assert await world.quarantine() == {("site", "lager"): "label_unresolved"} | {
        ("stock", f"{key}/lager"): "ref_unresolved" for key in ("4711", "4712")
    }
    assert len(await groups(world)) == 4
    await world.sync(source)
    assert await world.rows("select 1 from core.identity_key union all select 1 from core.identity_keyed") == []
    assert await dangling(world) == []


async def test_customers_that_become_one_take_their_orders_and_labels_along(world: World) -> None:
    first = erp()
    await world.sync(first)
    shop = MemoryConnector("shop", ("region", "channel", "site", "customer", "sales_order", "invoice"), [
        *(each for each in company() if each.entity in ("region", "channel", "site")),
        customer("c-9", "W-1"),
        order("o-90", customer="c-9"),
        record("invoice", "v-1", {"region": "r-us", "channel": "c-web"}, number="INV-1", customer="c-9", order="o-90"),
    ])  # fmt: skip
    await world.add("shop", {"identity": {"customer": "tax_number"}})
    await world.sync(shop)
    own, acme = (await world.ids("customer"))["c-9"], (await world.ids("customer"))["k-1"]
    await decide(world, "same", "customer", "shop/c-9", "erp/k-1")
    await world.sync(shop)
    for table in ("sales_order", "invoice"):
        row = await world.row(f"select customer_id, label_account from biz.{table} where source_id = 2")
        assert row == {"customer_id": acme, "label_account": acme}
    assert await world.rows("select 1 from biz.lookup where label_account = %s", own) == []


async def test_other_sources_move_with_what_they_were_matched_to(world: World) -> None:
    await world.sync(erp())
    source = await second(world, item("4711", "X-9", OTHER_GTIN))
    third = MemoryConnector("depot", ("item", "site", "stock"), [
        record("site", "lager", code="L2", name="Depot", region=None),
        item("d-1", "D1", OTHER_GTIN), stock("d-1/lager", on_hand=Decimal(3)),
    ])  # fmt: skip
    await world.add("depot", {"identity": {"item": "gtin"}}, site=SITES)
    await world.sync(third)
    assert frozenset({"wms/4711", "depot/d-1"}) in await groups(world)
    await decide(world, "same", "item", "wms/4711", "erp/i-1")
    await world.sync(source)
    assert frozenset({"erp/i-1", "wms/4711", "depot/d-1"}) in await groups(world)
    assert await stock_of(world, "i-1") == [3, 5, 7]


async def test_two_records_of_one_source_may_be_one_thing(world: World) -> None:
    await world.sync(erp())
    source = await second(world, CASE, item("4712", "DESK 007"))
    assert await doubts(world) == {"wms/4711": "contested", "wms/4712": "contested"}
    await decide(world, "same", "item", "wms/4711", "wms/4712")
    await world.sync(source)
    assert frozenset({"erp/i-1", "wms/4711", "wms/4712"}) in await groups(world)
    assert await stock_of(world, "i-1") == [5, 7, 7]
    assert await doubts(world) == {}
    assert await dangling(world) == []


async def test_sites_that_become_one_keep_their_stock_under_its_labels(world: World) -> None:
    await world.sync(erp())
    depot = MemoryConnector("depot", ("region", "site", "item", "stock"), [
        record("region", "r", code="R9", name="Elsewhere"),
        record("site", "d", code="D", name="Depot", region="r"),
        item("x", "X"), stock("x/d", on_hand=Decimal(2)),
    ])  # fmt: skip
    await world.sync(depot)
    await decide(world, "same", "site", "depot/d", "erp/w-ham")
    await world.sync(depot)
    ham, region = (await world.ids("site"))["w-ham"], (await world.ids("region"))["r-de"]
    for table in ("stock", "stock_snapshot"):
        row = await world.row(f"select site_id, label_site, label_region from biz.{table} where source_id = 2")
        assert row == {"site_id": ham, "label_site": ham, "label_region": region}, table


async def test_a_record_set_aside_takes_nobody_with_it(world: World) -> None:
    bad = record("customer", "k-7", number="K7", name="No region")
    source = erp(bad, customer("k-8", "K8"))
    await world.sync(source)
    await decide(world, "same", "customer", "erp/k-7", "erp/k-8")
    await world.sync(source)
    for _ in range(2):
        assert await world.quarantine() == {("customer", "k-7"): "label_unresolved"}
        assert frozenset({"erp/k-8"}) in await groups(world, "customer")
        await world.sync(source)
    source.put(customer("k-7", "K7", at=world.clock.move(minutes=1)))
    for _ in range(2):
        await world.sync(source)
    assert frozenset({"erp/k-7", "erp/k-8"}) in await groups(world, "customer")
    assert await world.quarantine() == {}


@pytest.mark.parametrize("turn", list(permutations(("erp", "wms")))[:2])
async def test_the_source_without_rules_governs_whichever_came_first(world: World, turn: tuple[str, ...]) -> None:
    systems = {"erp": erp(), "wms": wms(CASE)}
    for name in turn:
        await world.add(name, *([{"identity": {"item": "number"}}] if name == "wms" else []))
    for name in (*turn, *turn):
        await world.sync(systems[name])
    assert frozenset({"erp/i-1", "wms/4711"}) in await groups(world)
    row = await world.row("select name, source_key from biz.item where number = 'DESK-007'")
    assert row == {"name": "Large Desk", "source_key": "i-1"}


async def test_a_copy_that_kept_no_keys_yet_decides_as_before(world: World) -> None:
    await world.sync(erp())
    source = await second(world, CASE, rules="number")
    before = await told(world)
    # As a copy stands whose identities were decided before the keys were kept.
    async with world.database.connection(Role.LOADER) as loader:
        await loader.execute("delete from core.identity_key")
        await loader.execute("delete from core.identity_keyed")
        await loader.execute("update core.identity set decided_by = 'rule' where decided_by = 'number'")
    await world.sync(source)
    assert await told(world) == before
