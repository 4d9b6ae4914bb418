"""How soon a sentence that was rolled back is said again, from the approver's signature to the next answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import LiteralString

import psycopg

from copilot.domain.prompts import SuiteResult
from copilot.wiring import Runtime
from copilot.wiring.prompt_changes import Wish, bring_into_force, draft_change, draft_text, submit
from evals.bench.figure import Figure, stopwatch
from evals.bench.program import program
from evals.company import NOW, Company, ask, open_company, running
from evals.signing import Pair

_CLAIMS = "claims/orders"
_SAID, _OTHERWISE = b'"Order **{order.number}** of', b'"The order **{order.number}** of'
_WITHIN_SECONDS = 1.0
_BACK = 10
_SUITE = SuiteResult(cases=1, failed=0, digest="0" * 64)
"""What the suite finds is of no matter here: what is measured is the way back."""
_ORDER: LiteralString = """
    select min(o.number) from biz.sales_order o join biz.region r on r.id = o.label_region where r.code = 'US'"""


async def measure_prompts(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """Rollbacks between two approved wordings, by the functions and by the command."""
    async with open_company() as company:
        with company.clone() as name, psycopg.connect(company.dsn(name)) as admin:
            row = admin.execute(_ORDER).fetchone()
            async with running(company, name, company.home / "prompts") as runtime:
                pair = Pair(runtime=runtime, keys=company.home / "prompt_keys")
                pair.make_keys()
                say(f"{_BACK} rollbacks, by the functions and by the command")
                async for figure in _rollbacks(company, name, pair, f"where is {row and row[0]}"):
                    yield figure


async def _rollbacks(company: Company, name: str, pair: Pair, question: str) -> AsyncIterator[Figure]:
    runtime = pair.runtime
    await _approve_other_words(pair)
    await _said(runtime, question, 2)  # the first question of a program reads the language, and more
    versions = [1 + number % 2 for number in range(_BACK)]

    async def measured(roll_back: Callable[[int], Awaitable[None]]) -> list[float]:
        taken: list[float] = []
        for version in versions:
            with stopwatch() as watch:
                await roll_back(version)
                await _said(runtime, question, version)
            taken.append(watch.seconds)
        return taken

    within = await measured(lambda version: _roll_back(pair, version))
    command = await measured(lambda version: _command(company.dsn(name), pair, version))
    yield Figure(
        name="templates: rollback, from the signature to the end of the next answer, the slowest",
        value=max(within) * 1000, unit="ms", goal=_WITHIN_SECONDS * 1000,
    )  # fmt: skip
    yield Figure(
        name="templates: rollback by the command, its own start and the next answer included, the slowest",
        value=max(command), unit="s", goal=_WITHIN_SECONDS,
    )  # fmt: skip


async def _approve_other_words(pair: Pair) -> None:
    runtime = pair.runtime
    text = runtime.prompts.shipped[_CLAIMS][0].text.replace(_SAID, _OTHERWISE)
    draft = await draft_text(runtime, _CLAIMS, text, pair.author, "other words")
    await submit(runtime, replace(draft, signature=pair.signed(draft, pair.author)))
    until = (NOW + timedelta(days=90)).date().isoformat()
    change = await draft_change(
        runtime, Wish(kind="approve", id=_CLAIMS, version=draft.version, until=until), pair.approver, "seen", _SUITE
    )
    await bring_into_force(runtime, replace(change, signature=pair.signed(change, pair.approver)))


async def _roll_back(pair: Pair, version: int) -> None:
    wish = Wish(kind="rollback", id=_CLAIMS, version=version)
    change = await draft_change(pair.runtime, wish, pair.approver, "back", None)
    await bring_into_force(pair.runtime, replace(change, signature=pair.signed(change, pair.approver)))


async def _said(runtime: Runtime, question: str, version: int) -> None:
    answer = await ask(runtime, "rep.us", question)
    if answer.answer.startswith("The order") is not (version != 1):
        raise RuntimeError(f"version {version} of {_CLAIMS} is not what is said: {answer.answer:.80}")


async def _command(dsn: str, pair: Pair, version: int) -> None:
    settings = {"COPILOT_DATABASE_URL": dsn, "COPILOT_KEY_PASSPHRASE": pair.passphrase}
    back = "prompts", "rollback", _CLAIMS, "--to", str(version)
    arguments = *back, "--as", pair.approver, "--why", "back", "--key"
    async with program(pair.runtime.settings.home, *arguments, str(pair.key(pair.approver)), **settings) as process:
        if await process.wait() != 0:
            raise RuntimeError(f"`erp-copilot prompts rollback` ended with {process.returncode}")
