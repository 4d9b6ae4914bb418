"""Customers and suppliers of nearly the name of the one that the last answer was about: "I meant the AG"."""

from __future__ import annotations

from collections.abc import Sequence

from copilot.domain.dialogue import State
from copilot.understanding.candidates import Candidate, Doubt, called
from copilot.understanding.compose.tokens import Token
from copilot.understanding.dialogue.cues import Cues
from copilot.understanding.dialogue.focus import Key
from copilot.understanding.kinds import load_kinds
from copilot.understanding.lexicon import lexicon
from copilot.understanding.lookup import Lookup
from copilot.understanding.names import find_candidates
from copilot.understanding.words import Word, cut

_MOST_SAID = 3
_PEOPLE = ("customer", "supplier")


def part_of_name(words: Sequence[Word], cues: Cues, tokens: Sequence[Token]) -> tuple[Word, ...] | None:
    """What a message says of a name that was said before, nothing for "the other one"; None where it says more."""
    corrected = cues.any("no", "switch", "other") or 0 in cues.of("the")
    aside = cues.of("no", "switch", "the", "other", "one")
    named = {p for token in tokens if token.records for p in token.positions}  # "KG" is a unit elsewhere
    said = [p for p, word in enumerate(words) if p not in aside and (p in named or word.folded not in lexicon().stop)]
    if not said and not cues.any("no"):  # "and the other one" is one of a list
        return None
    if not corrected or len(said) > _MOST_SAID or not (said or cues.any("other")):
        return None
    else_said = any(_is_more(token) for token in tokens if set(token.positions) & set(said))
    return None if else_said else tuple(words[p] for p in said)


def _is_more(token: Token) -> bool:
    """Whether a token is anything but words of names: a whole name stands for itself."""
    whole = any(c.by_number or c.full for c in token.records)
    other = bool(token.records) and not any(c.entity in _PEOPLE for c in token.records)
    return bool(token.meanings or token.span or token.amount or whole or other)


async def namesakes(lookup: Lookup, state: State, said: Sequence[Word]) -> tuple[Candidate, ...]:
    """Others whose names begin as that one's, as long as they do, and have the words said."""
    known = next(((of, ids[0]) for of, ids in state.references.items() if of in _PEOPLE and len(ids) == 1), None)
    name = (await called(lookup, {known})).get(known, ("", "", ""))[1] if known else ""
    own = [word.typed for word in cut(name)]
    for length in range(len(own) - 1, 0, -1):
        words = cut(" ".join((*own[:length], *(word.typed for word in said))))
        found = await find_candidates(lookup, words, frozenset())
        whole = [c for c in found if c.positions >= frozenset(range(len(words))) and c.doubt is Doubt.NONE]
        if said and any(c.key == known for c in whole):
            return ()  # it is that one that is meant
        those = [c for c in whole if known and c.entity == known[0] and c.key != known]
        if those:
            best = max(c.strength for c in those)
            return tuple(sorted((c for c in those if c.strength == best), key=lambda c: c.label))
    return ()


def asked_of(state: State, key: Key) -> str:
    """The last question about one of these in the copilot's own words, where it has such; else the record alone."""
    kind, name = load_kinds().get(state.kind), f"{key[0]}#{key[1]}"
    return kind.ask.replace("{}", name) if kind and kind.required == (key[0],) else name
