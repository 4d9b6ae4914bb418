"""The copilot over a real Odoo: its copy, made once and cloned for each test, and changes that undo themselves."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from connectors.base import SourceInfo
from connectors.registry import kind
from copilot.domain.answer import Answer, Fact, Reason, Verdict
from copilot.ingest import SyncReport
from copilot.settings import Settings
from copilot.store import embedded
from copilot.store.pool import Database
from copilot.store.secrets import variable
from copilot.store.setup import prepare
from copilot.wiring import Runtime, assemble
from copilot.wiring.people import add_person
from copilot.wiring.sources import label_map_for
from tests.acceptance.odoo_oracle import Figure, Known, Odoo, Place
from tests.company import ask, scratch_folder, silent

NAME = "Odoo"
KEY_VARIABLE = variable(NAME, "api_key")
PEOPLE = {"rep": "customer_service", "buyer": "buyer", "finance": "finance", "planner": "planner"}
_TEMPLATE = "odoo_template"


class MovableClock:
    """The present moment, or one as far ahead of it as a test needs."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True, slots=True)
class Copy:
    """A server with the synced copy of Odoo in it, as a template, and what became of the first sync."""

    server: embedded.EmbeddedServer
    home: Path
    first: dict[str, SyncReport] = field(default_factory=dict[str, SyncReport])

    def dsn(self, database: str) -> str:
        """The superuser's connection string to a database of the server."""
        return make_conninfo(self.server.superuser_dsn, dbname=database)

    @contextmanager
    def clone(self) -> Generator[str]:
        """The name of a database of one's own, as the first sync left it."""
        name = f"odoo_{secrets.token_hex(4)}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as admin:
            statement = sql.SQL("create database {} template {}")
            admin.execute(statement.format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
            try:
                yield name
            finally:
                admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def _make_home(self, home: Path) -> None:
        if home != self.home:
            home.mkdir()
            shutil.copy(self.home / "roles.json", home / "roles.json")

    @asynccontextmanager
    async def running(self, database: str, home: Path, clock: MovableClock) -> AsyncGenerator[Runtime]:
        """The copilot over a database of the server, with a home of its own."""
        self._make_home(home)
        pools = Database(await prepare(self.dsn(database), home, create=True))
        runtime = assemble(Settings(home=home), pools, clock, self.dsn(database))
        try:
            await runtime.sources.load()
            yield runtime
        finally:
            await runtime.sources.aclose()
            await runtime.audit.close()
            await pools.close()


@contextmanager
def made_copy(odoo: Odoo) -> Generator[Copy]:
    """A server of our own with Odoo's copy and the people, ready."""
    with scratch_folder() as folder:
        server = embedded.ensure_running(folder, progress=silent)
        try:
            copy = Copy(server, folder)
            asyncio.run(_make(copy, odoo))
            yield copy
        finally:
            server.stop()


async def _make(copy: Copy, odoo: Odoo) -> None:
    async with copy.running(_TEMPLATE, copy.home, MovableClock()) as runtime:
        await add_odoo(runtime, odoo)
        copy.first[NAME] = await sync(runtime)
        for subject, role in PEOPLE.items():
            await add_person(runtime, subject, subject.title(), role)


async def add_odoo(runtime: Runtime, odoo: Odoo, **changes: str) -> SourceInfo:
    """What `erp-copilot source add odoo` does; the key stays in the environment."""
    chosen = kind("odoo")
    settings = {"url": odoo.url, "database": odoo.database} | changes
    connector = chosen.connect(settings | {"api_key": os.environ[KEY_VARIABLE]}, {})
    try:
        info = await connector.check()
    finally:
        await connector.aclose()
    await runtime.ingest.add_source(NAME, chosen.name, settings, label_map_for(info))
    await runtime.sources.load()
    return info


async def sync(runtime: Runtime, told: list[str] | None = None) -> SyncReport:
    """What `erp-copilot source sync` does."""
    progress = silent if told is None else told.append
    return await runtime.ingest.sync(runtime.sources.source(NAME), runtime.sources.connector(NAME), progress=progress)


# What Odoo is changed by, and changed back.


@contextmanager
def written(odoo: Odoo, model: str, values: Mapping[int, Mapping[str, Any]]) -> Generator[None]:
    """Other values in fields that carry no consequences, through Odoo's API."""
    fields = sorted({name for each in values.values() for name in each})
    before = odoo.call(model, "read", ids=list(values), fields=fields, load="")
    try:
        for ident, vals in values.items():
            odoo.call(model, "write", ids=[ident], vals=dict(vals))
        yield
    finally:
        for row in before:
            old = {name: row[name] for name in values[row["id"]]}
            several = {name: [[6, 0, ids]] for name, ids in old.items() if isinstance(ids, list)}
            odoo.call(model, "write", ids=[row["id"]], vals=old | several)


def odoo_database(odoo: Odoo) -> psycopg.Connection[dict[str, Any]]:
    """Odoo's own database, for what its API can't do: hold a transaction open, and make a key for another user."""
    port = os.environ.get("ODOO_PGPORT", "55439")
    place = f"host=127.0.0.1 port={port} dbname={odoo.database} user=odoo password=odoo connect_timeout=5"
    return psycopg.connect(place, row_factory=dict_row)


@contextmanager
def quotation(odoo: Odoo, customer: str, item: str, quantity: int) -> Generator[int]:
    """A new quotation of one line; whatever became of it, it and its deliveries are gone afterwards."""
    [partner] = odoo.call("res.partner", "search", domain=[["name", "=", customer]], limit=1)
    [product] = odoo.call("product.product", "search", domain=[["default_code", "=", item]], limit=1)
    line = [0, 0, {"product_id": product, "product_uom_qty": quantity}]
    [order] = odoo.call("sale.order", "create", vals_list=[{"partner_id": partner, "order_line": [line]}])
    try:
        yield order
    finally:
        forget(odoo, order)


def forget(odoo: Odoo, order: int) -> None:
    """Cancel and delete an order with its deliveries, if it is still there."""
    fields = ["state", "picking_ids", "name"]
    for row in odoo.call("sale.order", "search_read", domain=[["id", "=", order]], fields=fields):
        if row["state"] == "sale":
            odoo.call("sale.order", "action_cancel", ids=[order], context={"disable_cancel_warning": True})
        if row["picking_ids"]:
            odoo.call("stock.picking", "unlink", ids=row["picking_ids"])
        odoo.call("sale.order", "unlink", ids=[order])
        # What ties stock documents together outlives them, and Odoo lets nobody delete it.
        with odoo_database(odoo) as connection:
            connection.execute("delete from stock_reference where name = %s", (row["name"],))


@contextmanager
def key_of(odoo: Odoo, login: str) -> Generator[str]:
    """An API key of another user, as Odoo's own dialogue would make one."""
    key, salt = secrets.token_hex(20), secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha512", key.encode(), salt, 6000)
    kept = f"$pbkdf2-sha512$6000${_base64(salt)}${_base64(digest)}"
    with odoo_database(odoo) as connection:
        connection.execute(
            "insert into res_users_apikeys (name, user_id, scope, index, key) "
            "select 'erp-copilot test', id, 'rpc', %s, %s from res_users where login = %s",
            (key[:8], kept, login),
        )
    try:
        yield key
    finally:
        with odoo_database(odoo) as connection:
            connection.execute("delete from res_users_apikeys where key = %s", (kept,))


def _base64(raw: bytes) -> str:
    """As passlib writes it."""
    return base64.b64encode(raw).decode().rstrip("=").replace("+", ".")


# What an answer is held against.

Figures = dict[tuple[str, str], "list[Known]"]
"""Measure and field -> its values, in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question, the places whose values the answer has to print, and all the figures of its measures.

    Whatever else the answer prints has to be true as well. Where it has to ask back, `choices` says what the answer to
    each of the choices is, in any order.
    """

    person: str
    question: str
    must: Sequence[Place] = ()
    figures: Figures = field(default_factory=dict[tuple[str, str], "list[Known]"])
    choices: tuple[Case, ...] = ()


@dataclass(slots=True)
class Tally:
    """How many questions were asked, and which were answered wrong and why."""

    asked: int = 0
    wrong: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    async def put(self, runtime: Runtime, case: Case, truth: Mapping[Place, Known]) -> Answer:
        """Ask a case's question, then those of its choices."""
        self.asked += 1
        answer = await ask(runtime, case.person, case.question)
        found = _wrong_choices(case, answer) if case.choices else wrong(case, answer, truth)
        if case.choices and not found:
            found = await self._wrong_answers(runtime, case, answer, truth)
        if found:
            self.wrong.append((case.person, case.question, found))
        return answer

    async def _wrong_answers(
        self, runtime: Runtime, case: Case, answer: Answer, truth: Mapping[Place, Known]
    ) -> str | None:
        """Each of the choices leads to one of the answers, and each answer is led to."""
        left = list(case.choices)
        for choice in answer.choices:
            self.asked += 1
            got = await ask(runtime, case.person, choice.question)
            fits = next((each for each in left if wrong(each, got, truth) is None), None)
            if fits is None:
                return f"{choice.question}: {'; '.join(str(wrong(each, got, truth)) for each in left)}"
            left.remove(fits)
        return None

    def table(self) -> str:
        """The wrong answers, one a line."""
        rows = [f"{person:<8} {question:<44} {why}" for person, question, why in self.wrong]
        return "\n".join([f"{len(rows)} of {self.asked} answers are wrong:", *rows])


def wrong(case: Case, answer: Answer, truth: Mapping[Place, Known]) -> str | None:
    """What is wrong with an answer; None where all of it is right."""
    if answer.verdict is not Verdict.VERIFIED:
        return f"{answer.verdict} ({answer.reason}): {answer.answer}"
    printed, measured = printed_by(answer)
    return _wrong_values(case, printed, truth) or _wrong_figures(case, measured)


def printed_by(answer: Answer) -> tuple[dict[Place, Known], Figures]:
    """What an answer prints of records, and of measures."""
    sources = {source.id: source for source in answer.sources}
    printed: dict[Place, Known] = {}
    measured: Figures = {}
    for fact in answer.facts:
        source, name = sources[fact.ref.partition(".")[0]], fact.ref.partition(".")[2]
        if source.kind == "measure" and name in ("title", "unit"):  # words, and no figures
            continue
        if source.kind == "measure":
            measured.setdefault((source.entity, name), []).append(_value(fact, name))
        else:
            printed[source.entity, source.key, name] = _value(fact, name)
    return printed, measured


def _value(fact: Fact, name: str) -> Known:
    """A fact's value as the oracle has it: a figure where it has a unit or is a share or a number of days."""
    bare = name in {"lead_time", "shortest", "longest", "discount"}
    if isinstance(fact.value, str) and (fact.unit is not None or bare):
        return Figure(Decimal(fact.value), fact.unit)
    return fact.value


def _wrong_choices(case: Case, answer: Answer) -> str | None:
    if answer.reason is Reason.AMBIGUOUS and len(answer.choices) == len(case.choices):
        return None
    labels = [choice.label for choice in answer.choices]
    return f"{answer.verdict} ({answer.reason}), choices {labels}, not {len(case.choices)}: {answer.answer}"


def _wrong_values(case: Case, printed: Mapping[Place, Known], truth: Mapping[Place, Known]) -> str | None:
    for place, value in printed.items():
        if place not in truth or truth[place] != value:
            return f"{place} is {truth.get(place, 'unknown to the oracle')!r}, not {value!r}"
    missing = [place for place in case.must if truth[place] is not None and place not in printed]
    return f"says nothing of {missing}" if missing else None


def _wrong_figures(case: Case, measured: Figures) -> str | None:
    for name in {*measured, *case.figures}:
        left = list(case.figures.get(name, []))
        for value in measured.get(name, []):
            if value not in left:
                return f"{name} is {case.figures.get(name, [])}, not {measured[name]}"
            left.remove(value)
        if left:
            return f"{name} says nothing of {left}"
    return None
