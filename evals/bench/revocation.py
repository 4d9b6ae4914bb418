"""How long after a revocation is committed the next question on an open chat has been refused: over the page's own
socket, from the commit to the moment the chat is at rest again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg

from evals.bench.figure import Figure, middle, stopwatch
from evals.chat import Chat, served
from evals.company import open_company, running

_WHO = "rep.us"
_WARM_UP, _ROUNDS = 3, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A revocation, how it is undone, and words that the refusal holds."""

    name: str
    away: LiteralString
    back: LiteralString
    refusal: str
    answered: list[float] = field(default_factory=list[float])
    refused: list[float] = field(default_factory=list[float])


async def measure_revocation(say: Callable[[str], None]) -> AsyncIterator[Figure]:
    """The median of each way to take something away; its peer is the same question answered just before."""
    async with open_company() as company:
        with company.clone() as name, psycopg.connect(company.dsn(name), autocommit=True) as admin:
            async with (
                running(company, name, company.home / "revocation") as runtime,
                served(runtime) as front,
                front.chat(_WHO) as chat,
            ):
                ways = _ways()
                say(f"{len(ways)} ways, {_ROUNDS} rounds")
                for number in range(_WARM_UP + _ROUNDS):
                    for way in ways:
                        await _round(admin, chat, way, counts=number >= _WARM_UP)
    for way in ways:
        yield Figure(
            name=f"revocation: next question refused after, {way.name}",
            value=middle(way.refused) * 1000, unit="ms", peer=middle(way.answered) * 1000,
        )  # fmt: skip
    worst = max(seconds for way in ways for seconds in way.refused)
    yield Figure(name="revocation: next question refused after, the slowest", value=worst * 1000, unit="ms")


def _ways() -> tuple[Taken, ...]:
    granted: LiteralString = "update directory.grant set valid_to = {} where subject = 'rep.us'"
    role: LiteralString = "update directory.grant set role = {} where subject = 'rep.us'"
    disabled: LiteralString = "update directory.person set disabled = {} where subject = 'rep.us'"
    return (
        Taken(
            name="a grant taken away", away=granted.replace("{}", "'2026-11-01'"), back=granted.replace("{}", "null"),
            refusal="reads no business records",
        ),
        Taken(
            name="a role changed", away=role.replace("{}", "'auditor'"), back=role.replace("{}", "'customer_service'"),
            refusal="reads no business records",
        ),
        Taken(
            name="a person disabled", away=disabled.replace("{}", "true"), back=disabled.replace("{}", "false"),
            refusal="Sign in again",
        ),
    )  # fmt: skip


async def _round(admin: psycopg.Connection[Any], chat: Chat, way: Taken, *, counts: bool) -> None:
    """Raises RuntimeError where a question is not answered, or is after it should have been refused."""
    question = "how many open orders are there"
    with stopwatch() as answered:
        said = await chat.ask(question)
    if way.refusal in said.text or said.failed:
        raise RuntimeError(f"{_WHO} was not answered: {said.text}")
    admin.execute(way.away)
    with stopwatch() as refused:
        said = await chat.ask(question)
    admin.execute(way.back)
    if way.refusal not in said.text:
        raise RuntimeError(f"{_WHO} was answered after {way.name}: {said.text}")
    if counts:
        way.answered.append(answered.seconds)
        way.refused.append(refused.seconds)
