"""Row security follows a sum of products exactly: two grants, a room, what another transaction left, nothing at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from random import Random

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import tuple_row

from copilot.domain.answer import Answer, Verdict
from copilot.domain.question import SessionSubject
from copilot.domain.reach import DIMENSIONS
from copilot.domain.scope import EMPTY_SCOPE, Reach, Scope
from copilot.policy.policy import load_policy, scope_for
from copilot.semantic.model import load_model
from copilot.store.pool import Connection, set_scope, together
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.wiring import Runtime
from tests.company import Company, ask

ROLES = {role: load_policy().classes_of(role) for role in load_policy().roles}
Group = tuple[str, int, int, int, int]
TABLES = [f"{schema}.{name}" for name in load_model().entities for schema in ("biz", "hist")]
GROUPS = (
    "select record_class, label_region, label_site, label_channel, label_account, count(*) from {}"
    " group by 1, 2, 3, 4, 5"
)


def granted(role: str, **labels: frozenset[int]) -> Reach:
    wide = Reach(classes=ROLES[role], regions=None, sites=None, channels=None, accounts=None)
    return replace(wide, **labels)


@pytest.fixture(scope="module")
def regions(company: Company, database: str) -> Mapping[str, int]:
    with psycopg.connect(company.dsn(database)) as admin:
        admin.execute("select set_config('copilot.now', '2026-11-20T15:00:01Z', true)")
        for name in load_model().entities:  # a history for every table
            admin.execute(
                sql.SQL("update {} set valid_from = '2026-11-20T15:00:01Z' where id % 5 = 0").format(
                    sql.Identifier("biz", name)
                )
            )
        return dict(admin.execute("select code, id from biz.region").fetchall())


@pytest.fixture(scope="module")
def world(company: Company, database: str, regions: Mapping[str, int]) -> Mapping[str, Mapping[Group, int]]:
    """Every table's rows by class and labels, as the superuser counts them."""
    assert regions
    with psycopg.connect(company.dsn(database)) as admin:
        return {table: counted(admin.execute(statement(table)).fetchall()) for table in (*TABLES, "biz.lookup")}


def statement(table: str) -> sql.Composed:
    return sql.SQL(GROUPS).format(sql.Identifier(*table.split(".")))


def counted(rows: Sequence[tuple[str, int, int, int, int, int]]) -> dict[Group, int]:
    return {row[:-1]: row[-1] for row in rows}


async def reads(connection: Connection, table: str) -> Mapping[Group, int]:
    return counted(await (await connection.cursor(row_factory=tuple_row).execute(statement(table))).fetchall())


async def differences(
    runtime: Runtime, world: Mapping[str, Mapping[Group, int]], reaches: Sequence[Reach], tables: Sequence[str]
) -> list[str]:
    """Where the policies show other rows than the products, looked at one by one, mean to."""
    async with runtime.database.scoped_transaction(Scope(tuple(reaches))) as reader:
        return [
            f"{table}: {group}"
            for table in tables
            for there in [await reads(reader, table)]
            for group, count in world[table].items()
            if there.get(group, 0) != (count if any(shows(reach, group) for reach in reaches) else 0)
        ]


def shows(reach: Reach, group: Group) -> bool:
    lists = (reach.regions, reach.sites, reach.channels, reach.accounts)
    return group[0] in reach.classes and all(
        ids is None or label == 0 or label in ids for ids, label in zip(lists, group[1:], strict=True)
    )


async def test_two_grants_show_what_each_does_and_nothing_that_only_both_would(
    runtime: Runtime, world: Mapping[str, Mapping[Group, int]], regions: Mapping[str, int]
) -> None:
    us, de = frozenset({regions["US"]}), frozenset({regions["DE"]})
    grants = [granted("customer_service", regions=us), granted("planner", regions=de)]
    assert await differences(runtime, world, grants, [*world]) == []
    async with runtime.database.scoped_transaction(Scope(tuple(grants))) as reader:
        costs = {group[1] for group in await reads(reader, "biz.item_cost")}
        prices = {group[1] for group in await reads(reader, "biz.sales_line_price")}
        orders = {group[1] for group in await reads(reader, "biz.sales_order")}
        names = {group[:2] for group in await reads(reader, "biz.lookup")}
    assert costs <= {0, *de}
    assert prices == us
    assert orders == us | de
    assert ("invoice", regions["US"]) in names
    assert ("invoice", regions["DE"]) not in names


