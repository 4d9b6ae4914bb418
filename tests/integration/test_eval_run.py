"""Question cases end to end: plain SQL, the copilot, the score, and the command that reports it."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from copilot.channels.cli import Command
from copilot.demo.people import PEOPLE
from copilot.errors import SettingsError
from copilot.wiring import Runtime
from evals import eval_command
from evals.scoring.case import Case
from evals.scoring.errors import CaseError
from evals.scoring.run import run_cases
from evals.scoring.scorer import Outcome
from evals.scoring.sight import hidden_choices
from evals.scoring.suites import SUITES, Scene, Suite
from evals.scoring.tally import told
from evals.scoring.truth import owner, read_truth
from tests.company import Company, silent

ORDER = "select number, status from biz.sales_order where status = 'confirmed' and label_region = 3 order by id limit 1"
CASES = f"""
- id: right-1
  family: orders
  user: rep.us
  pick: {ORDER}
  turns: ["thanks", "where is {{number}}"]
  sql: select status, promised_date from biz.sales_order where number = %(number)s and number not like '%x%'
- id: wrong-1
  family: orders
  user: rep.us
  pick: {ORDER}
  turns: ["where is {{number}}"]
  sql: select date '1999-12-31' as promised_date
- id: list-1
  family: lists
  user: rep.us
  pick: >-
    select c.number as customer from biz.customer c join biz.sales_order o on o.customer_id = c.id
     where c.label_region = 3 and o.status in ('confirmed', 'partly_shipped') group by 1 having count(*) = 3 order by 1
     limit 1
  turns: ["open orders of {{customer}}"]
  sql: >-
    select o.number from biz.sales_order o join biz.customer c on c.id = o.customer_id
     where c.number = %(customer)s and o.status in ('confirmed', 'partly_shipped')
  list: true
- id: decline-1
  family: declines
  user: rep.us
  pick: select number from biz.sales_order where label_region = 1 order by id limit 1
  turns: ["where is {{number}}"]
  expect: decline
  note: another region's
- id: decline-2
  family: declines
  user: rep.us
  pick: {ORDER}
  turns: ["where is {{number}}"]
  expect: decline
  note: it must not be, for the test's sake
"""
WATCHED = ("order_status", "stock_item", "price", "contact", "credit")
"""Families of the demo suite whose cases CI asks on a smaller company: those that find their records there."""


@pytest.fixture
def scene(company: Company, database: str, runtime: Runtime) -> Scene:
    return Scene(runtime, company.dsn(database))


@pytest.fixture
def suite(scene: Scene, tmp_path: Path) -> Suite:
    """A suite of five cases, of which the second and the last can't come out right."""

    @asynccontextmanager
    async def opened(_: object) -> AsyncGenerator[Scene]:
        yield scene

    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "all.yaml").write_text(CASES, encoding="utf-8")
    people = {person.subject: person.role for person in PEOPLE}
    return Suite(name="small", people=people, open=opened, folder=tmp_path)


def case(**more: object) -> Case:
    return Case(**({"id": "c", "family": "f", "user": "rep.us", "turns": ("?",), "file": "f.yaml"} | more))  # pyright: ignore[reportArgumentType]


async def test_cases_are_judged_end_to_end(scene: Scene, suite: Suite) -> None:
    results = await run_cases(scene, suite.cases(), 2, silent)
    outcomes = {each.case.id: each.score.outcome.value for each in results}
    why = "\n".join(line for each in results for line in told(each))
    assert outcomes == {
        "right-1": "right", "wrong-1": "wrong", "list-1": "right", "decline-1": "right", "decline-2": "wrong"
    }, why  # fmt: skip
    by_id = {each.case.id: each for each in results}
    assert by_id["wrong-1"].score.missing == ("promised_date 1999-12-31",)
    assert any(each.startswith("sales_order.promised_date") for each in by_id["wrong-1"].score.surplus)
    assert by_id["right-1"].elapsed_ms > 0


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (case(sql="select nothing from nowhere"), "its SQL fails"),
        (case(sql="select 1 where false"), "its sql finds nothing"),
        (case(pick="select 1 as a where false", turns=("{a}",)), "its pick has to find one row"),
        (case(pick="select 1 as a", turns=("{b}",)), "its pick has no column 'b'"),
        (case(sql="delete from biz.sales_order returning number"), "read-only transaction"),
    ],
)
async def test_a_case_that_cannot_be_judged_says_why(scene: Scene, broken: Case, why: str) -> None:
    (result,) = await run_cases(scene, [broken], 1, silent)
    assert result.score.outcome is Outcome.UNFINISHED
    assert why in result.score.missing[0]
    assert "f.yaml: c:" in result.score.missing[0]


