"""approvals: whoever has not the approver's key runs no template that is unapproved, altered, revoked or has ended, and
what two people approved does run.

Each way is tried for sentences and for prompts of both tasks, after none, one and three changes of other templates. It
failed if the words of that template are said: by the program that was running, or by one that is started afterwards.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import psycopg

from copilot.wiring.prompt_changes import Wish
from evals.company import TEMPLATE, open_company, running
from evals.proofs.approvals import database, outside
from evals.proofs.approvals.permitted import PERMITTED
from evals.proofs.approvals.scene import IDS, UNTIL, Scene
from evals.proofs.suite import Finding, Result, Setting, Suite, Trial

WAYS = {**database.WAYS, **outside.WAYS}
_BEFORE = (0, 1, 3)
_SAMPLE = 24
"""Ways of a sample, each about a second: what is permitted is tried before them, whole."""
_OTHERS = ("claims/items", "claims/units", "claims/returns")
_AN_ORDER = "select min(o.number) from biz.sales_order o join biz.region r on r.id = o.label_region where r.code = 'US'"


@dataclass
class ApprovalsTrial:
    """The opened suite."""

    scene: Scene
    cases: Sequence[str]

    async def run(self, case: str) -> Result:
        """Try one way, or do what must work."""
        kind, name, ident, before = case.split(": ")
        self.scene.reset()
        for other in _OTHERS[: int(before)]:
            await self.scene.changed(Wish(kind="approve", id=other, version=1, until=UNTIL))
        if kind == "permitted":
            await PERMITTED[name](self.scene, ident)
            ran = await self.scene.runs(ident)
            failures = () if ran else ("what two people approved does not run",)
            return Result(case=case, failures=failures, counts={"permitted": 1, "permitted_ran": int(ran)})
        return await self._way(case, name, ident)

    def finding(self, counts: Mapping[str, int]) -> Finding:
        """Something must have been tried of each kind, and all that is permitted must run."""
        permitted, ran, ways = (counts.get(name, 0) for name in ("permitted", "permitted_ran", "ways"))
        share = 100 * ran // permitted if permitted else 0
        met = ways > 0 and permitted > 0 and ran == permitted and counts.get("answered", 0) == ways
        return Finding(met=met, more={"ways": ways, "permitted": permitted, "permitted_ran_percent": share})

    async def _way(self, case: str, name: str, ident: str) -> Result:
        failures: list[str] = []
        try:
            await WAYS[name](self.scene, ident)
        except outside.WayFoundError as error:
            failures.append(str(error))
        if await self.scene.runs(ident):
            failures.append("a template runs that nobody may run")
        answered = await self.scene.answers()
        return Result(case=case, failures=tuple(failures), counts={"ways": 1, "answered": int(answered)})


def _cases(setting: Setting) -> list[str]:
    ways, permitted = [("way", name) for name in WAYS], [("permitted", name) for name in PERMITTED]
    kinds = permitted + ways
    if setting.sample:
        random = Random(setting.seed)
        kinds = permitted + random.sample(ways, _SAMPLE)
        return [f"{kind}: {name}: {random.choice(IDS)}: {random.choice(_BEFORE[:2])}" for kind, name in kinds]
    return [f"{kind}: {name}: {ident}: {before}" for kind, name in kinds for ident in IDS for before in _BEFORE]


@asynccontextmanager
async def _open(setting: Setting) -> AsyncGenerator[Trial]:
    async with open_company() as company:
        with company.clone(TEMPLATE) as name:
            dsn, home = company.dsn(name), company.home.parent / f"{company.home.name}-approvals"
            with psycopg.connect(dsn) as admin:
                row = admin.execute(_AN_ORDER).fetchone()
            async with running(company, name, home) as runtime:
                yield ApprovalsTrial(Scene(runtime, dsn, home, str(row and row[0])), _cases(setting))


APPROVALS = Suite(
    name="approvals",
    goal="0 ways to run an unapproved, altered or expired template without the approver's key",
    open=_open,
)
"""The suite."""