@pytest.mark.parametrize("seed", range(6))
async def test_any_sum_of_products_is_followed_exactly(
    runtime: Runtime, world: Mapping[str, Mapping[Group, int]], seed: int
) -> None:
    """Many products at once, in every dimension, over tables of many classes and the one that holds names of all."""
    random = Random(seed)
    groups = [group for table in world.values() for group in table]
    known = [sorted({group[place] for group in groups if group[place] > 0}) for place in range(1, 5)]

    def some(place: int) -> frozenset[int] | None:
        return None if random.random() < 0.4 else frozenset(random.sample(known[place], min(2, len(known[place]))))

    reaches = [
        Reach(classes=ROLES[role], regions=some(0), sites=some(1), channels=some(2), accounts=some(3))
        for role in random.choices(["customer_service", "planner", "buyer", "warehouse", "finance"], k=seed + 1)
    ]
    assert await differences(runtime, world, reaches, [*random.sample(TABLES, 30), "biz.lookup"]) == []


async def test_a_hundred_products_are_all_followed(runtime: Runtime, world: Mapping[str, Mapping[Group, int]]) -> None:
    """No number of them is too many: the last customer is seen as the first is."""
    orders = sorted({group[1:] for group in world["biz.sales_order"]})[:100]
    sales = frozenset({"sales"})
    reaches = [
        Reach(classes=sales, **{name: frozenset({label}) for name, label in zip(DIMENSIONS, labels, strict=True)})
        for labels in orders
    ]  # fmt: skip
    assert len(reaches) == 100
    assert await differences(runtime, world, reaches, ["biz.sales_order", "biz.sales_order_line", "biz.lookup"]) == []


async def test_a_room_sees_what_each_of_its_readers_sees(
    runtime: Runtime, world: Mapping[str, Mapping[Group, int]], regions: Mapping[str, int]
) -> None:
    us, de, sg = (frozenset({regions[code]}) for code in ("US", "DE", "SG"))
    one = Scope((granted("customer_service", regions=us), granted("planner", regions=de)))
    other = Scope((granted("finance", regions=de | us), granted("warehouse", regions=sg)))
    async with runtime.database.scoped_transaction(one & other) as reader:
        for table, groups in world.items():
            meant = {g: n for g, n in groups.items() if one.sees(g[0], g[1:]) and other.sees(g[0], g[1:])}
            assert await reads(reader, table) == meant, table


async def test_nothing_is_seen_without_a_scope_and_after_one(
    runtime: Runtime, world: Mapping[str, Mapping[Group, int]]
) -> None:
    everything = Scope((Reach(classes=load_model().classes, regions=None, sites=None, channels=None, accounts=None),))
    async with runtime.database.scoped_transaction(EMPTY_SCOPE) as reader:
        assert {table for table in world if await reads(reader, table)} == set()
    async with runtime.database.connection(Role.APP) as connection:
        assert {table for table in world if await reads(connection, table)} == set()
        await set_scope(connection, everything)
        assert await reads(connection, "biz.sales_order") == world["biz.sales_order"]
        await connection.commit()
        assert {table for table in world if await reads(connection, table)} == set()
        await set_scope(connection, everything)
        await connection.rollback()
        assert {table for table in world if await reads(connection, table)} == set()


async def test_a_scope_leaves_nothing_of_another_in_the_same_transaction(
    runtime: Runtime, world: Mapping[str, Mapping[Group, int]], regions: Mapping[str, int]
) -> None:
    de = frozenset({regions["DE"]})
    several = Scope((granted("finance"), granted("customer_service", regions=de), granted("warehouse", sites=de)))
    narrow = Scope((Reach(classes=frozenset({"item"}), regions=None, sites=None, channels=None, accounts=None),))
    async with runtime.database.scoped_transaction(several) as reader:
        await set_scope(reader, narrow)
        seen = {group[0] for table in world for group in await reads(reader, table)}
    assert seen == {"item"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "may_sales=1",
        "\nmay_sales=1\n",
        "\nmay_sales=1\nreach_1=\n",
        "\nmay_sales=1\nreach_1=*\n",
        "\nmay_sales=1\nreach_1=*;*;*\n",
        "\nmay_item=1\nreach_1=*;*;*;*\nclasses=item\n",
        "\nmay_sales_price=1\nreach_1=*;*;*;*\n",
    ],
)
async def test_a_setting_that_is_not_whole_shows_no_row(runtime: Runtime, text: str) -> None:
    async with runtime.database.connection(Role.APP) as connection:
        await connection.execute(query("set_scope"), {"classes": "sales", "scope": text})
        labelled = {group for group in await reads(connection, "biz.sales_order") if any(group[1:])}
    assert labelled == set()


