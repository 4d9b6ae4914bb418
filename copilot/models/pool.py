"""The models for each task: asked in their order, within time and budget, each only where the policy lets it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from copilot.domain.allowance import Allowance, Spending
from copilot.domain.clock import Clock
from copilot.errors import BudgetError, MaskingError, ModelError, ResidencyError
from copilot.models.breaker import Breaker
from copilot.models.configured import Budget, Configured, Served, Task, Tasked
from copilot.models.saying import Request, Said, Speaker

Came = Literal["said", "resting", "not_allowed", "over_budget", "may_not_leave", "failed", "slow"]
_CHARACTERS = 3
"""A token holds at least so many characters in the languages that we speak, so an estimate by them is high."""
_NO_TIME = 0.05
T = TypeVar("T")
Made = Callable[[Served], Awaitable[Request | None]]
"""Gives the request as one model may see it, None where it may see none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of asking one model, for the audit: how long it took in milliseconds, and the tokens in and out."""

    model: str
    came: Came
    elapsed_ms: int = 0
    tokens: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Generic[T]):
    """What was made of what the first model said that could be asked, None where none could; and what became of
    each."""

    said: T | None
    model: str = ""
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """For whom a model is asked: the person, their roles, and whether the policy lets what is sent go to a model, by a
    check that raises ResidencyError."""

    subject: str
    roles: tuple[str, ...]
    allows: Callable[[Served], None]


class Purse(Protocol):
    """Keeps what was used of the budgets."""

    async def take(self, allowances: Sequence[Allowance], tokens: int, micros: int) -> Spending:
        """Set so much of each aside. Raises BudgetError where one has less."""
        ...

    async def settle(self, spending: Spending, tokens: int, micros: int) -> None:
        """Say what was used of what was set aside."""
        ...


@dataclass(slots=True)
class Line:
    """One model as it is asked: where it is served, what speaks for it, and its breaker."""

    served: Served
    speaker: Speaker
    breaker: Breaker


class Models:
    """All models of one program."""

    def __init__(self, configured: Configured, speakers: Mapping[str, Speaker], purse: Purse, clock: Clock) -> None:
        """`speakers` has each model of the configuration by its name."""
        self._configured = configured
        self._purse = purse
        self._lines = {name: Line(served, speakers[name], Breaker(clock)) for name, served in configured.models.items()}

    def has(self, task: Task) -> bool:
        """Whether there is a model for a task."""
        return task in self._configured.tasks

    async def reach(self) -> AsyncGenerator[tuple[str, str | None]]:
        """Each model and None, or why it can't be asked. Nothing is said to it."""
        for name, line in self._lines.items():
            try:
                async with asyncio.timeout(line.served.seconds):
                    await line.speaker.reach()
            except TimeoutError:
                yield name, f"it gave no answer within {line.served.seconds:g} s"
            except ModelError as error:
                yield name, str(error)
            else:
                yield name, None

    def states(self) -> Mapping[str, str]:
        """Each model -> "ok", or since when it rests and after how many failures in a row."""
        return {name: _state(line.breaker) for name, line in self._lines.items()}

    async def say(self, task: Task, made: Made, read: Callable[[Said], T], asker: Asker) -> Heard[T]:
        """What a model says for a task, as `read` understands it: that raises ModelError for what can't be used, and
        then the next model is asked.

        Never raises for anything that a model does: without any answer the rules go on.
        """
        tasked = self._configured.tasks.get(task)
        if tasked is None:
            return Heard(said=None)
        allowances = _allowances(self._configured.budgets, asker)
        return await _Turn(self._lines, self._purse, asker, allowances, tasked, made, read).go()

    async def aclose(self) -> None:
        """Close all connections."""
        for line in self._lines.values():
            await line.speaker.aclose()


