"""Words of a question: how they are cut, folded and told apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from copilot.semantic.language import in_force, per_language
from copilot.understanding.lexicon import lexicon

_WORD = re.compile(r"(?:[^\s,;?!()\"“”„]|(?<=[0-9]),(?=[0-9]{1,3}(?![0-9A-Za-z])))+")
"""A comma stays between the figures of one number: 10,000."""
_BEFORE_FIGURE = re.compile(r"(?<!\S)([A-Za-z]{0,2}[$€£¥]|[<>≤≥≈~]=?)\s+(?=[0-9])")
_BEHIND_FIGURE = re.compile(r"(?<=[0-9])\s+([%$€£¥])(?!\S)")
_NO_LETTER = re.compile(r"[^a-z0-9]+")
_LONGEST_CONTRACTED = 10
_SPECIAL = str.maketrans({"ς": "σ", "ł": "l", "ø": "o", "đ": "d", "ß": "ss", "'": "", "’": ""})  # noqa: RUF001 -- the sigma is meant


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the question: as typed and folded for comparison."""

    typed: str
    folded: str

    @property
    def has_digit(self) -> bool:
        """Whether it may be a number or part of one."""
        return any(character.isdigit() for character in self.typed)

    @property
    def bare_number(self) -> bool:
        """Whether it is digits and nothing else, but for a leading #."""
        return self.typed.removeprefix("#").isdecimal()


def cut(text: str) -> tuple[Word, ...]:
    """The words of a text, without the punctuation around them. A sign stays with its figure: 95 %, € 10."""
    return tuple(word for match in _WORD.finditer(_signs_beside(text)) for word in _words_of(match.group()))


def commas_behind(text: str) -> tuple[bool, ...]:
    """For each word of a text, as it is cut, whether a comma or a semicolon stands right behind it."""
    plain = _signs_beside(text)
    found: list[bool] = []
    for match in _WORD.finditer(plain):
        found += [False] * sum(1 for _ in _words_of(match.group()))
        if found:
            found[-1] = plain[match.end() : match.end() + 1] in {",", ";"}
    return tuple(found)


def _signs_beside(text: str) -> str:
    return _BEHIND_FIGURE.sub(r"\1", _BEFORE_FIGURE.sub(r"\1", unicodedata.normalize("NFKC", text)))


def _words_of(piece: str) -> Iterator[Word]:
    """The words of what stands between blanks and commas: several for a contraction, none where nothing is said."""
    each = piece.strip(".:'’*`")
    words = (Word(word, fold(word)) for word in (_drawn_together(each) or (_without_genitive(each),)))
    yield from (word for word in words if word.folded)


def fold(text: str) -> str:
    """Lower case, no accents, nothing but letters, digits and single blanks. Mirrors core.fold in the database."""
    if text.isascii():  # nearly every word: the same in a fraction of the time
        return " ".join(_NO_LETTER.sub(" ", text.lower().replace("'", "")).split())
    plain = unicodedata.normalize("NFKD", text.lower().translate(_SPECIAL)).lower()
    kept = "".join(" " if not c.isalnum() else c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


def is_place(words: Sequence[Word], position: int) -> bool:
    """Whether a small word is the name of a country: "us" the country and not the people asking."""
    word, countries = words[position], lexicon().countries
    if word.folded not in countries:
        return False
    before = words[position - 1].folded if position else ""
    return word.typed == word.folded.upper() or before in countries[word.folded]


def is_singular(text: str) -> bool:
    """Whether a word for records means one of them."""
    return not text.casefold().endswith("s")


def first_words(phrases: Iterable[str]) -> frozenset[str]:
    """The folded words that phrases begin with."""
    return _cutting()(tuple(phrases))[0]


def phrases_in(words: Sequence[Word], phrases: Iterable[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The phrases that occur as consecutive words, each with the positions it covers; the first occurrence counts."""
    firsts, cut_once = _cutting()(tuple(phrases))
    pieces = [(piece, position) for position, word in enumerate(words) for piece in word.folded.split()]
    said = tuple(piece for piece, _ in pieces)
    if firsts.isdisjoint(said):
        return
    for phrase, wanted in cut_once:
        if wanted[0] not in said:
            continue
        for start in range(len(said) - len(wanted) + 1):
            if said[start : start + len(wanted)] == wanted:
                at = tuple(dict.fromkeys(position for _, position in pieces[start : start + len(wanted)]))
                if not _within_number(words, at, wanted):
                    yield phrase, at
                    break


def _within_number(words: Sequence[Word], at: Sequence[int], wanted: Sequence[str]) -> bool:
    """Whether a phrase only begins or ends a number, as "pay" begins PAY-2742551."""
    return any(words[p].has_digit and not {*words[p].folded.split()} <= {*wanted} for p in at)


_Cut = tuple[frozenset[str], tuple[tuple[str, tuple[str, ...]], ...]]


@per_language
def _cutting() -> Callable[[tuple[str, ...]], _Cut]:
    """Cuts our own phrases into folded words, with the first words of all; they are looked for in every question."""

    @cache
    def pieces(phrases: tuple[str, ...]) -> _Cut:
        found = tuple(
            (phrase, tuple(piece for word in cut(phrase) for piece in word.folded.split())) for phrase in phrases
        )
        return frozenset(wanted[0] for _, wanted in found), found

    return pieces


def _drawn_together(word: str) -> tuple[str, ...]:
    """The words that a contraction stands for, with or without its apostrophe; none for any other word."""
    return _contracted().get(fold(word), ()) if len(word) < _LONGEST_CONTRACTED else ()


@per_language
def _contracted() -> Mapping[str, tuple[str, ...]]:
    contracted = in_force().read("slips.yaml").get("contracted", {})
    return {typed: tuple(meant.split()) for typed, meant in contracted.items()}


def _without_genitive(word: str) -> str:
    ending = next((each for each in lexicon().genitive if word.endswith(each)), "") if len(word) > 3 else ""
    return word.removesuffix(ending)
