"""Making a database ready: refused where row security could not hold; an external one, prepared by no superuser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, LiteralString, cast

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from copilot.domain.answer import Verdict
from copilot.domain.clock import fixed_clock
from copilot.domain.question import BearerToken, Question
from copilot.errors import SettingsError, SignInError, StartupError, UnsafeDatabaseError
from copilot.identity.tokens import LocalTokens
from copilot.settings import Settings
from copilot.store import embedded
from copilot.store.audit_verify import verify
from copilot.store.setup import check_version, prepare
from copilot.wiring import Runtime, open_runtime
from copilot.wiring.demo import bring_demo_to_today
from evals.signing import Pair, shipped
from tests.company import NOW, Company, ask, scratch_folder, silent

FAULTS: tuple[tuple[LiteralString, LiteralString, str], ...] = (
    ("alter table biz.stock owner to copilot_app", "", "the role copilot_app owns biz.stock"),
    (
        "alter role copilot_app bypassrls",
        "alter role copilot_app nobypassrls",
        "the role copilot_app is a superuser or may bypass policies",
    ),
    (
        "alter role copilot_app superuser",
        "alter role copilot_app nosuperuser",
        "the role copilot_app is a superuser or may bypass policies",
    ),
    (
        "alter role copilot_state bypassrls",
        "alter role copilot_state nobypassrls",
        "the role copilot_state is a superuser or may bypass policies",
    ),
    (
        "grant copilot_worker to copilot_app",
        "revoke copilot_worker from copilot_app",
        "the role copilot_app is a member of copilot_worker",
    ),
    ("alter table biz.item_cost no force row level security", "", "policies are not forced on biz.item_cost"),
    ("alter table hist.item_cost disable row level security", "", "policies are not forced on hist.item_cost"),
    ("create table biz.extra (id bigint)", "", "policies are not forced on biz.extra"),
    ("grant update on biz.customer to copilot_app", "", "the role copilot_app may change biz.customer"),
    ("grant delete on directory.grant to copilot_app", "", 'the role copilot_app may change directory."grant"'),
)


@pytest.fixture
def spoiled(company: Company) -> Generator[str]:
    """The connection string of a copy that a test may spoil."""
    with company.clone() as name:
        yield company.dsn(name)


def change(dsn: str, statement: LiteralString) -> None:
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(statement)


@pytest.mark.parametrize(("fault", "mended", "said"), FAULTS)
async def test_a_database_where_row_security_could_not_hold_is_refused(
    company: Company, spoiled: str, fault: LiteralString, mended: LiteralString, said: str
) -> None:
    await prepare(spoiled, company.home, create=False)
    change(spoiled, fault)
    try:
        with pytest.raises(UnsafeDatabaseError) as refused:
            await prepare(spoiled, company.home, create=False)
    finally:
        if mended:
            change(spoiled, mended)
    assert str(refused.value) == f"row security would not hold: {said}; nothing is served from this database"


@pytest.mark.parametrize(
    ("version", "needed"),
    [
        (130022, "16.10"),
        (150014, "16.10"),
        (160009, "16.10"),
        (170005, "17.6"),
        (160010, None),
        (170006, None),
        (180000, None),
        (190001, None),
    ],
)
async def test_servers_without_the_fix_of_cve_2025_8713_are_refused(version: int, needed: str | None) -> None:
    server = cast(Any, SimpleNamespace(info=SimpleNamespace(server_version=version)))
    if needed is None:
        await check_version(server)
        return
    with pytest.raises(UnsafeDatabaseError) as refused:
        await check_version(server)
    assert "CVE-2025-8713" in str(refused.value)
    assert f"upgrade to {needed} or later" in str(refused.value)


async def test_the_servers_version_is_looked_at_before_anything_is_served(
    company: Company, spoiled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", property(lambda _: 160009))
    with pytest.raises(UnsafeDatabaseError, match=r"PostgreSQL 16\.9 can show hidden rows"):
        await prepare(spoiled, company.home, create=False)


async def test_a_database_of_a_newer_program_is_refused(company: Company, spoiled: str) -> None:
    change(spoiled, "insert into public.schema_migration values ('9999_from_tomorrow.sql', 'x')")
    with pytest.raises(StartupError, match=r"newer version \(it has '9999_from_tomorrow\.sql'\); start that version"):
        await prepare(spoiled, company.home, create=False)


async def test_an_edited_migration_is_refused_and_nothing_applied(company: Company, spoiled: str) -> None:
    change(spoiled, "update public.schema_migration set digest = 'x' where name like '0001%'")
    change(spoiled, "delete from public.schema_migration where name like '0007%'")
    with pytest.raises(StartupError, match=r"'0001_foundation\.sql' was applied in another form"):
        await prepare(spoiled, company.home, create=False)
    with psycopg.connect(spoiled) as admin:
        assert admin.execute("select from public.schema_migration where name like '0007%'").fetchone() is None


async def test_a_database_that_is_not_there_is_said_without_its_password(company: Company) -> None:
    dsn = make_conninfo(company.dsn("no_such_database"), password="hidden-word")
    with pytest.raises(StartupError) as refused:
        await prepare(dsn, company.home, create=False)
    assert str(refused.value).startswith("the database at 127.0.0.1:")
    assert "hidden-word" not in str(refused.value)
    assert "\n" not in str(refused.value)


# --- a PostgreSQL of one's own -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def external() -> Generator[tuple[str, Path]]:
    """A database on a server that knows nothing of us, as an operator who may create roles and is no superuser."""
    with scratch_folder() as folder:
        server = embedded.ensure_running(folder / "server", progress=silent)
        try:
            with psycopg.connect(server.superuser_dsn, autocommit=True) as admin:
                admin.execute("create role operator login createrole nosuperuser nobypassrls password 'of-the-house'")
                admin.execute("create database erp_copy owner operator")
            dsn = make_conninfo(server.superuser_dsn, dbname="erp_copy", user="operator", password="of-the-house")
            _without_pgvector_nothing_is_begun(dsn, folder / "home")
            with psycopg.connect(make_conninfo(server.superuser_dsn, dbname="erp_copy"), autocommit=True) as admin:
                admin.execute("create extension vector")  # which only a superuser may
            yield dsn, folder / "home"
        finally:
            server.stop()


def _without_pgvector_nothing_is_begun(dsn: str, home: Path) -> None:
    home.mkdir()
    with pytest.raises(StartupError, match='could not be prepared: permission denied to create extension "vector"'):
        asyncio.run(prepare(dsn, home, create=False))
    with psycopg.connect(dsn) as operator:
        assert operator.execute("select from pg_roles where rolname like 'copilot%'").fetchone() is None


@pytest.fixture
async def outside(external: tuple[str, Path]) -> AsyncGenerator[Runtime]:
    dsn, home = external
    settings = Settings(home=home, database_url=dsn)
    async with open_runtime(settings, progress=silent, clock=fixed_clock(NOW)) as runtime:
        yield runtime


async def test_an_external_database_is_prepared_and_works(outside: Runtime, external: tuple[str, Path]) -> None:
    await bring_demo_to_today(outside, silent, epoch=date(2026, 11, 2))
    with psycopg.connect(external[0]) as operator:
        assert operator.execute(
            "select current_user, rolsuper from pg_roles where rolname = current_user"
        ).fetchone() == (
            "operator",
            False,
        )
        owners = operator.execute(
            "select distinct tableowner from pg_tables where schemaname in ('biz', 'hist', 'audit')"
        )
        assert owners.fetchall() == [("copilot_owner",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            operator.execute("select * from biz.customer")
    assert (await outside.health()).components == {"database": "ok", "audit": "ok"}
    refused = await ask(outside, "rep.us", "open orders for Acme")
    assert refused.verdict is Verdict.DECLINED, "nobody has approved a policy for this database"
    pair = Pair(runtime=outside, keys=external[1].with_name("keys"))
    pair.make_keys()
    await pair.approve(shipped())
    answer = await ask(outside, "rep.us", "open orders for Acme")
    assert len(answer.choices) == 2
    chosen = await ask(outside, "rep.us", answer.choices[0].question)
    assert chosen.verdict is Verdict.VERIFIED
    assert (await verify(outside.database, outside.settings.home)).ok


async def test_an_external_database_has_no_demo_people_and_no_tokens(outside: Runtime) -> None:
    assert await outside.demo_people() == ()
    with pytest.raises(SettingsError, match="only with the embedded database"):
        outside.token("rep.us")
    forged = LocalTokens(outside.settings.home, fixed_clock(NOW)).issue("rep.us")
    with pytest.raises(SignInError):
        await outside.ask(Question(text="open orders for Acme", channel="api", conversation=None), BearerToken(forged))


async def test_another_data_folder_sets_new_passwords_and_goes_on(external: tuple[str, Path]) -> None:
    dsn, home = external
    other = home.with_name("other")
    for place in (other, home):
        async with open_runtime(
            Settings(home=place, database_url=dsn), progress=silent, clock=fixed_clock(NOW)
        ) as runtime:
            assert (await runtime.health()).components == {"database": "ok", "audit": "ok"}
    secrets = [(place / "roles.json").stat().st_mode & 0o777 for place in (home, other)]
    assert secrets == [0o600, 0o600]


async def test_an_operator_who_may_not_create_roles_is_told_so(external: tuple[str, Path]) -> None:
    dsn, home = external
    with psycopg.connect(dsn, autocommit=True) as operator:
        operator.execute("create role clerk login password 'clerk-word'")
        operator.execute(sql.SQL("grant connect on database erp_copy to clerk"))
    clerk = make_conninfo(dsn, user="clerk", password="clerk-word")
    home.with_name("third").mkdir()
    with pytest.raises(StartupError) as refused:
        await prepare(clerk, home.with_name("third"), create=False)
    assert "could not be prepared: permission denied" in str(refused.value)
    assert "clerk-word" not in str(refused.value)
