"""A disk that is really full: business tables on a file system of few megabytes, filled up."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from evals.company import Company, scratch_folder

_SIZE = "8m"
_SPACE = sql.Identifier("small_disk")
_CHUNK = b"\0" * 65_536
_TABLES: LiteralString = """
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname in ('biz', 'hist') and c.relname = any(%s)
"""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A mounted file system that a tablespace of the server lies on."""

    folder: Path

    def settle(self, company: Company) -> None:
        """Make the tablespace."""
        place = self.folder / "space"
        place.mkdir()
        owner = company.server.data_dir.stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        with psycopg.connect(company.dsn("postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL("create tablespace {} location {}").format(_SPACE, sql.Literal(str(place))))

    @contextmanager
    def full(self, admin: psycopg.Connection[Any], entities: tuple[str, ...]) -> Generator[None]:
        """While this holds, what is written to these entities, or to their history, finds no room for another page."""
        tables = [sql.Identifier(*row) for row in admin.execute(_TABLES, (list(entities),)).fetchall()]
        for table in tables:
            # Few rows to a page, so that even a small change needs another one.
            admin.execute(sql.SQL("alter table {} set (fillfactor = 10)").format(table))
            admin.execute(sql.SQL("alter table {} set tablespace {}").format(table, _SPACE))
        ballast = self.folder / "ballast"
        try:
            _fill(ballast)
            yield
        finally:
            ballast.unlink()
            for table in tables:
                admin.execute(sql.SQL("alter table {} reset (fillfactor)").format(table))
                admin.execute(sql.SQL("alter table {} set tablespace pg_default").format(table))


@contextmanager
def small_disk() -> Generator[SmallDisk | None]:
    """Mounts one; None where this account may not. To be left when no server uses it any more."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    with scratch_folder() as folder:
        options = ("-t", "tmpfs", "-o", f"size={_SIZE},mode=755", "tmpfs", str(folder))
        if (
            mount is None
            or umount is None
            or subprocess.run([mount, *options], capture_output=True, check=False).returncode
        ):
            yield None
            return
        try:
            yield SmallDisk(folder)
        finally:
            subprocess.run([umount, "-l", str(folder)], capture_output=True, check=True)


def _fill(ballast: Path) -> None:
    """Write until there is no room left."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(_CHUNK)
