"""The proof plans itself, for people of several grants: it passes on what we have, and finds hidden rows that are taken
for missing ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager

import pytest

from copilot.domain.scope import Scope
from copilot.retrieval import figures
from copilot.store.pool import Connection
from evals.company import Company
from evals.proofs.plans.trial import open_trial
from evals.proofs.stage import Stage, set_stage
from evals.proofs.suite import Setting

pytestmark = pytest.mark.proofs
SETTING = Setting(seed=7, sample=True)
PLANS = 260


@pytest.fixture(scope="module")
def stage(company: Company) -> Generator[Stage]:
    with set_stage(company) as made:
        yield made


@asynccontextmanager
async def apart(_connection: Connection, _scope: Scope, _classes: Iterable[str]) -> AsyncGenerator[None]:
    """Reads classes as far as each of them reaches, the fault that `together` is there against."""
    yield


async def test_a_hidden_row_that_is_taken_for_a_missing_one_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_trial(stage, SETTING, PLANS) as trial:
        several = [case for case in trial.cases if trial.evaluators[case.partition(" ")[0]].actor.further]
        sound = [await trial.run(case) for case in several]
        differing = [result.case for result in sound if result.counts.get("reaching_apart")]
        monkeypatch.setattr(figures, "together", apart)
        spoiled = [await trial.run(case) for case in differing]
    assert [result.failures for result in sound if result.failures] == []
    assert len(differing) >= 5
    assert [result.failures for result in spoiled if result.failures]