async def test_classes_asked_about_together_are_seen_where_all_of_them_are(
    runtime: Runtime, regions: Mapping[str, int]
) -> None:
    us, de = frozenset({regions["US"]}), frozenset({regions["DE"]})
    scope = Scope((granted("customer_service", regions=us), granted("planner", regions=de)))
    async with runtime.database.scoped_transaction(scope) as reader:
        async with together(reader, scope, ["sales", "invoice"]):
            assert {group[1] for group in await reads(reader, "biz.sales_order")} == us
        assert {group[1] for group in await reads(reader, "biz.sales_order")} == us | de


# --- what somebody with two grants is answered ------------------------------------------------------------------


@pytest.fixture
async def both(company: Company, database: str, runtime: Runtime, regions: Mapping[str, int]) -> AsyncGenerator[str]:
    """Customer service in US and planner in DE."""
    with psycopg.connect(company.dsn(database), autocommit=True) as admin:
        admin.execute("insert into directory.person (subject, name) values ('both', 'Both')")
        admin.execute(
            "insert into directory.grant (subject, role, regions, valid_from) values"
            " ('both', 'customer_service', %s, '2026-01-01'), ('both', 'planner', %s, '2026-01-01')",
            ([regions["US"]], [regions["DE"]]),
        )
        yield "both"
        admin.execute("delete from directory.person where subject = 'both'")


def numbers(company: Company, database: str, region: int) -> list[str]:
    """Orders of a region that have an invoice."""
    with psycopg.connect(company.dsn(database)) as admin:
        rows = admin.execute(
            "select number from biz.sales_order o where label_region = %s and status = 'delivered'"
            " and exists (select from biz.invoice i where i.order_id = o.id)"
            " and exists (select from biz.sales_order_amount a where a.order_id = o.id) order by number limit 3",
            (region,),
        ).fetchall()
    return [number for (number,) in rows]


async def test_all_grants_in_force_are_joined(runtime: Runtime, both: str, regions: Mapping[str, int]) -> None:
    scope = scope_for(await runtime.asking.authenticate(SessionSubject(both)), await runtime.policy())
    us, de = frozenset({regions["US"]}), frozenset({regions["DE"]})
    assert scope == Scope((granted("planner", regions=de), granted("customer_service", regions=us)))


async def test_a_class_read_in_one_region_is_not_told_of_the_other(
    company: Company, database: str, runtime: Runtime, both: str, regions: Mapping[str, int]
) -> None:
    """Of an order in DE a customer-service grant for US tells neither the value nor that there is no invoice."""
    for region, answered in ((regions["US"], True), (regions["DE"], False)):
        for number in numbers(company, database, region):
            value = await ask(runtime, both, f"value of order {number}")
            assert (value.verdict is not Verdict.DECLINED) == answered, value.answer
            status = await ask(runtime, both, f"where is {number}?")
            assert status.verdict is not Verdict.DECLINED, status.answer
            invoices = await ask(runtime, both, f"is {number} invoiced?")
            assert answered or not told(invoices), invoices.answer


def told(answer: Answer) -> bool:
    return answer.verdict is not Verdict.DECLINED


async def test_what_spans_two_classes_is_counted_where_both_are_read(
    company: Company, database: str, runtime: Runtime, both: str, regions: Mapping[str, int]
) -> None:
    """Orders without an invoice: in DE, where no invoice is shown, every order would seem to have none."""
    with psycopg.connect(company.dsn(database)) as admin:
        row = admin.execute(
            "select count(*) from biz.sales_order o where label_region = %s"
            " and not exists (select from biz.invoice i where i.order_id = o.id)",
            (regions["US"],),
        ).fetchone()
    answer = await ask(runtime, both, "how many orders have no invoice?")
    counts = {fact.value for fact in answer.facts}
    assert row is not None
    assert not told(answer) or str(row[0]) in map(str, counts), (row, answer.answer)


async def test_an_audit_row_names_every_product(
    company: Company, database: str, runtime: Runtime, both: str, regions: Mapping[str, int]
) -> None:
    (number, *_) = numbers(company, database, regions["US"])
    answer = await ask(runtime, both, f"where is {number}?")
    with psycopg.connect(company.dsn(database)) as admin:
        row = admin.execute("select policy from audit.entry where audit_id = %s", (answer.audit_id,)).fetchone()
    assert row is not None
    assert row[0]["roles"] == ["customer_service", "planner"]
    places = {tuple(product["regions"]) for product in row[0]["scope"] if "item_cost" in product["classes"]}
    assert places == {(regions["DE"],)}
