"""The terms of the semantic model that words of a question may stand for, of the records that a person may read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from copilot.domain.json import Json
from copilot.domain.scope import Scope
from copilot.semantic.kpis import load_kpis
from copilot.semantic.model import SemanticModel
from copilot.understanding.kinds import Kind, load_kinds
from copilot.understanding.vocabulary import (
    CodeWord,
    CurrencyWord,
    DateWord,
    FieldWord,
    Meaning,
    Measure,
    Noun,
    NumberWord,
    Pieces,
    Segment,
    Sign,
    Vocabulary,
)

_SORTS: Mapping[type, str] = {
    Noun: "records", Segment: "state", DateWord: "date", NumberWord: "figure", FieldWord: "field", CodeWord: "value",
    Measure: "measure", Sign: "grammar", CurrencyWord: "currency",
}  # fmt: skip
_ASKS = "asks_for"
_ONES = "_ones"
"""Behind the name of a term that also says of what kind the records are."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term: its name among all terms, what sort of thing it is, how we word it, and what it means to the rules."""

    name: str
    sort: str
    phrase: str
    meaning: Meaning | None = None
    """None for what asks for a kind of question."""


@dataclass(frozen=True, slots=True)
class Offer:
    """All that a person's questions may be put in: terms by their names."""

    terms: Mapping[str, Term]

    def to_json(self) -> dict[str, Json]:
        """As a model is told of it: how each is worded, by sort and name; no value of any record."""
        sorts: defaultdict[str, dict[str, Json]] = defaultdict(dict)
        for term in self.terms.values():
            sorts[term.sort][term.name] = term.phrase
        return {sort: dict(found) for sort, found in sorts.items()}


def offer(vocabulary: Vocabulary, model: SemanticModel, scope: Scope) -> Offer:
    """What may be offered to a model for somebody with this scope."""
    said: defaultdict[Meaning, list[Pieces]] = defaultdict(list)
    for pieces, meanings in vocabulary.phrases.items():
        for meaning in meanings:
            said[meaning].append(pieces)
    terms = [
        Term(_name(meaning), _SORTS[type(meaning)], _clearest(vocabulary, phrases), meaning)
        for meaning, phrases in said.items()
        if _may_read(meaning, model, scope)
    ]
    asks = [Term(f"{_ASKS}.{kind.name}", _ASKS, kind.cues[0]) for kind in _kinds(model, scope)]
    return Offer({term.name: term for term in (*terms, *asks)})


def _kinds(model: SemanticModel, scope: Scope) -> Iterator[Kind]:
    """The kinds of questions that words ask for, about records that may be read."""
    for kind in load_kinds().values():
        if kind.cues and all(scope.allows(model[entity].record_class) for entity in kind.required):
            yield kind


def _clearest(vocabulary: Vocabulary, phrases: list[Pieces]) -> str:
    """Of several ways to say it the one that means the fewest other things, the first of those."""
    return " ".join(min(phrases, key=lambda pieces: len(vocabulary.phrases[pieces])))


def _name(meaning: Meaning) -> str:
    match meaning:
        case Noun(entity):
            return entity
        case Segment(entity, name, noun):
            return f"{entity}.is.{name}{_ONES * noun}"
        case CodeWord(entity, path, code, noun):
            return f"{entity}.{'.'.join(path)}={code}{_ONES * noun}"
        case DateWord(entity, path) | NumberWord(entity, path) | FieldWord(entity, path):
            return f"{entity}.{_SORTS[type(meaning)]}.{'.'.join(path)}"
        case CurrencyWord(name) | Measure(name) | Sign(name):
            return f"{_SORTS[type(meaning)]}.{name}"


def _may_read(meaning: Meaning, model: SemanticModel, scope: Scope) -> bool:
    """Whether the records that it is of may be read: whatever else a plan reads is looked at when it runs."""
    match meaning:
        case Sign() | CurrencyWord():
            return True
        case Measure(name):
            kpi = load_kpis().get(name)
            return kpi is not None and scope.allows(model[kpi.entity].record_class)
        case _:
            return scope.allows(model[meaning.entity].record_class)
