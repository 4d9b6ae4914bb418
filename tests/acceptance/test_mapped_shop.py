"""A source that nobody tuned for: an online shop's CSV files, by a mapping and nothing else, judged by plain Python."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from copilot.ingest import SyncReport
from copilot.wiring import Runtime
from copilot.wiring.people import add_person
from evals.company import ask, open_server, running
from tests.acceptance.asked import Asked, Place, Shown, fault

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "retail"
MAPPING = (Path(__file__).resolve().parents[2] / "evals" / "mappings" / "retail.yaml").read_text()
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the shop's files are not here"),
]
_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_STATUS = {"pending": "confirmed", "processed": "shipped", "delivered": "delivered", "cancelled": "cancelled"}
_EACH = 8
Table = list[dict[str, str]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[tuple[Runtime, SyncReport]]:
    """The copilot over the shop, and what the first sync did."""
    async with open_server() as server:
        with server.clone() as name:
            async with running(server, name, server.home / "shop", _NOW) as runtime:
                settings = {"location": str(FOLDER), "mapping": MAPPING}
                await runtime.ingest.add_source("Shop", "files", settings, {}, purpose="commerce")
                await runtime.sources.load()
                report = await runtime.ingest.sync(runtime.sources.source("Shop"), runtime.sources.connector("Shop"))
                await runtime.database.analyze()
                await add_person(runtime, "rep", "Rep", "customer_service")
                await add_person(runtime, "planner", "Planner", "planner")
                yield runtime, report


async def test_every_row_of_the_files_is_placed(shop: tuple[Runtime, SyncReport]) -> None:
    entities = shop[1].entities
    read = {name: report.read for name, report in entities.items()}
    assert all(report.quarantined == 0 and report.changed == report.read for report in entities.values())
    assert read["sales_order"] == len(_table("orders"))
    assert read["sales_order_line"] == len(_table("order_items"))
    assert read["item"] == len(_table("variants"))
    assert read["customer"] == len(_table("customers"))


async def test_questions_are_answered_as_the_files_have_it(shop: tuple[Runtime, SyncReport]) -> None:
    cases = list(_asked())
    assert len(cases) >= 40
    answered = [(case, await ask(shop[0], case.subject, case.question)) for case in cases]
    wrong = [f"{case.question}: {found}" for case, answer in answered if (found := fault(case, answer))]
    assert "\n".join(wrong) == ""


def _table(name: str) -> Table:
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _some(rows: Table, seed: str) -> Table:
    return Random(seed).sample(rows, _EACH)


def _by(rows: Table, column: str) -> dict[str, Table]:
    found: dict[str, Table] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def _asked() -> Iterator[Asked]:
    orders, lines = _table("orders"), _by(_table("order_items"), "order_id")
    names = {row["user_id"]: f"{row['first_name']} {row['last_name']}" for row in _table("customers")}
    for row in _some(orders, "status"):
        must: dict[Place, Shown] = {
            ("sales_order", row["order_id"], "status"): (_STATUS[row["status"]], None),
            ("customer", row["user_id"], "name"): (names[row["user_id"]], None),
        }
        yield Asked(question=f"where is {row['order_id']}?", must=must, subject="rep")
    paid = {row["order_id"]: row for row in _table("payments") if row["transaction_type"] == "payment"}
    for row in _some(orders, "value"):
        must = {("sales_order_amount", row["order_id"], "total"): (Decimal(paid[row["order_id"]]["amount"]), "USD")}
        for line in lines[row["order_id"]]:
            must["sales_line_price", f"{line['order_id']}/{line['line']}", "unit_price"] = Decimal(line["price"]), "USD"
        yield Asked(question=f"value of order {row['order_id']}", must=must, subject="rep")
        yield Asked(question=f"value of order {row['order_id']}", declined="not_found", subject="planner")
    parcels = _by(_table("fulfillments"), "order_id")
    for row in _some([row for row in orders if row["order_id"] in parcels], "tracking"):
        tracking = parcels[row["order_id"]][0]["tracking_id"]
        must = {("shipment", row["order_id"], "number"): (tracking, None)}
        yield Asked(question=f"tracking of {row['order_id'].removeprefix('#')}", must=must, subject="rep")
        yield Asked(question=f"tracking of {tracking}", must=must, subject="rep")
    for row in _some(_table("variants"), "price"):
        must = {("item_price", row["item_id"], "price"): (Decimal(row["price"]), "USD")}
        yield Asked(question=f"list price of {row['item_id']}", must=must, subject="rep")
    waiting = _by([row for row in orders if row["status"] == "pending"], "user_id")
    for row in _some(_table("customers"), "open"):
        must = {("sales_order", order["order_id"], "number"): (order["order_id"], None)
                for order in waiting[row["user_id"]]}  # fmt: skip
        says = () if must else ("none",)
        yield Asked(question=f"open orders of {row['user_id']}", must=must, says=says, subject="rep")
    yield Asked(question="where is #W0000001?", declined="not_found", subject="rep")
