"""Plans a message with slips of the keyboard in it with the words that were meant, and says what it took for which."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from copilot.domain.plan import Choice, NoPlan, Plan, ReadAs
from copilot.understanding.compose.mending import Doubtful

Slip = tuple[str, str]
"""What was typed, and the word that was meant."""
_MOST = 4
"""Words that are tried for one that may have been meant for several."""


def respelled(text: str, slips: Sequence[Slip]) -> str:
    """A text with the words that were meant, its punctuation kept."""
    for typed, meant in slips:
        text = re.sub(rf"(?<!\w){re.escape(typed)}(?!\w)", meant, text, count=1)
    return text


def with_slips(found: Plan | NoPlan, slips: Sequence[Slip]) -> Plan | NoPlan:
    """A plan that says how words were read."""
    said = tuple(ReadAs(typed=typed, entity="", id=0, label=meant) for typed, meant in slips)
    return replace(found, read_as=(*said, *found.read_as)) if isinstance(found, Plan) and said else found


async def by_trial(
    text: str,
    slips: Sequence[Slip],
    doubtful: Doubtful,
    plan: Callable[[str], Awaitable[Plan | NoPlan]],
) -> Plan | NoPlan | None:
    """The plan where a word may have been meant for several and only one of them makes a question of the message;
    where two do, or they are not alike, which one is asked. None where none does."""
    typed = doubtful.typed
    made: dict[str, Plan] = {}
    for meant in doubtful.words[:_MOST]:
        found = await plan(respelled(text, (*slips, (typed, meant))))
        same = isinstance(found, Plan) and any(found.to_json() == other.to_json() for other in made.values())
        if isinstance(found, Plan) and not found.unused_words and not same:
            made[meant] = found
    if len(made) > 1 or (made and not doubtful.alike):
        choices = (Choice(label=meant, question=respelled(text, (*slips, (typed, meant)))) for meant in made)
        return NoPlan(reason="ambiguous", echo=typed, choices=tuple(choices))
    for meant, found in made.items():
        return with_slips(found, slips if meant == typed else (*slips, (typed, meant)))
    return None
