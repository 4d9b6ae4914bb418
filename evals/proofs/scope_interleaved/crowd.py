"""Fifty people of very different scopes: every role, several grants, labels of every kind, and nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from psycopg import Connection

from evals.proofs.oracle import LABEL_COLUMNS, Actor, World, demo_actors, narrow_actors, read_roles
from evals.proofs.planting import add_people

_PEOPLE = 50
_OWN_ACCOUNTS = ("sales", "customer_contact")
_ENTITIES = {
    "label_region": "region", "label_site": "site", "label_channel": "channel", "label_account": "customer",
}  # fmt: skip
_NOBODY_GRANTED = "granted.nothing"


def crowd(world: World, seed: int) -> Sequence[Actor]:
    """The people of the demo company, those of narrow grants, one without any, and as many drawn as make fifty."""
    known = [*demo_actors(world), *narrow_actors(world), Actor(subject=_NOBODY_GRANTED)]
    random = Random(seed)
    drawn = [_drawn(world, random, f"drawn.{number}") for number in range(_PEOPLE - len(known))]
    return [*known, *drawn]


def add_crowd(admin: Connection, world: World, actors: Sequence[Actor]) -> None:
    """Put those into the directory whom the demo company does not have."""
    there = {actor.subject for actor in demo_actors(world)}
    admin.execute("insert into directory.person (subject, name) values (%s, 'Nobody')", (_NOBODY_GRANTED,))
    add_people(admin, [actor for actor in actors if actor.subject not in {*there, _NOBODY_GRANTED}])


def several_grants(world: World, seed: int, count: int) -> Sequence[Actor]:
    """So many people with two or three grants each."""
    random = Random(f"several {seed}")
    return [_drawn(world, random, f"several.{number}", (2, 2, 3)) for number in range(count)]


def _drawn(world: World, random: Random, subject: str, counts: Sequence[int] = (1, 1, 1, 2, 2, 3)) -> Actor:
    first, *further = [_grant(world, random, subject) for _ in range(random.choice(counts))]
    return replace(first, further=tuple(further))


def _grant(world: World, random: Random, subject: str) -> Actor:
    role = random.choice([name for name, classes in sorted(read_roles().items()) if classes])
    labels = {column: _some(world, random, column) for column in LABEL_COLUMNS}
    if role in _OWN_ACCOUNTS and labels["label_account"] is None:
        labels["label_account"] = _few(world, random, "label_account")
    return Actor(subject=subject, role=role, classes=read_roles()[role], labels=labels)


def _some(world: World, random: Random, column: str) -> frozenset[int] | None:
    return _few(world, random, column) if random.random() < (0.6 if column == "label_region" else 0.25) else None


def _few(world: World, random: Random, column: str) -> frozenset[int]:
    ids = sorted(world.rows[_ENTITIES[column]])
    most = 40 if column == "label_account" else 2
    return frozenset(random.sample(ids, random.randint(1, min(most, len(ids)))))
