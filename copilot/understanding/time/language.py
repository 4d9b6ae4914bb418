"""The words and forms in which a language says times, read from its times.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from copilot.errors import ModelDefinitionError
from copilot.semantic.language import in_force, per_language
from copilot.understanding.time.bounds import BOUNDS
from copilot.understanding.time.meanings import MAKERS
from copilot.understanding.words import fold

Phrase = tuple[str, ...]
PLACES = frozenset(
    {
        "N", "FIGURE", "UNIT", "DAYS", "MONTH", "WEEKDAY", "DAY", "ORDINAL", "YEAR", "DATE", "DAYMONTH", "WEEK",
        "QUARTER", "HALF", "FY", "NTH", "PART", "TIME",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Element:
    """One word of a form: a small word by its phrases, or a place of the named kind."""

    place: str
    phrases: tuple[Phrase, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A way to say a time, and what it means."""

    elements: tuple[Element, ...]
    body: Mapping[str, Any]
    begins: frozenset[str] | None
    """The words that it may begin with; None: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWords:
    """How one language says times. Phrases are folded words; `numbers` hold the articles that count as one too."""

    spans: tuple[Form, ...]
    bounds: tuple[Form, ...]
    leads: frozenset[str]
    sure: frozenset[str]
    the: tuple[Phrase, ...]
    of: tuple[Phrase, ...]
    turned_by: frozenset[str]
    articles: Mapping[str, int]
    numbers: Mapping[str, int]
    endings: tuple[str, ...]
    weak: frozenset[str]
    marks: Mapping[str, tuple[str, ...]]
    names: Mapping[str, Mapping[Phrase, Any]]
    """UNIT, DAYS, MONTH, WEEKDAY, NTH, PART -> phrase -> which one it is."""


@per_language
def load_time_words() -> TimeWords:
    """The words of the language in force. Raises ModelDefinitionError naming a form that is not well formed."""
    return read_time_words(in_force().read("times.yaml"))


def read_time_words(body: Mapping[str, Any]) -> TimeWords:
    """The words as a file holds them. Raises ModelDefinitionError naming what is not well formed."""
    try:
        words = {name: _phrases(said) for name, said in body["words"].items()}
        return TimeWords(
            spans=tuple(_form(each, words, MAKERS) for each in body["spans"]),
            bounds=tuple(_form(each, words, BOUNDS) for each in body["bounds"]),
            leads=frozenset(body["leads"]), sure=frozenset(body["sure"]), the=words["the"], of=words["of"],
            turned_by=frozenset(body["turned_by"]), articles=body["articles"],
            numbers=body["numbers"] | body["articles"], endings=tuple(body["ordinal_endings"]),
            weak=frozenset(body["weak"]), marks={mark: tuple(said) for mark, said in body["marks"].items()},
            names=_names(body),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelDefinitionError(f"the words for times are not well formed: {error!r}") from error


def _names(body: Mapping[str, Any]) -> Mapping[str, Mapping[Phrase, Any]]:
    units = _named(body["units"])
    return {
        "UNIT": {phrase: unit for phrase, unit in units.items() if unit not in ("hour", "day", "working_day")},
        "DAYS": units,
        "MONTH": _named(body["months"]),
        "WEEKDAY": _named(body["weekdays"]),
        "PART": _named(body["parts"]),
        "NTH": _named(body["nth"]),
    }


def _named(body: Mapping[Any, Any]) -> Mapping[Phrase, Any]:
    return {phrase: name for name, said in body.items() for phrase in _phrases(said)}


def _phrases(said: Any) -> tuple[Phrase, ...]:
    folded = (tuple(fold(phrase).split()) or (phrase,) for phrase in cast("list[str]", said))  # a dash is no letter
    return tuple(sorted(folded, key=len, reverse=True))


def _form(body: dict[str, Any], words: Mapping[str, tuple[Phrase, ...]], makers: Any) -> Form:
    kept = {key: value for key, value in body.items() if key != "say"}
    means = kept.get("bound") if "bound" in kept else next((key for key in kept if key in makers), None)
    if means not in makers:
        raise ModelDefinitionError(f"the form {body['say']!r} means nothing known; it is one of {', '.join(makers)}")
    elements = tuple(_elements(str(body["say"]), words))
    return Form(elements, kept, _begins(elements))


def _begins(elements: Sequence[Element]) -> frozenset[str] | None:
    found: set[str] = set()
    for element in elements:
        if element.place:
            return None
        found |= {phrase[0] for phrase in element.phrases}
        if not element.optional:
            break
    return frozenset(found)


def _elements(say: str, words: Mapping[str, tuple[Phrase, ...]]) -> Iterator[Element]:
    for said in say.split():
        name, optional = said.removesuffix("?"), said.endswith("?")
        if re.fullmatch(r"[A-Z]+", name):
            if name not in PLACES:
                raise ModelDefinitionError(f"the form {say!r} has the unknown place {name!r}")
            yield Element(name, (), optional)
        elif name not in words:
            raise ModelDefinitionError(f"the form {say!r} has the unknown word {name!r}; list it under words")
        else:
            yield Element("", words[name], optional)
