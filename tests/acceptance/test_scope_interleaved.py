"""The proof scope-interleaved itself: it passes on what we have, and finds pools that mix people up."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

import pytest
from psycopg import sql

from copilot.domain.scope import Scope
from copilot.store.pool import Connection, Database
from copilot.store.queries import named_queries
from copilot.store.roles import Role
from evals.company import Company
from evals.proofs.scope_interleaved.meddling import NoticedDatabase
from evals.proofs.scope_interleaved.trial import CONNECTIONS, Pools, Stage, open_trial, set_stage
from evals.proofs.suite import Result, Setting

pytestmark = pytest.mark.proofs
SETTING = Setting(seed=3, sample=True)
EACH = 6
LASTING = sql.SQL(named_queries()["set_scope"].replace("true", "false"))


class Lasting(NoticedDatabase):
    """Sets a scope for the session instead of the transaction."""

    @asynccontextmanager
    async def scoped_transaction(self, scope: Scope) -> AsyncGenerator[Connection]:
        async with self.connection(Role.APP) as connection:
            await connection.execute(LASTING, scope.settings)
            yield connection


class Once(Lasting):
    """Sets the scope of a connection when somebody uses it first, and takes it for set ever after."""

    @asynccontextmanager
    async def scoped_transaction(self, scope: Scope) -> AsyncGenerator[Connection]:
        async with self.connection(Role.APP) as connection:
            row = await (await connection.execute("select current_setting('copilot.scope', true) as scope")).fetchone()
            if row is None or not row["scope"]:
                await connection.execute(LASTING, scope.settings)
            yield connection


class Shared(NoticedDatabase):
    """Gives a connection to the next one before the last one has set its scope anew: between two statements."""

    last: Scope | None = None

    @asynccontextmanager
    async def scoped_transaction(self, scope: Scope) -> AsyncGenerator[Connection]:
        async with super().scoped_transaction(self.last or scope) as connection:
            self.last = scope
            yield connection


@pytest.fixture(scope="module")
def stage(company: Company) -> Generator[Stage]:
    with set_stage(company, SETTING.seed) as made:
        yield made


async def first_round(stage: Stage, pools: Pools) -> Result:
    async with open_trial(stage, SETTING, pools, rounds=1, each=EACH) as trial:
        return await trial.run(trial.cases[0])


async def test_nobody_is_shown_a_row_of_another(stage: Stage) -> None:
    async with open_trial(stage, SETTING, rounds=1, each=EACH) as trial:
        results = [await trial.run(case) for case in trial.cases]
        assert [failure for result in results for failure in result.failures] == []
        counts = results[0].counts
        assert trial.finding(counts).met, (trial.finding(counts), results[0].misses[:5])
        assert len(trial.actors) == 50
        pool = await trial.runtime.database.pool(Role.APP)
        assert pool.max_size == CONNECTIONS
    assert counts["requests"] == 50 * EACH
    assert counts["rows"] > 3_000
    assert counts["ended by being given up"] > 5
    assert counts["ended by an error"] > 5


@pytest.mark.parametrize("pools", [Lasting, Once, Shared])
async def test_pools_that_mix_people_up_are_found(stage: Stage, pools: type[Database]) -> None:
    result = await first_round(stage, lambda dsns: pools(dsns, size=CONNECTIONS))
    assert result.counts["foreign_rows"] > 0
    assert any("was shown" in failure for failure in result.failures), result.failures[:3]
    if pools is Lasting:
        assert any("a connection without a scope" in failure for failure in result.failures), result.failures[:3]


async def test_rows_that_do_not_come_are_missed(stage: Stage) -> None:
    """A pool that shows too little leaks nothing, and does not meet the goal."""

    class Narrow(NoticedDatabase):
        @asynccontextmanager
        async def scoped_transaction(self, scope: Scope) -> AsyncGenerator[Connection]:
            async with super().scoped_transaction(scope.without("sales")) as connection:
                yield connection

    async with open_trial(stage, SETTING, lambda dsns: Narrow(dsns, size=CONNECTIONS), rounds=1, each=EACH) as trial:
        result = await trial.run(trial.cases[0])
        assert result.failures == ()
        assert not trial.finding(result.counts).met
    assert any("lacks" in miss for miss in result.misses)


async def test_an_error_that_nobody_provoked_counts_against_the_goal(stage: Stage) -> None:
    class Failing(NoticedDatabase):
        failing = False

        @asynccontextmanager
        async def connection(self, role: Role) -> AsyncGenerator[Connection]:
            async with super().connection(role) as connection:
                if role is Role.APP and Failing.failing:
                    await connection.execute("select * from biz.nothing_of_the_kind")
                yield connection

    async with open_trial(stage, SETTING, lambda dsns: Failing(dsns, size=CONNECTIONS), rounds=1, each=EACH) as trial:
        Failing.failing = True
        result = await trial.run(trial.cases[0])
        assert not trial.finding(result.counts).met
