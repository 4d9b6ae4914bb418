"""Changes to the directory in the words of the command line: codes of labels, numbers of customers, days and times."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from copilot.domain.scope import Reach, Scope
from copilot.errors import SettingsError
from copilot.identity.tokens import new_service_token
from copilot.semantic.model import load_model
from copilot.store.directory_changes import DirectoryChanges, NewGrant
from copilot.store.queries import query
from copilot.store.sealing import KeyRing
from copilot.wiring.runtime import Runtime

LONGEST_DELEGATION = timedelta(days=90)
LONGEST_TOKEN_DAYS = 365
_NEVER_GIVEN = frozenset({"governance_officer", "auditor", "administrator"})
"""Who controls others is not to be controlled by somebody they chose themselves."""
_CUSTOMERS = Scope((Reach(classes=frozenset({"customer"}), regions=None, sites=None, channels=None, accounts=None),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A grant as it was typed; None for what was left out."""

    role: str
    regions: Sequence[str] | None = None
    sites: Sequence[str] | None = None
    channels: Sequence[str] | None = None
    customers: Sequence[str] | None = None
    classes: Sequence[str] | None = None
    first: str | None = None
    last: str | None = None


def changes(runtime: Runtime, operator: str | None = None) -> DirectoryChanges:
    """Changes by whoever runs the program."""
    return DirectoryChanges(runtime.database, runtime.clock, operator or getpass.getuser())


async def let_in(runtime: Runtime, subject: str, name: str | None = None) -> None:
    """Let somebody in again; somebody erased with a new key, and with their name where it is given."""
    KeyRing(runtime.settings.home).let_in_again(subject)
    await changes(runtime).disable(subject, disabled=False)
    if name:
        await changes(runtime).rename(subject, name)


async def new_grant(runtime: Runtime, asked: Asked) -> NewGrant:
    """The grant that is meant. Raises SettingsError naming the value that is wrong."""
    policy, ids = await runtime.policy(), await runtime.directory.label_ids()
    await check_role(runtime, asked.role)
    if asked.role in policy.own_accounts and not asked.customers:
        raise SettingsError(f"{asked.role!r} reads certain customers only; name them with --customer")
    first, last = span(runtime, asked.first, asked.last)
    return NewGrant(
        role=asked.role, regions=_ids(ids, "region", asked.regions), sites=_ids(ids, "site", asked.sites),
        channels=_ids(ids, "channel", asked.channels), accounts=await _accounts(runtime, asked.customers),
        classes=_classes(asked.classes, policy.classes_of(asked.role), asked.role), first=first, last=last,
    )  # fmt: skip


async def check_role(runtime: Runtime, role: str) -> None:
    """Raise SettingsError for a role that there is not."""
    known = (await runtime.policy()).known_roles
    if role not in known:
        raise SettingsError(f"there is no role {role!r}; there are: {', '.join(known)}")


async def delegate(runtime: Runtime, giver: str, taker: str, role: str, first: str | None, last: str) -> int:
    """Give one's own grants of a role to somebody else for a while; returns the delegation's number."""
    await check_role(runtime, role)
    if giver == taker:
        raise SettingsError(f"{giver!r} can't delegate to themselves")
    if role in _NEVER_GIVEN:
        raise SettingsError(f"{role!r} can't be delegated: whoever controls others needs a grant of their own")
    begin, end = span(runtime, first, last)
    if end is None or end - begin > LONGEST_DELEGATION:
        raise SettingsError(f"a delegation lasts at most {LONGEST_DELEGATION.days} days")
    return await changes(runtime).add_delegation(giver, taker, role, begin, end)


async def add_service(runtime: Runtime, subject: str, name: str, asked: Asked, days: int) -> str:
    """A new service account; returns its token, which is kept nowhere."""
    grant, token = await new_grant(runtime, asked), new_service_token()
    await changes(runtime).add_service(subject, name, grant, token, token_end(runtime, days))
    return token


async def rotate_service(runtime: Runtime, subject: str, days: int) -> str:
    """Another token for a service account; returns it."""
    token = new_service_token()
    await changes(runtime).rotate(subject, token, token_end(runtime, days))
    return token


def token_end(runtime: Runtime, days: int) -> datetime:
    """When a token that is given out now ends."""
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise SettingsError(f"a token lasts 1 to {LONGEST_TOKEN_DAYS} days, not {days}")
    return runtime.clock() + timedelta(days=days)


def span(runtime: Runtime, first: str | None, last: str | None) -> tuple[datetime, datetime | None]:
    """From a moment on, now if left out, until just before another. Raises SettingsError."""
    now = runtime.clock()
    begin, end = moment(first) or now, moment(last)
    if end is not None and end <= begin:
        raise SettingsError(f"the end {last!r} does not come after the beginning, {first or 'now'}")
    if end is not None and end <= now:
        raise SettingsError(f"the end {last!r} is over already")
    return begin, end


def moment(text: str | None) -> datetime | None:
    """A day, as its beginning in UTC, or a time with its zone. Raises SettingsError."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is no day or time like 2026-12-01 or 2026-12-01T08:00+01:00") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def _accounts(runtime: Runtime, numbers: Sequence[str] | None) -> list[int] | None:
    if numbers is None:
        return None
    async with runtime.database.scoped_transaction(_CUSTOMERS) as connection:
        rows = await (await connection.execute(query("customers_by_number"), {"numbers": list(numbers)})).fetchall()
    found: dict[str, set[int]] = {number: set() for number in numbers}
    for row in rows:
        found[row["number"]].add(row["account"])
    for number, accounts in found.items():
        if len(accounts) != 1:
            why = "is the number of several customers" if accounts else "is no customer's number here"
            raise SettingsError(f"{number!r} {why}")
    return [account for accounts in found.values() for account in accounts]


def _classes(named: Sequence[str] | None, of_role: frozenset[str], role: str) -> list[str] | None:
    for name in named or ():
        if name not in load_model().classes:
            known = ", ".join(sorted(load_model().classes))
            raise SettingsError(f"there is no record class {name!r}; there are: {known}")
        if name not in of_role:
            raise SettingsError(f"{role!r} does not read {name!r}, so a grant of it can't be held to that")
    return None if named is None else list(named)


def _ids(ids: Mapping[str, Mapping[str, int]], kind: str, codes: Sequence[str] | None) -> list[int] | None:
    if codes is None:
        return None
    for code in codes:
        if code not in ids[kind]:
            raise SettingsError(f"there is no {kind} {code!r}; there are: {', '.join(sorted(ids[kind])) or 'none'}")
    return [ids[kind][code] for code in codes]
