"""The databases of the audit, conversation and backup tests, loaded by their `pytest_plugins`."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from copilot.store import embedded
from tests.integration.audit_support import Site, drop_site, make_site


@pytest.fixture(scope="session")
def audit_cluster() -> Iterator[Site]:
    """A server of its own with one migrated database."""
    place = Path(tempfile.mkdtemp(prefix="copilot-audit-", dir="/var/tmp" if os.geteuid() == 0 else None)).resolve()
    place.chmod(0o755)
    server = embedded.ensure_running(place / "home", progress=lambda text: None)
    try:
        yield asyncio.run(make_site(server.superuser_dsn, place / "none", place / "home"))
    finally:
        server.stop()
        shutil.rmtree(place)


@pytest.fixture
async def audit_site(audit_cluster: Site, tmp_path: Path) -> AsyncIterator[Site]:
    """An empty audit and an empty data folder, in a database that the tests share: they leave its schema alone."""
    await audit_cluster.as_superuser("truncate audit.entry, audit.blob, state.conversation, state.turn, state.feedback")
    site = Site(audit_cluster.superuser_dsn, tmp_path, audit_cluster.roles_home)
    yield site
    await site.close()


@pytest.fixture
async def audit_own_site(audit_cluster: Site, tmp_path: Path) -> AsyncIterator[Site]:
    """A database and a data folder that a test may do anything to."""
    await audit_cluster.as_superuser("truncate audit.entry, audit.blob, state.conversation, state.turn, state.feedback")
    name = f"audit_{secrets.token_hex(6)}"
    template = str(conninfo_to_dict(audit_cluster.superuser_dsn)["dbname"])
    maintenance = make_conninfo(audit_cluster.superuser_dsn, dbname="postgres")
    async with await psycopg.AsyncConnection.connect(maintenance, autocommit=True) as admin:
        clone = sql.SQL("create database {} template {} owner copilot_owner")
        await admin.execute(clone.format(sql.Identifier(name), sql.Identifier(template)))
    site = Site(make_conninfo(maintenance, dbname=name), tmp_path, audit_cluster.roles_home)
    yield site
    await site.close()
    await drop_site(maintenance, site)
