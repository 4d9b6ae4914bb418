"""What the reader finds, and the names of its rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

Rule = Literal[
    # Facts: what is printed is the stored value of the record and field named.
    "reference_unknown",
    "value_differs",
    "unit_differs",
    "text_differs",
    "fact_not_printed",
    # Quotes
    "quote_differs",
    "quote_unmarked",
    "quote_unsafe",
    # The approved sentence
    "template_unknown",
    "template_differs",
    "word_not_approved",
    "not_of_slot",
    # The outline of the question's plan
    "not_asked",
    "not_of_step",
    "not_first",
    "relation_differs",
    "condition_fails",
    "need_missing",
    "emptiness_unfounded",
    "fallback_unfounded",
    "period_differs",
    "said_twice",
    "contradiction",
    # The rendered text
    "hidden_character",
    "markup",
    "figure_without_fact",
    "number_word_without_fact",
    "day_without_fact",
    "state_without_fact",
    "comparison_without_fact",
    "rank_without_fact",
    "quantity_without_fact",
    "cause_without_fact",
]
RULES: tuple[Rule, ...] = get_args(Rule)
"""Every rule; a test has a lie for each."""
Broken = tuple[Rule, str]
"""A rule and the words that break it."""


def broken(rule: Rule, words: Iterable[str]) -> Iterator[Broken]:
    """A rule that each of some words break."""
    return ((rule, each) for each in words)


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a claim was rejected: the rule that found it and the words it is about."""

    claim: str
    rule: Rule | Literal["withheld"]
    words: str
