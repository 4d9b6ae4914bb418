"""The quality of the copied data: every kind of fault is found where it is planted and nowhere else, and published per
place under the labels of the rows that were looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

import psycopg
import pytest

from connectors.base import Cursor, Page, SourceRecord
from connectors.errors import SkippableSourceError
from connectors.memory import MemoryConnector
from copilot.domain.scope import SPREAD
from copilot.errors import ModelDefinitionError, QualityError
from copilot.ingest import Consent
from copilot.ingest.quality import Quality, Result, load_checks, read_quality
from copilot.ingest.quality.parts import load_parts, parse_parts, published_entities, spread
from copilot.semantic.model import load_model
from copilot.store.queries import query
from copilot.store.roles import Role
from tests.integration.ingest_support import ENTITIES, START, World, company, erp, line, order, record, site, stock

pytest_plugins = ("tests.integration.ingest_support",)

OFFERED = (*ENTITIES, "sales_order_amount", "item_unit", "invoice_amount", "payment")
D = Decimal
MODEL = load_model()


def source(*more: SourceRecord) -> MemoryConnector:
    """The small company, with order values and units beside."""
    return MemoryConnector("erp", OFFERED, [*company(), *more])


async def quality(world: World, *, entity: str | None = None, limit: int = 2) -> Quality:
    """What is kept of the source's quality."""
    async with world.database.connection(Role.LOADER) as connection:
        return await read_quality(connection, world.sources["erp"].id, entity=entity, limit=limit)


async def results(world: World, *, limit: int = 2) -> dict[str, Result]:
    """The newest result of each check."""
    return {result.check.id: result for result in (await quality(world, limit=limit)).results}


def price(key: str, net: str | None, currency: str = "USD") -> SourceRecord:
    """The price of the line of the same key."""
    return record("sales_line_price", key, line=key, net=None if net is None else D(net), currency=currency)


def invoice(key: str, status: str, *, total: int, due: int, **more: str) -> tuple[SourceRecord, SourceRecord]:
    """An invoice and its amounts."""
    amounts = {"net": D(total), "total": D(total), "open": D(due), "currency": "USD"}
    labels = {"region": "r-us", "channel": "c-web"}
    plain = record("invoice", key, labels, number=key, customer="k-1", kind="invoice", status=status, **more)
    return plain, record("invoice_amount", key, invoice=key, **amounts)


