"""Budgets of models: shared by all programs over one database, never overdrawn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

import psycopg
import pytest
from psycopg import errors

from copilot.domain.allowance import Allowance
from copilot.domain.clock import fixed_clock
from copilot.errors import BudgetError
from copilot.store.model_use import ModelUse
from copilot.store.pool import Database
from copilot.store.roles import Role
from tests.integration.audit_support import NOW, Site

pytest_plugins = ("tests.integration.audit_fixtures",)

MINE = Allowance(per="person", name="rep.us", tokens=1_000)
ALL = Allowance(per="company", name="", micros=5_000)


@pytest.fixture
async def database(audit_site: Site) -> AsyncGenerator[Database]:
    """A database in which nothing is used of any budget."""
    await audit_site.as_superuser("truncate state.model_use")
    database = audit_site.database()
    yield database
    await database.close()


def used(site: Site) -> Sequence[tuple[str, str, int, int]]:
    with psycopg.connect(site.superuser_dsn) as admin:
        rows = admin.execute("select per, name, tokens, micros from state.model_use order by day, per, name").fetchall()
    return [tuple(row) for row in rows]


async def test_what_is_set_aside_is_taken_of_every_budget_and_settled(audit_site: Site, database: Database) -> None:
    use = ModelUse(database, fixed_clock(NOW))
    spending = await use.take([MINE, ALL], 900, 1_000)
    assert used(audit_site) == [("company", "", 900, 1_000), ("person", "rep.us", 900, 1_000)]
    await use.settle(spending, 100, 50)
    assert used(audit_site) == [("company", "", 100, 50), ("person", "rep.us", 100, 50)]
    with pytest.raises(BudgetError, match=r"person 'rep\.us'"):
        await use.take([MINE, ALL], 901, 0)
    with pytest.raises(BudgetError, match="company"):
        await use.take([MINE, ALL], 1, 4_951)
    assert used(audit_site) == [("company", "", 100, 50), ("person", "rep.us", 100, 50)]
    await use.take([MINE, ALL], 900, 4_950)


async def test_more_than_a_whole_budget_is_never_taken(audit_site: Site, database: Database) -> None:
    use = ModelUse(database, fixed_clock(NOW))
    with pytest.raises(BudgetError):
        await use.take([MINE], 1_001, 0)
    assert used(audit_site) == []


async def test_a_day_has_its_own_budget_and_is_settled_as_that_day(audit_site: Site, database: Database) -> None:
    today, tomorrow = (ModelUse(database, fixed_clock(NOW + timedelta(days=days))) for days in (0, 1))
    spending = await today.take([MINE], 1_000, 0)
    await tomorrow.take([MINE], 1_000, 0)
    await tomorrow.settle(spending, 10, 0)
    assert [row[2] for row in used(audit_site)] == [10, 1_000]
    await tomorrow.forget((NOW + timedelta(days=1)).date())
    assert [row[2] for row in used(audit_site)] == [1_000]


async def test_of_many_at_once_no_more_are_let_through_than_the_budget_has(
    audit_site: Site, database: Database
) -> None:
    use = ModelUse(database, fixed_clock(NOW))

    async def take(number: int) -> bool:
        try:
            await use.take([MINE, ALL] if number % 2 else [ALL, MINE], 100, 1)
        except BudgetError:
            return False
        return True

    assert sum(await asyncio.gather(*(take(number) for number in range(30)))) == 10
    assert used(audit_site)[1] == ("person", "rep.us", 1_000, 10)


@pytest.mark.parametrize("role", [Role.APP, Role.WORKER, Role.GAZETTEER, Role.AUDIT_WRITER, Role.LOADER])
async def test_nobody_else_touches_budgets(database: Database, role: Role) -> None:
    async with database.connection(role) as connection:
        with pytest.raises(errors.InsufficientPrivilege):
            await connection.execute("update state.model_use set tokens = 0")
