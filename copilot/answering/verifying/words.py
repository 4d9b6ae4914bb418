"""Reads what is left of a sentence without its facts: it may hold no figure, number word or day, and its words that
claim something are told by group (forms.yaml has them), for `grounds` to find what backs them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from copilot.answering.verifying.finding import Broken, Rule, broken
from copilot.answering.verifying.surface import readable, rest_rules
from copilot.semantic.forms import load_forms
from copilot.semantic.language import ENGLISH, Language, in_force, per_language, speaking

_RULES: Mapping[str, Rule] = {
    "states": "state_without_fact",
    "comparisons": "comparison_without_fact",
    "ranks": "rank_without_fact",
    "quantities": "quantity_without_fact",
    "causes": "cause_without_fact",
    "times": "day_without_fact",
}
"""The part of forms.yaml that has the words -> the rule that asks for their backing."""
Claimed = tuple[Rule, str, str]
"""The rule that asks for a backing, the group of words, and the words."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a sentence says without a fact: what breaks a rule as it stands, and what needs a backing."""

    broken: tuple[Broken, ...]
    claimed: tuple[Claimed, ...]


def said(literals: tuple[str, ...]) -> Said:
    """What the text before, between and behind the facts of a sentence says."""
    return _said(in_force(), literals)


@lru_cache(maxsize=4096)
def _said(language: Language, literals: tuple[str, ...]) -> Said:
    """Approved sentences are read once: what they say is the same whatever facts they hold."""
    with speaking(language):
        words = _words()
    rest = "\0".join(literals)
    text = readable(rest)
    wrong = [*rest_rules(rest)]
    for rule, pattern in words.never:
        wrong += broken(rule, (match.group() for match in pattern.finditer(text)))
    claimed: list[Claimed] = []
    for rule, group, pattern in words.backed:
        if match := pattern.search(text):
            claimed.append((rule, group, match.group()))
    return Said(tuple(wrong), tuple(claimed))


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a language that claim something, compiled."""

    never: tuple[tuple[Rule, re.Pattern[str]], ...]
    """Those that nothing backs: what they say has to be a fact."""
    backed: tuple[tuple[Rule, str, re.Pattern[str]], ...]


@per_language
def _words() -> _Words:
    forms = load_forms()
    with speaking(ENGLISH):  # which is said where the language has no sentence of its own
        english = load_forms()
    days = _phrases([*forms.months, *english.months, *forms.day_words, *english.day_words], exact=True)
    numbers = _phrases([*forms.number_words, *english.number_words])
    return _Words(
        never=(("number_word_without_fact", numbers), ("day_without_fact", days)),
        backed=tuple(
            (rule, group, _phrases([*said, *english.claiming[part][group]]))
            for part, rule in _RULES.items()
            for group, said in forms.claiming[part].items()
        ),
    )


def _phrases(said: Sequence[str], *, exact: bool = False) -> re.Pattern[str]:
    """Any of some phrases as whole words, the longest first; in any case unless `exact`."""
    words = sorted({" ".join(phrase.split()) for phrase in said}, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})(?!\w)", 0 if exact else re.IGNORECASE)