def _allowances(budgets: Sequence[Budget], asker: Asker) -> tuple[Allowance, ...]:
    """The budgets that a person's questions count to."""
    names = {"person": asker.subject, "company": ""}
    return tuple(
        Allowance(per=each.per, name=names.get(each.per, each.role), tokens=each.tokens, micros=each.micros)
        for each in budgets
        if each.per != "role" or each.role in asker.roles
    )


def _state(breaker: Breaker) -> str:
    if breaker.opened is None:
        return "ok"
    return f"rests since {breaker.opened:%H:%M:%S} UTC, after {breaker.failures} failures in a row"


@dataclass(slots=True)
class _Turn(Generic[T]):
    """One task of one question."""

    lines: Mapping[str, Line]
    purse: Purse
    asker: Asker
    allowances: tuple[Allowance, ...]
    tasked: Tasked
    made: Made
    read: Callable[[Said], T]
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    async def go(self) -> Heard[T]:
        until = time.monotonic() + self.tasked.within
        for name in self.tasked.models:
            began = time.monotonic()
            reply = await self._ask(self.lines[name], until - began)
            spent = int((time.monotonic() - began) * 1000)
            self.attempts.append(Attempt(model=name, came=reply.came, elapsed_ms=spent, tokens=reply.tokens or (0, 0)))
            if reply.said is not None:
                return Heard(said=reply.said, model=name, attempts=tuple(self.attempts))
        return Heard(said=None, attempts=tuple(self.attempts))

    async def _ask(self, line: Line, seconds: float) -> _Reply[T]:
        """What became of asking one model. The policy is asked before anything is made for it."""
        try:
            self.asker.allows(line.served)
            if not line.breaker.admits():
                return _Reply("resting")
            request = await self.made(line.served)
        except ResidencyError:
            return _Reply("not_allowed")
        except MaskingError:
            return _Reply("may_not_leave")
        if request is None:
            return _Reply("not_allowed")
        return await self._paid(line, request, seconds) if seconds > _NO_TIME else _Reply("slow")

    async def _paid(self, line: Line, request: Request, seconds: float) -> _Reply[T]:
        """Asks within the budgets: the most that it may take is set aside before."""
        most = _most(line.served, request)
        if not self.allowances:
            return await self._heard(line, request, seconds)
        try:
            spending = await self.purse.take(self.allowances, *most)
        except BudgetError:
            return _Reply("over_budget")
        used = most  # also where the question was given up: nobody knows
        try:
            reply = await self._heard(line, request, seconds)
            used = _used(line.served, reply.tokens, most)
            return reply
        finally:
            await self.purse.settle(spending, *used)

    async def _heard(self, line: Line, request: Request, seconds: float) -> _Reply[T]:
        """What is made of what the model says. A question that is given up says nothing about the model."""
        tokens = None
        try:
            async with asyncio.timeout(min(seconds, line.served.seconds)):
                said = await line.speaker.say(request)
            tokens = said.tokens
            read = self.read(said)
        except TimeoutError:
            line.breaker.failed()
            return _Reply("slow")
        except ModelError:
            line.breaker.failed()
            return _Reply("failed", tokens=tokens)
        except MaskingError:
            return _Reply("may_not_leave")
        line.breaker.went_well()
        return _Reply("said", read, tokens)


@dataclass(frozen=True, slots=True)
class _Reply(Generic[T]):
    """What became of asking one model."""

    came: Came
    said: T | None = None
    tokens: tuple[int, int] | None = None


def _most(served: Served, request: Request) -> tuple[int, int]:
    """Tokens and millionths of the currency that a request takes at the most."""
    sent = request.size // _CHARACTERS + 1
    return sent + request.most_tokens, _micros(served, sent, request.most_tokens)


def _used(served: Served, tokens: tuple[int, int] | None, most: tuple[int, int]) -> tuple[int, int]:
    """What it took: as the model counted, else the most, for nobody knows."""
    return (sum(tokens), _micros(served, *tokens)) if tokens else most


def _micros(served: Served, tokens_in: int, tokens_out: int) -> int:
    return served.prices.micros(tokens_in, tokens_out) if served.prices else 0
