"""The straight line with models set up against a server over real HTTP, in every form that models answer in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import yaml

from copilot.answering.draft import Draft, Templates
from copilot.ask import Asking
from copilot.domain.answer import Answer
from copilot.domain.evidence import Evidence
from copilot.domain.plan import NoPlan, Plan
from copilot.domain.question import Question, SessionSubject
from copilot.helped.help import Asked, DraftHelp, DraftHelped, PlanHelp, PlanHelped, Verify
from copilot.models.configured import TASKS, Configured, Served
from copilot.models.openai_compatible import OpenAiCompatible
from copilot.models.pool import Models
from copilot.policy.policy import Policy
from copilot.policy.reading import BASELINE, read_texts
from copilot.semantic.language import speaking
from copilot.semantic.model import load_model
from copilot.store.model_use import ModelUse
from copilot.wiring import Runtime
from copilot.wiring.models import help_of
from evals.company import NOW

WAYS: Mapping[str, Mapping[str, object]] = {
    "tools": {"answers": "tools", "streams": False},
    "tools streamed": {"answers": "tools", "streams": True},
    "schema": {"answers": "schema", "streams": False},
    "text streamed": {"answers": "text", "streams": True},
}
"""How a model may be asked."""
_PLACES = 4
"""How many may ask at once: each by models of its own, so that the server can tell who is told what."""


@dataclass(slots=True)
class Watched:
    """What models came to be asked for one question, and what came of it."""

    planning: PlanHelp | None
    drafting: DraftHelp | None
    planned: list[PlanHelped] = field(default_factory=list[PlanHelped])
    drafted: list[DraftHelped] = field(default_factory=list[DraftHelped])
    ran: list[Plan] = field(default_factory=list[Plan])
    evidence: list[Evidence] = field(default_factory=list[Evidence])

    async def plan(self, by_rules: Plan | NoPlan, asked: Asked) -> PlanHelped | None:
        """Help with a question, noted."""
        helped = await self.planning.plan(by_rules, asked) if self.planning else None
        self.planned += [helped] if helped else []
        return helped

    async def draft(
        self, plan: Plan, drafted: Draft, evidence: Evidence, templates: Templates, verify: Verify, asked: Asked
    ) -> DraftHelped | None:
        """Help with an answer, noted."""
        self.ran.append(plan)
        self.evidence.append(evidence)
        helped = await self.drafting.draft(plan, drafted, evidence, templates, verify, asked) if self.drafting else None
        self.drafted += [helped] if helped else []
        return helped


@dataclass(frozen=True, slots=True)
class Line:
    """Asks by models whose names are a way and a place."""

    runtime: Runtime
    asking: Asking
    outspoken: Asking
    """The same under a policy that shows models all but what is personal: what they are told they may bend."""
    speakers: Mapping[str, OpenAiCompatible]
    address: str

    async def ask(
        self, user: str, text: str, way: str, place: int = 0, *, outspoken: bool = True
    ) -> tuple[Answer, Watched]:
        """The answer to a question by the help of a model asked in one way."""
        name = model_name(way, place)
        told = {
            "models": {"m": _served(self.address, way, place)},
            "tasks": {task: {"models": ["m"]} for task in TASKS},
        }
        # Models of their own for each question: the clock stands still, and so would those that rest after failures.
        use = ModelUse(self.runtime.database, self.runtime.clock)
        models = Models(Configured.model_validate(told), {"m": self.speakers[name]}, use, self.runtime.clock)
        asking = self.outspoken if outspoken else self.asking
        planning, drafting = help_of(models, self.runtime.prompts, asking)
        watched = Watched(planning, drafting)
        line = replace(asking, planning=watched, drafting=watched)
        with speaking(self.runtime.language):
            return await line.ask(Question(text=text, channel="api"), SessionSubject(user)), watched

    async def alone(self, user: str, text: str) -> tuple[Answer, Watched]:
        """The rules' answer to a question, and what they read for it."""
        watched = Watched(None, None)
        line = replace(self.outspoken, planning=watched, drafting=watched)
        with speaking(self.runtime.language):
            return await line.ask(Question(text=text, channel="api"), SessionSubject(user)), watched


def _outspoken(policy: Policy) -> Policy:
    """The baseline, but for what models in the house are not shown."""
    document = yaml.safe_load((BASELINE / "enterprise.yaml").read_text(encoding="utf-8"))
    hidden = document["masking"].pop("hidden_from_own_models")["classes"]
    document["masking"]["plain_to_own_models"]["classes"] += [*hidden, "free_text"]
    documents = read_texts({"enterprise.yaml": yaml.safe_dump(document)})
    return Policy(documents, at=NOW, places=policy.places, classes=frozenset(load_model().classes))


def _served(address: str, way: str, place: int) -> Served:
    told = {"url": address, "model": model_name(way, place), "runs": "house", "retries": 0, **WAYS[way]}
    return Served.model_validate(told)


def model_name(way: str, place: int) -> str:
    """What the model of one way and place is called."""
    return f"{way} {place}".replace(" ", "-")


@asynccontextmanager
async def open_line(runtime: Runtime, address: str) -> AsyncGenerator[Line]:
    """A line whose models are behind an address."""
    asking = await runtime.line()
    outspoken = replace(asking, policy=_outspoken(asking.policy))
    guard = outspoken.pseudonyms.guard(outspoken.policy, "models")
    speakers = {
        model_name(way, place): OpenAiCompatible(_served(address, way, place), None, guard)
        for way in WAYS
        for place in places()
    }
    try:
        yield Line(runtime, asking, outspoken, speakers, address)
    finally:
        for speaker in speakers.values():
            await speaker.aclose()


def places() -> Sequence[int]:
    """Those who may ask at once."""
    return range(_PLACES)
