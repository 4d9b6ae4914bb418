"""The small words of a language that the reading of records and names rests on, from its words.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from copilot.errors import ModelDefinitionError
from copilot.semantic.language import in_force, per_language

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """All as folding leaves it; words.yaml says what each is."""

    stop: frozenset[str]
    turning: frozenset[str]
    hints: Mapping[str, tuple[str, ...]]
    several_hints: Mapping[str, tuple[str, ...]]
    """The hints, in the plural too."""
    numbers: frozenset[str]
    names: frozenset[str]
    alternatives: frozenset[str]
    before_places: frozenset[str]
    countries: Mapping[str, frozenset[str]]
    genitive: tuple[str, ...]
    plural: tuple[str, ...]
    every: frozenset[str]
    which: frozenset[str]
    """Words that ask which records the next word names: "which orders"."""
    sizes: Mapping[Phrase, str]
    """What is said of an inch -> the part of it, as names have it."""
    by: frozenset[str]
    inches: frozenset[str]
    showing: frozenset[str] = frozenset()
    """Words before a field that a list is to show: orders "with" their dates."""
    theirs: frozenset[str] = frozenset()
    """Words that say whose such a field is: "and their dates"."""
    partners: frozenset[str] = frozenset()
    """Words before those whom documents go to or come from: purchase orders "to" suppliers."""
    before: frozenset[str] = frozenset()
    """Words that stand before a name, of which it is asked and not what is asked for: "from" which supplier."""


@per_language
def lexicon() -> Lexicon:
    """The small words of the language in force. Raises ModelDefinitionError naming what is not well formed."""
    return read_lexicon(in_force().read("words.yaml"))


def read_lexicon(body: Mapping[str, Any]) -> Lexicon:
    """The words as a file holds them. Raises ModelDefinitionError naming what is not well formed."""
    try:
        hints = {word: tuple(kinds) for word, kinds in body["hints"].items()}
        plural = tuple(body["plural"])
        return Lexicon(
            stop=frozenset(body["stop"]), turning=frozenset(body["turning"]), hints=hints,
            several_hints={f"{word}{ending}": kinds for word, kinds in hints.items() for ending in plural} | hints,
            numbers=frozenset(body["numbers"]), names=frozenset(body["names"]), alternatives=frozenset(body["or"]),
            before_places=frozenset(body["in"]),
            countries={word: frozenset(before) for word, before in body["countries"].items()},
            genitive=tuple(body["genitive"]), plural=plural, every=frozenset(body["every"]),
            which=frozenset(body["which"]),
            sizes={tuple(said.split()): size for size, all_said in body["sizes"].items() for said in all_said},
            by=frozenset(body["by"]), inches=frozenset(body["inches"]),
            showing=frozenset(body.get("showing", ())), theirs=frozenset(body.get("theirs", ())),
            partners=frozenset(body.get("partners", ())), before=frozenset(body.get("before", ())),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelDefinitionError(f"the small words are not well formed: {error!r}") from error
