"""The proof redaction-known itself: a sample of it passes, and it finds columns that were forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import psycopg
import pytest

from copilot.masking import company as masking
from copilot.masking.values import Personal, personal_fields
from copilot.semantic.model import SemanticModel
from evals.company import Company
from evals.proofs.redaction_known.columns import unclassified, unread_lookups
from evals.proofs.redaction_known.trial import RedactionTrial, open_trial
from evals.proofs.suite import Result, Setting

pytestmark = pytest.mark.proofs
SETTING = Setting(seed=7, sample=True)


async def _tried(trial: RedactionTrial, sorts: Mapping[str, int]) -> list[Result]:
    cases = [f"{sort} {number}" for sort, count in sorts.items() for number in range(count)]
    return [await trial.run(case) for case in ("columns", *cases)]


def _failures(results: Sequence[Result]) -> list[str]:
    return [failure for result in results for failure in result.failures]


async def test_a_sample_masks_every_value_and_no_number(company: Company) -> None:
    async with open_trial(company, SETTING) as trial:
        results = await _tried(trial, {"texts": 5, "numbers": 2, "asides": 1})
        counts: Counter[str] = Counter()
        for result in results:
            counts.update(result.counts)
        finding = trial.finding(counts)
    assert _failures(results) == []
    assert finding.met
    assert finding.more["recall"] == 1
    assert counts["planted"] > 500
    assert counts["numbers"] > 100
    assert finding.more["missed_share_where_none_known"] == 1


async def test_a_forgotten_field_is_found(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def some_fields(model: SemanticModel) -> Sequence[Personal]:
        return [field for field in personal_fields(model) if field.source != "supplier_contact.email"]

    monkeypatch.setattr(masking, "personal_fields", some_fields)
    async with open_trial(company, SETTING) as trial:
        failures = _failures(await _tried(trial, {"texts": 1}))
    assert failures
    assert all(" of supplier_contact.email " in failure for failure in failures), failures[:3]


def test_a_column_that_nobody_has_looked_at_is_found(company: Company) -> None:
    with company.clone() as database, psycopg.connect(company.dsn(database)) as admin:
        assert [*unclassified(admin), *unread_lookups(admin)] == []
        admin.execute("alter table biz.customer_contact add column nickname text")
        admin.execute("alter table biz.supplier_contact rename column phone to telephone")
        assert unclassified(admin) == [
            "customer_contact.nickname is new", "supplier_contact.telephone is new", "supplier_contact.phone is gone",
        ]  # fmt: skip
