"""Leaves out what is said around a question: who is on the line, how they feel, what the answer is for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from copilot.semantic.language import in_force, per_language
from copilot.understanding.clauses import clauses, compiled, pieces_of, place, said

_FEWEST = 2
"""Letters that must be left of a message: an aside alone is no question, and is left to manners."""


def without_asides(text: str) -> str:
    """The message without its asides, its punctuation as it was; the message itself where nothing else is left."""
    plain = ((_plain(clause), mark) for clause, mark in clauses(text))
    kept = "".join(clause + mark for clause, mark in plain if clause).strip(" ,;:-–—")
    return kept if sum(map(str.isalnum, kept)) >= _FEWEST else text


def _plain(clause: str) -> str:
    """A clause without its asides; empty where it is nothing else."""
    while (found := _aside(clause)) is not None:
        clause = f"{clause[: found[0]].rstrip()} {clause[found[1] :].lstrip()}".strip()
    return clause


def _aside(clause: str) -> tuple[int, int] | None:
    """Where the first aside of a clause begins and ends."""
    pieces = pieces_of(clause)
    text = said(pieces)
    known = _asides()
    for pattern in known.patterns:
        for match in pattern.finditer(text):
            if match.group().strip() and not known.asked(text[: match.start()].split()):
                return place(pieces, text, match.span())
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asides:
    """What asides.yaml of a language holds."""

    patterns: tuple[re.Pattern[str], ...]
    unless: frozenset[str]
    articles: frozenset[str]

    def asked(self, before: Sequence[str]) -> bool:
        """Whether the words before a pattern ask for what it says: "when has the customer asked for it"."""
        *_, last = before or ("",)
        led = before[:-1] if last in self.articles else before
        return bool(led) and led[-1] in self.unless


@per_language
def _asides() -> _Asides:
    """Those of the language in force; none where it has no file of them."""
    data = in_force().read("asides.yaml") or {"slots": {}}
    slots = data["slots"]
    patterns = (
        *compiled(data.get("begins", ()), slots, before="^"),
        *compiled(data.get("ends", ()), slots, behind="$"),
        *compiled(data.get("within", ()), slots),
    )
    articles = frozenset(slots.get("the", ()))
    return _Asides(patterns=patterns, unless=frozenset(map(str, data.get("unless", ()))), articles=articles)
