"""Several questions in one message: "where is SO-1 and what does Meyer owe us", each planned by itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from copilot.domain.composition import Composition
from copilot.domain.dialogue import State, after
from copilot.domain.plan import Choice, NoPlan, Plan
from copilot.understanding.dialogue.cues import find_cues, words_for
from copilot.understanding.dialogue.focus import PEOPLE
from copilot.understanding.words import cut, fold

InConversation = Callable[[str, State], Awaitable[Plan | NoPlan]]
"""Plans a text as the next message of a conversation."""
_SENTENCE = re.compile(r"(?<=[?!;])\s+|(?<=\w[.])\s+(?=(\w+))")
_WORD = re.compile(r"[^\s,;]+")
_PLACES = frozenset({"site", "region", "channel"})
_MOST = 3
"""Questions that one message may ask."""
_SHORTEST = 2
_JOINT = "? "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    """A message as several; `apart` where punctuation ends each, so that one may be but a fragment."""

    texts: tuple[str, ...]
    apart: bool


async def in_parts(text: str, state: State, plan: InConversation) -> Plan | NoPlan | None:
    """The plan of a message that asks several questions, each understood to its last word; where all but one are, the
    question back about that one. None where it is no such message."""
    asked: NoPlan | None = None
    for split in _splits(text):
        if any(fold(each).split(" ")[0] in words_for("fragment") for each in split.texts[:-1]):
            continue
        found = await _planned(split, state, plan)
        if isinstance(found, Plan):
            return found
        asked = asked or found
    return asked


async def _planned(split: _Split, state: State, plan: InConversation) -> Plan | NoPlan | None:
    made: list[Plan] = []
    for n, text in enumerate(split.texts):
        pointing = find_cues(cut(text)).any("people", "thing", "many")
        found = await plan(text, state if n == 0 or split.apart or pointing else State())
        if isinstance(found, NoPlan):
            return _asked_back(split, n, found)
        if found.unused_words or (made and (pointing or not split.apart) and _narrows(made[0], found)):
            return None
        if n and (_says_no_more(found) or _of_their_people(made, found, text)):
            return None
        state = after(state, found.to_json())
        made += [] if any(found.to_json() == other.to_json() for other in made) else [found]
    return replace(made[-1], before=tuple(made[:-1])) if len(made) > 1 else None


def _narrows(first: Plan, later: Plan) -> bool:
    """Whether a later question names nothing but a place, though the first one named more: it may be about that, or
    about everything."""
    if set(later.references) - _PLACES:
        return False
    return bool(set(first.references) - _PLACES) or (
        _restricted(first.composition) and not _restricted(later.composition)
    )


def _says_no_more(found: Plan) -> bool:
    """Whether a part asks for all records of a kind: "which vendors", behind a question, is of what that one names."""
    composition = found.composition
    return composition is not None and not (composition.parts or composition.measure or composition.counted)


def _of_their_people(made: Sequence[Plan], found: Plan, text: str) -> bool:
    """Whether "their" or "they" behind a list of things was taken for a customer or supplier that nobody has named: it
    may as well mean the things: "which shipments has SO-24, and what is their status"."""
    listed = made[-1].composition if made else None
    if listed is None or listed.entity in PEOPLE or not find_cues(cut(text)).any("people"):
        return False
    return bool(found.references) and set(found.references) <= {*PEOPLE} - set(listed.ids())


def _restricted(composition: Composition | None) -> bool:
    return composition is not None and bool(composition.parts)


def _asked_back(split: _Split, place: int, found: NoPlan) -> NoPlan | None:
    """The choices of one part, each as the whole message with that choice made."""
    if found.reason != "ambiguous" or not found.choices:
        return None
    before, behind = split.texts[:place], split.texts[place + 1 :]
    choices = (
        Choice(label=c.label, question=_JOINT.join(t.rstrip("?!;. ") for t in (*before, c.question, *behind)))
        for c in found.choices
    )
    return replace(found, choices=tuple(choices))


def _splits(text: str) -> Iterator[_Split]:
    """The ways to read a message as several, sentences first."""
    sentences = _sentences(text.strip())
    if 1 < len(sentences) <= _MOST:
        yield _Split(texts=sentences, apart=True)
    cuts = _joints(text)
    if len(cuts) == 1 or len(cuts) >= _MOST:
        yield from (_Split(texts=texts, apart=False) for at in cuts if (texts := _cut_at(text, [at])))
    elif cuts and (texts := _cut_at(text, cuts)):
        yield _Split(texts=texts, apart=False)
        yield from (_Split(texts=few, apart=False) for at in cuts if (few := _cut_at(text, [at])))


def _sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text. A full stop ends one only before a word that begins a question, and behind an
    abbreviation only where that word has a capital: "the lead time that Acme Inc. does quote"."""
    begins, short = words_for("asking") | words_for("joining"), words_for("abbreviated")
    found = (
        m
        for m in _SENTENCE.finditer(text)
        if m.group(1) is None
        or (fold(m.group(1)) in begins and (m.group(1)[0].isupper() or not _is_short(text[: m.start()], short)))
    )
    cuts = [(match.start(), match.end()) for match in found]
    return _cut_at(text, cuts, shortest=1) if cuts else (text,)


def _is_short(before: str, abbreviations: Collection[str]) -> bool:
    """Whether a text ends with an abbreviation and its full stop."""
    return fold(before.rpartition(" ")[2].rstrip(".")) in abbreviations


def _joints(text: str) -> list[tuple[int, int]]:
    """Where one question may end and the next begin: before a word that asks, behind a word that joins or a comma."""
    words = [(match.span(), fold(match.group())) for match in _WORD.finditer(text)]
    asking, joining = words_for("asking"), words_for("joining")
    found: list[tuple[int, int]] = []
    for n, ((start, _), word) in enumerate(words):
        run = n
        while run and (words[run - 1][1] in joining or not words[run - 1][1]):  # a sign alone: "&", "-"
            run -= 1
        ended = text[: words[run][0][0]].rstrip()
        if run and word.split(" ")[0] in asking and (run < n or ended[-1:] in ",;?!"):
            found.append((len(ended), start))
    return found


def _cut_at(text: str, cuts: Sequence[tuple[int, int]], shortest: int = _SHORTEST) -> tuple[str, ...]:
    """The pieces of a text between some gaps; none where a piece is too short to ask anything."""
    starts = (0, *(behind for _, behind in cuts))
    ends = (*(before for before, _ in cuts), len(text))
    pieces = tuple(text[start:end].strip(" ,;") for start, end in zip(starts, ends, strict=True))
    return pieces if all(len(piece.split()) >= shortest for piece in pieces) else ()
