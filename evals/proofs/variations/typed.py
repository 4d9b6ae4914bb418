"""A message as it is typed: which of its words are names, numbers and codes, and which are ordinary words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from evals.scoring.case import HOLE

Span = tuple[int, int]
_WORD = re.compile(r"[^\W\d_]+")
_CODED = re.compile(r"\S*[\d@#]\S*|\b[A-Z]{2,}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The words, in lower case, that names of records have, and all that the cases and our own phrases are made of."""

    named: frozenset[str]
    said: frozenset[str]

    def knows(self, word: str) -> bool:
        """Whether a slip would make another word of a word."""
        return word.casefold() in self.named or word.casefold() in self.said


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A message with the places of what was filled in, such as a name or a number."""

    text: str
    filled: tuple[Span, ...] = ()

    def ordinary(self, lexicon: Lexicon) -> list[Span]:
        """The words that are of no name and no number."""
        guarded = [*self.filled, *(match.span() for match in _CODED.finditer(self.text))]
        return [span for span in self._words() if not _meets(span, guarded) and not self._is_name(span, lexicon)]

    def names(self, lexicon: Lexicon) -> list[Span]:
        """The words of names that are long enough to be told when they are mistyped."""
        coded = [match.span() for match in _CODED.finditer(self.text)]
        named = (span for span in self._words() if self.text[slice(*span)].casefold() in lexicon.named)
        marked = (span for span in named if self.text[span[0]].isupper() or _meets(span, self.filled))
        return [span for span in marked if not _meets(span, coded)]

    def replaced(self, span: Span, by: str) -> str:
        """The text with something else in one place."""
        return self.text[: span[0]] + by + self.text[span[1] :]

    def _words(self) -> Iterator[Span]:
        return (match.span() for match in _WORD.finditer(self.text))

    def _is_name(self, span: Span, lexicon: Lexicon) -> bool:
        word = self.text[slice(*span)]
        within = self.text[: span[0]].strip()[-1:] not in ("", "?", ".", "!", ":")
        folded = word.casefold()
        return (word[0].isupper() and within) or (folded in lexicon.named and folded not in lexicon.said)


def typed(template: str, text: str) -> Typed:
    """A turn of a case, of which the holes have been filled."""
    names = HOLE.findall(template)
    parts = [re.escape(part) for part in HOLE.split(template)[::2]]
    match = re.fullmatch("(.+?)".join(parts), text, re.DOTALL)
    return Typed(text=text, filled=tuple(match.span(n + 1) for n in range(len(names))) if match else ())


def words_of(texts: Sequence[str]) -> frozenset[str]:
    """All words of some texts, without what fills their holes."""
    return frozenset(word.casefold() for text in texts for word in _WORD.findall(HOLE.sub(" ", text)))


@cache
def data(name: str) -> dict[str, Any]:
    """One of our own YAML files."""
    return yaml.safe_load((files("evals.proofs.variations") / f"{name}.yaml").read_text(encoding="utf-8"))


def _meets(span: Span, others: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)
