"""A small demo company in a real PostgreSQL of its own: made once, cloned for whoever changes it."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from copilot.domain.answer import Answer
from copilot.domain.clock import fixed_clock
from copilot.domain.question import Question, SessionSubject
from copilot.settings import Settings
from copilot.store import embedded
from copilot.store.embedded_sentences import Progress
from copilot.store.pool import STATEMENT_MS, Database
from copilot.store.roles import Role
from copilot.store.setup import prepare
from copilot.wiring import Runtime, assemble
from copilot.wiring.demo import bring_demo_to_today

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
EPOCH = date(2026, 8, 1)
TEMPLATE = "company_template"


def silent(_: str) -> None:
    """Progress that nobody reads."""


@contextmanager
def scratch_folder() -> Generator[Path]:
    """A folder that the account of an embedded server can reach, whoever runs this."""
    base = "/var/tmp" if os.geteuid() == 0 else None  # noqa: S108 -- root's own temporary folders are closed to others
    folder = Path(tempfile.mkdtemp(prefix="copilot-scratch-", dir=base))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Company:
    """The server with the template database in it."""

    server: embedded.EmbeddedServer
    home: Path

    def dsn(self, database: str) -> str:
        """The superuser's connection string to a database of the server."""
        return make_conninfo(self.server.superuser_dsn, dbname=database)

    @contextmanager
    def clone(self, template: str = TEMPLATE) -> Generator[str]:
        """The name of a database of one's own, as the template is; nobody may be connected to that."""
        name = f"clone_{secrets.token_hex(4)}"
        self._make(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield name
        finally:
            self._make(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def _make(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as admin:
            admin.execute(statement)


@asynccontextmanager
async def running(
    company: Company,
    database: str,
    home: Path,
    now: datetime = NOW,
    language: str = "en",
    statement_ms: int = STATEMENT_MS,
    pools: Callable[[dict[Role, str]], Database] | None = None,
) -> AsyncGenerator[Runtime]:
    """The copilot over a database of the company, with a home of its own and a clock that stands still; `pools` makes
    other pools than the usual ones."""
    if home != company.home:
        _make_home(company, home)
    dsns = await prepare(company.dsn(database), home, create=True)
    opened = pools(dsns) if pools else Database(dsns, statement_ms=statement_ms)
    runtime = assemble(Settings(home=home, language=language), opened, fixed_clock(now), company.dsn(database))
    try:
        await runtime.sources.load()
        yield runtime
    finally:
        await runtime.sources.aclose()
        await runtime.audit.close()
        await opened.close()


@asynccontextmanager
async def open_company(epoch: date = EPOCH, progress: Progress = silent) -> AsyncGenerator[Company]:
    """The server with its template, ready; for whoever has an event loop already."""
    with scratch_folder() as folder:
        server = await asyncio.to_thread(embedded.ensure_running, folder, progress=progress)
        try:
            company = Company(server, folder)
            await _make(company, epoch, progress)
            yield company
        finally:
            await asyncio.to_thread(server.stop)


@asynccontextmanager
async def open_server() -> AsyncGenerator[Company]:
    """A server whose template holds our tables and nothing in them."""
    with scratch_folder() as folder:
        server = await asyncio.to_thread(embedded.ensure_running, folder, progress=silent)
        try:
            company = Company(server, folder)
            await prepare(company.dsn(TEMPLATE), folder, create=True)
            yield company
        finally:
            await asyncio.to_thread(server.stop)


def _make_home(company: Company, home: Path) -> None:
    """A data folder with the roles' passwords, which are the server's."""
    home.mkdir(exist_ok=True)
    shutil.copy(company.home / "roles.json", home / "roles.json")


@contextmanager
def made_company() -> Generator[Company]:
    """The server with its template, ready."""
    with scratch_folder() as folder:
        server = embedded.ensure_running(folder, progress=silent)
        try:
            company = Company(server, folder)
            asyncio.run(_make(company))
            yield company
        finally:
            server.stop()


async def _make(company: Company, epoch: date = EPOCH, progress: Progress = silent) -> None:
    async with running(company, TEMPLATE, company.home) as runtime:
        await bring_demo_to_today(runtime, progress, epoch=epoch)


async def ask(runtime: Runtime, subject: str, text: str, conversation: str | None = None) -> Answer:
    """Ask as a signed-in person."""
    return await runtime.ask(Question(text=text, channel="cli", conversation=conversation), SessionSubject(subject))
