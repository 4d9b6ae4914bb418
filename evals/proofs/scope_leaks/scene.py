"""One person's stage: the company as it is, and a twin of it in which nothing exists that they may not see."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg

from copilot.domain.evidence import Evidence
from copilot.domain.plan import Plan
from copilot.domain.question import SessionSubject
from copilot.domain.scope import Scope
from copilot.policy.policy import scope_for
from copilot.semantic.language import speaking
from copilot.wiring import Runtime
from evals.company import Company, running
from evals.proofs.leaks import Watch
from evals.proofs.oracle import Actor
from evals.proofs.phrases import Phrases
from evals.proofs.planting import forget_hidden
from evals.proofs.scope_leaks.sight import Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A person, what they may see by the oracle, the scope that the product gives them, and both companies."""

    actor: Actor
    sight: Sight
    scope: Scope
    real: Runtime
    twin: Runtime
    watch: Watch

    async def retrieved(self, plan: Plan, *, twin: bool = False) -> Evidence:
        """The evidence of a plan in one of the companies."""
        runtime = self.twin if twin else self.real
        with speaking(runtime.language):
            return await (await runtime.line()).retrieve(plan, self.scope, runtime.clock())

    def leaks(self, evidence: Evidence) -> Iterator[str]:
        """Records of the evidence that are hidden, or hold another value than the owner's row."""
        world = self.sight.world
        for name, records in evidence.steps.items():
            for record in records:
                if record.kind != "record":
                    continue
                row = world.rows[record.entity].get(record.row_id)
                if row is None or not self.sight.sees(row):
                    yield f"{name} holds {record.entity} {record.row_id}, which is hidden or never was"
                elif record.ended is None and record.began is None:
                    fields = world.model[record.entity].fields
                    wrong = [n for n, value in record.values.items() if value.raw != row[fields[n].column]]
                    if wrong:
                        yield f"{name} holds {record.entity} {record.row_id} with other values of {wrong}"


def unlike(real: Evidence, twin: Evidence) -> str | None:
    """Where what was retrieved differs from what is retrieved where nothing is hidden."""
    for what in ("truncated", "refused", "unkept"):
        if getattr(real, what) != getattr(twin, what):
            return f"{what} is {sorted(getattr(real, what))}, without hidden rows {sorted(getattr(twin, what))}"
    for name in real.steps.keys() | twin.steps.keys():
        if real.get(name) != twin.get(name):
            one = next((pair for pair in zip(real.get(name), twin.get(name), strict=False) if pair[0] != pair[1]), None)
            there = one or (len(real.get(name)), len(twin.get(name)))
            return f"step {name} is {there[0]!r:.300}, without hidden rows {there[1]!r:.300}"
    return None


async def scope_of(runtime: Runtime, actor: Actor) -> Scope:
    """The scope that the product itself gives a person."""
    principal = await runtime.asking.authenticate(SessionSubject(actor.subject))
    return scope_for(principal, await runtime.policy())


@asynccontextmanager
async def opened(company: Company, template: str, real: Runtime, sight: Sight) -> AsyncGenerator[Scene]:
    """The stage of one person; the twin is made from the template and dropped at the end."""
    with company.clone(template) as name:
        with psycopg.connect(company.dsn(name)) as admin:
            forget_hidden(admin, sight.world, sight.actor)
        async with running(company, name, company.home / f"twin-{name}") as twin:
            yield Scene(
                actor=sight.actor, sight=sight, scope=await scope_of(real, sight.actor), real=real, twin=twin,
                watch=Watch(sight.world, sight.actor, Phrases(sight.world, sight.actor)),
            )  # fmt: skip
