"""Checks the files of a language: against their schemas, and that what they name is there and means one thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from copilot.errors import ModelDefinitionError
from copilot.semantic.computed import load_computed
from copilot.semantic.conditions import load_segments
from copilot.semantic.definitions import PLAIN
from copilot.semantic.documents import Document, Fault, Place, documents_in
from copilot.semantic.kpis import load_kpis
from copilot.semantic.language import ENGLISH, Language, find_language, language_folder, shipped_languages, speaking
from copilot.semantic.measures import load_measures
from copilot.semantic.model import SemanticModel, load_model
from copilot.semantic.paths import leaf_of
from copilot.understanding.amount_words import read_amount_words
from copilot.understanding.kinds import load_kinds
from copilot.understanding.manners import load_phrases, manners_file
from copilot.understanding.time.language import read_time_words
from copilot.understanding.vocabulary import load_vocabulary
from copilot.understanding.words import cut, fold
from prompts.template import TemplateError, load_approved

_OF_ALL = (
    "things", "measures", "grammar", "times", "amounts", "words", "forms", "phrases", "dialogue", "manners",
)  # fmt: skip
_OF_OTHERS = ("titles", "kinds")
"""What a language other than English says in files of its own."""
_OF_SOME = ("asides", "remarks", "sayings")
"""What a language may do without."""
_SCHEMAS = {f"{name}.yaml": name for name in (*_OF_ALL, *_OF_OTHERS, *_OF_SOME)}
_SLOT = re.compile(r"{(\w+)}")
_PATTERNS = ("begins", "ends", "within", "instead", "spelled", "asks", "tells", "harmless", "never")
"""Where asides, remarks and sayings have patterns."""
_DAYS = ("date", "instant")
_FIGURES = ("quantity", "amount", "ratio", "days", "count")


def languages() -> tuple[str, ...]:
    """The languages that are shipped."""
    return shipped_languages()


def language_documents(language: str) -> tuple[Document, ...]:
    """The files of a language: one that is shipped, or the folder of another."""
    found = find_language(language)
    called = f"copilot/understanding/language/{language}" if language in languages() else language
    return documents_in(found.folder, called, language_folder() / "schemas", _SCHEMAS)


def check_languages(others: Sequence[str] = ()) -> tuple[Fault, ...]:
    """All that is wrong with the languages that are shipped, and with others."""
    faults: list[Fault] = []
    for language in (*languages(), *others):
        found = check_language(language_documents(language))
        faults += found or _whole(find_language(language))
    return tuple(faults)


def _whole(language: Language) -> Iterator[Fault]:
    """That the files, each right by itself, make a whole: with the question kinds and the sentences of the language."""
    try:
        with speaking(language):
            for load in (load_model, load_kpis, load_vocabulary, load_phrases):
                load()
            kinds, manners = load_kinds(), manners_file()
        load_approved(language=language.folder)
    except (ModelDefinitionError, TemplateError) as error:
        yield Fault(str(language.folder), 0, "", str(error))
        return
    named = {kind for topic in manners["topics"] for kind in topic["kinds"]}
    named |= {example["kind"] for example in manners["examples"]}
    for kind in sorted(named - {*kinds}):
        yield Fault(str(language.folder / "manners.yaml"), 0, "", f"the language has no words for the kind {kind!r}")


def check_language(documents: Sequence[Document]) -> tuple[Fault, ...]:
    """What is wrong with the files of one language, each by itself, held against the shipped semantic model."""
    faults: list[Fault] = []
    for document in documents:
        own = list(document.faults())
        faults += own
        if not own:
            faults += _CHECKS.get(document.schema, _nothing_more)(document)
    folder = documents[0].file.rpartition("/")[0] if documents else "language"
    wanted = _OF_ALL if folder.endswith(f"/{ENGLISH.name}") else (*_OF_ALL, *_OF_OTHERS)
    missing = {*wanted} - {document.schema for document in documents}
    faults += [Fault(f"{folder}/{name}.yaml", 0, "", "is not there") for name in missing]
    return tuple(sorted(set(faults)))


def _things(document: Document) -> Iterator[Fault]:
    model, segments = load_model(), load_segments()
    yield from _doubles(document, {(name, "nouns"): body["nouns"] for name, body in document.body.items()})
    for entity, body in document.body.items():
        if entity not in model.entities:
            yield document.fault(f"there is no entity {entity!r}", entity)
            continue
        for name in body.get("segments", {}):
            if name not in segments.get(entity, {}):
                yield document.fault(f"{entity!r} has no segment {name!r}", entity, "segments", name)
        yield from _doubles(document, {(entity, "segments", n): said for n, said in body.get("segments", {}).items()})
        yield from _path_faults(document, model, entity, body)
        yield from _code_faults(document, model, entity, body)


def _path_faults(document: Document, model: SemanticModel, entity: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    for kind, types in (("dates", _DAYS), ("numbers", _FIGURES), ("fields", None), ("led", ("ref",))):
        for path in body.get(kind, {}):
            yield from _leads_to(document, model, entity, path, types, (entity, kind, path))
    if "usual_date" in body:
        yield from _leads_to(document, model, entity, body["usual_date"], _DAYS, (entity, "usual_date"))
    if "usual_order" in body:
        order = body["usual_order"].removeprefix("-")
        yield from _leads_to(document, model, entity, order, None, (entity, "usual_order"))
    usual = body.get("usual_measure")
    if usual is not None and usual not in load_kpis():
        yield document.fault(f"there is no measure {usual!r}", entity, "usual_measure")


def _leads_to(
    document: Document, model: SemanticModel, entity: str, path: str, types: Iterable[str] | None, place: Place
) -> Iterator[Fault]:
    try:
        leaf = leaf_of(model, entity, tuple(path.split(".")))
    except ModelDefinitionError as error:
        yield document.fault(str(error), *place)
        return
    if types is not None and leaf.type not in types:
        yield document.fault(f"{path!r} is of the type {leaf.type!r}, not one of {', '.join(types)}", *place)


def _code_faults(document: Document, model: SemanticModel, entity: str, body: Mapping[str, Any]) -> Iterator[Fault]:
    for field, said in body.get("codes", {}).items():
        spec = model[entity].fields.get(field)
        if spec is None or not spec.codes:
            yield document.fault(f"{entity!r} has no field {field!r} with codes", entity, "codes", field)
            continue
        for code in said:
            if code not in spec.codes:
                text = f"{field!r} is never {code!r}; it is one of {', '.join(spec.codes)}"
                yield document.fault(text, entity, "codes", field, code)
        yield from _doubles(document, {(entity, "codes", field, code): phrases for code, phrases in said.items()})


def _measures(document: Document) -> Iterator[Fault]:
    """A phrase may name several measures: which one is meant is told by the time and the records of the question."""
    for name, said in document.body.items():
        if name not in load_kpis():
            yield document.fault(f"there is no measure {name!r}", name)
        yield from _doubles(document, {(name,): said})


def _times(document: Document) -> Iterator[Fault]:
    yield from _read(document, read_time_words)
    for part in ("units", "months", "weekdays", "parts", "nth"):
        yield from _doubles(document, {(part, name): said for name, said in document.body[part].items()})


def _amounts(document: Document) -> Iterator[Fault]:
    body = document.body
    yield from _read(document, read_amount_words)
    counted = {("units", name): unit["say"] for name, unit in body["units"].items()}
    yield from _doubles(document, counted | {("times", name): said for name, said in body["times"].items()})
    yield from _doubles(document, {("units", name, "codes"): unit["codes"] for name, unit in body["units"].items()})


def _words(document: Document) -> Iterator[Fault]:
    """Words are compared as folding leaves them."""
    model = load_model()
    for part in ("stop", "turning", "hints", "numbers", "names", "or", "in", "countries", "every", "by", "inches"):
        for word in document.body[part]:
            if fold(word) != word:
                yield document.fault(f"{word!r} is never met; it is read as {fold(word)!r}", part)
    for word, kinds in document.body["hints"].items():
        for kind in kinds:
            if kind not in model.entities:
                yield document.fault(f"there is no entity {kind!r}", "hints", word)


def _titles(document: Document) -> Iterator[Fault]:
    model, segments = load_model(), load_segments()
    for entity, body in document.body.get("entities", {}).items():
        if entity not in model.entities:
            yield document.fault(f"there is no entity {entity!r}", "entities", entity)
            continue
        for name in body.get("segments", {}):
            if name not in segments.get(entity, {}):
                yield document.fault(f"{entity!r} has no segment {name!r}", "entities", entity, "segments", name)
        for name in body.get("fields", {}):
            if name not in model[entity].fields and name not in load_computed().get(entity, {}):
                yield document.fault(f"{entity!r} has no field {name!r}", "entities", entity, "fields", name)
    for name in document.body.get("measures", {}):
        if name not in load_kpis() and name not in load_measures() and name not in PLAIN:
            yield document.fault(f"there is no measure {name!r}", "measures", name)


def _nothing_more(_: Document) -> Iterator[Fault]:
    """Phrases of the grammar, say, may mean several things: what a question is about decides."""
    return iter(())


def _read(document: Document, read: Callable[[Mapping[str, Any]], object]) -> Iterator[Fault]:
    try:
        read(document.body)
    except ModelDefinitionError as error:
        yield document.fault(str(error))


def _doubles(document: Document, said: Mapping[Place, Iterable[str]]) -> Iterator[Fault]:
    """Phrases that mean two things where one is looked for, and those that no question can hold."""
    seen: dict[tuple[str, ...], Place] = {}
    for place, phrases in said.items():
        for phrase in phrases:
            folded = tuple(piece for word in cut(str(phrase)) for piece in word.folded.split())
            if not folded:
                yield document.fault(f"{phrase!r} has neither letter nor figure", *place)
                continue
            first = seen.setdefault(folded, place)
            if first != place:
                yield document.fault(f"{phrase!r} means {'.'.join(map(str, first))} too", *place)


def _patterns(document: Document) -> Iterator[Fault]:
    """Patterns that can't be read, and slots that are not there."""
    slots = document.body.get("slots", {})
    for place in _PATTERNS:
        for number, line in enumerate(document.body.get(place, ())):
            pattern = line.partition("->")[0].strip()
            missing = [name for name in _SLOT.findall(pattern) if name not in slots]
            if missing:
                yield document.fault(f"there is no slot {missing[0]!r}", place, number)
            try:
                re.compile(_SLOT.sub("x", pattern))
            except re.error as error:
                yield document.fault(f"the pattern can't be read: {error}", place, number)


_CHECKS: Mapping[str, Callable[[Document], Iterator[Fault]]] = {
    "things": _things,
    "measures": _measures,
    "times": _times,
    "amounts": _amounts,
    "words": _words,
    "titles": _titles,
    "asides": _patterns,
    "remarks": _patterns,
    "sayings": _patterns,
}
