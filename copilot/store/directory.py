"""Reads people and their grants, afresh for every question: a grant taken away ends at the next one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from copilot.domain.principal import Grant, Principal
from copilot.domain.question import DemoPerson
from copilot.errors import SignInError
from copilot.store.pool import Database
from copilot.store.queries import query
from copilot.store.roles import Role


class Directory:
    """People and grants in our own tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def principal(self, subject: str, now: datetime) -> Principal:
        """An enabled person with the grants in force. Raises SignInError for anybody else."""
        async with self._database.connection(Role.APP) as connection:
            cursor = await connection.execute(query("person_with_grants"), {"subject": subject, "now": now})
            row = await cursor.fetchone()
        if row is None:
            raise SignInError(f"{subject!r} is not known here; sign in again")
        grants = tuple(
            Grant(
                role=grant["role"],
                regions=_ids(grant["regions"]),
                sites=_ids(grant["sites"]),
                channels=_ids(grant["channels"]),
                accounts=_ids(grant["accounts"]),
            )
            for grant in row["grants"]
        )
        return Principal(subject=row["subject"], name=row["name"], home_region=row["home_region"], grants=grants)

    async def demo_people(self) -> tuple[DemoPerson, ...]:
        """The people of the demo company with what they were granted, in words."""
        async with self._database.connection(Role.APP) as connection:
            rows = await (await connection.execute(query("demo_people"))).fetchall()
        return tuple(
            DemoPerson(subject=r["subject"], name=r["name"], role=r["role"], where=_where(r["regions"], r["sites"]))
            for r in rows
        )


def _where(regions: Sequence[int] | None, sites: Sequence[int] | None) -> str:
    if sites is not None:
        return "one site" if len(sites) == 1 else f"{len(sites)} sites"
    if regions is None:
        return "all regions"
    return "one region" if len(regions) == 1 else f"{len(regions)} regions"


def _ids(values: Sequence[int] | None) -> frozenset[int] | None:
    return None if values is None else frozenset(values)
