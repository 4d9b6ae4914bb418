"""The scope-leaks suite on a few of its cases, and proof that it finds leaks which were put there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import replace
from random import Random
from typing import Any, LiteralString

import psycopg
import pytest

from evals.company import Company
from evals.proofs.oracle import read_roles
from evals.proofs.scope_leaks.timing import BLOCKS, never_was
from evals.proofs.scope_leaks.trial import SAMPLE, Ground, Spoil, lay_ground, open_trial
from evals.proofs.suite import Finding, Result, Setting

pytestmark = pytest.mark.proofs
SETTING = Setting(seed=3, sample=True)
NONE = {"planned": 0, "typed": 0, "moved": 0, "door": 0, "moved at the door": 0}


@pytest.fixture(scope="module")
def ground(company: Company) -> Generator[Ground]:
    with lay_ground(company) as laid:
        yield laid


async def tried(
    ground: Ground, person: str, sizes: dict[str, int], spoil: Spoil | None = None
) -> tuple[list[Result], Finding]:
    """What a person's batches came to, and what the suite finds in them."""
    amount = replace(SAMPLE, sizes=NONE | sizes, people=(person,))
    async with open_trial(ground, SETTING, amount, spoil) as trial:
        results = [await trial.run(case) for case in trial.cases if not case.startswith("timing")]
        counts: Counter[str] = Counter()
        for result in results:
            counts.update(result.counts)
        return results, trial.finding(counts)


def failures(results: list[Result]) -> list[str]:
    return [failure for result in results for failure in result.failures]


def readable(*tables: LiteralString) -> Spoil:
    """The row policies of some tables let everything through."""

    def spoil(admin: psycopg.Connection[Any]) -> None:
        for table in tables:
            admin.execute(f"drop policy scope on {table}")
            admin.execute(f"create policy scope on {table} for select to copilot_app using (true)")

    return spoil


def test_every_role_and_nobody_take_part(ground: Ground) -> None:
    roles = {grant.role for sight in ground.sights.values() for grant in sight.actor.grants}
    assert roles == {*read_roles(), ""}
    narrowed = {
        column for sight in ground.sights.values() for grant in sight.actor.grants
        for column, ids in grant.labels.items() if ids is not None
    }  # fmt: skip
    assert narrowed == {"label_region", "label_site", "label_channel", "label_account"}


async def test_a_few_cases_of_each_sort_leak_nothing(ground: Ground) -> None:
    sizes = {"planned": 60, "typed": 4, "moved": 3, "door": 6, "moved at the door": 3}
    results, finding = await tried(ground, "several.two", sizes)
    assert failures(results) == []
    assert sum(result.tried for result in results) == 76
    shares: Any = finding.more["right_share_by_way"]
    assert shares["planned"] == 1.0


async def test_a_policy_that_lets_all_through_is_found(ground: Ground) -> None:
    found = failures((await tried(ground, "service.us", {"planned": 60, "door": 6}, readable("biz.sales_order")))[0])
    assert any("which is hidden" in failure for failure in found), found[:5]


async def test_row_security_that_goes_off_is_found(ground: Ground) -> None:
    """A copilot does not start over such a database, so it happens afterwards."""
    amount = replace(SAMPLE, sizes=NONE | {"planned": 60}, people=("service.de",))
    async with open_trial(ground, SETTING, amount) as trial:
        await trial.doorway.admin.execute("alter table biz.sales_order disable row level security")
        found = failures([await trial.run("service.de | planned 0")])
    assert any("sales_order" in failure and "which is hidden" in failure for failure in found), found[:5]


async def test_names_that_are_not_theirs_are_found(ground: Ground) -> None:
    """Names alone show nothing: each is looked up among the records too."""
    spoil = readable("biz.lookup", "biz.customer", "biz.sales_order")
    found = failures((await tried(ground, "service.us", {"typed": 24, "door": 12}, spoil))[0])
    assert any("planned is" in failure for failure in found), found[:5]
    assert any("the answer is another" in failure for failure in found), found[:5]


async def test_a_grant_that_is_wider_than_meant_is_found(ground: Ground) -> None:
    def widened(admin: psycopg.Connection[Any]) -> None:
        admin.execute("update directory.grant set regions = null where subject = 'service.us'")

    found = failures((await tried(ground, "service.us", {"planned": 40, "door": 4}, widened))[0])
    assert any("which is hidden" in failure for failure in found), found[:5]
    assert any("the audited decision shows" in failure for failure in found), found[:5]


def test_a_number_that_never_was_looks_like_one_that_is(ground: Ground) -> None:
    subject, entity, _ = BLOCKS["orders"]
    sight = ground.sights[subject]
    number = str(sight.hidden(entity)[0]["number"])
    ghost = never_was(number, sight.world, Random(1))
    assert (len(ghost), ghost[:3]) == (len(number), number[:3])
    assert ghost not in {row["number"] for row in sight.world.rows[entity].values()}
