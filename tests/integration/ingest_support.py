"""What the tests of the ingest share: a migrated database of their own, a clock that can be moved, a small company."""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from connectors.base import SourceRecord
from connectors.memory import MemoryConnector
from copilot.ingest import Ingest, Source, SyncReport
from copilot.semantic.model import load_model
from copilot.store import embedded
from copilot.store.migrate import migrate
from copilot.store.pool import Database
from copilot.store.roles import Role, dsn_for, ensure_roles, passwords

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
ENTITIES = (
    "region",
    "channel",
    "site",
    "customer",
    "item",
    "item_alias",
    "customer_item",
    "supplier",
    "sales_order",
    "sales_order_line",
    "sales_line_price",
    "invoice",
    "purchase_order",
    "purchase_line",
    "stock",
)


class MovableClock:
    """Stands still until it is told to move."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **step: float) -> datetime:
        """Go forward, by hours for instance."""
        self.now += timedelta(**step)
        return self.now


@dataclass
class Server:
    """A cluster to make databases on."""

    dsn: str
    roles: Path
    template: str
    lasting: bool
    """Whether it goes on after the tests, so that they have to clean up."""


@dataclass
class World:
    """One database, the ingest on it, and ways to look at what it did, past row security."""

    dsn: str
    database: Database
    ingest: Ingest
    clock: MovableClock
    sources: dict[str, Source] = field(default_factory=dict)

    async def add(self, name: str, settings: Mapping[str, object] | None = None, **label_map: dict[str, str]) -> Source:
        """Add a source, or change it."""
        await self.ingest.add_source(name, name, settings or {}, label_map)
        self.sources = {source.name: source for source in await self.ingest.sources()}
        return self.sources[name]

    async def sync(self, connector: MemoryConnector, *, full: bool = False) -> SyncReport:
        """Sync the source named like the connector's system."""
        if connector.system not in self.sources:
            await self.add(connector.system)
        return await self.ingest.sync(self.sources[connector.system], connector, full=full)

    async def rows(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        """What a superuser reads."""
        async with await psycopg.AsyncConnection.connect(self.dsn, row_factory=dict_row) as connection:
            return await (await connection.execute(statement.encode(), parameters or None)).fetchall()

    async def row(self, statement: str, *parameters: object) -> dict[str, Any]:
        """The only row."""
        (row,) = await self.rows(statement, *parameters)
        return row

    async def ids(self, entity: str) -> dict[str, int]:
        """Source key -> id."""
        return {row["source_key"]: row["id"] for row in await self.rows(f"select source_key, id from biz.{entity}")}

    async def keys(self, entity: str) -> set[str]:
        """The source keys that stand."""
        return set(await self.ids(entity))

    async def quarantine(self) -> dict[tuple[str, str], str]:
        """(entity, key) -> reason."""
        found = await self.rows("select entity, source_key, reason from core.quarantine")
        return {(row["entity"], row["source_key"]): row["reason"] for row in found}

    async def physical(self) -> dict[str, set[tuple[str, str]]]:
        """Where and by which transaction every row of the copy was written."""
        tables = await self.rows(
            "select format('%I.%I', schemaname, tablename) as name from pg_tables"
            " where schemaname in ('biz', 'hist') or tablename in ('identity', 'quarantine')"
        )
        found: dict[str, set[tuple[str, str]]] = {}
        for table in tables:
            rows = await self.rows(f"select xmin::text as x, ctid::text as c from {table['name']}")
            found[table["name"]] = {(row["x"], row["c"]) for row in rows}
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The embedded PostgreSQL in a folder of its own, or the one that COPILOT_TEST_SERVER names."""
    given = os.environ.get("COPILOT_TEST_SERVER")
    if given:
        roles = Path(os.environ["COPILOT_TEST_ROLES"])
        yield from _templates(given, roles, lasting=True)
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        running = embedded.ensure_running(home / "home", progress=lambda _: None)
        try:
            yield from _templates(running.superuser_dsn, home, lasting=False)
        finally:
            running.stop()


def _templates(dsn: str, roles: Path, *, lasting: bool) -> Iterator[Server]:
    template = f"ingest_template_{secrets.token_hex(4)}"
    asyncio.run(_make_template(dsn, roles, template))
    yield Server(dsn, roles, template, lasting)
    if lasting:
        asyncio.run(_drop(dsn, template))


async def _make_template(dsn: str, roles: Path, name: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as admin:
        await ensure_roles(admin, roles)
        await admin.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(Role.OWNER.login))
        )
    own = make_conninfo(dsn, dbname=name)
    async with await psycopg.AsyncConnection.connect(own, autocommit=True) as admin:
        await admin.execute("create extension vector")
        await admin.execute("grant create on schema public to copilot_owner")
    async with await psycopg.AsyncConnection.connect(dsn_for(own, Role.OWNER, passwords(roles)[Role.OWNER])) as owner:
        await migrate(owner)


async def _drop(dsn: str, name: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as admin:
        await admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    """A fresh database with nothing in it."""
    name = f"ingest_{secrets.token_hex(6)}"
    async with await psycopg.AsyncConnection.connect(server.dsn, autocommit=True) as admin:
        await admin.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(server.template))
        )
    dsn = make_conninfo(server.dsn, dbname=name)
    secret = passwords(server.roles)
    database = Database({role: dsn_for(dsn, role, secret[role]) for role in Role}, size=4)
    clock = MovableClock(START)
    yield World(dsn, database, Ingest(database, load_model(), clock), clock)
    await database.close()
    if server.lasting:
        await _drop(server.dsn, name)


def record(
    entity: str, key: str, labels: Mapping[str, str] | None = None, *, at: datetime = START, **values: object
) -> SourceRecord:
    """One record; what it says of itself after its key and its label hints."""
    return SourceRecord(entity=entity, company="", key=key, changed_at=at, values=values, labels=labels or {})  # type: ignore[arg-type]


def regions() -> list[SourceRecord]:
    """Two regions, one channel, three sites."""
    return [
        record("region", "r-us", code="US", name="Americas", currency="USD"),
        record("region", "r-de", code="DE", name="Central Europe", currency="EUR"),
        record("channel", "c-web", code="WEB", name="Web shop"),
        site("w-nyc", "NYC", "r-us", "America/New_York"),
        site("w-bos", "BOS", "r-us", "America/New_York"),
        site("w-ham", "HAM", "r-de", "Europe/Berlin"),
    ]


def site(key: str, code: str, region: str, zone: str = "UTC", *, at: datetime = START, **more: object) -> SourceRecord:
    """One warehouse."""
    values = {"code": code, "name": f"Warehouse {code}", "region": region, "time_zone": zone, **more}
    return record("site", key, at=at, **values)


def order(
    key: str, *, site: str = "w-nyc", customer: str = "k-1", at: datetime = START, **more: object
) -> SourceRecord:
    """One order, S-00024 of "o-24" for instance."""
    values = {"number": f"S-000{key[2:]}", "customer_po": "PO 0815", "status": "confirmed", **more}
    return record("sales_order", key, {"channel": "c-web"}, at=at, customer=customer, site=site, **values)


def line(key: str, *, at: datetime = START, **more: object) -> SourceRecord:
    """One line, of order "o-24" for "o-24.1"."""
    values: dict[str, object] = {"item": "i-1", "ordered_quantity": Decimal("2.5"), "unit": "pcs", **more}
    return record("sales_order_line", key, at=at, **{"order": key.rpartition(".")[0], **values})


def company() -> list[SourceRecord]:
    """A company with one order of two lines in New York and one in Hamburg."""
    return [
        *regions(),
        record("customer", "k-1", {"region": "r-us", "channel": "*"}, number="K0001", name="Acme Müller & Söhne"),
        record("customer", "k-2", {"region": "r-de", "channel": "*"}, number="K0002", name="Nordwind"),
        record("item", "i-1", {"region": "*"}, number="DESK-007", name="Large Desk", base_unit="pcs"),
        record("item", "i-2", {"region": "*"}, number="LAMP-1", name="Lamp", base_unit="pcs"),
        record("item_alias", "a-1", item="i-1", kind="gtin", value="4006381333931"),
        record("supplier", "s-1", {"region": "*"}, number="V1", name="Oak Works"),
        order("o-24"),
        line("o-24.1", line_number=1),
        line("o-24.2", line_number=2, item="i-2", site="w-bos"),
        record("sales_line_price", "o-24.1", line="o-24.1", unit_price=Decimal("12.5"), currency="USD"),
        order("o-25", site="w-ham", customer="k-2", promised_date=date(2026, 11, 9)),
        line("o-25.1", line_number=1),
        stock("i-1/w-nyc", on_hand=Decimal(5), available=Decimal(4)),
    ]


def stock(key: str, **values: object) -> SourceRecord:
    """Stock of "ITEM/SITE"."""
    item, _, place = key.partition("/")
    return record("stock", key, item=item, site=place.partition("#")[0], unit="pcs", **values)


def erp(*more: SourceRecord, system: str = "erp") -> MemoryConnector:
    """The company behind a connector."""
    return MemoryConnector(system, ENTITIES, [*company(), *more])
