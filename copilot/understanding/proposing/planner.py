"""The plan of a question as a model put it: the rules plan the wording, and say what was read as what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from copilot.domain.dialogue import State
from copilot.domain.plan import NoPlan, Plan, ReadAs
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.understanding.compose.hear import hear
from copilot.understanding.front import plan_text
from copilot.understanding.lookup import Lookup
from copilot.understanding.otherwise import is_whole
from copilot.understanding.proposing.pieces import Refused, Wording, worded
from copilot.understanding.proposing.tools import Proposal, Unasked
from copilot.understanding.words import cut


@dataclass(frozen=True, slots=True)
class Understood:
    """What came of a proposal: a plan, or why there is none: a rule that it broke, or that the rules can't plan it."""

    plan: Plan | NoPlan | None
    refused: str = ""
    text: str = ""
    """The question in our words."""
    guessed: tuple[str, ...] = ()
    """Its words that the rules don't know and that were read as something, or left out."""


async def plan_proposed(
    connection: Connection, model: SemanticModel, text: str, proposal: Proposal, now: datetime, state: State | None
) -> Understood:
    """The plan of a message by a proposal for it. Looks names up in the scope of the connection's transaction."""
    if isinstance(proposal, Unasked):
        return Understood(None, f"unasked_{proposal.reason}")
    lookup = Lookup(connection=connection, model=model, now=now)
    found = worded(proposal.pieces, await hear(lookup, cut(text)), text)
    if isinstance(found, Refused):
        return Understood(None, found.rule)
    planned = await plan_text(connection, model, found.text, now, state)
    if isinstance(planned, NoPlan) and planned.reason == "unsupported":
        return Understood(None, "not_planned")
    guessed = (*(each.said for each in found.readings), *found.asides)
    if isinstance(planned, NoPlan):  # asked back, or nothing of that name: as much an answer as a plan
        return Understood(planned, text=found.text, guessed=guessed)
    if not is_whole(planned):
        return Understood(None, "left_over")
    return Understood(_with_readings(planned, found), text=found.text, guessed=guessed)


def _with_readings(plan: Plan, wording: Wording) -> Plan:
    """The plan that says what was taken for what, and which words were taken no account of."""
    read = tuple(ReadAs(typed=each.said, entity="", id=0, label=each.phrase) for each in wording.readings)
    return replace(plan, read_as=(*plan.read_as, *read), unused_words=(*plan.unused_words, *wording.asides))
