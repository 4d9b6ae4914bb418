"""Sources that nobody wrote a connector for: a mapping, the same by files and by SQL, and the questions it answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from copilot.ingest import SyncReport
from copilot.semantic.model import load_model
from copilot.wiring import Runtime
from copilot.wiring.people import add_person
from evals.company import ask, open_server, running
from evals.proofs.sync_faults.reload import Place as Record
from evals.proofs.sync_faults.reload import Row, standing
from tests.acceptance import adventureworks
from tests.acceptance.asked import fault

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not adventureworks.FOLDER.is_dir(), reason="the AdventureWorks files are not here"),
]
_NOW = datetime(2014, 8, 15, 12, tzinfo=UTC)
_ROLES = {"buyer": "buyer", "planner": "planner", "rep": "customer_service"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Both copies, what their first syncs did, what stands in each, and the scratch database they are judged by."""

    runtime: Runtime
    reports: dict[str, SyncReport]
    stands: dict[str, dict[Record, Row]]
    source: psycopg.Connection[Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def copies() -> AsyncIterator[Copies]:
    """AdventureWorks by its files in one database and by its tables in another."""
    async with open_server() as server:
        with (
            server.clone() as scratch,
            server.clone() as by_files,
            server.clone() as by_sql,
            psycopg.connect(server.dsn(scratch), autocommit=True) as source,
        ):
            adventureworks.load(source)
            by: dict[str, tuple[SyncReport, dict[Record, Row]]] = {}
            async with running(server, by_sql, server.home / "sql", _NOW) as runtime:
                runtime.secrets.keep("AW", "password", source.info.password)
                by["sql"] = await _synced(runtime, "sql", _tables(source)), _standing(server.dsn(by_sql))
            async with running(server, by_files, server.home / "files", _NOW) as runtime:
                settings = {"location": str(adventureworks.FOLDER), "mapping": adventureworks.MAPPING}
                by["files"] = await _synced(runtime, "files", settings), _standing(server.dsn(by_files))
                for subject, role in _ROLES.items():
                    await add_person(runtime, subject, subject.title(), role)
                yield Copies(
                    runtime=runtime,
                    reports={name: report for name, (report, _) in by.items()},
                    stands={name: stands for name, (_, stands) in by.items()},
                    source=source,
                )


def _tables(source: psycopg.Connection[Any]) -> dict[str, str]:
    info = source.info
    url = f"postgresql://{info.user}@{info.host}:{info.port}/{info.dbname}"
    return {"url": url, "mapping": adventureworks.MAPPING.replace(".csv", "")}


async def _synced(runtime: Runtime, system: str, settings: Mapping[str, str]) -> SyncReport:
    await runtime.ingest.add_source("AW", system, settings, {})
    await runtime.sources.load()
    report = await runtime.ingest.sync(runtime.sources.source("AW"), runtime.sources.connector("AW"))
    await runtime.database.analyze()
    return report


def _standing(dsn: str) -> dict[Record, Row]:
    with psycopg.connect(dsn) as admin:
        return standing(admin, load_model(), 1)


async def test_files_and_sql_give_identical_rows(copies: Copies) -> None:
    counts = Counter(entity for entity, _ in copies.stands["files"])
    assert counts["purchase_line"] == 8845
    assert counts["purchase_order"] == 4012
    assert counts["supplier"] == 104
    assert len(counts) == 13
    assert copies.stands["files"] == copies.stands["sql"]


async def test_every_row_is_placed_or_set_aside(copies: Copies) -> None:
    for report in copies.reports.values():
        for name, entity in report.entities.items():
            assert entity.read == entity.changed + entity.quarantined, name
            assert entity.skipped is None


async def test_questions_are_answered_as_plain_sql_has_it(copies: Copies) -> None:
    cases = [case for case in adventureworks.asked(copies.source) if case.subject in _ROLES]
    assert len(cases) >= 40
    answered = [(case, await ask(copies.runtime, case.subject, case.question)) for case in cases]
    wrong = [f"{case.question}: {found}" for case, answer in answered if (found := fault(case, answer))]
    assert "\n".join(wrong) == ""
