"""Adds people with their grants; labels are named by code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg.types.json import Jsonb

from copilot.errors import SettingsError
from copilot.store.queries import query
from copilot.store.roles import Role
from copilot.wiring.runtime import Runtime


async def add_person(
    runtime: Runtime,
    subject: str,
    name: str,
    role: str,
    *,
    home: str | None = None,
    regions: Sequence[str] | None = None,
    sites: Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
) -> None:
    """Set up a person who may sign in to the embedded default, or rename one; grants already there are kept.

    Labels are codes, None every one of that kind. Raises SettingsError for a role or a code that does not
    exist, and for a role that needs a grant of certain accounts.
    """
    policy = await runtime.policy()
    known = policy.known_roles
    if role not in known:
        raise SettingsError(f"there is no role {role!r}; there are: {', '.join(known)}")
    if role in policy.own_accounts:
        raise SettingsError(f"{role!r} reads certain customers only, and a grant made here can't name them")
    ids = await runtime.directory.label_ids()
    person = {
        "subject": subject,
        "name": name,
        "home_region": _one(ids, "region", home) if home else None,
        "demo": True,
    }
    grant = {
        "subject": subject,
        "role": role,
        "regions": _all(ids, "region", regions),
        "sites": _all(ids, "site", sites),
        "channels": _all(ids, "channel", channels),
        "accounts": None,
        "now": runtime.clock(),
    }
    async with runtime.database.connection(Role.OWNER) as connection:
        await connection.execute(query("put_person"), person)
        made = await (await connection.execute(query("put_grant"), grant)).fetchone()
        if made is not None:
            told = {"name": name, "grant": made["id"], "role": role}
            values = {"now": runtime.clock(), "operator": "setup", "action": "person add", "subject": subject}
            await connection.execute(query("add_directory_log"), {**values, "told": Jsonb(told)})


def _all(ids: Mapping[str, Mapping[str, int]], kind: str, codes: Sequence[str] | None) -> list[int] | None:
    return None if codes is None else [_one(ids, kind, code) for code in codes]


def _one(ids: Mapping[str, Mapping[str, int]], kind: str, code: str) -> int:
    if code not in ids[kind]:
        raise SettingsError(f"there is no {kind} {code!r}; there are: {', '.join(sorted(ids[kind])) or 'none'}")
    return ids[kind][code]
