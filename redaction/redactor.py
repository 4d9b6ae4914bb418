"""Everything personal in a text: what the records know, what has its form, and what the words around it tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from redaction.finds import Find, joined
from redaction.gazetteer import Gazetteer
from redaction.identifiers import Identifiers
from redaction.words import Words


class Finder(Protocol):
    """Finds personal data that no record need hold."""

    @property
    def uncovered(self) -> frozenset[str]:
        """The kinds that it would find only with a model, and has none."""
        ...

    def find(self, text: str, words: Words) -> Iterable[Find]:
        """The finds in a text, whose words are given too, in any order; they may overlap."""
        ...


@dataclass(frozen=True, slots=True)
class Redactor:
    """Finds what is to be masked; reads nothing and keeps nothing of the texts."""

    known: Sequence[Gazetteer]
    """What is known: all of it at some time, and what was added since."""
    ours: Identifiers
    others: Sequence[Finder] = ()

    def find(self, text: str) -> tuple[Find, ...]:
        """The finds of a text, in order and apart from each other.

        What is known goes before what only looks so. A number of our own protects what is found inside it: the digits
        of an order are no phone number. A known value of just that form is masked all the same.
        """
        words = Words(text)
        there = self._known_in(text, words)
        guessed = [find for finder in self.others for find in finder.find(text, words)]
        ours = self.ours.find(text) if there or guessed else ()
        known = _apart(there, ours)
        protected = (*ours, *known)
        return joined((*known, *(find for find in guessed if not any(_within(find, each) for each in protected))))

    @property
    def uncovered(self) -> frozenset[str]:
        """The kinds of which only known values are found, for want of a model."""
        return frozenset(kind for finder in self.others for kind in finder.uncovered)

    def find_known(self, text: str) -> tuple[Find, ...]:
        """The finds of what is known alone."""
        known = self._known_in(text, Words(text))
        return joined(_apart(known, self.ours.find(text))) if known else ()

    def _known_in(self, text: str, words: Words) -> Sequence[Find]:
        return [find for gazetteer in self.known for find in gazetteer.find(text, words)]


def _apart(known: Sequence[Find], ours: Sequence[Find]) -> Sequence[Find]:
    """What is known, without what is a part of a number of ours, and not all of it."""
    return [
        find
        for find in known
        if not any(_within(find, each) and (find.begin, find.end) != (each.begin, each.end) for each in ours)
    ]


def _within(find: Find, other: Find) -> bool:
    return other.begin <= find.begin and find.end <= other.end
