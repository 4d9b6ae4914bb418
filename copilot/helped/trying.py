"""Tries each model as a question does: by its approved prompt, masked, as far as policy and budgets let it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

from copilot.answering.arranging.entries import SAY, read_entries
from copilot.domain.dialogue import State
from copilot.domain.json import Json
from copilot.domain.model_calls import Attempt
from copilot.domain.principal import Grant, Principal
from copilot.domain.residency import ANYWHERE
from copilot.helped.consulting import Consulting, Told
from copilot.helped.help import Asked
from copilot.masking.outward import Outward
from copilot.models.configured import Task
from copilot.models.saying import Said, Tool
from copilot.policy.policy import Policy, scope_for
from copilot.semantic.model import SemanticModel
from copilot.understanding.proposing.terms import offer
from copilot.understanding.proposing.tools import read_call, tools
from copilot.understanding.vocabulary import load_vocabulary
from prompts.prompt import Prompt

_QUESTION = "how many open orders are there"
"""It names nobody and nothing."""
_WHO = "doctor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of asking one model for one task; no attempt where no prompt is in force for it."""

    model: str
    task: Task
    attempt: Attempt | None


async def try_models(consulting: Consulting, model: SemanticModel, policy: Policy) -> AsyncGenerator[Tried]:
    """Each model for each task that it is to help with, in a request that holds no record: the example that the prompt
    was approved with. It counts to the budgets like a question."""
    for state in await consulting.models.states():
        alone = replace(consulting, models=consulting.models.only(state.name))
        for task in alone.models.tasks:
            found = await _prompt(alone, task, policy)
            attempt = await _attempt(alone, model, task, *found) if found else None
            yield Tried(model=state.name, task=task, attempt=attempt)


async def _prompt(consulting: Consulting, task: Task, policy: Policy) -> tuple[Prompt, Asked] | None:
    """A prompt of a task, and the question of the first role that it is for."""
    for role in policy.roles:
        grant = Grant(role=role, regions=None, sites=None, channels=None, accounts=None)
        principal = Principal(subject=_WHO, name=_WHO, home_region=None, grants=(grant,))
        if prompt := await consulting.prompt(task, principal):
            scope = scope_for(principal, policy)
            conversation = str(uuid4())
            return prompt, Asked(
                text=_QUESTION, principal=principal, scope=scope, policy=policy, conversation=conversation,
                state=State(),
            )  # fmt: skip
    return None


async def _attempt(consulting: Consulting, model: SemanticModel, task: Task, prompt: Prompt, asked: Asked) -> Attempt:
    inputs, forms, read = _plan(model, asked) if task == "plan" else _draft()
    example: Mapping[str, Json] = {**prompt.examples[0], "question": asked.text, **inputs}

    def tell(outward: Outward) -> Mapping[str, Json]:
        return {**example, "question": outward.text(asked.text)}

    heard = await consulting.say(prompt, asked, Told(frozenset(), ANYWHERE), tell, forms, read)
    return heard.attempts[0]


_Form = tuple[Mapping[str, Json], tuple[Tool, ...], Callable[[Said], object]]


def _plan(model: SemanticModel, asked: Asked) -> _Form:
    """All terms that a role may be offered, as a question has them, so that the size is that of one."""
    offered = offer(load_vocabulary(), model, asked.scope)
    return {"tools": offered.to_json(), "conversation": {}}, tools(offered), lambda said: read_call(said.calls, offered)


def _draft() -> _Form:
    return {}, (SAY,), lambda said: read_entries(said.calls)