def payment(key: str, amount: int) -> SourceRecord:
    """A payment of the invoice of this key."""
    return record("payment", key, invoice=key, amount=D(amount), currency="USD")


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
    "sales_order_amount.total_sum": (
        record("sales_order_amount", "o-24", order="o-24", net=D(30), tax=D(3), total=D("33.02"), currency="USD"),
    ),
    "invoice.order_unresolved": (*invoice("x", "open", total=10, due=10, order="gone"),),
    "invoice_amount.open_exceeds": (*invoice("x", "open", total=10, due=11),),
    "invoice_amount.unsettled": (*invoice("x", "paid", total=10, due=1),),
    "invoice_amount.paid_sum": (*invoice("x", "partly_paid", total=10, due=5), payment("x", 4)),
}
CLEAN = (
    *invoice("r-1", "paid", total=10, due=0),
    *invoice("r-2", "partly_paid", total=10, due=6),
    payment("r-2", 4),
    *invoice("r-3", "open", total=-10, due=-10),
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
    first = await results(world)
    assert {name: found.example_keys for name, found in first.items() if found.failing} == {}
    assert first["stock.available_sum"].rows == 1
    assert first["sales_order_line.ordered_sum"].rows == 1  # neither the cancelled one nor the one without figures
    before = None
    for name, planted in FAULTS.items():
        world.clock.move(minutes=1)
        faulty = source(*CLEAN, *planted)
        await world.sync(faulty, full=True)
        now = await results(world)
        found = now[name]
        assert found.failing >= 1, name
        assert set(found.example_keys) <= {*(each.key for each in planted), "o-24"}, name
        assert before is None or now[before].failing == 0, before
        before = name
    await world.sync(clean, full=True)
    assert {name: found.example_keys for name, found in (await results(world)).items() if found.failing} == {}


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
    with pytest.raises(QualityError, match=r"negative on hand: 25 of 50 .*'n000'.*sync erp --accept WHY"):
        await world.sync(source)
    assert await world.keys("stock") == good
    batch = await world.row("select outcome, error from core.batch order by id desc limit 1")
    assert (batch["outcome"], batch["error"]) == ("failed", "quality")
    with pytest.raises(QualityError):  # reading everything again is no consent
        await world.sync(source, full=True)
    consent = Consent(by="anna", why="stock-taking")
    report = await world.ingest.sync(world.sources["erp"], source, consent=consent)
    assert report.entities["stock"].changed == 50
    found = (await results(world))["stock.on_hand_negative"]
    assert (found.rows, found.failing, found.state, len(found.example_keys)) == (51, 25, "stop", 5)
    assert (await world.sync(source, full=True)).changed == 0  # what was let through is not stopped again
    let, *stopped = (await quality(world)).loads
    assert (let.loaded, let.accepted_by, let.accepted_why) == (True, "anna", "stock-taking")
    assert let.stopped == [("stock.on_hand_negative", 50, 25)]
    assert [(load.loaded, load.accepted_by) for load in stopped] == [(False, None)] * 2
    assert (await quality(world, entity="item")).loads == []


def numbered_alike(count: int, *, of: int) -> list[SourceRecord]:
    """Items, `count` of them with the number of one that stands."""
    labels = {"region": "*"}
    return [
        record("item", f"n{i:03}", labels, number="DESK-007" if i < count else f"N{i}", name="Thing", base_unit="pcs")
        for i in range(of)
    ]


UNSOUND_TOGETHER = {
    "item.number_twice": numbered_alike(25, of=40),
    "stock.available_sum": [
        record("stock", f"n{i}", item="i-1", site="w-ham", on_hand=D(5), reserved=D(2), available=D(5), unit="pcs")
        for i in range(20)
    ],
}


@pytest.mark.parametrize("check", UNSOUND_TOGETHER)
async def test_duplicates_and_sums_stop_a_load_too(world: World, check: str) -> None:
    source = erp()
    await world.sync(source)
    world.clock.move(hours=1)
    entity = check.partition(".")[0]
    good = await world.keys(entity)
    source.put(*UNSOUND_TOGETHER[check])
    with pytest.raises(QualityError, match=check):
        await world.sync(source)
    assert await world.keys(entity) == good
    report = await world.ingest.sync(world.sources["erp"], source, consent=Consent(by="anna", why="test"))
    assert report.entities[entity].changed == len(UNSOUND_TOGETHER[check])


async def test_a_number_that_moves_from_one_record_to_another_is_no_duplicate(world: World) -> None:
    source = erp(*numbered_alike(0, of=30))
    await world.sync(source)
    world.clock.move(hours=1)
    labels = {"region": "*"}
    source.put(
        *(
            record(
                "item", f"n{i:03}", labels, at=world.clock.now, number=f"N{(i + 1) % 30}", name="Thing", base_unit="pcs"
            )
            for i in range(30)
        )
    )
    assert (await world.sync(source)).entities["item"].changed == 30


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


# --- published per place -------------------------------------------------------------------------------------


async def places(world: World, entity: str, what: str = "records") -> dict[str, tuple[int, int, int, int, int]]:
    """Site code -> what is published there: checked, failing, and the labels of region, channel and account."""
    rows = await world.rows(
        f"select s.code, t.checked, t.failing, t.label_region, t.label_channel, t.label_account"
        f" from biz.{load_parts()[entity].published} t left join biz.site s on s.id = t.label_site"
        " where t.records_of = %s and t.what = %s",
        entity,
        what,
    )
    return {row["code"]: tuple(row.values())[1:] for row in rows}  # type: ignore[misc]


async def test_results_are_published_per_place_under_the_labels_of_the_rows(world: World) -> None:
    await world.sync(erp(stock("i-1/w-ham", on_hand=D(-1)), stock("i-2/w-ham", on_hand=D(1))))
    us, de = (await world.ids("region"))["r-us"], (await world.ids("region"))["r-de"]
    assert await places(world, "stock") == {"NYC": (1, 0, us, 0, 0), "HAM": (2, 1, de, 0, 0)}
    assert await places(world, "stock", "finding") == {"HAM": (2, 1, de, 0, 0)}
    assert await places(world, "sales_order_line") == {
        "NYC": (1, 0, us, SPREAD, SPREAD), "BOS": (1, 0, us, SPREAD, SPREAD), "HAM": (1, 0, de, SPREAD, SPREAD),
    }  # fmt: skip
    assert await places(world, "stock", "set_aside") == {None: (None, 0, SPREAD, SPREAD, SPREAD)}
    finding = await world.row("select * from biz.stock_soundness where what = 'finding'")
    assert (finding["check_id"], finding["warn_over"], finding["at_least"]) == ("stock.on_hand_negative", 0, 20)
    counted = await world.row("select checks from biz.stock_soundness where what = 'records' limit 1")
    assert counted["checks"] == len(load_checks().of("stock"))


async def test_the_worker_writes_what_changed_and_nothing_else(world: World) -> None:
    source = erp(stock("i-1/w-ham", on_hand=D(-1)))
    await world.sync(source)
    before = await world.physical()
    at = world.clock.move(hours=1)
    await world.sync(source)
    after = await world.physical()
    for name in published_entities(MODEL):
        assert before[f"biz.{name}"] == after[f"biz.{name}"], name
    covered = await world.row("select confirmed_at from core.coverage where entity = 'stock_soundness'")
    assert covered["confirmed_at"] == at
    source.put(stock("i-1/w-ham", at=at, on_hand=D(1)))
    await world.sync(source)
    assert await places(world, "stock", "finding") == {}
    gone = await world.row("select valid_to, removed from hist.stock_soundness where what = 'finding'")
    assert (gone["valid_to"], gone["removed"]) == (at, True)


async def test_what_is_set_aside_is_counted_without_a_place(world: World) -> None:
    await world.sync(erp(stock("i-gone/w-ham", on_hand=D(1))))
    assert (await places(world, "stock", "set_aside"))[None][1] == 1  # type: ignore[index]


async def test_a_site_that_goes_to_another_region_takes_what_was_published_of_it_back(world: World) -> None:
    """Until it is judged anew: the people of the old region must not go on reading counts of the site."""
    source = erp()
    await world.sync(source)
    us, de = (await world.ids("region"))["r-us"], (await world.ids("region"))["r-de"]
    other = MemoryConnector("wms", ("site", "item", "stock"), [])
    await world.add("wms", {"identity": {"site": "code", "item": "number"}}, region={"": "*"})
    other.put(
        record("site", "x", code="NYC", name="NYC"),
        record("item", "y", {"region": "*"}, number="DESK-007", name="Large Desk", base_unit="pcs"),
        record("stock", "z", item="y", site="x", on_hand=D(1), unit="pcs"),
    )
    await world.sync(other)
    where = "select t.label_region, s.name from biz.stock_soundness t join core.source s on s.id = t.source_id"
    found = await world.rows(f"{where} where t.what = 'records' and s.name = 'wms'")
    assert {row["label_region"] for row in found} == {us}
    at = world.clock.move(hours=1)
    source.put(site("w-nyc", "NYC", "r-de", "America/New_York", at=at))
    await world.sync(source)
    assert (await places(world, "stock"))["NYC"][2] == de
    assert await world.rows(f"{where} where s.name = 'wms' and t.records_of = 'stock'") == []
    await world.sync(other)  # nothing of it changed, but nothing stands of it either
    found = await world.rows(f"{where} where t.what = 'records' and s.name = 'wms'")
    assert {row["label_region"] for row in found} == {de}


async def test_a_place_that_is_gone_takes_its_rows_along(world: World) -> None:
    source = erp()
    await world.sync(source)
    source.drop("site", "", "w-ham")
    world.clock.move(hours=1)
    await world.sync(source, full=True)
    assert set(await places(world, "sales_order")) == {"NYC"}
    assert (
        await world.rows("select 1 from biz.sales_soundness t where t.site_id not in (select id from biz.site)") == []
    )


class WithoutStock(MemoryConnector):
    """A source that does not let us read its stock any more."""

    async def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        if entity == "stock":
            raise SkippableSourceError("no right to read stock")
        async for page in super().changes(entity, cursor):
            yield page


async def test_what_could_not_be_read_is_not_confirmed(world: World) -> None:
    first = world.clock.now
    await world.sync(erp())
    now = world.clock.move(hours=1)
    await world.sync(WithoutStock("erp", ENTITIES, company()))
    covered = await world.rows("select entity, confirmed_at from core.coverage where entity like '%%soundness'")
    at = {row["entity"]: row["confirmed_at"] for row in covered}
    assert (at["stock_soundness"], at["sales_soundness"]) == (first, now)
    assert await places(world, "stock")


async def test_a_duplicate_counts_where_both_are_seen(world: World) -> None:
    """The same number in another region is no finding here: it would tell of a record that is hidden."""
    twins = (order("x.1", number="S-00024", site="w-ham", customer="k-2"), order("y.1", number="S-00024"))
    await world.sync(erp(*twins))
    numbers = "select s.code, t.failing from biz.sales_soundness t join biz.site s on s.id = t.site_id"
    found = await world.rows(f"{numbers} where check_id = 'sales_order.number_twice'")
    assert [(row["code"], row["failing"]) for row in found] == [("NYC", 2)]
    kept = await world.row("select failing from core.quality where check_id = 'sales_order.number_twice'")
    assert kept["failing"] == 3  # the administrator's report knows all of them


async def test_only_the_worker_and_the_loader_write_what_is_published(world: World) -> None:
    for name in published_entities(MODEL):
        rights = await world.rows(
            "select r.rolname from pg_roles r where r.rolname like 'copilot_%%'"
            f" and has_table_privilege(r.rolname, 'biz.{name}', 'insert')"
        )
        assert {row["rolname"] for row in rights} == {"copilot_loader", "copilot_owner", "copilot_worker"}


def test_every_class_with_checks_publishes_under_itself() -> None:
    for entity, part in load_parts().items():
        assert MODEL[part.published].record_class == MODEL[entity].record_class
    assert {part.published for part in load_parts().values()} == set(published_entities(MODEL))


@pytest.mark.parametrize(
    ("entity", "channel", "account"),
    [
        ("stock", 0, 0),
        ("sales_line_price", SPREAD, SPREAD),
        ("customer", SPREAD, SPREAD),
        ("purchase_line", 0, 0),
        ("shipment_line", SPREAD, SPREAD),
    ],
)
def test_figures_over_channels_and_accounts_are_for_those_who_see_every_one(
    entity: str, channel: int, account: int
) -> None:
    assert (spread(MODEL, MODEL[entity], "channel"), spread(MODEL, MODEL[entity], "account")) == (channel, account)


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ({"a": {"area": "stock", "entities": ["stock", "sales_order"]}}, "several classes"),
        ({"a": {"area": "nowhere", "entities": ["stock"]}}, "does not know"),
        ({"a": {"area": "stock"}}, "needs `area`"),
        (
            {"a": {"area": "stock", "entities": ["stock"]}, "b": {"area": "stock", "entities": ["stock"]}},
            "in the parts",
        ),
        ({"a": {"area": "stock", "entities": ["customer_note"]}}, "no derived entity"),
        ({"a": {"area": "stock", "entities": ["stock"]}}, "only one of checks and parts"),
    ],
)
def test_faulty_parts_are_refused(parts: dict[str, object], fault: str) -> None:
    with pytest.raises(ModelDefinitionError, match=fault):
        parse_parts(parts, load_checks(), MODEL)


async def test_a_failure_to_publish_leaves_the_sync_and_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("gone")

    source = erp()
    with monkeypatch.context() as patched:
        patched.setattr("copilot.ingest.quality.after.publish", fails)
        await world.sync(source)
    assert await world.rows("select 1 from biz.stock_soundness") == []
    assert await world.rows("select 1 from core.quality") == []
    await world.sync(source)
    assert await places(world, "stock")
