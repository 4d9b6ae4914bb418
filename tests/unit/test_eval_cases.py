"""Case files: what they say becomes cases, and every fault names the file, the case and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.scoring.case import Expect
from evals.scoring.errors import CaseError
from evals.scoring.loader import CASES, WORDED, load_cases
from evals.scoring.suites import SUITES

PEOPLE = ("rep", "planner")
GOOD = """
- id: good-1
  family: order_status
  user: rep
  pick: select 'SO-1' as number
  turns: ["where is {number}"]
  sql: select status from biz.sales_order where number = %(number)s
"""


def fault(tmp_path: Path, text: str, name: str = "some.yaml") -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CaseError) as raised:
        load_cases(tmp_path, PEOPLE)
    return str(raised.value)


def case(**keys: str) -> str:
    given = {"id": "bad-1", "family": "f", "user": "rep", "turns": '["hello"]'} | keys
    return "- " + "\n  ".join(f"{key}: {value}" for key, value in given.items()) + "\n"


def test_other_wordings_of_a_case_are_cases_of_their_own_with_its_truth(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "wordings.yaml").write_text('good-1: ["{number}, where", "whereabouts of {number}"]', encoding="utf-8")
    case, *worded = load_cases(tmp_path, PEOPLE)
    assert [(each.id, each.turns) for each in worded] == [
        ("good-1.w1", ("{number}, where",)),
        ("good-1.w2", ("whereabouts of {number}",)),
    ]
    assert {(each.sql, each.pick, each.family) for each in worded} == {(case.sql, case.pick, WORDED)}


def test_wordings_of_a_case_that_is_not_there_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "wordings.yaml").write_text('good-2: ["where is it"]', encoding="utf-8")
    assert "wordings.yaml: good-2: there is no case of a single turn with that id" in fault(tmp_path, GOOD)


def test_a_file_becomes_cases(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD, encoding="utf-8")
    (found,) = load_cases(tmp_path, PEOPLE)
    assert (found.id, found.user, found.turns, found.expect) == ("good-1", "rep", ("where is {number}",), Expect.ANSWER)
    assert (found.listed, found.ordered, found.file) == (False, False, "one.yaml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (case(user="nobody"), "some.yaml: bad-1: there is no user 'nobody'; there are: rep, planner"),
        (case(expect="decline", note="x", sql="select 1"), "this case expects 'decline'"),
        (case(expect="ask_back", says="[hi]"), "this case expects 'ask_back'"),
        (case(expect="decline"), "bad-1: say in a note why"),
        (case(list="true"), "a list needs the sql of its rows"),
        (case(ordered="true"), "a list needs the sql of its rows"),
        (case(turns='["where is {number}"]'), "there is no pick to fill number"),
        (case(sql="select %(number)s"), "there is no pick to fill the sql"),
        (case(expects="answer"), "bad-1: Additional properties are not allowed ('expects' was unexpected)"),
        (case(turns="[]"), "bad-1.turns:"),
        (case(expect="maybe"), "bad-1.expect: 'maybe' is not one of"),
        (case(id="Bad 1"), "Bad 1.id:"),
        ("- family: f\n", "some.yaml: case 1: 'id' is a required property"),
        ("- id: a\n  id: b\n", "not YAML: 'id' stands twice"),
        ("- [", "some.yaml: not YAML:"),
        ("just words", "some.yaml: the file:"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, text: str, told: str) -> None:
    assert told in fault(tmp_path, text)


def test_an_id_stands_once_in_a_suite(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOOD, encoding="utf-8")
    told = fault(tmp_path, GOOD, "two.yaml")
    assert "one.yaml: good-1: another case has the same id" in told
    assert "two.yaml: good-1: another case has the same id" in told


def test_every_suites_cases_can_be_used() -> None:
    found = {suite.name: suite.cases() for suite in SUITES}
    ids = [each.id for cases in found.values() for each in cases]
    assert len(ids) == len(set(ids))
    assert len(found["demo"]) > 500
    assert {folder.name for folder in CASES.iterdir() if folder.is_dir()} <= found.keys()


def test_the_demo_suite_holds_every_sort_of_case() -> None:
    (demo,) = [suite for suite in SUITES if suite.name == "demo"]
    cases = demo.cases()
    assert sum(each.expect is Expect.DECLINE for each in cases) >= 100
    assert sum(len(each.turns) > 1 for each in cases) >= 80
    assert sum(each.listed for each in cases) >= 80
