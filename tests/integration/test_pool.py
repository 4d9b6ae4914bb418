"""Connections of the pools: a transaction where several statements belong together, none where one stands alone."""

from __future__ import annotations

import pytest
from psycopg.pq import TransactionStatus

from copilot.domain.scope import EMPTY_SCOPE
from copilot.errors import DatabaseError
from copilot.store.roles import Role
from copilot.wiring import Runtime

ROLES = [Role.APP, Role.STATE, Role.GAZETTEER]


@pytest.mark.parametrize("role", ROLES)
async def test_a_statement_stands_alone_and_a_transaction_after_it_is_one(runtime: Runtime, role: Role) -> None:
    database = runtime.database
    for _ in range(3):  # the pool hands the same connection to both
        async with database.statement(role) as connection:
            await connection.execute("select 1")
            assert connection.info.transaction_status is TransactionStatus.IDLE
        async with database.connection(role) as connection:
            begun = await (await connection.execute("select now() as at")).fetchone()
            assert connection.info.transaction_status is TransactionStatus.INTRANS
            assert await (await connection.execute("select now() as at")).fetchone() == begun


async def test_whoever_answers_questions_changes_nothing_in_either(runtime: Runtime) -> None:
    for opened in (runtime.database.statement, runtime.database.connection):
        async with opened(Role.APP) as connection:
            for name in ("transaction_read_only", "default_transaction_read_only"):
                row = await (await connection.execute(f"show {name}".encode())).fetchone()
                assert row == {name: "on"}


async def test_a_scope_ends_with_its_transaction(runtime: Runtime) -> None:
    asked = "select current_setting('copilot.scope', true) as scope"
    async with runtime.database.scoped_transaction(EMPTY_SCOPE) as connection:
        isolation = await (await connection.execute("show transaction_isolation")).fetchone()
        inside = await (await connection.execute(asked)).fetchone()
    assert isolation == {"transaction_isolation": "repeatable read"}
    assert inside == {"scope": EMPTY_SCOPE.settings["scope"]}
    async with runtime.database.statement(Role.APP) as connection:
        assert await (await connection.execute(asked)).fetchone() in ({"scope": None}, {"scope": ""})


@pytest.mark.parametrize("role", ROLES)
async def test_after_an_error_the_connection_serves_again(runtime: Runtime, role: Role) -> None:
    for opened in (runtime.database.statement, runtime.database.connection):
        with pytest.raises(DatabaseError):
            async with opened(role) as connection:
                await connection.execute("select 1 / 0")
        async with opened(role) as connection:
            assert await (await connection.execute("select 1 as one")).fetchone() == {"one": 1}
