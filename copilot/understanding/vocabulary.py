"""The words of a language for what the semantic model holds, read from language/LANGUAGE/*.yaml.

A phrase may mean several things; which one is decided by what the question is about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from copilot.domain.query import Path
from copilot.semantic.language import ENGLISH, in_force, per_language
from copilot.semantic.model import SemanticModel, load_model
from copilot.semantic.titles import load_titles
from copilot.understanding.amount_words import load_amount_words
from copilot.understanding.lexicon import lexicon
from copilot.understanding.words import Word, cut

Pieces = tuple[str, ...]
_SHORT_CODE = 2
_NO_SIGNS = ("filler", "firsts")
_USUAL = (
    "usual_date", "usual_measure", "usual_order", "usual_segment", "counted_as", "values", "number_parts",
    "usual_count", "means", "rated", "segment_dates",
)  # fmt: skip
"""What a file of things says that is no word."""
_UNSAID = ("number", "name", "unit", "currency", "kind", "code", "value", "area", "what")
"""Fields whose titles are too common to mean them."""


@dataclass(frozen=True, slots=True)
class Noun:
    """Records of an entity."""

    entity: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A named part of an entity; as a noun it also says of what kind the records are: "quotations"."""

    entity: str
    name: str
    noun: bool = False


@dataclass(frozen=True, slots=True)
class DateWord:
    """What happened to a record on the day that the field holds: placed, shipped, promised."""

    entity: str
    path: Path


@dataclass(frozen=True, slots=True)
class NumberWord:
    """A figure of each record that can be compared and ordered by."""

    entity: str
    path: Path


@dataclass(frozen=True, slots=True)
class FieldWord:
    """A field that records can be told apart by."""

    entity: str
    path: Path


@dataclass(frozen=True, slots=True)
class CodeWord:
    """A value of a field that holds codes or a few words; as a noun it also says of what kind the records are:
    "hand tools"."""

    entity: str
    path: Path
    code: str
    noun: bool = False


@dataclass(frozen=True, slots=True)
class CurrencyWord:
    """A currency, by its code or a name that no other has."""

    code: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of the company."""

    name: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A word that says how the question is put together: count, by, over, not."""

    name: str


Meaning = Noun | Segment | DateWord | NumberWord | FieldWord | CodeWord | CurrencyWord | Measure | Sign


@dataclass(frozen=True, slots=True)
class Match:
    """Words of a question, by their positions in a row, and all that they may mean."""

    positions: tuple[int, ...]
    meanings: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """All phrases of a language."""

    phrases: Mapping[Pieces, tuple[Meaning, ...]]
    filler: frozenset[str]
    firsts: frozenset[str] = frozenset()
    """Words that end an order: "newest first"."""
    usual_dates: Mapping[str, Path] = field(default_factory=dict[str, Path])
    segment_dates: Mapping[str, Mapping[str, Path]] = field(default_factory=dict[str, Mapping[str, Path]])
    """Entity -> a named part of its records -> the date that a time beside it is of: late ones by their promise."""
    usual_measures: Mapping[str, str] = field(default_factory=dict[str, str])
    segment_measures: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    usual_quantities: Mapping[str, str] = field(default_factory=dict[str, str])
    usual_counts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Entity -> the measure that counts them over a time: orders placed are no quotations, and not cancelled."""
    usual_orders: Mapping[str, str] = field(default_factory=dict[str, str])
    usual_segments: Mapping[str, str] = field(default_factory=dict[str, str])
    counted_as: Mapping[str, str] = field(default_factory=dict[str, str])
    """Entity -> the measure that "how many" and "by site" mean, where nobody counts its records: stock."""
    value_fields: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Entity -> its fields that hold a few words, by which records are told apart."""
    always_parts: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Entity -> a figure's path -> the named part of the records that have it: days overdue are of open invoices."""
    means: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Entity -> another -> the measure that is the mean number of those on one record: lines per order."""
    rated: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict[str, Mapping[str, Sequence[str]]])
    """Entity -> another -> the measures by which the best of those with one of these is told by an outline."""
    led: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict[str, Mapping[str, Sequence[str]]])
    """Entity -> field -> the words before a name that it belongs to that field: transfers "from" a site."""
    titles: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Entity -> what one record of it is called, and several."""

    def matches(self, words: Sequence[Word]) -> tuple[Match, ...]:
        """Every phrase that the words contain, the longest first, then from left to right."""
        pieces = [(piece, place) for place, word in enumerate(words) for piece in word.folded.split()]
        found: list[Match] = []
        longest = max(map(len, self.phrases), default=0)
        for start in range(len(pieces)):
            for length in range(1, min(longest, len(pieces) - start) + 1):
                run = pieces[start : start + length]
                meanings = self.phrases.get(tuple(piece for piece, _ in run))
                if meanings and _whole(run, pieces, start):
                    found.append(Match(tuple(dict.fromkeys(place for _, place in run)), meanings))
        return tuple(sorted(found, key=lambda m: (-len(m.positions), m.positions)))


