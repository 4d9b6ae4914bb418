"""plans: for random queries over the semantic model, the compiled SQL in an actor's scope gives what a slow evaluation
of every row that the actor may see gives; and one that touches a class which the actor's role lacks is refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import psycopg

from copilot.domain.query import Query
from copilot.retrieval.figures import FigureRow, find_figures, find_ids, read_setting
from copilot.wiring import Runtime
from evals.company import NOW, open_company, running
from evals.proofs.oracle import Actor
from evals.proofs.plans.draw import Drawing
from evals.proofs.plans.evaluate import Evaluator, Told, apart
from evals.proofs.plans.touching import allowed
from evals.proofs.planting import add_people
from evals.proofs.probes import given_scope
from evals.proofs.scope_interleaved.crowd import several_grants
from evals.proofs.stage import Stage, set_stage
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial

_PLANS, _SAMPLE_PLANS = 21_000, 300
_MOST = 3
_SEVERAL = 6
"""People with several grants beside those of the stage."""
_STATEMENT_MS = 60_000
"""What is proved is that figures are right, on however busy a machine."""


@dataclass
class PlanTrial:
    """The opened suite: everybody who asks, and what each of them may see."""

    stage: Stage
    runtime: Runtime
    setting: Setting
    cases: Sequence[str]
    evaluators: Mapping[str, Evaluator]

    async def run(self, case: str) -> Result:
        """Draw one query for one actor, and ask it both ways."""
        subject, _, _ = case.partition(" ")
        evaluator = self.evaluators[subject]
        actor = evaluator.actor
        query = Drawing(Random(f"{self.setting.seed} {case}"), evaluator).query()
        found = await self._found(actor, query)
        if not allowed(query, actor):
            failures = [] if found is None else [f"{query} was not refused"]
            return Result(case=case, failures=tuple(failures), counts={"refused": 1})
        if found is None:
            return Result(case=case, failures=(f"{query} was refused",))
        reading = evaluator.reading(query)
        failures = list(_differences(reading.figures(query) if query.figures else reading.ids(query), found))
        counts = {
            "lists": int(not query.figures), "with_rows": int(bool(found)), "rows": len(found),
            "several_grants": int(bool(actor.further)), "reaching_apart": int(apart(query, evaluator)),
        }  # fmt: skip
        return Result(case=case, failures=tuple(f"{query}: {each}" for each in failures[:_MOST]), counts=counts)

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """The goal needs queries that find something, some that are refused, and some whose classes reach differently
        far."""
        least = len(self.cases) // 4
        drawn = all(counts.get(name, 0) for name in ("refused", "several_grants", "reaching_apart"))
        return Finding(met=counts.get("with_rows", 0) >= least and drawn, more={})

    async def _found(self, actor: Actor, query: Query) -> Sequence[int] | Sequence[FigureRow] | None:
        scope = await given_scope(self.runtime, actor)
        async with self.runtime.database.scoped_transaction(scope) as connection:
            setting = await read_setting(connection, scope, self.runtime.clock())
            find = find_figures if query.figures else find_ids
            return await find(connection, self.stage.world.model, query, setting)


def _differences(must: Sequence[int] | Sequence[Told], found: Sequence[int] | Sequence[FigureRow]) -> Iterator[str]:
    if len(must) != len(found):
        yield f"{len(found)} rows, not {len(must)}"
    for number, (row, got) in enumerate(zip(must, found, strict=False)):
        told = got if isinstance(got, int) else Told(
            groups=got.groups, units=got.units, records=got.records, figures=dict(got.figures))  # fmt: skip
        if told != row:
            yield f"row {number} is {told}, not {row}"


@asynccontextmanager
async def open_trial(stage: Stage, setting: Setting, plans: int) -> AsyncGenerator[PlanTrial]:
    """The suite over a copy of a stage's company."""
    company = stage.company
    several = several_grants(stage.world, setting.seed, _SEVERAL)
    actors = [actor for actor in (*stage.actors.values(), *several) if actor.all_classes]
    cases = [f"{actors[n % len(actors)].subject} plan {n}" for n in range(plans)]
    with company.clone(stage.database) as name:
        with psycopg.connect(company.dsn(name)) as admin:
            add_people(admin, several)
        async with running(company, name, company.home / f"plans-{name}", statement_ms=_STATEMENT_MS) as runtime:
            evaluators = {a.subject: Evaluator(world=stage.world, actor=a, now=NOW) for a in actors}
            yield PlanTrial(stage=stage, runtime=runtime, setting=setting, cases=cases, evaluators=evaluators)


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_company() as company:
        with set_stage(company) as stage:
            async with open_trial(stage, setting, _SAMPLE_PLANS if setting.sample else _PLANS) as trial:
                yield trial


PLANS = Suite(
    name="plans",
    goal="SQL compiled from random queries gives, in the scope of whoever asks, what a slow evaluation of every row "
    "that they may see gives; what touches a class they lack is refused",
    open=_open,
)
