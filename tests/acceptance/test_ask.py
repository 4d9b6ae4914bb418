"""Questions to the demo company, their answers checked against its database as the owner sees it."""

from __future__ import annotations

import pytest

from copilot.domain.answer import Reason, Verdict
from copilot.wiring import Runtime
from tests.company import ask


async def test_an_order_is_found_by_its_number_loosely_typed(runtime: Runtime) -> None:
    row = await one(runtime, "select number from biz.sales_order where label_region = 1 order by id desc limit 1")
    digits = row["number"].split("-")[1]
    for typed in (row["number"], row["number"].lower(), f"SO {digits}", f"order {digits}", f"so{digits}"):
        answer = await ask(runtime, "planner", f"where is {typed}?")
        assert answer.verdict is Verdict.VERIFIED, (typed, answer.answer)
        assert f"**{row['number']}**" in answer.answer.replace("\\", "")


async def one(runtime: Runtime, statement: str, **values: object) -> dict:
    import psycopg
    from psycopg.rows import dict_row

    async with await psycopg.AsyncConnection.connect(runtime.admin_dsn, row_factory=dict_row) as connection:
        row = await (await connection.execute(statement, values)).fetchone()
    assert row is not None, statement
    return row


@pytest.mark.parametrize("subject", ["auditor", "admin"])
async def test_roles_without_business_records_get_none(runtime: Runtime, subject: str) -> None:
    answer = await ask(runtime, subject, "where is SO-10482?")
    assert (answer.verdict, answer.reason, answer.sources, answer.facts) == (
        Verdict.DECLINED, Reason.NO_ACCESS, (), (),
    )  # fmt: skip
