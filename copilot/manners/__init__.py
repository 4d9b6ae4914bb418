"""Answers what is no question about records: greetings, help, complaints, and how the last answer came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from copilot.answering.made import Saying
from copilot.domain.scope import Scope
from copilot.manners.explained import explained
from copilot.manners.offers import measures, offered, topics
from copilot.manners.said import PREFIX, Line, Told, own, text, told
from copilot.store.conversations import KeptTurn
from copilot.understanding.manners import Manner

__all__ = ["PREFIX", "Setting", "Told", "kept_manner", "mannerly"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Whose message it is, in which conversation, and its masked words; `kept` where it is an earlier one opened again,
    which opens no review."""

    subject: str
    conversation: str
    words: str
    kept: bool = False


_RESETS = (f"{PREFIX}{Manner.STOP}", f"{PREFIX}{Manner.RESET}")


async def mannerly(line: Line, manner: Manner, scope: Scope, turns: Sequence[KeptTurn], setting: Setting) -> Told:
    """The answer to a manner. `turns` are those before it, oldest first."""
    match manner:
        case Manner.GREETING:
            return await _greeted(line, scope)
        case Manner.HELP | Manner.WHO:
            return await _helped(line, scope)
        case Manner.WRONG:
            return await _reviewed(line, _last(turns), setting)
        case Manner.THANKS | Manner.GOODBYE | Manner.STOP | Manner.RESET:
            return told(manner, [Saying(f"{PREFIX}{manner}", {})], line)
        case _:
            return await explained(line, manner, _last(turns), scope)


def kept_manner(kind: object) -> Manner | None:
    """The manner of a kept turn; None for a question about records."""
    name = str(kind).removeprefix(PREFIX)
    return Manner(name) if str(kind).startswith(PREFIX) and name in set(Manner) else None


def _last(turns: Sequence[KeptTurn]) -> KeptTurn | None:
    """The last turn that was a question about records, unless the person let go of it."""
    for turn in reversed(turns):
        kind = (turn.plan or {}).get("kind")
        if kind in _RESETS:
            return None
        if kept_manner(kind) is None:
            return turn
    return None


async def _greeted(line: Line, scope: Scope) -> Told:
    if not scope:
        return told(Manner.GREETING, [Saying("manners_greeting_no_access", {})], line)
    slots = {"told": own(line.clock(), topics=text(topics(line.model, scope)))}
    choices = await offered(line, scope)
    return told(Manner.GREETING, [Saying("manners_greeting", slots)], line, choices=choices)


async def _helped(line: Line, scope: Scope) -> Told:
    if not scope:
        return told(Manner.HELP, [Saying("manners_help_no_access", {})], line)
    words = {"topics": text(topics(line.model, scope)), "measures": text(measures(line.model, scope))}
    slots = {"told": own(line.clock(), **words)}
    said = [Saying("manners_help", slots), Saying("manners_help_measures", slots), Saying("manners_help_how", {})]
    choices = await offered(line, scope)
    if choices:
        said.append(Saying("manners_help_try", {}))
    for place, choice in enumerate(choices):
        example = own(line.clock(), place, question=text(choice.question))
        said.append(Saying("manners_help_example", {"example": example}))
    return told(Manner.HELP, said, line, choices=choices)


async def _reviewed(line: Line, last: KeptTurn | None, setting: Setting) -> Told:
    """A review of the last answer; complained about again while it is open, it is the same one."""
    number = None
    if last and setting.kept:
        number = await line.reviews.number(setting.subject, setting.conversation, last.audit_id)
    elif last:
        number = await line.reviews.open(setting.subject, setting.conversation, last.audit_id, setting.words)
    if number is None:
        return told(Manner.WRONG, [Saying("manners_wrong_nothing", {})], line)
    slots = {"review": own(line.clock(), number=text(str(number)))}
    return told(Manner.WRONG, [Saying("manners_wrong", slots)], line)
