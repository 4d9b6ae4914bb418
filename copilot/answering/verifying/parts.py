"""Takes a claim apart: its sentences, and the text of each with its facts taken out where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from copilot.answering.draft import Claim
from copilot.answering.verifying.finding import Broken, broken
from copilot.domain.answer import Fact
from prompts.template import ClaimTemplate

_ESCAPED = re.compile(r"\\([^\w\s]|_)")
_QUOTES = {"“": "”", '"': '"', "„": "“", "«": "»", "‘": "’", "'": "'"}
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sentence of a claim, as one template makes it; `literals` is its text before, between and behind the facts
    that stand in it."""

    name: str
    template: ClaimTemplate | None
    """The approved one of its name."""
    facts: tuple[Fact, ...]
    slots: Mapping[str, str]
    literals: tuple[str, ...]
    missing: tuple[Fact, ...]
    """The facts that do not stand in the text after the one before them."""


def parts_of(claim: Claim, templates: Mapping[str, ClaimTemplate]) -> tuple[Part, ...] | None:
    """The sentence of the claim itself and those that it goes on to say; None where its text or its facts are not made
    up of theirs."""
    tail = "".join(f" {each.text}" for each in claim.further)
    facts = tuple(fact for each in claim.further for fact in each.facts)
    own = claim.facts[: len(claim.facts) - len(facts)]
    if not claim.text.endswith(tail) or (*own, *facts) != claim.facts:
        return None
    first = _part(claim, claim.text[: len(claim.text) - len(tail)], own, templates)
    return (first, *(_part(each, each.text, each.facts, templates) for each in claim.further))


def _part(claim: Claim, text: str, facts: tuple[Fact, ...], templates: Mapping[str, ClaimTemplate]) -> Part:
    template = templates.get(claim.name)
    literals, missing = _told_apart(_ESCAPED.sub(r"\1", text), facts, template)
    return Part(
        name=claim.name, template=template, facts=facts, slots=claim.slots, literals=literals, missing=missing
    )  # fmt: skip


def _told_apart(
    plain: str, facts: Sequence[Fact], template: ClaimTemplate | None
) -> tuple[tuple[str, ...], tuple[Fact, ...]]:
    """The text around the facts, and the facts that it lacks. Where it reads as its template with the facts in their
    places, it is taken so: a fact may be a word that the template has too."""
    approved = _approved(template) if template else ()
    if len(approved) != len(facts) + 1:
        return _taken_out(plain, facts)
    texts = (fact.text for fact in facts)
    whole = "".join(piece for pair in zip_longest(approved, texts, fillvalue="") for piece in pair)
    if plain == whole:
        return approved, ()
    literals, missing = _taken_out(plain, facts)
    return (approved if not missing and _flat(plain) == _flat(whole) else literals), missing


def _taken_out(plain: str, facts: Sequence[Fact]) -> tuple[tuple[str, ...], tuple[Fact, ...]]:
    """The text before, between and behind the facts, each taken out once, after the one before it; and those that are
    not there."""
    literals: list[str] = []
    missing: list[Fact] = []
    cursor = 0
    for fact in facts:
        at = _place(plain, fact.text, cursor)
        if at < 0:
            missing.append(fact)
        else:
            literals.append(plain[cursor:at])
            cursor = at + len(fact.text)
    return (*literals, plain[cursor:]), tuple(missing)


def _place(text: str, words: str, start: int) -> int:
    """Where words stand in a text from a place on and are no piece of a longer word; -1 where they don't."""
    at = text.find(words, start) if words else -1
    while at >= 0 and (_joined(text, at) or _joined(text, at + len(words))):
        at = text.find(words, at + 1)
    return at


def _joined(text: str, at: int) -> bool:
    """Whether the characters before and at a place are of one word."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


def part_rules(part: Part) -> Iterator[Broken]:
    """Whether a sentence is its approved template, filled with the fields that this asks for of the records bound."""
    yield from broken("fact_not_printed", (fact.ref for fact in part.missing))
    if part.template is None:
        yield "template_unknown", part.name
        return
    yield from broken("not_of_slot", _foreign(part, part.template))
    if not part.missing:
        yield from broken("quote_unmarked", _unmarked(part))
        yield from _unapproved(part, _approved(part.template))


def _unapproved(part: Part, approved: tuple[str, ...]) -> Iterator[Broken]:
    """The words that the template does not have, or that it says what it has otherwise."""
    if part.literals is approved or [*map(_flat, part.literals)] == [*map(_flat, approved)]:
        return
    known = {word for literal in approved for word in _WORD.findall(literal)}
    unknown = [word for literal in part.literals for word in _WORD.findall(literal) if word not in known]
    yield from broken("word_not_approved", unknown)
    if not unknown:
        yield "template_differs", part.name


def _foreign(part: Part, template: ClaimTemplate) -> Iterator[str]:
    """The facts that are not what the template asks for; of a quote it says only the record."""
    if len(part.facts) != len(template.slots):
        yield part.name
        return
    for fact, slot in zip(part.facts, template.slots, strict=True):
        record, _, field = fact.ref.partition(".")
        if part.slots.get(slot.record) != record or (field != slot.field and not fact.quoted):
            yield fact.ref


def _unmarked(part: Part) -> Iterator[str]:
    """The quotes without quotation marks around them: words of others that read as ours."""
    for fact, before, behind in zip(part.facts, part.literals, part.literals[1:], strict=False):
        if fact.quoted and (not before or _QUOTES.get(before[-1]) != behind[:1]):
            yield fact.text


@lru_cache(maxsize=4096)
def _approved(template: ClaimTemplate) -> tuple[str, ...]:
    """The literals of a template as they are read."""
    return tuple(_ESCAPED.sub(r"\1", each) for each in template.literals)


def _flat(text: str) -> str:
    """Words and marks; whether they are bold is no matter."""
    return " ".join(text.replace("*", "").split())
