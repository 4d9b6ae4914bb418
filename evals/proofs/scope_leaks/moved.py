"""Follow-ups after a change of role: the second turn is about what the first one showed, under another scope."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from copilot.domain.dialogue import State, state_of
from copilot.domain.json import Json
from copilot.domain.plan import Plan
from copilot.domain.scope import Scope
from copilot.outcome import listed_records
from copilot.semantic.language import speaking
from copilot.wiring import Runtime
from evals.proofs.scope_leaks.sight import HIDDEN, PERMITTED, Sight
from evals.proofs.scope_leaks.typed import Right, Typed, Typing, wordings


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Two turns: the first as it is asked before, the second after the change."""

    first: Typed
    second: str
    how: str
    right: Right | None


def turns(before: Sight, after: Sight, draw: Random) -> Moved:
    """A record that was there to be seen before, and what is asked of it next."""
    follow = wordings()["follow"]
    seen = [entity for entity in follow if before.visible(entity)]
    first = Typing(before).point(draw, {PERMITTED: 1.0}, draw.choice(seen))
    ((entity, (ident, *_)),) = first.references.items()
    said = draw.choice(follow[entity])
    row = after.world.rows[entity][ident]
    still = after.sees(row)
    right = Typing(after).value(entity, said["field"], row) if first.right and "field" in said else None
    if first.right and "of" in said and still:
        other = after.world.rows[said["of"]][row[f"{said['of']}_id"]]
        right = Typing(after).value(said["of"], "name", other)
    return Moved(first=first, second=said["say"], how=PERMITTED if still else HIDDEN, right=right)


async def state_after(runtime: Runtime, scope: Scope, text: str) -> State | None:
    """What a conversation keeps of a question that was answered; None where it was not."""
    with speaking(runtime.language):
        plan = await (await runtime.line()).plan(text, scope)
        if not isinstance(plan, Plan):
            return None
        kept: dict[str, Json] = plan.to_json()
        evidence = await (await runtime.line()).retrieve(plan, scope, runtime.clock())
    if listed := listed_records(plan, evidence):
        kept["listed"] = {"entity": listed[0].entity, "ids": [record.row_id for record in listed]}
    return state_of([kept])
