"""Whatever is done to row security is found when the program starts, by name, before anything is served."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from copilot.channels.commands import doctor
from copilot.errors import StartupError, UnsafeDatabaseError
from copilot.semantic.model import load_model
from copilot.settings import Settings
from copilot.store import enforcement
from copilot.store.pool import Database
from copilot.store.roles import dsn_for, passwords
from copilot.wiring import Runtime, open_runtime
from tests.company import NOW, Company, silent

CLASSES = {name: entity.record_class for name, entity in load_model().entities.items()}
REACHED: LiteralString = (
    "create or replace function core.reached(products core.reach[], class text, region bigint, site bigint,"
    " channel bigint, account bigint) returns boolean language plpgsql immutable strict parallel safe cost 40 as "
)
OF_ANOTHER_CLASS: LiteralString = """
    alter table biz.sales_order_amount drop constraint sales_order_amount_class;
    truncate biz.sales_order_amount;
    alter table biz.sales_order_amount add check (record_class = 'sales');
    do $$begin
        execute 'alter policy scope on biz.sales_order_amount using (' || ddl.row_condition('sales') || ')';
    end$$"""
OTHERS: LiteralString = "the policy of %s is another one than the migrations made"
BROKEN: tuple[tuple[LiteralString, str], ...] = (
    ("drop policy scope on biz.invoice", "biz.invoice has 0 policies for the role copilot_app"),
    ("drop policy scope on hist.stock", "hist.stock has 0 policies for the role copilot_app"),
    ("drop policy scope on biz.lookup", "biz.lookup has 0 policies for the role copilot_app"),
    ("alter table biz.stock disable row level security", "policies do not hold on biz.stock"),
    ("alter table hist.item_cost disable row level security", "policies do not hold on hist.item_cost"),
    ("alter table biz.lookup disable row level security", "policies do not hold on biz.lookup"),
    ("alter table core.canary disable row level security", "policies do not hold on core.canary"),
    ("alter table biz.stock no force row level security, owner to copilot_app", "policies do not hold on biz.stock"),
    ("create table biz.extra (id bigint)", "policies do not hold on biz.extra"),
    ("alter policy scope on biz.customer using (true)", OTHERS % "biz.customer"),
    ("alter policy scope on biz.lookup using (true)", OTHERS % "biz.lookup"),
    ("alter policy scope on hist.sales_order using (label_region > 0)", OTHERS % "hist.sales_order"),
    ("alter policy scope on core.canary using (true)", "of core.canary the role copilot_app sees the hidden rows"),
    (
        "alter policy scope on core.canary_of_many using (record_class = 'canary')",
        "of core.canary_of_many the role copilot_app sees the hidden rows",
    ),
    ("alter policy scope on core.canary using (false)", "and not its own [1, 2, 3, 4, 5, 6, 7]"),
    ("create policy more on biz.item_cost for select to copilot_app using (true)", "biz.item_cost has 2 policies"),
    ("create policy more on hist.item_cost using (true)", "hist.item_cost has 2 policies"),
    (
        "do $$begin execute 'alter policy scope on biz.item_cost using (' || ddl.row_condition('item') || ')'; end$$",
        OTHERS % "biz.item_cost",
    ),
    (
        "alter table biz.item_cost drop constraint item_cost_class",
        OTHERS % "biz.item_cost",
    ),
    (
        OF_ANOTHER_CLASS,
        "biz.sales_order_amount does not hold the record class of its entity alone",
    ),
    (REACHED + "'begin return true; end'", "of core.canary the role copilot_app sees the hidden rows"),
    (REACHED + "'begin return region = 17; end'", "and not its own"),
    (
        REACHED + "$body$declare product core.reach; begin foreach product in array products loop"
        " if (region = any (product.regions)) is not false and (site = any (product.sites)) is not false"
        " and (channel = any (product.channels)) is not false and (account = any (product.accounts)) is not false"
        " and (class = any (product.classes)) is not false then return true; end if; end loop;"
        " return region = 4711; end$body$",
        "the function core.reached is another one",
    ),
    ("alter function core.unpacked(text) security definer", "the function core.unpacked is another one"),
    (
        "create function core.reached(text) returns boolean language sql as 'select true'",
        "the function core.reached is another one",
    ),
    (
        "create view biz.leaky as select * from biz.item_cost; grant select on biz.leaky to copilot_app",
        "the view biz.leaky shows copilot_app what its owner sees",
    ),
    (
        "create function core.peek() returns bigint language sql security definer as 'select 1'",
        "the function core.peek() runs for copilot_app as its owner",
    ),
    ("drop table core.canary", "row security could not be tried"),
    ("truncate core.canary_of_many", "and not its own [1, 2, 3, 4, 5, 6, 7]"),
)
BROKEN_ON_THE_SERVER: tuple[tuple[LiteralString, LiteralString, str], ...] = (
    ("alter role copilot_app bypassrls", "alter role copilot_app nobypassrls", "policies do not hold on biz."),
    ("alter role copilot_app superuser", "alter role copilot_app nosuperuser", "policies do not hold on biz."),
    (
        r"alter role copilot_app set copilot.scope = E'\nmay_sales=1\nreach_1=*;*;*;*\n'",
        "alter role copilot_app reset copilot.scope",
        "the role copilot_app begins with the setting copilot.scope",
    ),
    (
        "grant copilot_owner to copilot_app with inherit true",
        "revoke copilot_owner from copilot_app",
        "the role copilot_app is a member of copilot_owner",
    ),
)


async def refused(company: Company, database: str) -> str:
    """What is said of a database that ought not to be served from."""
    pools = Database(
        {role: dsn_for(company.dsn(database), role, word) for role, word in passwords(company.home).items()}
    )
    try:
        with pytest.raises(StartupError) as said:
            await enforcement.prove_enforcement(pools, CLASSES)
    finally:
        await pools.close()
    return str(said.value)


@pytest.fixture(scope="module")
def bare(company: Company) -> Generator[str]:
    """The company without its records: quickly copied."""
    with company.clone() as name:
        with psycopg.connect(company.dsn(name)) as admin:
            for entity in (*CLASSES, "lookup"):
                admin.execute(sql.SQL("truncate {}").format(sql.Identifier("biz", entity)))
        yield name


async def test_row_security_holds_on_the_database_as_migrated(runtime: Runtime) -> None:
    await runtime.prove_enforcement()


@pytest.mark.parametrize(("violation", "said"), BROKEN)
async def test_a_database_whose_row_security_was_broken_is_refused(
    company: Company, bare: str, violation: LiteralString, said: str
) -> None:
    with company.clone(bare) as name:
        with psycopg.connect(company.dsn(name)) as admin:
            admin.execute("set session_replication_role = replica")
            admin.execute(violation)
        assert said in await refused(company, name)


@pytest.mark.parametrize(("violation", "mended", "said"), BROKEN_ON_THE_SERVER)
async def test_nothing_starts_over_a_role_that_has_too_much(
    company: Company, database: str, tmp_path: Path, violation: LiteralString, mended: LiteralString, said: str
) -> None:
    """The whole start is tried: what is wrong with the role is found before or by the canaries."""
    settings = Settings(home=company.home, database_url=company.dsn(database))
    with psycopg.connect(company.dsn(database), autocommit=True) as admin:
        admin.execute(violation)
        try:
            with pytest.raises(UnsafeDatabaseError) as found:
                async with open_runtime(settings, progress=silent, clock=lambda: NOW):
                    pass
            assert said in str(found.value) or "may bypass policies" in str(found.value)
            if "member" not in said:
                assert said in await refused(company, database)
        finally:
            admin.execute(mended)


async def test_the_start_and_the_doctor_name_the_table(company: Company, runtime: Runtime) -> None:
    checks = [each async for each in doctor._checks(runtime, runtime.settings, offline=True)]
    assert ("row security", None) in checks
    with company.clone() as name:
        with psycopg.connect(company.dsn(name)) as admin:
            admin.execute("alter policy scope on biz.customer using (true)")
        settings = Settings(home=company.home, database_url=company.dsn(name))
        with pytest.raises(UnsafeDatabaseError) as found:
            async with open_runtime(settings, progress=silent, clock=lambda: NOW):
                pass
    assert "the policy of biz.customer is another one" in str(found.value)
    assert str(found.value).endswith("nothing is served from this database")
