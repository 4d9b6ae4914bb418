"""The versions of the policy in our own tables, and what came into force: rows that are only ever added."""

from __future__ import annotations

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from copilot.domain.governance import Change, Version
from copilot.errors import PolicyError
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role


class PolicyVersions:
    """Reads as whoever answers questions, and adds as the governor, who can do nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def head(self) -> DictRow | None:
        """What came into force last, as stored; None where nothing ever did."""
        async with self._database.statement(Role.APP) as connection:
            return await (await connection.execute(query("policy_head"))).fetchone()

    async def changes(self) -> tuple[Change, ...]:
        """All that came into force, the oldest first."""
        digests = {version.number: version.digest for version in await self.all()}
        async with self._database.statement(Role.APP) as connection:
            rows = await (await connection.execute(query("policy_changes"))).fetchall()
        return tuple(change_of(row, digests[row["version"]]) for row in rows)

    async def all(self) -> tuple[Version, ...]:
        """Every version without its documents, the oldest first."""
        async with self._database.statement(Role.APP) as connection:
            rows = await (await connection.execute(query("policy_versions"))).fetchall()
        return tuple(Version(**row) for row in rows)

    async def version(self, number: int) -> Version:
        """One version with its documents. Raises PolicyError where there is none of this number."""
        async with self._database.statement(Role.APP) as connection:
            row = await (await connection.execute(query("policy_version"), {"number": number})).fetchone()
        if row is None:
            raise PolicyError(f"there is no version {number} of the policy; `erp-copilot policy list` names them")
        return Version(**row)

    async def add(self, version: Version) -> None:
        """Add the next version. Raises PolicyError where another took its number."""
        values = {
            "number": version.number, "digest": version.digest, "documents": Jsonb(dict(version.documents or {})),
            "author": version.author, "why": version.why, "submitted_at": version.submitted_at,
            "signature": version.signature,
        }  # fmt: skip
        async with self._database.connection(Role.GOVERNOR) as connection:
            added = await (await connection.execute(query("put_policy_version"), values)).fetchone()
        if added is None:
            raise PolicyError(f"another version {version.number} was submitted meanwhile; submit yours again")

    async def bring_into_force(self, change: Change) -> None:
        """Add the next change. Raises PolicyError where another came first."""
        values = {
            "sequence": change.sequence, "kind": change.kind, "version": change.version, "approver": change.approver,
            "why": change.why, "signed_at": change.signed_at, "previous": change.previous,
            "signature": change.signature,
        }  # fmt: skip
        async with self._database.connection(Role.GOVERNOR) as connection:
            added = await (await connection.execute(query("put_policy_change"), values)).fetchone()
        if added is None:
            raise PolicyError("another policy came into force meanwhile; look at it, and sign again")


def change_of(row: DictRow, digest: str) -> Change:
    """A change as stored, with the digest of its version."""
    return Change(**row, digest=digest)
