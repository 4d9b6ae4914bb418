"""A real Odoo 19, copied and asked about: every answer against what Odoo's own API says. Leaves Odoo as it was."""

from __future__ import annotations

import asyncio
import secrets
import time
import traceback
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from connectors.errors import ConnectorError, SourceAccessDeniedError, SourceAuthFailedError
from connectors.odoo.scan import Mark
from connectors.base import Cursor
from copilot.domain.answer import Answer, Reason, Verdict
from copilot.wiring import Runtime
from tests.acceptance.odoo_fixtures import (
    KEY_VARIABLE,
    NAME,
    Case,
    Copy,
    MovableClock,
    Tally,
    add_odoo,
    key_of,
    made_copy,
    odoo_database,
    printed_by,
    quotation,
    sync,
    written,
)
from tests.acceptance.odoo_oracle import Odoo, Oracle
from tests.acceptance.odoo_questions import about_order, large_desks, order_status, questions
from tests.company import ask

pytestmark = [pytest.mark.odoo, pytest.mark.timeout(240)]

CUSTOMER_POS = {24: "4500-17724", 23: "PO/2026/881", 21: "GF-30021", 7: "4500017799", 3: "RM.553"}
TRACKING = {49: "1Z999AA10123456784", 46: "JJD0099887766"}


@pytest.fixture(scope="module")
def odoo() -> Generator[Odoo]:
    """Odoo with a few customers' PO numbers and tracking numbers in it, for as long as these tests run."""
    made = Odoo()
    with ExitStack() as stack:
        stack.callback(made.close)
        stack.enter_context(written(made, "sale.order", {i: {"client_order_ref": n} for i, n in CUSTOMER_POS.items()}))
        stack.enter_context(
            written(made, "stock.picking", {i: {"carrier_tracking_ref": n} for i, n in TRACKING.items()})
        )
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv(KEY_VARIABLE, made.api_key)
        yield made


@pytest.fixture(scope="module")
def copy(odoo: Odoo) -> Generator[Copy]:
    """The copy that the first sync made."""
    with made_copy(odoo) as made:
        yield made


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def home(copy: Copy) -> Path:
    """A data folder of one's own, for its keys and its audit checkpoint."""
    return copy.home / secrets.token_hex(4)


@pytest.fixture
async def runtime(copy: Copy, home: Path, clock: MovableClock) -> AsyncGenerator[Runtime]:
    """The copilot over a clone of the first sync's copy."""
    with copy.clone() as database:
        async with copy.running(database, home, clock) as built:
            yield built


async def test_every_question_is_answered_as_odoo_says(
    runtime: Runtime, odoo: Odoo, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    oracle, tally = Oracle(odoo, datetime.now(UTC)), Tally()
    for case in (*questions(oracle), large_desks(oracle)):
        await tally.put(runtime, case, oracle.truth)
    with capsys.disabled():
        print(f"\n{tally.asked} questions to Odoo's copy, {len(tally.wrong)} answered wrong")
    record_property("questions", tally.asked)
    assert tally.asked >= 40
    assert not tally.wrong, tally.table()
