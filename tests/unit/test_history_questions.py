"""Questions about what changed: which kind they are of, which time they mean, and what is declined."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from copilot.domain.plan import NoPlan, Period, Plan, RecordQuery
from copilot.semantic.model import load_model
from copilot.understanding import planner
from copilot.understanding.candidates import Candidate
from copilot.understanding.lookup import Lookup
from copilot.understanding.planner import plan_question, replan
from copilot.understanding.words import Word

NOW = datetime(2026, 11, 18, 10, tzinfo=UTC)
WORLD = {"so10482": ("sales_order", 1, 31), "po7": ("purchase_order", 2, 31), "meyer": ("customer", 3, 5),
         "12": ("sales_order", 4, 13), "monday": ("customer", 5, 5)}  # fmt: skip


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(_: object, words: Sequence[Word], cues: frozenset[int]) -> tuple[Candidate, ...]:
        del cues
        known = ((p, w, WORLD.get(w.folded.replace(" ", ""))) for p, w in enumerate(words))
        return tuple(
            Candidate(entity=e[0], id=e[1], positions=frozenset({p}), strength=e[2], by_number=e[2] > 10, label=w.typed)
            for p, w, e in known
            if e
        )

    monkeypatch.setattr(planner, "find_candidates", find)


class _Sites:
    """A connection that knows one time zone."""

    async def execute(self, *_: object, prepare: bool) -> _Sites:
        return self

    async def fetchall(self) -> list[dict[str, str]]:
        return [{"time_zone": "America/Chicago"}]


async def _ask(text: str) -> Plan | NoPlan:
    return await plan_question(Lookup(connection=cast(Any, _Sites()), model=load_model(), now=NOW), text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("when did the promised date of SO-10482 move, and how often?", "date_moves"),
        ("how often has the promised date of SO-10482 moved", "date_moves"),
        ("did the promised date of SO-10482 change?", "date_moves"),
        ("has the delivery date of SO-10482 been postponed?", "date_moves"),
        ("has SO-10482 moved", "date_moves"),
        ("did the supplier move the date on PO-7?", "purchase_date_moves"),
        ("how many times was PO-7 rescheduled", "purchase_date_moves"),
        ("history of SO-10482", "order_history"),
        ("history of PO-7", "purchase_history"),
        ("what changed on SO-10482", "order_changes"),
        ("what happened to SO-10482 since last week?", "order_changes"),
        ("any changes on PO-7 in the last 3 days?", "purchase_changes"),
        ("what changed since yesterday for Meyer", "customer_changes"),
        ("what's new with Meyer since Monday?", "customer_changes"),
        ("what changed on SO-10482 since 12 November", "order_changes"),
        # As before:
        ("when is SO-10482 promised", "order_status"),
        ("when did SO-10482 ship", "order_left_when"),
        ("SO-10482", "order_status"),
        ("orders of Meyer", "customer_order_status"),
    ],
)
async def test_a_question_is_of_its_kind(text: str, kind: str) -> None:
    plan = await _ask(text)
    assert isinstance(plan, Plan), plan
    assert (plan.kind, plan.unused_words) == (kind, ())
    assert (plan.period is not None) == (kind not in ("order_status", "order_left_when", "customer_orders"))


async def test_the_time_is_part_of_the_plan_and_of_what_is_kept_of_it() -> None:
    plan = await _ask("what changed since yesterday for Meyer")
    assert isinstance(plan, Plan)
    midnight = datetime(2026, 11, 17, 6, tzinfo=UTC)
    assert plan.period == Period(since=midnight, time_zone="America/Chicago")
    versions = [step for step in plan.steps if isinstance(step, RecordQuery) and step.versions]
    assert {step.since for step in versions} == {midnight}
    kept = plan.to_json()
    assert kept["period"] == {
        "since": midnight.isoformat(), "until": None, "time_zone": "America/Chicago", "given": True,
    }  # fmt: skip
    again = replan("customer_changes", {"customer": [3]}, Period.from_json(kept["period"]))
    assert again is not None
    assert (again.steps, again.period) == (plan.steps, plan.period)


async def test_words_of_a_time_name_nothing_else() -> None:
    plan = await _ask("what changed for Meyer since Monday")
    assert isinstance(plan, Plan)
    assert plan.references == {"customer": (3,)}


@pytest.mark.parametrize(
    "text",
    [
        "what changed on SO-10482 since easter",
        "what changed on SO-10482 before Monday",
        "what changed on SO-10482 between Monday and Tuesday",
        "what changed on SO-10482 this morning",
        "what changed on SO-10482 since 31 February",
        "what changed on SO-10482 since 2030-01-01",
        "what changed on SO-10482 before November",
        "what changed on SO-10482 next week",
        "where was SO-10482 yesterday",
        "change SO-10482 to Friday",
    ],
)
async def test_a_time_that_is_not_understood_is_declined(text: str) -> None:
    plan = await _ask(text)
    assert isinstance(plan, NoPlan), plan
    assert plan.reason == "unsupported"
    assert plan.unknown_words
