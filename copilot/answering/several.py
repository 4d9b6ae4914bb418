"""One answer to several questions of one message: all that was said of each, and no surer than the least sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from copilot.answering.draft import Draft
from copilot.answering.verify import Finding
from copilot.domain.answer import Answer, Verdict
from copilot.domain.evidence import Evidence, Record

_SURENESS = (Verdict.DECLINED, Verdict.PARTIAL, Verdict.VERIFIED)


def one_answer(answers: Sequence[Answer]) -> Answer:
    """The answers as one, in order; each fact and source keeps its id, which no two of them share.

    It is partial where something was answered and something was not.
    """
    last = answers[-1]
    least = min(answers, key=lambda answer: _SURENESS.index(answer.verdict))
    some = any(answer.verdict is not Verdict.DECLINED for answer in answers)
    return replace(
        last,
        answer="\n\n".join(answer.answer for answer in answers),
        verdict=Verdict.PARTIAL if some and least.verdict is Verdict.DECLINED else least.verdict,
        reason=least.reason,
        understood="; ".join(dict.fromkeys(answer.understood for answer in answers if answer.understood)),
        facts=tuple(dict.fromkeys(fact for answer in answers for fact in answer.facts)),
        sources=tuple(source for answer in answers for source in answer.sources),
        choices=tuple(choice for answer in answers for choice in answer.choices),
        next_steps=tuple(dict.fromkeys(step for answer in answers for step in answer.next_steps)),
    )


def one_draft(drafts: Sequence[Draft]) -> Draft:
    """The drafts as one; the claims of each are told apart by which it is."""
    claims = (replace(c, name=_told_apart(c.name, n)) for n, draft in enumerate(drafts) for c in draft.claims)
    return Draft(claims=tuple(claims), complete=all(draft.complete for draft in drafts))


def all_findings(found: Sequence[Sequence[Finding]]) -> tuple[Finding, ...]:
    """The findings over `one_draft`."""
    return tuple(replace(f, claim=_told_apart(f.claim, n)) for n, findings in enumerate(found) for f in findings)


def one_evidence(found: Sequence[Evidence]) -> Evidence:
    """All that was read: the steps of the last as they are called, so that it can be followed up on."""
    *before, last = found
    steps: dict[str, tuple[Record, ...]] = {
        _told_apart(name, n + 1): records
        for n, evidence in enumerate(before)
        for name, records in evidence.steps.items()
    }
    return Evidence(steps=steps | dict(last.steps), truncated=last.truncated, refused=last.refused)


def numbered(evidence: Evidence) -> int:
    """The highest number that an id of the evidence bears."""
    return max((int(ident[1:]) for ident in evidence.by_id()), default=0)


def _told_apart(name: str, place: int) -> str:
    return f"{place}:{name}" if place else name
