"""Plans a message as it was typed, and where that is not understood to its last word, in other words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence

from copilot.domain.plan import NoPlan, Plan
from copilot.understanding.asides import without_asides
from copilot.understanding.candidates import Doubt
from copilot.understanding.compose.hear import hear
from copilot.understanding.compose.tokens import Token
from copilot.understanding.lexicon import lexicon
from copilot.understanding.lookup import Lookup
from copilot.understanding.remarks import Clause, common_words, told_apart
from copilot.understanding.sayings import other_sayings, spelled_out
from copilot.understanding.vocabulary import DateWord, FieldWord, Noun, Sign, load_vocabulary
from copilot.understanding.words import Word, cut

_LABELS = Noun | Sign | FieldWord | DateWord
"""Words that restrict nothing by themselves: "the customer", "sent" with no day."""
_TIDY = " ,;:-–—"
Planner = Callable[[str], Awaitable[Plan | NoPlan]]


def is_whole(found: Plan | NoPlan) -> bool:
    """Whether a message was understood to its last word."""
    return isinstance(found, Plan) and not found.unused_words


async def by_other_words(lookup: Lookup, typed: str, plan: Planner) -> Plan | NoPlan:
    """The plan of the first way to put a message that is understood whole; where none is, of the message without the
    remarks around the question."""
    text = spelled_out(without_asides(typed))
    rest = await _without_remarks(lookup, spelled_out(without_asides(await _without_remarks(lookup, typed))))
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
    """The message without the remarks at its beginning and its end, where a question is left."""
    kept = [*told_apart(text)]
    if not any(clause.remark for clause in kept) or not any(clause.asks for clause in kept):
        return text
    while kept[0].remark and await _restricts_nothing(lookup, kept[0]):
        kept.pop(0)
    while kept[-1].remark and await _restricts_nothing(lookup, kept[-1]):
        kept.pop()
    return "".join(clause.text + clause.mark for clause in kept).strip(_TIDY)


async def _restricts_nothing(lookup: Lookup, remark: Clause) -> bool:
    """Whether a remark names no record, no time and no state."""
    words = cut(remark.plain)
    heard = await hear(lookup, words)
    return not any(_says(token) and not _is_everyday(token, heard.words, words) for token in heard.tokens)


def _says(token: Token) -> bool:
    stated = not token.all_of(Noun) and any(not isinstance(meaning, _LABELS) for meaning in token.meanings)
    named = bool(token.records) and token.records[0].doubt is Doubt.NONE
    return stated or named or bool(token.span or token.amount)


def _is_everyday(token: Token, heard: Sequence[Word], typed: Sequence[Word]) -> bool:
    """Whether a token is of everyday words alone, which restrict nothing, whatever they may say in a question."""
    said = {heard[position].folded for position in token.positions} - lexicon().stop
    return len(heard) == len(typed) and said <= common_words()
