"""What persons decided about identity: which records are the same thing, which are not, and what follows from that."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from psycopg import sql

from copilot.errors import SourceConfigError
from copilot.ingest.report import Source
from copilot.semantic.model import Entity
from copilot.store.pool import Connection
from copilot.store.queries import query

Verdict = Literal["same", "different"]


class Place(NamedTuple):
    """A record by what lasts: its source's id and its key there."""

    source: int
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision in force about a pair of records, the lower place first."""

    one: Place
    other: Place
    verdict: Verdict
    person: str
    at: datetime
    why: str

    def about(self, place: Place) -> Place | None:
        """The record that this one is compared with; None where the decision is about others."""
        return self.other if place == self.one else self.one if place == self.other else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Records by what they were held to be: one number for all that are the same thing, and the pairs kept apart."""

    of: Mapping[Place, int] = field(default_factory=dict[Place, int])
    apart: frozenset[tuple[int, int]] = frozenset()
    """Both ways round."""

    @property
    def kept_apart(self) -> tuple[Place, ...]:
        """The records that some decision keeps apart from another."""
        apart = {one for one, _ in self.apart}
        return tuple(place for place, cluster in self.of.items() if cluster in apart)


def clusters_of(decisions: Iterable[Decision]) -> Clusters:
    """What follows from decisions that don't contradict one another."""
    known = tuple(decisions)
    places = sorted({place for decision in known for place in (decision.one, decision.other)})
    number: dict[Place, int] = {}
    for place in places:
        if place not in number:
            number |= dict.fromkeys(_trails(known, place), len(number))
    pairs = [(number[d.one], number[d.other]) for d in known if d.verdict == "different"]
    return Clusters(of=number, apart=frozenset({*pairs, *((b, a) for a, b in pairs)}))


async def decisions_about(connection: Connection, entity: str) -> tuple[Decision, ...]:
    """The decisions in force about an entity's records: of two about the same pair, the later."""
    rows = await (await connection.execute(query("identity_decisions"), {"entity": entity})).fetchall()
    return tuple(
        Decision(
            one=Place(row["source_id"], row["source_key"]),
            other=Place(row["other_source_id"], row["other_key"]),
            verdict=row["verdict"],
            person=row["decided_by"],
            at=row["decided_at"],
            why=row["reason"],
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Takes down a person's decisions about one entity. `sources` are all there are, by id."""

    connection: Connection
    entity: Entity
    sources: Mapping[int, Source]

    async def decide(self, given: Decision, *, change: bool = False) -> None:
        """Keep a decision, in a transaction of its own. With `change` it may replace the one about the same pair.

        Raises SourceConfigError for a record that is not known, no person or reason, and a decision that contradicts
        what was decided before, with what it contradicts.
        """
        decision = _ordered(given)
        if not (decision.person.strip() and decision.why.strip()):
            raise SourceConfigError("a decision needs the person who makes it (--by) and the reason (--why)")
        if decision.one == decision.other:
            raise SourceConfigError(f"{self._told(decision.one)} is one record: there is nothing to decide")
        async with self.connection.transaction():
            await self.connection.execute(query("identity_lock_decisions"))
            for place in (decision.one, decision.other):
                await self._check_known(place)
            self._check(decision, await decisions_about(self.connection, self.entity.name), change=change)
            await self._keep(decision)

    def _check(self, new: Decision, standing: tuple[Decision, ...], *, change: bool) -> None:
        mine = next((old for old in standing if (old.one, old.other) == (new.one, new.other)), None)
        if mine is not None and mine.verdict != new.verdict and not change:
            raise SourceConfigError(
                f"{self._told(new.one)} and {self._told(new.other)} were decided to be {self._who(mine)};"
                " to decide otherwise now, say so with --change"
            )
        others = tuple(old for old in standing if old is not mine)
        if new.verdict == "different":
            trail = _trails(others, new.one).get(new.other)
            if trail is not None:
                raise SourceConfigError(self._contradiction("same", trail))
            return
        self._check_same(new, others)

    def _check_same(self, new: Decision, others: tuple[Decision, ...]) -> None:
        ones, rest = _trails(others, new.one), _trails(others, new.other)
        for old in others:
            for one, other in ((old.one, old.other), (old.other, old.one)):
                if old.verdict == "different" and one in ones and other in rest:
                    raise SourceConfigError(self._contradiction("different", (*ones[one], *rest[other], old)))

    def _contradiction(self, verdict: Verdict, trail: Iterable[Decision]) -> str:
        said = "; ".join(f"{self._told(old.one)} and {self._told(old.other)} are {self._who(old)}" for old in trail)
        return (
            f"this contradicts what was decided before, by which the two are {verdict}: {said}. Change one of these"
            " first, with --change"
        )

    def _who(self, decision: Decision) -> str:
        return f"{decision.verdict} by {decision.person} on {decision.at:%Y-%m-%d} ({decision.why})"

    def _told(self, place: Place) -> str:
        return f"{self.entity.title} {place.key!r} of {self.sources[place.source].name!r}"

    async def _check_known(self, place: Place) -> None:
        from_history = query("identity_knows").format(history=sql.Identifier("hist", self.entity.name))
        parameters = {"entity": self.entity.name, "source": place.source, "key": place.key}
        row = await (await self.connection.execute(from_history, parameters)).fetchone()
        if row is None or not row["known"]:
            raise SourceConfigError(
                f"{self.sources[place.source].name!r} has no {self.entity.title} with the key {place.key!r} that was"
                f" ever read here; see: erp-copilot source identity {self.entity.name}"
            )

    async def _keep(self, decision: Decision) -> None:
        parameters = {
            "entity": self.entity.name,
            "source": decision.one.source,
            "key": decision.one.key,
            "other_source": decision.other.source,
            "other_key": decision.other.key,
            "verdict": decision.verdict,
            "person": decision.person.strip(),
            "why": decision.why.strip(),
            "now": decision.at,
        }
        await self.connection.execute(query("identity_decide"), parameters)


def _ordered(decision: Decision) -> Decision:
    one, other = sorted((decision.one, decision.other))
    return Decision(
        one=one, other=other, verdict=decision.verdict, person=decision.person, at=decision.at, why=decision.why
    )


def _trails(decisions: Iterable[Decision], start: Place) -> dict[Place, tuple[Decision, ...]]:
    """Every record held to be the same as `start`, itself included, with the decisions that lead there."""
    edges: dict[Place, list[tuple[Place, Decision]]] = defaultdict(list)
    for decision in decisions:
        if decision.verdict == "same":
            edges[decision.one].append((decision.other, decision))
            edges[decision.other].append((decision.one, decision))
    trails: dict[Place, tuple[Decision, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        place = waiting.popleft()
        for neighbour, decision in edges[place]:
            if neighbour not in trails:
                trails[neighbour] = (*trails[place], decision)
                waiting.append(neighbour)
    return trails
