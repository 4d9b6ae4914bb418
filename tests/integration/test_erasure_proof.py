"""The erasure proof: a sample of it finds nothing, and finds what was left there on purpose."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from copilot.store import erasing
from copilot.store.erasures import Removed
from copilot.store.sealing import KeyRing
from evals.company import Company, open_server
from evals.proofs.erasure.trial import ErasureTrial
from evals.proofs.suite import Setting

pytestmark = pytest.mark.proofs
SETTING = Setting(seed=1, sample=True)


@pytest.fixture
async def server() -> AsyncGenerator[Company]:
    async with open_server() as company:
        yield company


async def _leaves_rows(*_: Any, **__: Any) -> Removed:
    return Removed()


def _leaves_keys(_: KeyRing, __: str) -> bool:
    return True


async def test_a_company_and_a_kill(server: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = ErasureTrial(server, SETTING)
    for case in trial.cases[:2]:
        result = await trial.run(case)
        assert result.failures == (), case
        assert result.counts["words_of_others"] == result.counts["readable_of_others"] > 0
    monkeypatch.setattr(KeyRing, "erase_person", _leaves_keys)
    monkeypatch.setattr(erasing, "remove", _leaves_rows)
    failures = " ".join((await trial.run(trial.cases[0])).failures)
    places = ("turn", "question", "answer", "vault", "name", "comment", "complaint", "note", "account", "token")
    for said in (*(f"erased: the {place} of" for place in places), "was erased and is let in"):
        assert said in failures, said
