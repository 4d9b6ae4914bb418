"""The tables of the job queue: procrastinate's own schema files, in the schema `jobs`, for the jobs role alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import LiteralString, cast

from psycopg import AsyncConnection, sql

from copilot.errors import StartupError
from copilot.store.queries import query

VERSION = "3.10.0"
"""The release that pyproject.toml pins. Named here, so that a start need not look it up, nor load the library."""
_MIGRATION = re.compile(r"(\d+)\.(\d+)\.(\d+)_\d+_.*\.sql")


async def install_jobs(owner: AsyncConnection) -> None:
    """Bring the queue's tables to this version, once, whoever starts at the same time; commits.

    Raises StartupError where a newer program was here before.
    """
    async with owner.transaction():
        await owner.execute("select pg_advisory_xact_lock(7022)")
        await owner.execute(query("jobs_schema"))
        row = await (await owner.execute(query("jobs_installed"))).fetchone()
        installed = str(row[0]) if row else None
        if installed == VERSION:
            return
        await owner.execute("set local search_path to jobs")
        for text in _scripts(installed):
            await owner.execute(sql.SQL(text))
        await owner.execute("set local search_path to default")
        await owner.execute(query("jobs_keep_version"), {"version": VERSION})
        await owner.execute(query("jobs_rights"))


def _scripts(installed: str | None) -> Iterator[LiteralString]:
    """What leads from the installed version to ours: the library's own text, hence literal."""
    folder = Path(str(distribution("procrastinate").locate_file("procrastinate/sql")))
    if installed is None:
        yield cast(LiteralString, (folder / "schema.sql").read_text())
        return
    if _parts(installed) > _parts(VERSION):
        raise StartupError(f"the job queue was made by a newer version ({installed!r}); start that version")
    for file in sorted((folder / "migrations").iterdir(), key=lambda file: file.name):
        found = _MIGRATION.fullmatch(file.name)
        if found and tuple(map(int, found.groups())) > _parts(installed):
            yield cast(LiteralString, file.read_text())


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
