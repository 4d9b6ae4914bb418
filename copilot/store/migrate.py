"""Applies the numbered migrations, each once and in one transaction, as the owner role."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import LiteralString, cast

from psycopg import AsyncConnection, sql

from copilot.errors import StartupError


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of copilot/store/migrations."""

    name: str
    text: LiteralString

    @property
    def digest(self) -> str:
        """Hash of the text, to notice a migration that was edited after it was applied."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> Iterator[Migration]:
    """All migrations in order."""
    for file in sorted((files("copilot.store") / "migrations").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            yield Migration(file.name, cast(LiteralString, file.read_text()))


async def migrate(owner: AsyncConnection) -> int:
    """Bring the database to the newest schema; returns how many migrations were applied.

    Raises StartupError when an applied migration differs from its file or a newer program was here before.
    """
    async with owner.transaction():
        await owner.execute("select pg_advisory_xact_lock(7021)")
        await owner.execute(
            "create table if not exists public.schema_migration (name text primary key, digest text not null)"
        )
        applied = dict(await (await owner.execute("select name, digest from public.schema_migration")).fetchall())
        todo = list(_pending(applied))
        for migration in todo:
            await owner.execute(sql.SQL(migration.text))
            await owner.execute(
                "insert into public.schema_migration values (%s, %s)", (migration.name, migration.digest)
            )
    return len(todo)


def _pending(applied: dict[str, str]) -> Iterator[Migration]:
    known = list(migrations())
    unknown = sorted(set(applied) - {migration.name for migration in known})
    if unknown:
        raise StartupError(f"the database was made by a newer version (it has {unknown[0]!r}); start that version")
    for migration in known:
        digest = applied.get(migration.name)
        if digest is None:
            yield migration
        elif digest != migration.digest:
            raise StartupError(f"migration {migration.name!r} was applied in another form; restore the original file")
