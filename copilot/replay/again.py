"""Makes an answer again from what it was made from: the kept draft is rendered, drafted, verified and decided anew.

Nothing is asked of the records, of a model or of the clock. Each step is held against what was kept of it, so that a
difference says where it came about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from copilot.answering.decide import Decider
from copilot.answering.draft import Claim, Draft, Templates, draft, render, render_quote, together
from copilot.answering.made import Made, Making, OfManner, OfNoPlan, OfPlan, Saying
from copilot.answering.several import one_answer
from copilot.answering.verify import Finding, verify
from copilot.domain.answer import Answer
from copilot.domain.evidence import Record
from copilot.manners.said import told_again
from copilot.semantic.model import SemanticModel
from prompts.template import ClaimTemplate

Stage = Literal["template", "draft", "verify", "decide"]
WITHHELD = "withheld"
"""The rule of findings that are the policy's of then: they are taken as they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The templates of then: those that might be said, and the shapes that were drafted with. `gone` are those of which
    the text of then is nowhere any more; what was said by them stands as it was kept."""

    templates: Templates
    shapes: Templates
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke:
    """A step that comes out otherwise than it did: which, and at what (a claim, a rule), without any value."""

    stage: Stage
    what: str


@dataclass(frozen=True, slots=True)
class Again:
    """The answer as it comes about again, and the steps that came out otherwise. It has no id and no time taken."""

    answer: Answer
    broke: tuple[Broke, ...]


def again(making: Making, words: Words, model: SemanticModel) -> Again:
    """Make the answer again. The language that it was made in must be spoken."""
    line = _Line(words, model)
    answers = [line.answer(part) for part in making.parts]
    answer = one_answer(answers) if len(answers) > 1 else answers[0]
    choices = tuple(dict.fromkeys((*answer.choices, *making.offered)))
    marked = replace(answer, engine=making.mark.engine, fallback=making.mark.fallback, choices=choices)
    return Again(marked, tuple(dict.fromkeys(line.broke)))


@dataclass(slots=True)
class _Line:
    """Goes through the steps, remembering what came out otherwise."""

    words: Words
    model: SemanticModel
    broke: list[Broke] = field(default_factory=list[Broke])

    def answer(self, part: Made) -> Answer:
        """The answer of one part."""
        decider = Decider(self.words.templates, self.model)
        match part:
            case OfNoPlan():
                return decider.no_access() if part.why is None else decider.decline(part.why, part.now)
            case OfManner():
                return self._mannerly(part)
            case OfPlan():
                drafted = self._drafted(part)
                return decider.answer(part.plan, part.evidence, drafted, part.findings, part.stale, part.now)

    def _mannerly(self, part: OfManner) -> Answer:
        records = part.evidence.by_id()
        lines = [line if isinstance(line, Saying) else self._claim(line, records) for line in part.lines]
        cited = None if part.cited is None else tuple(self._claim(claim, records) for claim in part.cited)
        made = replace(part, lines=tuple(lines), cited=cited)
        return told_again(made, self.words.templates, self.model).answer

    def _drafted(self, part: OfPlan) -> Draft:
        """The kept draft, rendered again; what the rules drafted, they draft again; and it is verified again."""
        records = part.evidence.by_id()
        rendered = Draft(
            claims=tuple(self._claim(claim, records) for claim in part.draft.claims), complete=part.draft.complete
        )
        if not part.arranged:
            self.broke += (Broke(stage="draft", what=what) for what in self._otherwise(part, rendered))
        kept = {finding for finding in part.findings if finding.rule != WITHHELD}
        found = {
            finding
            for finding in verify(rendered, part.evidence, part.plan, self.words.shapes)
            if not self._gone(finding, rendered)
        }
        self.broke += (Broke(stage="verify", what=f"{each.claim}: {each.rule}") for each in _sorted(kept ^ found))
        return rendered

    def _otherwise(self, part: OfPlan, rendered: Draft) -> Iterator[str]:
        """Where the rules would draft another answer now."""
        try:
            drafted = draft(part.plan.outline, part.evidence, self.words.shapes)
        except KeyError as error:
            yield str(error.args[0])
            return
        if drafted.complete != rendered.complete:
            yield "whether it is complete"
        told = [claim for claim in rendered.claims if not self.words.gone.intersection(claim.templates)]
        anew = [claim for claim in drafted.claims if not self.words.gone.intersection(claim.templates)]
        for one, other in zip(told, anew, strict=False):
            if one != other or one.slots != other.slots:
                yield one.name
        yield from (claim.name for claim in (*told[len(anew) :], *anew[len(told) :]))

    def _claim(self, kept: Claim, records: Mapping[str, Record]) -> Claim:
        """A kept claim rendered again; as it was kept where its template's text of then is gone."""
        claim = self._rendered(kept, records)
        if claim is None:
            return replace(kept, about=tuple(kept.slots.values()))
        if kept.further:
            claim = together(claim, [self._rendered(each, records) or each for each in kept.further])
        if claim.text != kept.text:
            self.broke.append(Broke(stage="template", what=kept.name))
        return claim

    def _rendered(self, kept: Claim, records: Mapping[str, Record]) -> Claim | None:
        template = None if kept.name in self.words.gone else self.words.shapes.get(kept.name)
        slots = {slot: records[ref] for slot, ref in kept.slots.items() if ref in records}
        claim = None
        if template is not None and all(slot.record in slots for slot in template.slots):
            claim = self._filled(kept, template, slots)
        if claim is None:
            self.broke.append(Broke(stage="template", what=kept.name))
            return None
        return replace(claim, essential=kept.essential, declines=kept.declines, settles=kept.settles)

    @staticmethod
    def _filled(kept: Claim, template: ClaimTemplate, slots: Mapping[str, Record]) -> Claim | None:
        if kept.quote:
            return render_quote(template, slots[template.slots[-1].record], *kept.quote)
        claim = render(template, slots, frozenset(kept.stressed))
        return replace(claim, stressed=kept.stressed) if claim else None

    def _gone(self, finding: Finding, rendered: Draft) -> bool:
        """Whether it is about a claim that stands as it was kept: its facts are not known, so it can't be verified."""
        claims: Sequence[Claim] = [claim for claim in rendered.claims if claim.name == finding.claim]
        return any(self.words.gone.intersection(claim.templates) for claim in claims)


def _sorted(findings: set[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.claim, finding.rule, finding.words))
