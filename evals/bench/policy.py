"""What a policy costs a question as it grows from one role and one document to a thousand, and how soon a rollback
holds."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
import yaml

from copilot.domain.answer import Verdict
from copilot.wiring import Runtime
from evals.bench.figure import Figure, middle, stopwatch
from evals.bench.lookup import looked_up
from evals.bench.program import program
from evals.company import Company, ask, open_company, running
from evals.signing import Pair, shipped

_EXPONENT, _IN_FORCE_SECONDS = 0.1, 1.0
_FEW, _MANY = 1, 1_000
_WARM_UP, _ROUNDS = 5, 200
_BACK = 10
_WHO = "rep.us"
_TIGHT = """
policy: 1
version: us-1
layer: region
region: US
access:
  us_customer_service: {role: customer_service, without: [invoice, invoice_amount]}
"""
_LOOK_UP: LiteralString = "select number, status, promised_date from biz.sales_order where number = %(number)s"
_ADD_SITES: LiteralString = """
    with numbered as (select n, nextval(pg_get_serial_sequence('biz.site', 'id')) as id
                        from generate_series(0, %s - 1) n)
    insert into biz.site (id, source_id, source_key, confirmed_at, valid_from, batch_id, label_region, label_site,
                          label_channel, label_account, record_class, code, name, region_id, kind)
    select numbered.id, source_id, 'bench-' || n, confirmed_at, valid_from, batch_id, label_region, numbered.id,
           label_channel, label_account, record_class, 'B' || n, 'Site ' || n, region_id, kind
      from numbered, (select s.* from biz.site s join biz.region r on r.id = s.region_id
                       where r.code = 'US' limit 1) as like_it
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """Something that a policy may have many of, how one with so many is made, and whether it needs as many sites."""

    name: str
    documents: Callable[[int], dict[str, str]]
    places: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A copilot under a policy of some size, an order to look up, and the seconds that took."""

    size: int
    runtime: Runtime
    number: str
    times: list[float] = field(default_factory=list[float])
    asked: list[float] = field(default_factory=list[float])


async def measure_policy(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """Rollbacks from the command to the next question under it; then each way to grow."""
    async with open_company() as company:
        async for figure in _rollbacks(company, say):
            yield figure
        for growth in _GROWTHS:
            async for figure in _grown(company, growth, say):
                yield figure


async def _rollbacks(company: Company, say: Callable[[str], None]) -> AsyncIterator[Figure]:
    async with _signed(company, "rollbacks") as (pair, name):
        say(f"{_BACK} rollbacks, by the functions and by the command")
        versions = await pair.approve(shipped(us=_TIGHT)), await pair.approve(shipped())
        within: list[float] = []
        command: list[float] = []
        for number in range(_BACK):
            before, after = versions[(number + 1) % 2], versions[number % 2]
            with stopwatch() as watch:
                await pair.roll_back(after)
                policy = await pair.runtime.policy()
            if policy.version != f"v{after}":
                raise RuntimeError(f"version {after} is not in force")
            within.append(watch.seconds)
            with stopwatch() as watch:
                await _command(company.dsn(name), pair, before)
                policy = await pair.runtime.policy()
            if policy.version != f"v{before}":
                raise RuntimeError(f"version {before} is not in force")
            command.append(watch.seconds)
            await pair.roll_back(after)
    yield Figure(
        name="policy: rollback, from the signature to the next question under it", value=max(within) * 1000, unit="ms",
        goal=_IN_FORCE_SECONDS * 1000,
    )  # fmt: skip
    yield Figure(
        name="policy: rollback by the command, its own start included, the slowest", value=max(command), unit="s",
        goal=_IN_FORCE_SECONDS,
    )  # fmt: skip


async def _command(dsn: str, pair: Pair, number: int) -> None:
    settings = {"COPILOT_DATABASE_URL": dsn, "COPILOT_KEY_PASSPHRASE": pair.passphrase}
    arguments = "policy", "rollback", "--to", str(number), "--as", pair.approver, "--why", "back", "--key"
    async with program(pair.runtime.settings.home, *arguments, str(pair.key(pair.approver)), **settings) as process:
        if await process.wait() != 0:
            raise RuntimeError(f"`erp-copilot policy rollback` ended with {process.returncode}")


async def _grown(company: Company, growth: Growth, say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """A look-up of an order and a whole question under few and under many, in turns."""
    async with AsyncExitStack() as stack:
        sizes = [await stack.enter_async_context(_of_size(company, growth, size, say)) for size in (_FEW, _MANY)]
        for grown, first in sizes:
            yield Figure(
                name=f"policy: first look-up after a change, {grown.size:,} {growth.name}",
                value=first * 1000,
                unit="ms",
            )
        for number in range(_WARM_UP + _ROUNDS):
            for grown, _ in sizes:
                seconds, asked = await _looked_up(grown), await _asked(grown)
                if number >= _WARM_UP:
                    grown.times.append(seconds)
                    grown.asked.append(asked)
    (small, _), (large, _) = sizes
    for what, few, many in (
        ("look-up", middle(small.times), middle(large.times)),
        ("question", middle(small.asked), middle(large.asked)),
    ):
        yield Figure(
            name=f"policy: {what} under {_MANY:,} {growth.name}", value=many * 1000, unit="ms", peer=few * 1000
        )
        yield Figure(
            name=f"policy: {what}, growth from {_FEW} to {_MANY:,} {growth.name}",
            value=math.log(many / few) / math.log(_MANY / _FEW), unit="exponent", goal=_EXPONENT,
        )  # fmt: skip


@asynccontextmanager
async def _of_size(
    company: Company, growth: Growth, size: int, say: Callable[[str], None]
) -> AsyncGenerator[tuple[Grown, float]]:
    """The copilot with the policy in force, and the seconds of the first look-up under it."""
    async with _signed(company, f"{growth.name}_{size}".replace(" ", "_")) as (pair, name):
        with psycopg.connect(company.dsn(name), autocommit=True) as admin:
            number = _prepared(admin, size if growth.places else 0)
        with stopwatch() as watch:
            await pair.approve(growth.documents(size))
        say(f"{size:,} {growth.name}: checked, signed and approved in {watch.seconds:.1f} s")
        grown = Grown(size=size, runtime=pair.runtime, number=number)
        yield grown, await _looked_up(grown)


@asynccontextmanager
async def _signed(company: Company, place: str) -> AsyncGenerator[tuple[Pair, str]]:
    """Two people with keys over a copilot and a database of their own."""
    with company.clone() as name:
        async with running(company, name, company.home / place) as runtime:
            pair = Pair(runtime=runtime, keys=company.home / f"{place}_keys")
            pair.make_keys()
            yield pair, name


def _prepared(admin: psycopg.Connection[Any], places: int) -> str:
    """Add sites that hold nothing, in the region of who asks; the number of an order of theirs."""
    admin.execute(_ADD_SITES, (places,))
    row = admin.execute("select min(o.number) from biz.sales_order o join biz.region r on r.id = o.label_region"
                        " where r.code = 'US' and o.status = 'partly_shipped'").fetchone()  # fmt: skip
    admin.execute("analyze")
    if row is None or row[0] is None:
        raise RuntimeError("the demo company has no order that is partly shipped in the US")
    return str(row[0])


async def _looked_up(grown: Grown) -> float:
    seconds, found = await looked_up(grown.runtime, _WHO, _LOOK_UP, {"number": grown.number})
    if len(found) != 1:
        raise RuntimeError(f"{_WHO} does not find {grown.number} under {grown.size} of it")
    return seconds


async def _asked(grown: Grown) -> float:
    with stopwatch() as watch:
        answer = await ask(grown.runtime, _WHO, f"where is {grown.number}?")
    if answer.verdict is Verdict.DECLINED:
        raise RuntimeError(f"{_WHO} got no answer: {answer.answer}")
    return watch.seconds


def _roles(count: int) -> dict[str, str]:
    """The shipped document with so many roles beside its own, no two of which read the same."""
    document: dict[str, Any] = yaml.safe_load(shipped()["enterprise.yaml"])
    classes = document["access"]["customer_service_reads"]["classes"]
    for number in range(count):
        some = [name for place, name in enumerate(classes) if number >> place % 10 & 1] or classes[:1]
        document["access"][f"role_{number}_reads"] = {"role": f"role_{number}", "classes": some}
    document["accounts"]["more_accounts"] = {"roles": [f"role_{n}" for n in range(count)], "accounts": "any"}
    return {"enterprise.yaml": yaml.safe_dump(document, sort_keys=False)}


def _sites(count: int) -> dict[str, str]:
    """The shipped document, and one for each of so many sites that reads less in one of many ways and ages sooner."""
    classes = ("returns", "case", "free_text", "supplier_contact", "supplier_rate", "contract")
    documents: dict[str, str] = {}
    for number in range(count):
        without = [name for place, name in enumerate(classes) if number >> place & 1] or [classes[0]]
        documents[f"site_{number}"] = yaml.safe_dump({
            "policy": 1, "version": f"site-{number}", "layer": "site", "site": f"B{number}",
            "access": {f"b{number}_reads": {"role": "customer_service", "without": without}},
            "fresh_for": {f"b{number}_fresh": {"classes": ["stock"], "hours": 1 + number % 3}},
        }, sort_keys=False)  # fmt: skip
    return shipped(**documents)


_GROWTHS = (
    Growth(name="roles", documents=_roles, places=False),
    Growth(name="documents of sites", documents=_sites, places=True),
)
