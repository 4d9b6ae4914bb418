"""The models for each task: asked in their order, within time and budget, each only where the policy lets it."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from copilot.domain.allowance import Allowance, Spending
from copilot.domain.clock import Clock
from copilot.domain.model_calls import Attempt, Came, ModelState
from copilot.errors import BudgetError, DatabaseError, MaskingError, ModelError, ResidencyError
from copilot.models.breaker import Breaker
from copilot.models.configured import Budget, Configured, Served, Task, Tasked
from copilot.models.measured import measure
from copilot.models.saying import Request, Said, Speaker

_CHARACTERS = 3
"""A token holds at least so many characters in the languages that we speak, so an estimate by them is high."""
_NO_TIME = 0.05
T = TypeVar("T")
Made = Callable[[str, Served], Awaitable[Request | None]]
"""Gives the request as one model may see it, by its name and where it is served; None where it may see none."""


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

    async def used(self, allowance: Allowance) -> tuple[int, int]:
        """Tokens and millionths of the currency that are used of one today, or set aside. Raises DatabaseError."""
        ...


@dataclass(slots=True)
class Line:
    """One model as it is asked: where it is served, what speaks for it, its breaker, and the most that the last request
    could take, in tokens and millionths of the currency."""

    served: Served
    speaker: Speaker
    breaker: Breaker
    most: tuple[int, int] = (1, 0)


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

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that there are models for."""
        return tuple(self._configured.tasks)

    def served(self, name: str) -> Served:
        """Where a model is served, and how it is asked."""
        return self._lines[name].served

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

    async def states(self) -> tuple[ModelState, ...]:
        """How each model is."""
        return tuple([await self._state(name, line) for name, line in self._lines.items()])

    def only(self, name: str) -> Models:
        """These with one model alone for each task that is its, and the same breakers and budgets."""
        tasks = {
            task: tasked.model_copy(update={"models": (name,)})
            for task, tasked in self._configured.tasks.items()
            if name in tasked.models
        }
        found = copy.copy(self)
        found._configured = self._configured.model_copy(update={"tasks": tasks})  # noqa: SLF001 -- one of ours
        return found

    async def say(self, task: Task, made: Made, read: Callable[[Said], T], asker: Asker) -> Heard[T]:
        """What a model says for a task, as `read` understands it: that raises ModelError for what can't be used, and
        then the next model is asked.

        Never raises for anything that a model does: without any answer the rules go on.
        """
        tasked = self._configured.tasks.get(task)
        if tasked is None:
            return Heard(said=None)
        allowances = _allowances(self._configured.budgets, asker)
        heard = await _Turn(self._lines, self._purse, asker, allowances, tasked, made, read).go()
        for each in heard.attempts:
            measure(task, each, self._lines[each.model].breaker.state)
        return heard

    async def aclose(self) -> None:
        """Close all connections."""
        for line in self._lines.values():
            await line.speaker.aclose()

    async def _state(self, name: str, line: Line) -> ModelState:
        breaker = line.breaker
        tasks = tuple(task for task, tasked in self._configured.tasks.items() if name in tasked.models)
        return ModelState(
            name=name, tasks=tasks, breaker=breaker.state, since=breaker.since, last_failure=breaker.last_failure,
            over_budget=await self._is_spent(line),
        )  # fmt: skip

    async def _is_spent(self, line: Line) -> bool:
        """Whether what the company may use today has less left than a request takes: that of a person or a role says
        nothing about the model."""
        company = [_allowance(budget, "") for budget in self._configured.budgets if budget.per == "company"]
        for each in company:
            try:
                tokens, micros = await self._purse.used(each)
            except DatabaseError:
                return False  # which is told as such
            if not each.covers(tokens + line.most[0], micros + line.most[1]):
                return True
        return False


def _allowances(budgets: Sequence[Budget], asker: Asker) -> tuple[Allowance, ...]:
    """The budgets that a person's questions count to."""
    names = {"person": asker.subject, "company": ""}
    return tuple(
        _allowance(each, names.get(each.per, each.role))
        for each in budgets
        if each.per != "role" or each.role in asker.roles
    )


def _allowance(budget: Budget, name: str) -> Allowance:
    return Allowance(per=budget.per, name=name, tokens=budget.tokens, micros=budget.micros)


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
            reply = await self._ask(name, self.lines[name], until - began)
            spent = int((time.monotonic() - began) * 1000)
            told = Attempt(model=name, came=reply.came, elapsed_ms=spent, tokens=reply.tokens or (0, 0), why=reply.why)
            self.attempts.append(told)
            if reply.said is not None:
                return Heard(said=reply.said, model=name, attempts=tuple(self.attempts))
        return Heard(said=None, attempts=tuple(self.attempts))

    async def _ask(self, name: str, line: Line, seconds: float) -> _Reply[T]:
        """What became of asking one model. The policy is asked before anything is made for it."""
        try:
            self.asker.allows(line.served)
            if not line.breaker.admits():
                return _Reply("resting")
            request = await self.made(name, line.served)
        except ResidencyError as error:
            return _Reply("not_allowed", why=str(error))
        except MaskingError as error:
            return _Reply("may_not_leave", why=str(error))
        if request is None:
            return _Reply("not_allowed")
        return await self._paid(line, request, seconds) if seconds > _NO_TIME else _Reply("slow")

    async def _paid(self, line: Line, request: Request, seconds: float) -> _Reply[T]:
        """Asks within the budgets: the most that it may take is set aside before."""
        most = line.most = _most(line.served, request)
        if not self.allowances:
            return await self._heard(line, request, seconds)
        try:
            spending = await self.purse.take(self.allowances, *most)
        except BudgetError as error:
            return _Reply("over_budget", why=str(error))
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
            line.breaker.failed("slow")
            return _Reply("slow")
        except ModelError as error:
            line.breaker.failed("failed")
            return _Reply("failed", tokens=tokens, why=str(error))
        except MaskingError as error:
            return _Reply("may_not_leave", why=str(error))
        line.breaker.went_well()
        return _Reply("said", read, tokens)


@dataclass(frozen=True, slots=True)
class _Reply(Generic[T]):
    """What became of asking one model."""

    came: Came
    said: T | None = None
    tokens: tuple[int, int] | None = None
    why: str = ""


def _most(served: Served, request: Request) -> tuple[int, int]:
    """Tokens and millionths of the currency that a request takes at the most."""
    sent = request.size // _CHARACTERS + 1
    return sent + request.most_tokens, _micros(served, sent, request.most_tokens)


def _used(served: Served, tokens: tuple[int, int] | None, most: tuple[int, int]) -> tuple[int, int]:
    """What it took: as the model counted, else the most, for nobody knows."""
    return (sum(tokens), _micros(served, *tokens)) if tokens else most


def _micros(served: Served, tokens_in: int, tokens_out: int) -> int:
    return served.prices.micros(tokens_in, tokens_out) if served.prices else 0
