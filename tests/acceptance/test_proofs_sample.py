"""The scope-by-actor suite on a small part of its cases, and proof that it finds leaks which were put there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
import pytest

from copilot.answering.decide import Decider
from copilot.domain.answer import Answer
from copilot.domain.plan import NoPlan
from copilot.domain.question import Credential, Question
from copilot.understanding.kinds import load_kinds
from copilot.wiring import Runtime
from evals.company import Company
from evals.proofs.expected import load_expectations
from evals.proofs.scope_by_actor import Choice, Spoil, open_trial
from evals.proofs.stage import Stage, set_stage
from evals.proofs.suite import Result, Setting

pytestmark = pytest.mark.proofs
SETTING = Setting(seed=5, sample=True)


@pytest.fixture(scope="module")
def stage(company: Company) -> Generator[Stage]:
    with set_stage(company) as made:
        yield made


async def tried(stage: Stage, choice: Choice, spoil: Spoil | None = None) -> list[Result]:
    async with open_trial(stage, SETTING, choice, spoil) as trial:
        return [await trial.run(case) for case in trial.cases]


def failures(results: Sequence[Result]) -> list[str]:
    return [f"{result.case}: {failure}" for result in results for failure in result.failures]


async def test_a_sample_of_actors_and_kinds_leaks_nothing(stage: Stage) -> None:
    choice = Choice(
        actors=("rep.us", "warehouse.sg", "rep.us-and-planner.de"),
        kinds=("order_status", "item_stock", "purchase_order_value"),
        each=1,
        most=3,
    )
    results = await tried(stage, choice)
    assert failures(results) == []
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(result.counts)
    assert counts["questions"] >= 15
    assert counts["hidden_named"] >= 5
    assert counts["permitted"] >= 5
    assert counts["permitted_right"] >= 0.8 * counts["permitted"]


def loosened_policy(admin: psycopg.Connection[Any]) -> None:
    admin.execute("drop policy scope on biz.sales_order_amount")
    admin.execute("create policy scope on biz.sales_order_amount for select to copilot_app using (true)")


def widened_grant(admin: psycopg.Connection[Any]) -> None:
    admin.execute("update directory.grant set regions = null where subject = 'rep.us'")


def loosened_policies(admin: psycopg.Connection[Any]) -> None:
    """One leak a table, so that each is found or not by its own name."""
    admin.execute("set session_replication_role = replica")
    admin.execute("drop policy scope on biz.sales_order_amount")
    admin.execute("create policy scope on biz.sales_order_amount for select to copilot_app using (true)")
    admin.execute("create policy more on biz.invoice for select to copilot_app using (label_region > 0)")
    admin.execute("create policy more on biz.lookup for select to copilot_app using (record_class = 'returns')")
    admin.execute("create policy more on hist.customer_credit for select to copilot_app using (true)")
    admin.execute("alter table biz.item_cost drop constraint item_cost_class")
    admin.execute("update biz.item_cost set record_class = 'item'")


async def test_a_widened_grant_is_found(stage: Stage) -> None:
    choice = Choice(actors=("rep.us",), kinds=("customer_orders",), each=1, most=6)
    found = failures(await tried(stage, choice, widened_grant))
    assert any("the audited decision shows" in failure for failure in found), found[:5]
    assert any("the source sales_order" in failure for failure in found), found[:5]
    assert any("came out of retrieval although it is hidden" in failure for failure in found), found[:5]


async def test_loosened_policies_are_found(stage: Stage) -> None:
    choice = Choice(actors=("rep.us",), kinds=("order_value", "invoice_status"), each=1, most=6)
    found = failures(await tried(stage, choice, loosened_policies))
    for leak in (
        "rep.us | invoice: invoice ",
        "biz.sales_order_amount: ",
        "biz.invoice: ",
        "biz.lookup: ",
        "hist.customer_credit: ",
        "biz.item_cost holds 'item' rows",
    ):
        assert any(leak in failure for failure in found), (leak, [failure[:200] for failure in found])


async def test_an_answer_that_depends_on_what_is_hidden_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint that somebody else's record exists shows none of its values: only a world without it tells."""
    plain = Decider.decline

    def hinting(self: Decider, no_plan: NoPlan, now: datetime) -> Answer:
        known = no_plan.echo in numbers and asked_of == ["real"]
        return replace(plain(self, no_plan, now), next_steps=("Somebody else may see it.",) if known else ())

    choice = Choice(actors=("rep.de",), kinds=("order_status",), each=1, most=4)
    async with open_trial(stage, SETTING, choice) as trial:
        numbers = {str(row["number"]) for row in trial.world.rows["sales_order"].values()}
        real, asked_of = trial.runtime, ["real"]

        async def noted(self: Runtime, question: Question, credential: Credential) -> Answer:
            asked_of[:] = ["real" if self is real else "twin"]
            return await (await self.line()).ask(question, credential)

        monkeypatch.setattr(Decider, "decline", hinting)
        monkeypatch.setattr(Runtime, "ask", noted)
        results = [await trial.run(case) for case in trial.questions]
    found = failures(results)
    assert any("without the hidden records" in failure for failure in found), found
    assert any("of which nothing exists" in failure for failure in found), found


def test_every_question_kind_has_its_expectations() -> None:
    assert load_kinds().keys() == load_expectations().keys()
    for name, expectation in load_expectations().items():
        steps = load_kinds()[name].steps
        named = {*expectation.needs, *expectation.reads, *(step for step, _ in expectation.facts)}
        assert named <= steps.keys(), name
