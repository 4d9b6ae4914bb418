"""The approvals suite on a sample of its cases, and proof that it sees a template run that nobody may run."""

from __future__ import annotations

from collections import Counter

import pytest

from evals.proofs.approvals.trial import APPROVALS, WAYS
from evals.proofs.suite import Setting

pytestmark = pytest.mark.proofs


async def test_no_way_of_a_sample_is_open_and_an_open_one_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: Counter[str] = Counter()
    async with APPROVALS.open(Setting(seed=3, sample=True)) as trial:
        for case in trial.cases[::3]:
            result = await trial.run(case)
            assert result.failures == (), case
            counts.update(result.counts)
        assert trial.finding(counts).met
        monkeypatch.setattr("copilot.domain.prompts.PromptText.is_what_was_signed", lambda _: True)
        seen = await trial.run("way: the text altered: claims/orders: 0")
        assert seen.failures == ("a template runs that nobody may run",)
    assert counts["ways"] >= 8
    assert len(WAYS) >= 50
