"""Asks the models for a task, for one person: by their approved prompt, masked, and only where the policy lets it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from copilot.domain.json import Json
from copilot.domain.principal import Principal
from copilot.domain.redaction import Masked
from copilot.domain.residency import Destination, Residency, require
from copilot.errors import ResidencyError
from copilot.helped.help import Asked
from copilot.masking.outward import Outward
from copilot.masking.pseudonyms import Pseudonyms
from copilot.models.configured import Served, Task
from copilot.models.pool import Asker, Heard, Models
from copilot.models.saying import Message, Request, Said, Tool
from prompts.errors import PromptError
from prompts.prompt import Prompt

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Prompts(Protocol):
    """The prompts that are approved now."""

    async def for_role(self, task: str, role: str, subject: str) -> Prompt | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulting:
    """What asking a model takes, whatever it is asked."""

    models: Models
    prompts: Prompts
    pseudonyms: Pseudonyms

    async def prompt(self, task: Task, principal: Principal) -> Prompt | None:
        """The prompt of a task for a person; None where there is no model for it, or no prompt for them."""
        for role in principal.roles if self.models.has(task) else ():
            if prompt := await self.prompts.for_role(task, role, principal.subject):
                return prompt
        return None

    async def say(
        self,
        prompt: Prompt,
        asked: Asked,
        told: Told,
        tell: Callable[[Outward], Mapping[str, Json]],
        tools: tuple[Tool, ...],
        read: Callable[[Said], T],
    ) -> Heard[T]:
        """What a model says when `tell` gives the inputs of its prompt in their masked form; never raises for what a
        model does."""

        def allows(served: Served) -> None:
            if not asked.policy.allows_vendor(told.classes, served.vendor):
                raise ResidencyError(f"no model of {served.vendor!r} may be told of this")
            destination = Destination(served.model, served.place)
            require(asked.policy.residency_of_all(told.classes), destination)
            require(told.residency, destination)

        async def made(name: str, served: Served) -> Request | None:
            if prompt.models is not None and name not in prompt.models:
                return None
            inputs = await self.pseudonyms.outward(
                asked.principal.subject, asked.conversation, asked.policy, served.audience, tell
            )
            try:
                return _request(prompt, inputs, tools)
            except PromptError as error:
                _log.warning("a model is not asked: %s", error)
                return None

        asker = Asker(subject=asked.principal.subject, roles=asked.principal.roles, allows=allows)
        return await self.models.say(_task(prompt), made, read, asker)


@dataclass(frozen=True, slots=True)
class Told:
    """What stands behind what a model is told: the record classes, and where all of it may be processed."""

    classes: frozenset[str]
    residency: Residency


def _task(prompt: Prompt) -> Task:
    return "plan" if prompt.task == "plan" else "draft"


def _request(prompt: Prompt, inputs: Mapping[str, Json], tools: tuple[Tool, ...]) -> Request:
    said = prompt.render(inputs)
    seed, most, heat = (prompt.parameters.get(name) for name in ("seed", "max_tokens", "temperature"))
    return Request(
        messages=(Message("system", Masked(said.system)), Message("user", Masked(said.user))),
        tools=tools,
        seed=None if seed is None else int(seed),
        most_tokens=int(most or Request(messages=()).most_tokens),
        temperature=float(heat or 0),
    )
