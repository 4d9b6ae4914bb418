"""What this conversation answered about somebody, beside their notes: "what did we tell them"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from copilot.domain.claims import ClaimGroup, ClaimSpec, Outline
from copilot.domain.dialogue import State
from copilot.domain.plan import Plan
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Connection
from copilot.understanding.dialogue.focus import Key, focus_of, thing_of

NOTED = frozenset({"order_notes", "customer_notes"})
"""The kinds that tell what was written down, and so what was said here too."""
HEADING = "told_here"
_MOST = 4
Again = Callable[[State], Awaitable[Plan | None]]
"""Plans a kept question again, under today's scope."""


async def with_said(connection: Connection, model: SemanticModel, plan: Plan, state: State, again: Again) -> Plan:
    """The plan of the notes with what was answered in this conversation about the same records before it: asked again,
    so that it is what holds now and what may be read now."""
    asked = {(entity, ident) for entity, ids in plan.references.items() for ident in ids}
    found: list[Plan] = []
    for each in (state, *state.earlier):
        if not each.kind or each.kind in NOTED or len(found) == _MOST:
            continue
        if await _is_about(connection, model, each, asked) and (planned := await again(each)):
            found += [part for part in (planned, *planned.before) if part.outline not in [f.outline for f in found]]
    said = [replace(part, before=()) for part in reversed(found)]
    return replace(plan, before=_headed(said)) if said else plan


async def _is_about(connection: Connection, model: SemanticModel, state: State, asked: set[Key]) -> bool:
    """Whether an answer was about one of the records, or about a document of one of them."""
    if asked & {(entity, ident) for entity, ids in state.references.items() for ident in ids}:
        return True
    entities = {entity for entity, _ in asked} - {entity for entity, _ in focus_of(state)}
    return any([await thing_of(connection, model, state, entity) in asked for entity in entities])


def _headed(said: Sequence[Plan]) -> tuple[Plan, ...]:
    """With the sentence that says what follows in front of the first."""
    first, *others = said
    heading = ClaimGroup((ClaimSpec(claim=HEADING, bindings=()),))
    outline = Outline(groups=(heading, *first.outline.groups), any_is_enough=first.outline.any_is_enough)
    return (replace(first, outline=outline), *others)
