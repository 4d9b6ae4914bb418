"""Refusals on record: each by itself, a flood as a count, and never without bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from copilot.errors import AuditError
from copilot.store import refusals as module
from copilot.store.audit_entry import AuditEntry
from copilot.store.refusals import Refusals

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)


class Audit:
    """Keeps rows, unless it is broken."""

    def __init__(self) -> None:
        self.rows: list[AuditEntry] = []
        self.broken = False

    async def append(self, entry: AuditEntry) -> None:
        if self.broken:
            raise AuditError
        self.rows.append(entry)

    @property
    def counted(self) -> list[object]:
        return [row.plan["count"] for row in self.rows if row.plan]


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def audit() -> Audit:
    return Audit()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(audit: Audit, clock: Clock) -> Refusals:
    return Refusals(audit, clock, lambda: "v1", most=3)


async def test_a_few_have_a_row_each_and_the_rest_one_together(audit: Audit, clock: Clock, kept: Refusals) -> None:
    for number in range(10):
        await kept.put("api", "signature" if number % 2 else "expired", "10.0.0.1")
    assert [row.reason for row in audit.rows] == ["token_expired", "token_signature", "token_expired"]
    clock.now += timedelta(seconds=61)
    await kept.put("api", "key", "10.0.0.2")
    assert audit.counted == [7]
    assert audit.rows[3].reason == "token_flood"
    assert audit.rows[3].plan == {
        "count": 7, "since": "2026-11-22T05:00:00.000000Z",
        "refused": [
            {"channel": "api", "fault": "expired", "count": 3}, {"channel": "api", "fault": "signature", "count": 4},
        ],
    }  # fmt: skip
    await kept.close()


async def test_senders_do_not_share_a_limit(audit: Audit, kept: Refusals) -> None:
    for _ in range(5):
        await kept.put("api", "key", "10.0.0.1")
    await kept.put("api", "nonce", "10.0.0.2")
    assert audit.rows[-1].reason == "token_nonce"
    await kept.close()


async def test_a_new_minute_begins_anew(audit: Audit, clock: Clock, kept: Refusals) -> None:
    for _ in range(4):
        await kept.put("web", "key", "10.0.0.1")
    clock.now += timedelta(minutes=1)
    await kept.put("web", "key", "10.0.0.1")
    assert [row.plan is None for row in audit.rows] == [True, True, True, False, True]
    await kept.close()


async def test_what_is_counted_is_written_at_the_end(audit: Audit, kept: Refusals) -> None:
    for _ in range(9):
        await kept.put("api", "key", "10.0.0.1")
    await kept.close()
    assert audit.counted == [6]


async def test_what_can_t_be_written_stays_counted(audit: Audit, clock: Clock, kept: Refusals) -> None:
    for _ in range(5):
        await kept.put("api", "key", "10.0.0.1")
    audit.broken = True
    clock.now += timedelta(minutes=2)
    with pytest.raises(AuditError):
        await kept.put("api", "key", "10.0.0.1")
    audit.broken = False
    await kept.close()
    assert audit.counted == [2]


async def test_it_remembers_so_many_senders_and_no_more(
    audit: Audit, kept: Refusals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SENDERS", 5)
    for number in range(50):
        await kept.put("api", "key", f"10.0.0.{number}")
    assert len(kept._minutes) == 6
    await kept.close()
    assert len(audit.rows) - 1 + sum(audit.counted) == 50
