"""Proof at every start that row security holds on this database: canary rows are read through the policies, and the
catalog says that the same policies stand before every business table."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg.rows import dict_row

from copilot.domain.reach import Labels, Reach
from copilot.domain.scope import EMPTY_SCOPE, Scope
from copilot.errors import DatabaseError, StartupError, UnsafeDatabaseError
from copilot.store.migrate import migrations
from copilot.store.pool import Connection, Database
from copilot.store.queries import query
from copilot.store.roles import Role

_CANARY, _DECOY = "canary", "decoy"
_ONE: Labels = frozenset({1})
_TWO: Labels = frozenset({2})
_CALLED = ("reached", "unpacked", "everywhere", "labels", "beyond")
_BODY = re.compile(rf"function core\.({'|'.join(_CALLED)})\(.*?\$\$(.*?)\$\$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Tried:
    """A scope, and the canaries that it shows; of many classes it shows those of `more` beside them."""

    scope: Scope
    shown: frozenset[int]
    more: frozenset[int] = frozenset()


def _reach(
    regions: Labels = _ONE, sites: Labels = _ONE, channels: Labels = _ONE, accounts: Labels = _ONE, name: str = _CANARY
) -> Reach:
    return Reach(classes=frozenset({name}), regions=regions, sites=sites, channels=channels, accounts=accounts)


def _shows(*reaches: Reach, shown: set[int]) -> _Tried:
    return _Tried(Scope(reaches), frozenset(shown))


_THREE: Labels = frozenset({3})
_TRIED = (
    _Tried(EMPTY_SCOPE, frozenset()),
    _shows(_reach(None, None, None, None), shown={1, 2, 3, 4, 5, 6, 7}),
    _Tried(Scope((_reach(None, None, None, None, _DECOY),)), frozenset(), frozenset({8})),
    _shows(_reach(), shown={1, 6}),
    _shows(_reach(regions=None), shown={1, 2, 6}),
    _shows(_reach(sites=None), shown={1, 3, 6}),
    _shows(_reach(channels=None), shown={1, 4, 6}),
    _shows(_reach(accounts=None), shown={1, 5, 6}),
    _shows(_reach(_THREE), _reach(_ONE, _THREE), _reach(_ONE, _ONE, _THREE), shown={6}),
    _shows(_reach(regions=_TWO), _reach(sites=_TWO), shown={2, 3, 6}),
    _shows(_reach(channels=_TWO), _reach(accounts=_TWO), shown={4, 5, 6}),
    _Tried(Scope((_reach(sites=_TWO), _reach(regions=_TWO, name=_DECOY))), frozenset({3, 6})),
    _Tried(EMPTY_SCOPE, frozenset()),
)
"""Each dimension decides somewhere, so does a second product, and the last scope leaves nothing of the others."""


async def prove_enforcement(database: Database, classes: Mapping[str, str]) -> None:
    """Prove that row security holds; `classes` is the record class of every entity.

    Raises UnsafeDatabaseError naming the first table or thing by which it does not, StartupError where it could not
    be tried.
    """
    try:
        seen, written = await asyncio.gather(_seen_fault(database), _written_fault(database, classes))
    except (DatabaseError, psycopg.Error) as error:
        raise StartupError("row security could not be tried, so nothing is served from this database") from error
    if fault := seen or written:
        raise UnsafeDatabaseError(f"row security does not hold: {fault}; nothing is served from this database")


async def _seen_fault(database: Database) -> str | None:
    """By the very connections that questions are answered over."""
    async with database.connection(Role.APP) as reader:
        return await _first(reader, "unguarded_tables") or await _canary_fault(reader)


async def _written_fault(database: Database, classes: Mapping[str, str]) -> str | None:
    """By a connection that is not kept: nothing that is served needs the owner."""
    async with await Connection.connect(database.dsn(Role.OWNER), row_factory=dict_row) as owner:
        return await _function_fault(owner) or await _first(owner, "policy_faults", classes=json.dumps(dict(classes)))


async def _first(connection: Connection, name: str, **values: str) -> str | None:
    row = await (await connection.execute(query(name), values or None)).fetchone()
    return None if row is None else str(row["fault"])


async def _canary_fault(reader: Connection) -> str | None:
    """What the role sees of the canaries under no scope, under each that is tried, and after the transaction."""
    for tried in (None, *_TRIED):
        if tried is not None:
            await reader.execute(query("set_scope"), tried.scope.settings)
        if fault := await _shown_otherwise(reader, tried or _TRIED[0]):
            return fault
    await reader.commit()
    return await _shown_otherwise(reader, _TRIED[0])


async def _shown_otherwise(reader: Connection, tried: _Tried) -> str | None:
    row = await (await reader.execute(query("seen_canaries"))).fetchone()
    seen = {name: frozenset(ids) for name, ids in (row or {}).items()}
    meant = {"one_class": tried.shown, "many_classes": tried.shown | tried.more}
    tables = {"one_class": "core.canary", "many_classes": "core.canary_of_many"}
    wrong = [name for name in tables if seen.get(name) != meant[name]]
    if not wrong:
        return None
    name = wrong[0]
    hidden, lacking = sorted(seen[name] - meant[name]), sorted(meant[name] - seen[name])
    return f"of {tables[name]} the role copilot_app sees the hidden rows {hidden} and not its own {lacking}"


async def _function_fault(owner: Connection) -> str | None:
    """Functions that the policies call and that are not as the newest migration made them."""
    meant = dict(_written())
    rows = await (await owner.execute(query("policy_functions"), {"names": [*_CALLED]})).fetchall()
    there = {row["name"]: row for row in rows}
    for name in _CALLED:
        row = there.get(name)
        count = sum(other["name"] == name for other in rows)
        if row is None or count > 1 or row["altered"] or row["source"] != meant[name]:
            return f"the function core.{name} is another one than the migrations made"
    return None


def _written() -> Iterator[tuple[str, str]]:
    """The functions that the policies call with their texts, the newest last."""
    for migration in migrations():
        yield from _BODY.findall(migration.text)
