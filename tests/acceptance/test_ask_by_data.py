"""A measure, a synonym, a question family and a language are each added by data alone: files of a copy of the program
are changed, none of them Python, and the copy answers what the program does not know."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from copilot.domain.answer import Verdict
from copilot.wiring import Runtime
from tests.acceptance.oracle import Truth, truth_of
from tests.company import NOW, Company, ask, scratch_folder

ROOT = Path(__file__).parents[2]
PACKAGES = ("copilot", "connectors", "prompts", "redaction")
LANGUAGE = "copilot/understanding/language"
FIELD = {"type": "count", "unit": "day", "title": "promised days", "days": ["order_date", "promised_date"]}
MEASURE = """
order_horizon:
  title: order horizon
  formula: mean days from order date to promised date, over orders that have one
  owner: customer service
  version: 1
  population: visible
  of: sales_order
  where: {is: [placed], horizon: {known: true}}
  figure: {mean: horizon}
  date: order_date
"""
FAMILY = """
order_routing:
  ask: "routing of order {}"
  references: {sales_order: required}
  cues: [routing, routed, how is it routed]
  steps:
    order: {entity: sales_order, where: {id: $sales_order}}
    site: {entity: site, where: {id: order.site}}
    region: {entity: region, where: {id: site.region}}
  claims:
    - {claim: order_routing, bind: {order: order, site: site, region: region}, essential: true}
"""
CLAIM = 'order_routing: "Order **{order.number}** is routed through {site.name} in {region.name}."\n'
APPROVAL = """
[[approval]]
file = "claims/routing.yaml"
sha256 = "{}"
version = 1
author = "somebody"
approver = "somebody else"
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the program that a test may change."""

    folder: Path
    company: Company
    database: str
    home: Path

    def write(self, file: str, change: Callable[[str], str]) -> None:
        """Change a data file, or add one."""
        assert file.endswith((".yaml", ".toml"))
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change(path.read_text() if path.exists() else ""))

    def ask(self, subject: str, *questions: str, language: str = "en") -> list[dict[str, Any]]:
        """What the copy answers, as a program of its own."""
        asked = {
            "dsn": self.company.dsn(self.database), "home": str(self.home), "now": NOW.isoformat(), "subject": subject,
            "language": language, "questions": questions,
        }  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        ran = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("asked_of_copy.py"))],
            input=json.dumps(asked), capture_output=True, text=True, check=False, env=environment, cwd=self.folder,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        told = json.loads(ran.stdout)
        assert Path(told["program"]).is_relative_to(self.folder)
        return told["answers"]

    def changed(self) -> set[str]:
        """The files that are not as in the program."""
        files = {path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file()}
        return {str(file) for file in files if _bytes(ROOT / file) != _bytes(self.folder / file)}


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


@pytest.fixture
def copy(company: Company, database: str, home: Path) -> Generator[Copy]:
    with scratch_folder() as folder:
        for package in PACKAGES:
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        yield Copy(folder, company, database, home)


@pytest.fixture(scope="module")
def truth(company: Company, database: str) -> Generator[Truth]:
    with truth_of(company, database) as found:
        yield found


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """A change within a file that holds a mapping."""

    def write(text: str) -> str:
        body = yaml.safe_load(text)
        change(body)
        return yaml.safe_dump(body, allow_unicode=True, sort_keys=False)

    return write


async def declines(runtime: Runtime, subject: str, question: str) -> bool:
    return (await ask(runtime, subject, question)).verdict is Verdict.DECLINED


async def test_a_measure_is_a_definition_and_its_words(runtime: Runtime, copy: Copy, truth: Truth) -> None:
    question = "what was the order horizon in October"
    assert await declines(runtime, "planner", question)
    copy.write("copilot/semantic/computed.yaml", changed(lambda body: body["sales_order"].update(horizon=FIELD)))
    copy.write("copilot/semantic/kpis.yaml", lambda text: text + MEASURE)
    copy.write(f"{LANGUAGE}/en/measures.yaml", lambda text: text + "order_horizon: [order horizon, horizon]\n")
    (answer,) = copy.ask("planner", question)
    expected = truth.number(
        """select avg(promised_date - order_date) from biz.sales_order where status not in ('quotation', 'cancelled')
            and order_date between '2026-10-01' and '2026-10-31'"""
    )
    assert answer["verdict"] == "verified", answer["answer"]
    told = next(fact["value"] for fact in answer["facts"] if fact["ref"].endswith(".value"))
    assert Decimal(told) == pytest.approx(expected, abs=Decimal("0.00001"))
    semantics = {"copilot/semantic/computed.yaml", "copilot/semantic/kpis.yaml"}
    assert copy.changed() == {*semantics, f"{LANGUAGE}/en/measures.yaml"}


async def test_a_synonym_is_a_word_in_a_list(runtime: Runtime, copy: Copy) -> None:
    question = "how many dockets were placed in October"
    assert await declines(runtime, "planner", question)
    known = await ask(runtime, "planner", "how many orders were placed in October")
    copy.write(f"{LANGUAGE}/en/things.yaml", changed(lambda body: body["sales_order"]["nouns"].append("dockets")))
    (answer,) = copy.ask("planner", question)
    assert (answer["verdict"], answer["answer"]) == ("verified", known.answer)
    assert copy.changed() == {f"{LANGUAGE}/en/things.yaml"}


async def test_a_question_family_is_its_steps_and_an_approved_sentence(
    runtime: Runtime, copy: Copy, truth: Truth
) -> None:
    order = truth.one(
        """select o.number, s.name as site, r.name as region from biz.sales_order o
             join biz.site s on s.id = o.site_id join biz.region r on r.id = s.region_id
            where o.status = 'confirmed' order by o.id desc limit 1"""
    )
    question = f"routing of {order['number']}"
    assert await declines(runtime, "planner", question)
    copy.write("copilot/understanding/kinds/routing.yaml", lambda _: FAMILY)
    copy.write("prompts/claims/routing.yaml", lambda _: CLAIM)
    approved = APPROVAL.format(hashlib.sha256(CLAIM.encode()).hexdigest())
    copy.write("prompts/approvals.toml", lambda text: text + approved)
    (answer,) = copy.ask("planner", question)
    assert answer["verdict"] == "verified", answer["answer"]
    said = f"Order **{order['number']}** is routed through {order['site']} in {order['region']}."
    assert answer["answer"].replace("\\", "") == said
    prompts = {"prompts/claims/routing.yaml", "prompts/approvals.toml"}
    assert copy.changed() == {*prompts, "copilot/understanding/kinds/routing.yaml"}


async def test_a_language_is_a_folder(runtime: Runtime, copy: Copy) -> None:
    question = "wie viele Aufträge wurden im Oktober bestellt"
    assert await declines(runtime, "planner", question)
    known = await ask(runtime, "planner", "how many orders were placed in October")
    folder = ROOT / "tests" / "data" / "language" / "xx"
    for file in folder.rglob("*"):
        if file.is_file():
            copy.write(f"{LANGUAGE}/xx/{file.relative_to(folder)}", lambda _, file=file: file.read_text())
    (answer,) = copy.ask("planner", question, language="xx")
    assert answer["verdict"] == "verified"
    assert answer["answer"].startswith("Aufträge bestellt im Okt. 2026: **")
    counts = {fact.value for fact in known.facts if fact.ref.endswith(".records")}
    assert counts == {fact["value"] for fact in answer["facts"] if fact["ref"].endswith(".records")}
    assert {Path(file).parent for file in copy.changed()} <= {Path(f"{LANGUAGE}/xx"), Path(f"{LANGUAGE}/xx/claims")}
