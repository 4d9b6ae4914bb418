"""The proof sync-faults itself: it passes on what we have, and finds what is planted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from copilot.semantic.model import load_model
from evals.proofs.suite import Setting
from evals.proofs.sync_faults import trial as trials
from evals.proofs.sync_faults.reload import differences, reload, standing
from evals.proofs.sync_faults.trial import SYNC_FAULTS, SyncFaultTrial

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[SyncFaultTrial]:
    """The suite on a server of its own."""
    async with SYNC_FAULTS.open(Setting(seed=11, sample=True)) as trial:
        assert isinstance(trial, SyncFaultTrial)
        yield trial


@pytest.mark.parametrize("kind", ["deletes", "renames a column", "disk full", "confirmed meanwhile"])
async def test_the_copy_equals_a_full_reload_after(opened: SyncFaultTrial, kind: str) -> None:
    result = await opened.run(f"0 {kind}")
    assert result.failures == ()


async def test_a_disk_that_is_really_full_breaks_the_sync_and_nothing_else(opened: SyncFaultTrial) -> None:
    if opened.disk is None:
        pytest.skip("this account may not mount a small file system")
    result = await opened.run("0 disk really full")
    assert result.failures == ()
    assert result.counts["syncs_broken"] == 1


@pytest.mark.parametrize(
    "spoil",
    [
        "delete from biz.sales_order_line where id = (select min(id) from biz.sales_order_line)",
        "update biz.stock set on_hand = on_hand + 1 where id = (select min(id) from biz.stock)",
        "update biz.customer set label_region = 0, label_channel = 99 where id = (select min(id) from biz.customer)",
        "update biz.purchase_line set item_id = -1 where id = (select min(id) from biz.purchase_line)",
    ],
)
async def test_a_copy_that_differs_is_found_out(
    opened: SyncFaultTrial, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    def spoilt(admin: psycopg.Connection[Any], *rest: Any) -> Any:
        admin.execute("set copilot.now = '2026-11-02T08:00:00Z'")
        admin.execute(spoil.encode())
        return standing(admin, *rest)

    monkeypatch.setattr(trials, "standing", spoilt)
    result = await opened.run("0 slows")
    assert any(each.startswith("after the first sync") for each in result.failures)


async def test_a_record_that_cannot_be_placed_is_in_no_reload() -> None:
    assert list(differences(reload(load_model(), ()), {})) == []
