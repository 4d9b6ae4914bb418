"""What a person has to decide: records that rules could not place, and those that no rule found anything for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, Literal

from psycopg import sql

from copilot.ingest.identity_decisions import Decision, Place, decisions_about
from copilot.ingest.identity_rules import rules_of
from copilot.ingest.report import Source
from copilot.ingest.statements import business
from copilot.semantic.model import Entity
from copilot.store.pool import Connection
from copilot.store.queries import query

_NEAREST = 3
_ALIKE = 0.5
"""How much of two names has to agree, of 1, for one to be shown beside the other."""
BY_NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A record that an open one may be: found by these rules, or only by its name."""

    place: Place
    number: str | None
    name: str | None
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One record to decide on. `reason` is several, different, contested or contradicted for a doubtful one, else None.

    `decisions` are those in force that speak of it; they count from the next sync of its source on.
    """

    state: Literal["doubtful", "unmatched"]
    place: Place
    number: str | None
    name: str | None
    reason: str | None
    candidates: tuple[Candidate, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The open records of one entity; `more` unmatched ones are left out."""

    entity: Entity
    open: tuple[Open, ...] = field(default_factory=tuple[Open, ...])
    more: int = 0


async def open_identities(connection: Connection, entity: Entity, sources: Iterable[Source], *, limit: int) -> Listing:
    """Every doubtful record as of the last syncs, and up to `limit` that were matched with nothing."""
    said: dict[Place, list[Decision]] = defaultdict(list)
    for decision in await decisions_about(connection, entity.name):
        said[decision.one].append(decision)
        said[decision.other].append(decision)
    judged = [source.id for source in sources if rules_of(source, entity)]
    columns = {"table": business(entity.name), "number": sql.Identifier(str(entity.key))}
    parameters = {"entity": entity.name, "sources": judged, "limit": limit}
    doubtful = await _rows(connection, query("identity_doubtful").format(**columns), parameters)
    unmatched = await _rows(connection, query("identity_unmatched").format(**columns), parameters)
    ids = {"entity": entity.name, "ids": [row["id"] for row in unmatched]}
    near = _by_row(await _rows(connection, query("identity_nearest").format(**columns), ids))
    found = [
        *(_doubtful(tuple(rows), said) for _, rows in groupby(doubtful, key=_place)),
        *(_unmatched(row, near.get(row["id"], ()), said) for row in unmatched),
    ]
    return Listing(entity=entity, open=tuple(found), more=unmatched[0]["total"] - len(unmatched) if unmatched else 0)


async def _rows(connection: Connection, statement: sql.Composed, parameters: Mapping[str, object]) -> list[Any]:
    return await (await connection.execute(statement, parameters)).fetchall()


def _place(row: Mapping[str, Any]) -> Place:
    return Place(row["source_id"], row["source_key"])


def _other(row: Mapping[str, Any]) -> Place:
    return Place(row["other_source_id"], row["other_key"])


def _by_row(rows: Iterable[Mapping[str, Any]]) -> Mapping[int, Sequence[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["id"]].append(row)
    return found


def _doubtful(rows: Sequence[Mapping[str, Any]], said: Mapping[Place, list[Decision]]) -> Open:
    first = rows[0]
    return Open(
        state="doubtful",
        place=_place(first),
        number=first["number"],
        name=first["name"],
        reason=first["reason"],
        candidates=tuple(_candidate(tuple(group)) for _, group in groupby(rows, key=_other)),
        decisions=tuple(said.get(_place(first), ())),
    )


def _candidate(rows: Sequence[Mapping[str, Any]]) -> Candidate:
    first = rows[0]
    rules = tuple(row["rule"] for row in rows)
    return Candidate(place=_other(first), number=first["other_number"], name=first["other_name"], rules=rules)


def _unmatched(row: Mapping[str, Any], near: Sequence[Mapping[str, Any]], said: Mapping[Place, list[Decision]]) -> Open:
    alike = sorted(((_alike(row["name"], each["other_name"]), each) for each in near), key=lambda pair: -pair[0])
    return Open(
        state="unmatched",
        place=_place(row),
        number=row["number"],
        name=row["name"],
        reason=None,
        candidates=tuple(_candidate([{**each, "rule": BY_NAME}]) for share, each in alike if share >= _ALIKE)[
            :_NEAREST
        ],
        decisions=tuple(said.get(_place(row), ())),
    )


def _alike(name: str | None, other: str | None) -> float:
    return SequenceMatcher(None, (name or "").casefold(), (other or "").casefold()).ratio()
