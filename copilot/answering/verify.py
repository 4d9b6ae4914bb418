"""Reads a draft the way a stranger would and finds a backing for everything it says, or rejects the claim.

It shares no code with the renderer and calls no model. References are resolved in the evidence again and printed text
is parsed back; each sentence is compared with its approved template; the records of its slots are held against the
outline of the question's plan; and what is left of the text without its facts has to hold no figure, and no word of
state, order, quantity or cause that nothing stands behind. `verifying/finding.py` lists the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from copilot.answering.draft import Claim, Draft, Templates
from copilot.answering.verifying.facts import fact_rules
from copilot.answering.verifying.finding import RULES, Broken, Finding, Rule
from copilot.answering.verifying.grounds import Ground, unbacked
from copilot.answering.verifying.parts import Part, part_rules, parts_of
from copilot.answering.verifying.periods import Times
from copilot.answering.verifying.relations import Asked, Places, asked_for, draft_rules, is_beside
from copilot.answering.verifying.steps import Steps
from copilot.answering.verifying.surface import text_rules
from copilot.answering.verifying.words import said
from copilot.domain.evidence import Evidence
from copilot.domain.plan import Plan

__all__ = ["RULES", "Finding", "Rule", "verify"]


def verify(draft: Draft, evidence: Evidence, plan: Plan | None, templates: Templates) -> tuple[Finding, ...]:
    """What can't be backed; nothing when the whole draft can be shown.

    `plan` is the question's; None where nothing was asked about records, and then no claim is held against an outline.
    `templates` are the approved ones, in the language in force.
    """
    reader = _Reader(evidence, plan, templates)
    told = [Finding(claim.name, rule, words) for claim in draft.claims for rule, words in reader.read(claim)]
    told += [Finding(claim.name, rule, words) for claim, (rule, words) in draft_rules(draft.claims)]
    return tuple(dict.fromkeys(told))


class _Reader:
    """Reads the claims of one draft."""

    def __init__(self, evidence: Evidence, plan: Plan | None, templates: Templates) -> None:
        self.steps = Steps(evidence)
        self.plan = plan
        self.templates = templates
        self.places = Places(plan.outline) if plan else None
        self.times = Times(plan, self.steps) if plan else None

    def read(self, claim: Claim) -> Iterator[Broken]:
        yield from text_rules(claim.text)
        asked: Asked | None = None
        if self.plan and self.places and not is_beside(claim):
            asked, broken = asked_for(claim, self.places, self.steps, self.templates)
            yield from broken
        parts = parts_of(claim, self.templates)
        if parts is None:
            yield "template_differs", claim.name
            return
        yield from chain.from_iterable(self._part(part, asked) for part in parts)

    def _part(self, part: Part, asked: Asked | None) -> Iterator[Broken]:
        for fact in part.facts:
            yield from fact_rules(fact, self.steps.records)
        yield from part_rules(part)
        bound = tuple(self.steps.records[each] for each in part.slots.values() if each in self.steps.records)
        ground = Ground(records=bound, steps=self.steps, plan=self.plan, asked=asked, places=self.places)
        told = said(part.literals)
        yield from told.broken
        yield from unbacked(told.claimed, ground)
        if self.times:
            yield from self.times.rules(bound)