def _whole(run: Sequence[tuple[str, int]], pieces: Sequence[tuple[str, int]], start: int) -> bool:
    """Whether the run doesn't begin or end within a word."""
    end = start + len(run)
    cut_before = start > 0 and pieces[start - 1][1] == run[0][1]
    return not cut_before and not (end < len(pieces) and pieces[end][1] == run[-1][1])


@per_language
def load_vocabulary() -> Vocabulary:
    """The vocabulary of the language in force. Raises ModelDefinitionError for a file that is not well formed."""
    language = in_force()
    things, grammar = _with_usuals(language.read("things.yaml")), language.read("grammar.yaml")
    found: dict[Pieces, dict[Meaning, None]] = defaultdict(dict)
    days = frozenset(map(str, grammar.get("day", ())))
    for phrase, meaning in (
        *_of_things(things, days),
        *_of_measures(language.read("measures.yaml")),
        *_of_codes(things, load_model()),
        *_of_currencies(),
        *_of_fields(things, load_model()),
        *((phrase, Sign(name)) for name, phrases in grammar.items() if name not in _NO_SIGNS for phrase in phrases),
    ):
        found[_pieces(phrase)][meaning] = None
    return Vocabulary(
        phrases={pieces: tuple(meanings) for pieces, meanings in found.items()},
        firsts=frozenset(str(word) for word in grammar["firsts"]),
        filler=frozenset(piece for phrase in grammar["filler"] for piece in _pieces(str(phrase))),
        usual_dates={name: _path(body["usual_date"]) for name, body in things.items() if "usual_date" in body},
        segment_dates={
            name: {part: _path(date) for part, date in body["segment_dates"].items()}
            for name, body in things.items()
            if "segment_dates" in body
        },
        usual_measures={name: body["usual_measure"] for name, body in things.items() if "usual_measure" in body},
        segment_measures={
            name: body["segment_measures"] for name, body in things.items() if "segment_measures" in body
        },
        usual_quantities={name: body["usual_quantity"] for name, body in things.items() if "usual_quantity" in body},
        usual_counts={name: body["usual_count"] for name, body in things.items() if "usual_count" in body},
        usual_orders={name: body["usual_order"] for name, body in things.items() if "usual_order" in body},
        usual_segments={name: body["usual_segment"] for name, body in things.items() if "usual_segment" in body},
        counted_as={name: body["counted_as"] for name, body in things.items() if "counted_as" in body},
        value_fields={name: tuple(body["values"]) for name, body in things.items() if "values" in body},
        always_parts={name: body["number_parts"] for name, body in things.items() if "number_parts" in body},
        means={name: body["means"] for name, body in things.items() if "means" in body},
        rated={name: body["rated"] for name, body in things.items() if "rated" in body},
        led={name: body["led"] for name, body in things.items() if "led" in body},
        titles={name: (body["nouns"][0], body["nouns"][1]) for name, body in things.items()},
    )


