"""The suites: each a company with its people and its cases. A suite whose data is not here is passed over."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from connectors.registry import kind
from copilot.demo.people import PEOPLE
from copilot.store.embedded_sentences import Progress
from copilot.store.secrets import variable
from copilot.wiring import Runtime
from copilot.wiring.people import add_person
from copilot.wiring.sources import label_map_for
from evals.company import NOW, TEMPLATE, open_company, open_server, running
from evals.scoring.case import Case
from evals.scoring.loader import CASES, load_cases

_ROOT = Path(__file__).resolve().parents[2]
_DATA = _ROOT.parent / "shared" / "data"
_EPOCH = date(2024, 11, 1)
_ODOO = ("ODOO_URL", "ODOO_DB", "ODOO_API_KEY")
_ROLES = {"rep": "customer_service", "planner": "planner", "buyer": "buyer", "finance": "finance"}
"""Who asks where the source brings nobody: subject -> role."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A suite that is open: the copilot over its company, and how the owner of the tables connects."""

    runtime: Runtime
    dsn: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A company, who may ask there, how to open it, and what is missing where it can't be opened here."""

    name: str
    people: Mapping[str, str] = field(default_factory=lambda: _ROLES)
    open: Callable[[Progress], AbstractAsyncContextManager[Scene]]
    lacks: Callable[[], str | None] = lambda: None
    folder: Path = CASES

    def cases(self) -> tuple[Case, ...]:
        """The suite's cases. Raises CaseError."""
        return load_cases(self.folder / self.name, [*self.people])


@asynccontextmanager
async def _demo(progress: Progress) -> AsyncGenerator[Scene]:
    """Two years of the demo company, up to one moment."""
    async with open_company(_EPOCH, progress) as company, running(company, TEMPLATE, company.home) as runtime:
        yield Scene(runtime, company.dsn(TEMPLATE))


@asynccontextmanager
async def _mapped(folder: str, purpose: str, now: datetime, progress: Progress) -> AsyncGenerator[Scene]:
    """A source that nobody wrote a connector for: its files by a mapping."""
    mapping = (_ROOT / "evals" / "mappings" / f"{folder}.yaml").read_text(encoding="utf-8")
    settings = {"location": str(_DATA / folder), "mapping": mapping}
    async with open_server() as server, running(server, TEMPLATE, server.home, now) as runtime:
        await runtime.ingest.add_source(folder, "files", settings, {}, purpose=purpose)
        await _fill(runtime, folder, progress)
        yield Scene(runtime, server.dsn(TEMPLATE))


@asynccontextmanager
async def _odoo(progress: Progress) -> AsyncGenerator[Scene]:
    """A running Odoo, as it is now."""
    url, database, key = (os.environ[name] for name in _ODOO)
    async with open_server() as server, running(server, TEMPLATE, server.home, datetime.now(UTC)) as runtime:
        chosen, settings = kind("odoo"), {"url": url, "database": database}
        connector = chosen.connect(settings | {"api_key": key}, {})
        try:
            info = await connector.check()
        finally:
            await connector.aclose()
        os.environ[variable("odoo", "api_key")] = key  # not in a keyring, which outlives this run
        await runtime.ingest.add_source("odoo", chosen.name, settings, label_map_for(info))
        await _fill(runtime, "odoo", progress)
        yield Scene(runtime, server.dsn(TEMPLATE))


async def _fill(runtime: Runtime, name: str, progress: Progress) -> None:
    """Load a source for the first time, and let people ask."""
    await runtime.sources.load()
    source, connector = runtime.sources.source(name), runtime.sources.connector(name)
    await runtime.ingest.sync(source, connector, progress=progress)
    await runtime.database.analyze()
    for subject, role in _ROLES.items():
        await add_person(runtime, subject, subject.title(), role)


def _no_files(folder: str) -> str | None:
    return None if (_DATA / folder).is_dir() else f"its files are not here (../shared/data/{folder})"


def _no_odoo() -> str | None:
    missing = [name for name in _ODOO if not os.environ.get(name)]
    return f"there is no Odoo to read from ({missing[0]} is not set)" if missing else None


SUITES = (
    Suite(name="demo", people={person.subject: person.role for person in PEOPLE}, open=_demo),
    Suite(
        name="adventureworks",
        open=partial(_mapped, "adventureworks", "erp", datetime(2014, 8, 15, 12, tzinfo=UTC)),
        lacks=partial(_no_files, "adventureworks"),
    ),
    Suite(name="retail", open=partial(_mapped, "retail", "commerce", NOW), lacks=partial(_no_files, "retail")),
    Suite(name="odoo", open=_odoo, lacks=_no_odoo),
)
