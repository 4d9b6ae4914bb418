"""What is run where a model was asked about a question."""

from __future__ import annotations

from copilot.domain.claims import Outline
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.helped.help import PlanHelped

CHOICE = Choice(label="late orders", question="how many late orders")
PLAN = Plan(kind="k", steps=(), outline=Outline(groups=()), references={})
NONE = NoPlan(reason="not_found", echo="slipslided")


def test_what_is_offered_is_asked_back_where_the_rules_have_no_plan() -> None:
    helped = PlanHelped(offered=CHOICE, echo="slipslided")
    assert helped.over(NONE) == NoPlan(reason="ambiguous", echo="slipslided", choices=(CHOICE,))
    assert helped.over(PLAN) is PLAN
    assert helped.used


def test_a_plan_by_a_model_goes_before_that_of_the_rules_and_no_plan_behind_it() -> None:
    other = Plan(kind="other", steps=(), outline=Outline(groups=()), references={})
    assert PlanHelped(plan=other).over(PLAN) is other
    assert PlanHelped(refused=("dropped",)).over(PLAN) is PLAN
    assert PlanHelped().over(NONE) is NONE
    assert not PlanHelped().used


def test_the_audit_is_told_how_a_model_was_asked_and_no_word_that_it_said() -> None:
    told = PlanHelped(
        prompt="plan/question v1 ab", model="m", offered=CHOICE, echo="slipslided", differs=True
    ).to_json()
    assert told == {
        "prompt": "plan/question v1 ab", "model": "m", "used": True, "attempts": [], "refused": [],
        "asked_back": True, "differs": True,
    }  # fmt: skip
