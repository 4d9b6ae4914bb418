"""Queries that need nothing of each other are asked for together, in the order of the plan."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from copilot.domain.plan import Period, RecordQuery, Step
from copilot.retrieval.retrieve import _together
from copilot.understanding.kinds import Kind, load_kinds, make_plan

PERIOD = Period(since=datetime(2026, 10, 1, tzinfo=UTC), until=datetime(2026, 11, 1, tzinfo=UTC))


def each_step(steps: tuple[Step, ...]) -> list[Step]:
    return [step for group in _together(steps) for step in (group if isinstance(group, list) else [group])]


@pytest.mark.parametrize("kind", load_kinds().values(), ids=lambda kind: kind.name)
def test_no_query_is_asked_for_together_with_one_that_it_reads_of(kind: Kind) -> None:
    steps = make_plan(kind, dict.fromkeys(kind.references, (1,)), period=PERIOD).steps
    assert each_step(steps) == [*steps]
    for group in _together(steps):
        if isinstance(group, list):
            names = {step.name for step in group}
            assert all(step.reads.isdisjoint(names) for step in group)


def test_an_order_with_all_that_belongs_to_it_takes_five_trips() -> None:
    plan = make_plan(load_kinds()["order_status"], {"sales_order": (1,)})
    queries = [step for step in plan.steps if isinstance(step, RecordQuery)]
    together = [[step.name for step in group] for group in _together(plan.steps) if isinstance(group, list)]
    assert len(queries) == 12
    assert together[:2] == [["order"], ["customer", "site", "lines"]]
    assert len(together) == 5
