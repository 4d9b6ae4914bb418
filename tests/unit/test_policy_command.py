"""`erp-copilot policy` as far as it needs no database: check, its JSON and schema, and diff."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from copilot.channels.commands.policy import COMMAND
from copilot.errors import PolicyError
from copilot.policy.reading import BASELINE
from tests.unit.policies import document


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    COMMAND.arguments(parser)

    async def run() -> int:
        return await COMMAND.run(parser.parse_args(arguments))

    return asyncio.run(run())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "enterprise.yaml").write_text((BASELINE / "enterprise.yaml").read_text())
    (tmp_path / "sg.yaml").write_text(document("region SG", "fresh_for:\n  sg_stock: {classes: [stock], hours: 6}"))
    return tmp_path


def test_the_shipped_policy_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check") == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "1 documents, 0 errors, 0 warnings\n")


def test_an_error_is_shown_in_a_table_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", str(folder)) == 1
    assert capsys.readouterr().out == (
        "error  region SG  sg_stock  loosened  loosens fresh_movements of enterprise for fresh_for of stock, "
        "which is not allowed by name, so what stands above holds\n"
    )


def test_a_warning_does_not_fail(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sg.yaml").write_text(document("region SG", "access:\n  sg: {role: warehouse, classes: []}"))
    assert _run("check", str(folder)) == 0
    assert "everything is taken away from warehouse at region SG" in capsys.readouterr().out


def test_findings_and_changes_are_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", str(folder), "--json") == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["level"], finding["kind"], finding["place"], finding["rule"]) == (
        "error", "loosened", "region SG", "sg_stock",
    )  # fmt: skip
    (folder / "sg.yaml").write_text(document("region SG", "fresh_for:\n  sg_stock: {classes: [stock], hours: 2}"))
    assert _run("diff", str(folder), "--json") == 0
    (change,) = json.loads(capsys.readouterr().out)
    assert (change["place"], change["kind"], change["effect"]) == ("region SG", "removed", "loosened")


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", "--schema") == 0
    assert json.loads(capsys.readouterr().out)["$schema"]


def test_what_differs_is_told_by_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sg.yaml").write_text(document("region SG", "fresh_for:\n  sg_stock: {classes: [stock], hours: 2}"))
    assert _run("diff", str(folder)) == 0
    shown = capsys.readouterr()
    assert shown.out == "region SG, fresh_for, sg_stock: removed, loosened: stock 2 hours -> 4 hours\n"
    assert shown.err == "1 changes, 1 of them loosen\n"


def test_a_folder_without_a_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="there is no policy in"):
        _run("check", str(tmp_path))
