"""Plans a message as it was typed, and where that is not understood to its last word, in other words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from copilot.domain.plan import NoPlan, Plan
from copilot.understanding.candidates import Doubt
from copilot.understanding.compose.hear import hear
from copilot.understanding.dialogue.cues import find_cues
from copilot.understanding.lexicon import lexicon
from copilot.understanding.lookup import Lookup
from copilot.understanding.sayings import common_words, other_sayings, without_remarks
from copilot.understanding.vocabulary import Noun, Sign, load_vocabulary
from copilot.understanding.words import cut

_POINTING = ("first", "second", "third", "fourth", "fifth", "last", "other", "others", "back", "no", "reset", "besides")
"""How a message points at what was said before: "the second one, is it late"."""
Planner = Callable[[str], Awaitable[Plan | NoPlan]]


def is_whole(found: Plan | NoPlan) -> bool:
    """Whether a message was understood to its last word."""
    return isinstance(found, Plan) and not found.unused_words


async def by_other_words(lookup: Lookup, text: str, plan: Planner) -> Plan | NoPlan:
    """The plan of the first way to put a message that is understood whole; where none is, of the message without the
    remarks around the question."""
    rest = await _without_remarks(lookup, text)
    found = first = await plan(rest)
    for other in () if is_whole(first) else _ways(rest, text):
        found = await plan(other)
        if is_whole(found) and not _is_bare(found, other):
            return found
    return first


def _is_bare(found: Plan | NoPlan, text: str) -> bool:
    """Whether nothing but a name was left of a message: what was asked of it is gone."""
    left = {word.folded for word in cut(text)} - lexicon().stop - load_vocabulary().filler
    return isinstance(found, Plan) and bool(found.echo) and left <= {word.folded for word in cut(found.echo)}


def _ways(rest: str, text: str) -> Iterator[str]:
    yield from (other for other in dict.fromkeys((text, *other_sayings(rest), *other_sayings(text))) if other != rest)


async def _without_remarks(lookup: Lookup, text: str) -> str:
    """The message without the remarks around the question that name no record, no time and no state."""
    rest, remarks = without_remarks(text)
    return rest if all([await _restricts_nothing(lookup, remark) for remark in remarks]) else text


async def _restricts_nothing(lookup: Lookup, remark: str) -> bool:
    """Whether a remark names no record, no time and no state, and points at none. Everyday words are none of these,
    whatever they may say in a question."""
    words = cut(remark)
    if find_cues(words).any(*_POINTING):
        return False
    heard = await hear(lookup, words)
    for token in heard.tokens:
        stated = any(not isinstance(meaning, Noun | Sign) for meaning in token.meanings)
        named = bool(token.records) and token.records[0].doubt is Doubt.NONE
        if stated or named or token.span or token.amount:
            everyday = len(heard.words) == len(words) and {words[p].folded for p in token.positions} <= common_words()
            if not everyday:
                return False
    return True
