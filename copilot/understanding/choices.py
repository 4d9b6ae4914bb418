"""What is offered where a question may mean several things: each choice a question that names one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from copilot.domain.plan import Choice, NoPlan
from copilot.semantic.titles import load_titles
from copilot.understanding.candidates import Candidate, Doubt
from copilot.understanding.kinds import NOW
from copilot.understanding.readings import Reading
from copilot.understanding.words import Word

MOST_CHOICES = 8


def choice(
    reading: Reading, combination: Sequence[Candidate], words: Sequence[Word], *, titled: bool = False
) -> Choice:
    """The label a person recognises, and a question that names exactly these records; one that tells more than names
    stays as it was typed."""
    ask = reading.kind.ask
    for candidate in combination:
        name = exact_name(candidate, reading.candidates[candidate.entity])
        ask = ask.replace("{}", name, 1) if "{}" in ask else f"{ask} {name}"
    if reading.kind.told or reading.kind.quantity == NOW:
        ask = _retold(words, reading, combination)
    label = ", ".join(c.label for c in combination)
    title = (load_titles().word(reading.kind.name),) if titled else ()
    return Choice(label=": ".join(part for part in (*title, label) if part), question=ask)


def suggesting(none: NoPlan, words: Sequence[Word], found: Sequence[Candidate]) -> NoPlan:
    """With what may have been meant by a name that is not there: the question with that record in its place."""
    if none.reason != "not_found" or none.choices:
        return none
    doubted = sorted((c for c in found if c.doubt is not Doubt.NONE), key=lambda c: (-c.strength, c.label))
    choices = [Choice(label=c.label, question=instead(words, c)) for c in doubted[:MOST_CHOICES]]
    return replace(none, choices=tuple(choices))


def instead(words: Sequence[Word], candidate: Candidate) -> str:
    """The question with a record in the place of the words that may mean it."""
    first = min(candidate.positions)
    name = exact_name(candidate, ())
    gone = candidate.positions - {first}
    return " ".join(name if p == first else word.typed for p, word in enumerate(words) if p not in gone)


def _retold(words: Sequence[Word], reading: Reading, combination: Sequence[Candidate]) -> str:
    """The question with these records in the places of the words that name them."""
    names = {min(c.positions): exact_name(c, reading.candidates[c.entity]) for c in combination}
    gone = {p for c in combination for p in c.positions} - names.keys()
    return " ".join(names.get(p, word.typed) for p, word in enumerate(words) if p not in gone)


def exact_name(candidate: Candidate, others: Sequence[Candidate]) -> str:
    """Its number where that is unmistakable, else entity#id."""
    number = candidate.number
    plain = any(c.isdigit() for c in number) and any(c.isalpha() for c in number) and " " not in number
    alone = all(other.number != number for other in others if other.id != candidate.id)
    return number if plain and alone else f"{candidate.entity}#{candidate.id}"
