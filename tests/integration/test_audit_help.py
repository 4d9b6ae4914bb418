"""What models were asked for, in the audit: rows from before it verify as they are, and it can't be changed unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from copilot.domain.clock import fixed_clock
from copilot.domain.json import Json
from copilot.errors import AuditError
from copilot.store.audit_chain import GENESIS, entry_hash
from copilot.store.audit_verify import Problem, VerifyReport, verify
from copilot.store.migrate import migrations
from tests.integration.audit_support import NOW, Site, append_many, entry

pytest_plugins = ("tests.integration.audit_fixtures",)

HELP: Mapping[str, Json] = {
    "plan": {"prompt": "plan/question v1", "model": "mini", "refused": "", "attempts": [{"came": "said", "ms": 12}]}
}
OLD = "745a4bb0a76a08b664ad04744a6d6ab51335d0782616c3a71ca61355cf6d24ef"
"""The hash of the row below as the program made it that knew no such column."""


async def found(site: Site) -> VerifyReport:
    """Verify with pools of its own."""
    database = site.database()
    try:
        return await verify(database, site.home)
    finally:
        await database.close()


def test_a_row_without_it_is_hashed_as_before_there_was_such_a_column() -> None:
    row = replace(entry(), audit_id="0b0e0d0c-0000-4000-8000-000000000002")
    sealed: list[Json] = [{"kind": "question"}]
    assert entry_hash(row.body(NOW, sealed), 1, GENESIS).hex() == OLD
    assert entry_hash(replace(row, help={}).body(NOW, sealed), 1, GENESIS).hex() != OLD


async def test_rows_from_before_the_migration_verify_beside_new_ones(audit_own_site: Site) -> None:
    [migration] = [each for each in migrations() if each.name == "0052_help.sql"]
    await audit_own_site.as_superuser("alter table audit.entry drop column help")
    await append_many(audit_own_site, 3)  # the statement fills the columns that there are
    await audit_own_site.as_superuser(migration.text)
    async with audit_own_site.log(fixed_clock(NOW)) as log:
        await log.append(replace(entry(4), help=HELP))
    report = await found(audit_own_site)
    assert report.ok, report.findings
    assert report.rows == 4
    assert await audit_own_site.value("select count(help) from audit.entry") == 1


@pytest.mark.parametrize("row", [1, 2])
@pytest.mark.parametrize("change", ["'{}'", "'null'", "null", '\'{"plan": {"model": "other"}}\''])
async def test_a_change_of_it_is_found(audit_site: Site, row: int, change: str) -> None:
    await append_many(audit_site, 1)
    async with audit_site.log(fixed_clock(NOW)) as log:
        await log.append(replace(entry(2), help=HELP))
    await audit_site.as_superuser(f"update audit.entry set help = {change} where id = {row}")
    changed = (row, change) != (1, "null")  # as it was
    assert {(each.problem, each.id) for each in (await found(audit_site)).findings} == (
        {(Problem.ALTERED, row)} if changed else set()
    )


async def test_no_float_goes_in(audit_site: Site) -> None:
    async with audit_site.log() as log:
        with pytest.raises(AuditError):
            await log.append(replace(entry(), help={"temperature": 0.5}))
