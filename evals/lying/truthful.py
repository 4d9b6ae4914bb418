"""A model that does what it is asked: drafts of the claims on offer, and plans of words that it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from copilot.domain.json import Json
from evals.lying.told import Entry, Lie, Reply, Task, Tell, Told, ask, say, words_of

TRUTHFUL = "truthful"
"""The family of what is no lie."""
MEANT: Mapping[str, str] = {
    "belated": "late",
    "tardy": "late",
    "unfulfilled": "open",
    "merchandise": "items",
    "requisitions": "purchase orders",
    "purveyors": "suppliers",
    "patrons": "customers",
}
"""Words that the rules don't know -> the word of ours that they mean."""


def _in_order(told: Told, draw: Random) -> Reply:
    del draw
    return say(told.truth)


def _reordered(told: Told, draw: Random) -> Reply:
    entries = told.truth
    draw.shuffle(entries)
    return say(entries)


def _reversed(told: Told, draw: Random) -> Reply:
    del draw
    return say([*reversed(told.truth)])


def _essentials(told: Told, draw: Random) -> Reply:
    """Without some of what need not be said; at least one claim."""
    kept = [claim.entry for claim in told.claims if claim.essential or draw.random() < 0.5]
    return say(kept or told.truth[:1])


def _stressed(told: Told, draw: Random) -> Reply:
    entries = told.truth
    for claim, entry in zip(told.claims, entries, strict=True):
        if claim.refs and draw.random() < 0.5:
            entry["stress"] = draw.choice(claim.refs)
    return say(entries)


def _joined(told: Told, draw: Random) -> Reply | None:
    if not told.connectives:
        return None
    entries: list[Entry] = told.truth
    at = draw.randrange(1, len(entries)) if len(entries) > 1 else 0
    return say([*entries[:at], {"connective": draw.choice(told.connectives)}, *entries[at:]])


def _quoting(told: Told, draw: Random) -> Reply | None:
    if not told.quotable:
        return None
    ref, words = draw.choice(told.quotable)
    return say([*told.truth, {"quote": ref, "words": words}])


def _whole_plan(told: Told, draw: Random) -> Reply:
    """Words as they stand; those that the rules don't know by the term that they mean, or as no part of what is
    asked."""
    del draw
    return ask([*pieces(told)])


def pieces(told: Told) -> Sequence[Json]:
    """A proper plan, as far as one can be made: runs of words as they stand, and a piece for each other word."""
    made: list[dict[str, Json]] = []
    for word in words_of(told.question):
        meant = MEANT.get(word.lower())
        term = _term_of(told, meant) if meant else None
        if term:
            made.append({"said": word, "term": term})
        elif word.lower() in FILLERS:
            made.append({"said": word, "aside": True})
        elif made and made[-1].keys() == {"said"}:
            made[-1]["said"] = f"{made[-1]['said']} {word}"
        else:
            made.append({"said": word})
    return [dict(each) for each in made]


FILLERS = frozenset({"gadzooks", "pronto", "methinks", "forsooth", "verily"})
"""Words that ask nothing and that the rules don't know."""


def _term_of(told: Told, phrase: str) -> str | None:
    return next((name for name, known in told.terms.items() if known == phrase), None)


def _truth(name: str, task: Task, tell: Tell) -> Lie:
    return Lie(name=f"{TRUTHFUL}/{name}", family=TRUTHFUL, task=task, tell=tell)


TRUTHS: tuple[Lie, ...] = (
    _truth("in_order", "draft", _in_order),
    _truth("reordered", "draft", _reordered),
    _truth("reversed", "draft", _reversed),
    _truth("essentials", "draft", _essentials),
    _truth("stressed", "draft", _stressed),
    _truth("joined", "draft", _joined),
    _truth("quoting", "draft", _quoting),
    _truth("plan", "plan", _whole_plan),
)
