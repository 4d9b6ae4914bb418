"""Where scope-by-actor plays: a copy of the company, the oracle's reading of it, and everybody who asks."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from copilot.semantic.model import load_model
from evals.company import Company
from evals.proofs.oracle import Actor, World, demo_actors, narrow_actors, read_world
from evals.proofs.planting import add_people, forget_hidden, plant


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A database to clone from, what the owner sees in it, and everybody who asks, by subject."""

    company: Company
    database: str
    world: World
    actors: Mapping[str, Actor]

    @contextmanager
    def twin(self, actor: Actor) -> Generator[str]:
        """A database in which nothing exists that the actor may not see."""
        with self.company.clone(self.database) as name:
            with psycopg.connect(self.company.dsn(name)) as admin:
                forget_hidden(admin, self.world, actor)
            yield name


@contextmanager
def set_stage(company: Company) -> Generator[Stage]:
    """Make the stage in a copy of the company."""
    with company.clone() as database:
        with psycopg.connect(company.dsn(database)) as admin:
            plant(admin, load_model().entities)
            world = read_world(admin, load_model())
            add_people(admin, narrow_actors(world))
        actors = {actor.subject: actor for actor in (*demo_actors(world), *narrow_actors(world))}
        yield Stage(company=company, database=database, world=world, actors=actors)
