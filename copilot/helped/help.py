"""What is asked of a model's help, and what comes of it; light, for answers that need no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from copilot.answering.draft import Draft, Templates
from copilot.answering.verify import Finding
from copilot.domain.dialogue import State
from copilot.domain.evidence import Evidence
from copilot.domain.json import Json
from copilot.domain.model_calls import Attempt, Fallback, Mark
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.domain.principal import Principal
from copilot.domain.scope import Scope
from copilot.policy.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked, for whom and in which conversation."""

    text: str
    principal: Principal
    scope: Scope
    policy: Policy
    conversation: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Helped:
    """What was asked of whom by which prompt, and which rules what the model said breaks: for the audit."""

    task: ClassVar[str]

    prompt: str = ""
    """Id, version and hash of the prompt."""
    model: str = ""
    """The one that said something that could be read; none where there is no such."""
    attempts: tuple[Attempt, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def used(self) -> bool:
        """Whether something came of it."""
        return False

    def to_json(self) -> dict[str, Json]:
        """As the audit holds it: no word of what was said."""
        return {
            "prompt": self.prompt,
            "model": self.model,
            "used": self.used,
            "attempts": [each.to_json() for each in self.attempts],
            "refused": [*self.refused],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHelped(Helped):
    """The plan by a model's help; None where there is none."""

    task = "plan"
    plan: Plan | NoPlan | None = None
    offered: Choice | None = None
    """The question as a model reads it, for the person to say whether it is meant."""
    echo: str = ""
    """The words that it read as something."""
    differs: bool | None = None
    """Whether the rules would read other records; None where one of the two has no plan."""

    @property
    def used(self) -> bool:
        """Whether it is the plan that is run, or offered."""
        return self.plan is not None or self.offered is not None

    def over(self, by_rules: Plan | NoPlan | None) -> Plan | NoPlan | None:
        """What is run: the plan by this help, else the rules', which asks back where they have none."""
        if self.offered and isinstance(by_rules, NoPlan):
            return NoPlan(reason="ambiguous", echo=self.echo, choices=(self.offered,))
        return self.plan or by_rules

    def to_json(self) -> dict[str, Json]:
        """As the audit holds it: no word of what was said."""
        return super(PlanHelped, self).to_json() | {"asked_back": self.offered is not None, "differs": self.differs}


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftHelped(Helped):
    """The draft as a model arranged it; None where there is none that may be shown."""

    task = "draft"
    draft: Draft | None = None

    @property
    def used(self) -> bool:
        """Whether it is the draft that is shown."""
        return self.draft is not None


def mark_of(helped: Sequence[Helped]) -> Mark:
    """What the answer says of all the help that was asked for it; the first that failed is told."""
    reasons: list[Fallback] = [why for each in helped if (why := fallback_of(each))]
    return Mark(engine="model" if any(each.used for each in helped) else "rules", fallback=next(iter(reasons), None))


def fallback_of(helped: Helped) -> Fallback | None:
    """Why the rules went on alone; None where a model was used, or none was asked.

    Of several models the first counts, which was to help before the others; one that policy keeps from this question
    was not to help as long as another was.
    """
    if helped.used:
        return None
    if helped.model:
        return "refused"
    reasons: list[Fallback] = [each.came for each in helped.attempts if each.came != "said"]
    allowed: list[Fallback] = [why for why in reasons if why != "not_allowed"]
    first = allowed or reasons
    return first[0] if first else None


class PlanHelp(Protocol):
    """Puts questions in our terms."""

    async def plan(self, by_rules: Plan | NoPlan, asked: Asked) -> PlanHelped | None:
        """The plan of a message that the rules don't understand whole; None where no model is asked for this person."""
        ...


Verify = Callable[[Draft], Sequence[Finding]]


class DraftHelp(Protocol):
    """Puts what is said in order."""

    async def draft(
        self, plan: Plan, drafted: Draft, evidence: Evidence, templates: Templates, verify: Verify, asked: Asked
    ) -> DraftHelped | None:
        """A draft by the rules as a model arranges it, verified; None where no model is asked about it."""
        ...