def _with_usuals(things: Mapping[str, Any]) -> Mapping[str, Any]:
    """With what is usually meant of records, which is the same in every language and stands in the English file."""
    usual = ENGLISH.read("things.yaml")
    kept = {name: {key: body[key] for key in _USUAL if key in body} for name, body in usual.items()}
    return {name: kept.get(name, {}) | body for name, body in things.items()}


def _of_things(things: Mapping[str, Any], days: frozenset[str]) -> Iterator[tuple[str, Meaning]]:
    for entity, body in things.items():
        for phrase in (*body["nouns"], *body.get("shared", ())):
            yield phrase, Noun(entity)
        for name, phrases in body.get("segments", {}).items():
            yield from ((phrase, Segment(entity, name)) for phrase in phrases)
        for name, phrases in body.get("segment_nouns", {}).items():
            yield from ((phrase, Segment(entity, name, noun=True)) for phrase in phrases)
        for path, phrases in body.get("dates", {}).items():
            yield from (
                (said, DateWord(entity, _path(path))) for phrase in phrases for said in _in_plural(phrase, days)
            )
        for path, phrases in body.get("numbers", {}).items():
            yield from ((phrase, NumberWord(entity, _path(path))) for phrase in phrases)
        for path, phrases in body.get("fields", {}).items():
            yield from ((phrase, FieldWord(entity, _path(path))) for phrase in phrases)


def _in_plural(phrase: str, days: frozenset[str]) -> Iterator[str]:
    """Also "promised dates": a phrase that ends with a word for days, where the language has that in the plural."""
    yield phrase
    before, _, last = phrase.rpartition(" ")
    if before and last in days:
        yield from (f"{before} {last}{ending}" for ending in lexicon().plural if f"{last}{ending}" in days)


def _of_fields(things: Mapping[str, Any], model: SemanticModel) -> Iterator[tuple[str, Meaning]]:
    """Fields go by their titles, also those of the classes beside an entity."""
    for entity in model.entities.values():
        if not entity.derived and (entity.name in things or entity.beside in things):
            for spec in entity.fields.values():
                if spec.name not in _UNSAID and spec.to not in (entity.beside, entity.name):
                    yield spec.title, FieldWord(entity.name, (spec.name,))


def _of_codes(things: Mapping[str, Any], model: SemanticModel) -> Iterator[tuple[str, Meaning]]:
    """Codes go by their own words, and by others that the file gives; fields that hold codes by their titles."""
    for entity in (e.name for e in model.entities.values() if e.name in things or e.beside in things):
        said = things.get(entity, {}).get("codes", {})
        for spec in model[entity].fields.values():
            if spec.type != "code" or not spec.codes:
                continue
            yield spec.title, FieldWord(entity, (spec.name,))
            for code in spec.codes:
                phrases = said.get(spec.name, {}).get(code, ())
                for phrase in (*_code_phrases(spec.title, load_titles().word(code)), *phrases):
                    yield phrase, CodeWord(entity, (spec.name,), code)


def _code_phrases(title: str, said: str) -> tuple[str, ...]:
    """A code by its own word; one of a letter or two only with its field: "tier a", never "a"."""
    return (said,) if len(said) > _SHORT_CODE else (f"{title} {said}", f"{said} {title}", f"{said}-{title}")


def _of_measures(measures: Mapping[str, Any]) -> Iterator[tuple[str, Meaning]]:
    for name, phrases in measures.items():
        yield from ((phrase, Measure(name)) for phrase in phrases)


def _of_currencies() -> Iterator[tuple[str, Meaning]]:
    for phrase, codes in load_amount_words().currencies.items():
        if len(codes) == 1:
            yield " ".join(phrase), CurrencyWord(codes[0])


def _pieces(phrase: str) -> Pieces:
    return tuple(piece for word in cut(phrase) for piece in word.folded.split())


def _path(text: str) -> Path:
    return tuple(text.split("."))
