"""`erp-copilot policy` against the people and places of the demo company."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from copilot.channels.commands.policy import COMMAND
from copilot.errors import SettingsError, SignInError
from copilot.policy.reading import BASELINE
from copilot.store.roles import Role
from copilot.wiring import Runtime
from copilot.wiring.people import add_person

_SG = """
policy: 1
version: sg-1
layer: region
region: SG
access:
  sg_finance: {role: finance, without: [invoice_amount]}
fresh_for:
  sg_stock: {classes: [stock], hours: 2}
"""
_TUAS = "region SG and site TUA"


@pytest.fixture
def opened(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """The command's runtime is the one of the tests."""

    @asynccontextmanager
    async def open_it(*_: Any, **__: Any) -> AsyncGenerator[Runtime]:
        yield runtime

    monkeypatch.setattr("copilot.wiring.open_runtime", open_it)
    return runtime


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "enterprise.yaml").write_text((BASELINE / "enterprise.yaml").read_text())
    (tmp_path / "sg.yaml").write_text(_SG)
    return str(tmp_path)


async def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    COMMAND.arguments(parser)
    return await COMMAND.run(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("subject", "what", "lines"),
    [
        ("finance", "invoice_amount in SG", [
            "finance may not read invoice_amount at region SG, as finance.",
            "  Decided by the rule sg_finance of region SG.",
            "  enterprise, finance_reads: may be read.",
            "  region SG, sg_finance: may not be read.",
        ]),
        ("finance", "invoice_amount in DE", [
            "finance may read invoice_amount at region DE, as finance.",
            "  Decided by the rule finance_reads of enterprise.",
            "  enterprise, finance_reads: may be read.",
        ]),
        ("warehouse.sg", "stock at TUA", [
            f"warehouse.sg may read stock at region SG, site TUA, as warehouse, within the grant: {_TUAS}.",
            "  Decided by the rule warehouse_reads of enterprise.",
            "  enterprise, warehouse_reads: may be read.",
        ]),
        ("warehouse.sg", "stock at HAM", [
            f"warehouse.sg may not read stock at region DE, site HAM, as warehouse: the grant is for {_TUAS} only.",
            "  Decided by the rule warehouse_reads of enterprise.",
            "  enterprise, warehouse_reads: may be read.",
        ]),
        ("auditor", "fresh_for stock at TUA", [
            "fresh_for of stock at region SG, site TUA: 2 hours.",
            "  Decided by the rule sg_stock of region SG.",
            "  enterprise, fresh_movements: 4 hours.",
            "  region SG, sg_stock: 2 hours.",
        ]),
        ("auditor", "stock", [
            "auditor may not read stock at enterprise, as auditor.",
            "  Decided by the rule auditor_reads of enterprise.",
            "  enterprise, auditor_reads: may not be read for all that it does not name.",
        ]),
    ],
)  # fmt: skip
async def test_a_person_of_the_directory_is_told_what_holds(
    opened: Runtime, folder: str, subject: str, what: str, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _run("explain", "--as", subject, "--policy", folder, *what.split()) == 0
    assert capsys.readouterr().out.splitlines() == lines


async def test_the_explanation_is_json_too(opened: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    assert await _run("explain", "--as", "planner", "--json", "item_cost") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["section"], found["place"], found["rule"]) == ("access", "enterprise", "planner_reads")


async def test_nobody_who_is_not_known_is_explained(opened: Runtime) -> None:
    with pytest.raises(SignInError):
        await _run("explain", "--as", "nobody", "stock")


async def test_the_check_knows_the_places(opened: Runtime, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await _run("check", folder, "--live") == 0
    (Path(folder) / "sg.yaml").write_text(_SG.replace("region: SG", "region: SQ"))
    assert await _run("check", folder, "--live") == 1
    assert "there is no region 'SQ'" in capsys.readouterr().out


async def test_the_check_finds_who_could_approve_their_own_change(
    opened: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _run("check", "--live") == 0
    add = "insert into directory.grant (subject, role, valid_from) values ('admin', 'governance_officer', '2020-01-01')"
    async with opened.database.connection(Role.OWNER) as connection:
        await connection.execute(add)
    try:
        assert await _run("check", "--live") == 1
    finally:
        async with opened.database.connection(Role.OWNER) as connection:
            await connection.execute("delete from directory.grant where role = 'governance_officer'")
    told = capsys.readouterr().out
    assert "admin may author a change of policy as administrator and approve it as governance_officer" in told
    assert "admin may author a change of template as administrator and approve it as governance_officer" in told


@pytest.mark.parametrize("role", ["sales", "customer_contact"])
async def test_nobody_is_added_who_would_need_accounts(opened: Runtime, role: str) -> None:
    with pytest.raises(SettingsError, match="reads certain customers only"):
        await add_person(opened, "carla", "Carla", role)
