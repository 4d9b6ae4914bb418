"""The proof runner: it goes on where it stopped, keeps to its time and says honestly what came of it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from copilot.errors import DatabaseError
from evals.command import SUITES
from evals.proofs.ghosts import invented, without_echo
from evals.proofs.oracle import Actor, World, label_faults, read_roles
from evals.proofs.phrases import normal
from evals.proofs.runner import Limits, run_suite, run_suites
from evals.proofs.suite import Beside, Finding, Result, Setting, Suite

SETTING = Setting(seed=1, sample=False)
SAMPLE = Setting(seed=1, sample=True)


@dataclass
class Counting:
    """A trial that notes what it was asked to run; each case takes a second of the fake clock."""

    cases: Sequence[str]
    failing: frozenset[str] = frozenset()
    stops_at: str | None = None
    breaks_at: str | None = None
    slow: dict[str, int] = field(default_factory=dict)
    """How often the database is too slow for a case."""
    ran: list[str] = field(default_factory=list)
    now: float = 0.0

    async def run(self, case: str) -> Result:
        if case == self.stops_at:
            raise KeyboardInterrupt
        self.ran.append(case)
        if self.slow.get(case, 0) >= self.ran.count(case):
            raise DatabaseError("the database was too slow")
        if case == self.breaks_at:
            raise LookupError("no such row")
        self.now += 1
        failures = ("it broke",) if case in self.failing else ()
        return Result(case=case, failures=failures, counts={"permitted": 1, "permitted_right": 1})

    def finding(self, counts: Mapping[str, int]) -> Finding:
        return Finding(met=counts.get("permitted_right", 0) > 0, more={"colour": "blue"})


def suite_of(trial: Counting) -> Suite:
    @asynccontextmanager
    async def opened(_: Setting) -> AsyncGenerator[Counting]:
        yield trial

    return Suite(name="counting", goal="all of them", open=opened)


def limits(folder: Path, trial: Counting, seconds: float = 1000.0) -> Limits:
    clock: Callable[[], float] = lambda: trial.now  # noqa: E731
    return Limits(seconds=seconds, folder=folder, clock=clock)


def silent(_: str) -> None:
    """Nobody reads it."""


async def test_a_whole_run_is_written_with_its_figures(tmp_path: Path) -> None:
    trial = Counting(["a", "b", "c"])
    assert await run_suites([suite_of(trial)], SETTING, tmp_path, silent)
    (entry,) = json.loads((tmp_path / "proofs.json").read_text())
    assert (entry["name"], entry["tried"], entry["failed"], entry["goal"], entry["ok"]) == (
        "counting", 3, 0, "all of them", True,
    )  # fmt: skip
    assert (entry["permitted_right"], entry["colour"]) == (3, "blue")
    assert not list((tmp_path / "proofs-state").glob("*"))


async def test_a_failure_fails_the_run_and_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    assert not await run_suites([suite_of(Counting(["a", "b"], frozenset({"b"})))], SAMPLE, tmp_path, said.append)
    (entry,) = json.loads((tmp_path / "proofs-sample.json").read_text())
    assert (entry["ok"], entry["failed"], entry["failures"]) == (False, 1, [{"case": "b", "what": ["it broke"]}])
    assert any("FAILED b" in line and "it broke" in line for line in said)


async def test_a_case_that_breaks_has_failed_and_the_others_are_tried(tmp_path: Path) -> None:
    """Its exception is told with its type and place; a goal is not met by it, nor is it counted."""
    said: list[str] = []
    trial = Counting(["a", "b", "c"], breaks_at="b")
    assert not await run_suites([suite_of(trial)], SETTING, tmp_path, said.append)
    (entry,) = json.loads((tmp_path / "proofs.json").read_text())
    assert (trial.ran, entry["tried"], entry["failed"], entry["permitted"]) == (["a", "b", "c"], 3, 1, 2)
    (failure,) = entry["failures"]
    assert failure["case"] == "b"
    assert failure["what"][0].startswith("LookupError at test_proofs_runner.py:")
    assert failure["what"][0].endswith(" in run: no such row")
    assert any("FAILED b" in line for line in said)


async def test_a_case_that_the_database_was_too_slow_for_is_tried_once_more(tmp_path: Path) -> None:
    said: list[str] = []
    trial = Counting(["a", "b", "c"], slow={"a": 1, "b": 2})
    assert not await run_suites([suite_of(trial)], SETTING, tmp_path, said.append)
    (entry,) = json.loads((tmp_path / "proofs.json").read_text())
    assert (trial.ran, entry["tried"], entry["permitted"]) == (["a", "a", "b", "b", "c"], 3, 2)
    assert [failure["case"] for failure in entry["failures"]] == ["b"]
    assert sum("tried once more" in line for line in said) == 2


async def test_what_is_proved_beside_is_reported_by_its_own_name_and_has_to_be_met(tmp_path: Path) -> None:
    class Both(Counting):
        async def run(self, case: str) -> Result:
            return replace(await Counting.run(self, case), tried=20)

        def finding(self, counts: Mapping[str, int]) -> Finding:
            clock = Beside(name="counting: clock", goal="no later", tried=7, met=False, more={"auc": 0.7})
            return replace(Counting.finding(self, counts), beside=(clock,))

    assert not await run_suites([suite_of(Both(["a", "b"]))], SETTING, tmp_path, silent)
    entry, beside = json.loads((tmp_path / "proofs.json").read_text())
    assert (entry["name"], entry["tried"], entry["cases"], entry["ok"]) == ("counting", 40, 2, True)
    assert (beside["name"], beside["tried"], beside["failed"], beside["ok"]) == ("counting: clock", 7, 1, False)
    assert (beside["goal"], beside["auc"]) == ("no later", 0.7)


async def test_an_interrupted_run_goes_on_and_tries_failures_again(tmp_path: Path) -> None:
    first = Counting(["a", "b", "c", "d"], failing=frozenset({"a"}), stops_at="c")
    with pytest.raises(KeyboardInterrupt):
        await run_suite(suite_of(first), SETTING, limits(tmp_path, first), silent)
    second = Counting(["a", "b", "c", "d"])
    (entry,) = await run_suite(suite_of(second), SETTING, limits(tmp_path, second), silent)
    assert second.ran == ["a", "c", "d"]
    assert (entry["tried"], entry["ok"]) == (4, True)
    third = Counting(["a", "b", "c", "d"])
    await run_suite(suite_of(third), SETTING, limits(tmp_path, third), silent)
    assert third.ran == ["a", "b", "c", "d"]


async def test_a_line_cut_off_by_a_crash_costs_one_case(tmp_path: Path) -> None:
    first = Counting(["a", "b", "c"], stops_at="c")
    with pytest.raises(KeyboardInterrupt):
        await run_suite(suite_of(first), SETTING, limits(tmp_path, first), silent)
    state = tmp_path / "counting.jsonl"
    state.write_text(state.read_text()[:-9])
    second = Counting(["a", "b", "c"])
    await run_suite(suite_of(second), SETTING, limits(tmp_path, second), silent)
    assert second.ran == ["b", "c"]


async def test_other_cases_or_another_seed_start_anew(tmp_path: Path) -> None:
    first = Counting(["a", "b"], stops_at="b")
    with pytest.raises(KeyboardInterrupt):
        await run_suite(suite_of(first), SETTING, limits(tmp_path, first), silent)
    second = Counting(["a", "z"])
    await run_suite(suite_of(second), SETTING, limits(tmp_path, second), silent)
    assert second.ran == ["a", "z"]


async def test_it_stops_when_its_time_is_up_and_is_not_ok_until_it_is_whole(tmp_path: Path) -> None:
    cases = [str(n) for n in range(10)]
    first = Counting(cases)
    (entry,) = await run_suite(suite_of(first), SETTING, limits(tmp_path, first, seconds=4), silent)
    assert (entry["tried"], entry["ok"]) == (4, False)
    second = Counting(cases)
    (entry,) = await run_suite(suite_of(second), SETTING, limits(tmp_path, second), silent)
    assert (entry["tried"], entry["ok"], second.ran[0]) == (10, True, "4")
    sample = Counting(cases)
    (entry,) = await run_suite(suite_of(sample), SAMPLE, limits(tmp_path, sample, seconds=4), silent)
    assert (entry["tried"], entry["ok"]) == (4, True)


async def test_nothing_tried_is_not_ok(tmp_path: Path) -> None:
    trial = Counting([])
    (entry,) = await run_suite(suite_of(trial), SETTING, limits(tmp_path, trial), silent)
    assert not entry["ok"]


async def test_entries_of_other_suites_stay(tmp_path: Path) -> None:
    (tmp_path / "proofs.json").write_text(json.dumps([{"name": "other", "ok": False}]))
    assert await run_suites([suite_of(Counting(["a"]))], SETTING, tmp_path, silent)
    assert [e["name"] for e in json.loads((tmp_path / "proofs.json").read_text())] == ["other", "counting"]


def test_suites_have_names_of_their_own() -> None:
    assert len({suite.name for suite in SUITES}) == len(SUITES)


def row(**values: Any) -> dict[str, Any]:
    return {"id": 1, "source_key": "k", "record_class": "sales", "label_region": 0, "label_site": 0,
            "label_channel": 0, "label_account": 0} | values  # fmt: skip


def test_the_oracle_hides_by_class_and_by_each_label() -> None:
    labels = dict.fromkeys(("label_region", "label_site", "label_channel", "label_account"))
    actor = Actor(subject="x", classes=frozenset({"sales"}), labels=labels | {"label_site": frozenset({4})})
    assert actor.sees(row(label_region=9, label_site=4))
    assert actor.sees(row(label_site=0))
    assert actor.hidden_by(row(label_site=5, record_class="credit")) == ("class", "label_site")
    assert not Actor(subject="nobody").sees(row())
    assert read_roles()["auditor"] == frozenset()


def test_the_oracle_finds_labels_that_do_not_follow_from_the_references() -> None:
    from copilot.semantic.model import load_model

    model = load_model()
    rows: dict[str, dict[int, Any]] = {name: {} for name in model.entities}
    rows["site"][7] = row(id=7, region_id=3, label_region=3, label_site=7)
    rows["stock"][1] = row(id=1, item_id=1, site_id=7, label_region=3, label_site=7)
    rows["stock"][2] = row(id=2, source_key="wrong", item_id=1, site_id=7, label_region=1, label_site=7)
    rows["region"][3] = row(id=3, label_region=3)
    world = World(model=model, rows=rows, sources={}, purposes={}, keys=frozenset())
    assert [fault for fault in label_faults(world) if "wrong" in fault] == list(label_faults(world))
    assert len(list(label_faults(world))) == 1


def test_ghosts_have_the_shape_of_what_they_stand_for() -> None:
    from random import Random

    from evals.proofs.cases import Anchor

    order = Anchor(entity="sales_order", id=1, holder=("sales_order", 1), field="number", text="SO-10482")
    ghost = invented(order, frozenset({"SO10482"}), Random(1))
    assert ghost is not None
    assert ghost.startswith("SO-")
    assert len(ghost) == len("SO-10482")
    assert invented(order, frozenset(str(n) for n in range(100_000)), Random(1)) is None
    assert without_echo("nothing called **SO\\-10482**", "SO-10482") == "nothing called **§**"


def test_phrases_are_compared_without_markdown_and_punctuation() -> None:
    assert normal("**Flößer\\_Kältetechnik**, GmbH \\& Co.") == "flösser_kältetechnik gmbh & co"


def test_a_figure_keeps_to_its_goal_or_says_so() -> None:
    from evals.bench.figure import Figure, percentile
    from evals.bench.runner import table

    slow = Figure(name="start", value=12.34, unit="s", goal=10)
    assert slow.to_json() == {"name": "start", "value": 12.3, "unit": "s", "goal": 10, "peer": None, "ok": False}
    assert Figure(name="rate", value=12, unit="rows/s", goal=10, at_most=False).ok
    assert Figure(name="rate", value=12, unit="rows/s", peer=20).ok
    assert "MISSED" in table([slow])[1]
    assert percentile([5, 1, 4, 2, 3], 0.95) == 5
