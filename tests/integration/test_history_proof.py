"""The history proof: a walk is told again as it was, and a history that was tampered with is found out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import psycopg
import pytest

from evals.company import Company, open_server
from evals.proofs.history import Spoil, open_trial
from evals.proofs.suite import Result, Setting

pytestmark = pytest.mark.proofs
SETTING = Setting(seed=3, sample=True)


@pytest.fixture
async def server() -> AsyncGenerator[Company]:
    async with open_server() as company:
        yield company


async def _walked(server: Company, spoil: Spoil | None = None) -> Result:
    async with open_trial(server, SETTING, spoil) as trial:
        trial.steps = 3 if spoil else trial.steps
        return await trial.run(trial.cases[0])


def _dropped(admin: psycopg.Connection[Any]) -> None:
    """The version that stood longest, of an order."""
    admin.execute(
        "delete from hist.sales_order where ctid ="
        " (select ctid from hist.sales_order order by valid_to - valid_from desc limit 1)"
    )


def _open_to_all(admin: psycopg.Connection[Any]) -> None:
    """The old versions of orders are there for whoever asks."""
    admin.execute("drop policy scope on hist.sales_order")
    admin.execute("create policy scope on hist.sales_order for select to copilot_app using (true)")


def _ended_late(admin: psycopg.Connection[Any]) -> None:
    """A version that goes on after the next began."""
    admin.execute("update hist.stock set valid_to = valid_to + interval '3 days'")


async def test_a_walk_is_told_as_it_was_and_a_planted_fault_is_found(server: Company) -> None:
    whole = await _walked(server)
    assert whole.failures == ()
    assert whole.counts["moments"] >= 7
    assert whole.counts["narrow_snapshots"] >= 7
    for spoil, said in (
        (_dropped, "is missing in the replay"),
        (_open_to_all, "a narrow reader: sales_order"),
        (_ended_late, "stood at once"),
    ):
        found = (await _walked(server, spoil)).failures
        assert any(said in failure for failure in found), (said, found)