async def test_the_truth_knows_where_its_columns_come_from(scene: Scene) -> None:
    asked = case(
        pick="select number as item from biz.item order by id limit 1",
        turns=("stock of {item}",),
        sql="select i.number, count(*) as n from biz.item i where i.number = %(item)s group by i.number",
    )
    async with owner(scene.dsn) as connection:
        truth = await read_truth(connection, asked)
        ((number, _),) = truth.rows
        name = await (await connection.execute("select name from biz.item where number = %s", [number])).fetchone()
    assert truth.turns == (f"stock of {number}",)
    assert [(column.table, column.field) for column in truth.columns] == [("item", "number"), (None, None)]
    assert truth.columns[0].other == {number: frozenset(name or ())}


async def test_a_choice_that_is_not_theirs_to_see_is_found(scene: Scene) -> None:
    async with owner(scene.dsn) as connection:
        named: dict[str, str] = {}
        for region in (1, 3):
            found = await connection.execute(
                "select c.name from biz.customer c where c.label_region = %s and c.kind = 'business' and not exists ("
                "select 1 from biz.customer x where x.id <> c.id and strpos(x.name, c.name) > 0) order by c.id limit 1",
                [region],
            )
            named[str(region)] = ((await found.fetchone()) or ("",))[0]
        labels = [f"Customer {named['1']}", f"Customer {named['3']}", "the order or the invoice"]
        assert await hidden_choices(connection, "rep.us", labels) == (labels[0],)
        assert await hidden_choices(connection, "rep.de", labels) == (labels[1],)
        assert await hidden_choices(connection, "planner", labels) == ()


async def test_ci_watches_a_part_of_the_demo_suite(scene: Scene) -> None:
    cases = [each for each in SUITES[0].cases() if each.family in WATCHED and each.pick]
    results = await run_cases(scene, cases, 2, silent)
    judged = [each for each in results if each.said]
    wrong = [line for each in judged if each.score.outcome is Outcome.WRONG for line in told(each)]
    assert not wrong, "\n".join(wrong)
    assert len(judged) >= 20
    assert sum(each.score.outcome is Outcome.RIGHT for each in judged) >= len(judged) // 2


# The command.

Run = Callable[..., argparse.Namespace]


@pytest.fixture
def options(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Parses the command's arguments, in a folder and with a suite of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(eval_command, "SUITES", (suite, Suite(name="none", open=suite.open, folder=tmp_path)))

    def parsed(*words: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        command().arguments(parser)
        return parser.parse_args(words)

    return parsed


def command() -> Command:
    return eval_command.EVAL


async def test_the_command_reports_and_fails_for_a_missed_goal(
    options: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command().run(options("--json", "--junit", "out/eval.xml")) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "build" / "eval.json").read_text())
    assert set(printed) == {"total", "families", "cases"}
    assert printed["total"] == {
        "cases": 5, "answerable": 3, "right": 2, "asked_back": 0, "declined": 0, "wrong": 2, "must_decline": 2,
        "must_decline_met": 1,
    }  # fmt: skip
    assert set(printed["families"]) == {"orders", "lists", "declines"}
    assert printed["families"]["declines"].keys() == printed["total"].keys()
    keys = {"id", "family", "outcome", "verdict", "elapsed_ms", "missing", "surplus", "answer"}
    assert all(each.keys() == keys for each in printed["cases"])
    root = ET.parse(tmp_path / "out" / "eval.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "2", "0")
    assert {each.get("name") for each in root.iter("testcase") if len(each)} == {"wrong-1", "decline-2"}


async def test_the_command_is_content_where_every_goal_is_met(
    options: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command().run(options("--suite", "small", "--family", "lists")) == 0
    out = capsys.readouterr().out
    assert "total" in out
    assert "MISSED" not in out
    assert not tmp_path.joinpath("build").exists()


async def test_one_case_shows_all_there_is_to_it(options: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert await command().run(options("--case", "wrong-1")) == 1
    out = capsys.readouterr().out
    assert "missing: promised_date 1999-12-31" in out
    assert "sql: select date '1999-12-31' as promised_date" in out
    assert "sales_order S1.number = 'SO-" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--suite", "nowhere"], "there is no suite 'nowhere'; there are: small, none"),
        (["--family", "nothing"], "there is no family 'nothing'; there are the families declines, lists, orders"),
        (["--case", "nothing"], "there is no case 'nothing'"),
        (["--suite", "none"], "the suite 'none' has no cases"),
    ],
)
async def test_what_is_not_there_is_named(options: Run, words: list[str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        await command().run(options(*words))


async def test_a_suite_without_its_data_is_passed_over(
    options: Run, suite: Suite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = Suite(name="small", people=suite.people, open=suite.open, folder=suite.folder, lacks=lambda: "no files")
    monkeypatch.setattr(eval_command, "SUITES", (lacking,))
    assert await command().run(options()) == 0
    assert "skipped small: no files" in capsys.readouterr().err


async def test_two_suites_may_not_share_a_case(options: Run, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eval_command, "SUITES", (suite, suite))
    with pytest.raises(CaseError, match="more than one suite has a case 'right-1'"):
        await command().run(options())
