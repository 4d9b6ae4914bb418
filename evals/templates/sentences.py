"""Tries the sentences of a claim template: their form, and question cases of the demo company that need them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from copilot.answering.decide import Decider
from copilot.channels.cli import Paced
from copilot.wiring import Runtime
from copilot.wiring.templates_in_force import Sentences, TemplatesInForce
from evals.scoring.case import Case
from evals.scoring.run import run_case
from evals.scoring.scorer import Outcome
from evals.scoring.suites import SUITES, Scene
from evals.templates.trying import Try
from prompts.template import ClaimTemplate, read_claims

_MOST_ASKED, _MOST_USED = 240, 24
"""Cases that are asked at most, and of them those that say one of the sentences."""
_NUMBER = re.compile(r"\b(two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand)\b", re.IGNORECASE)
_LINK = re.compile(r"https?:|\]\(|!\[")


class _Watched(dict[str, ClaimTemplate]):
    """Templates that remember which of some were asked for."""

    def __init__(self, templates: Mapping[str, ClaimTemplate], names: frozenset[str]) -> None:
        super().__init__(templates)
        self._names = names
        self.asked = False

    def __getitem__(self, key: str) -> ClaimTemplate:
        self.asked = self.asked or key in self._names
        return super().__getitem__(key)

    def get(self, key: str, default: ClaimTemplate | None = None) -> ClaimTemplate | None:  # type: ignore[override]
        self.asked = self.asked or key in self._names
        return super().get(key, default)


class _Proposed(TemplatesInForce):
    """The sentences of a trial, whatever is approved."""

    def __init__(self, sentences: Sentences) -> None:
        self._sentences_tried = sentences

    async def __call__(self) -> Sentences:
        return self._sentences_tried


async def tried_sentences(ident: str, text: bytes) -> Sequence[Try]:
    """What the form of each sentence and some questions come to. Raises TemplateError for a text that is none."""
    claims = read_claims(ident, text)
    formed = tuple(_form(each) for each in claims.values())
    if any(each.fault for each in formed):
        return formed
    company = SUITES[0]
    async with company.open(Paced()) as scene:
        return (*formed, *[each async for each in _asked(scene, claims, company.cases())])


def _form(template: ClaimTemplate) -> Try:
    words = " ".join(template.literals)
    wrong = _NUMBER.search(words) or _LINK.search(words)
    return Try(f"form of {template.name}", f"it has {wrong.group()!r} of its own" if wrong else "")


async def _asked(scene: Scene, claims: Mapping[str, ClaimTemplate], cases: Sequence[Case]):
    """The cases whose answers need one of the sentences, in an order that depends on their names alone. One that is not
    right by the sentences in force either is no fault of these."""
    before = await scene.runtime.sentences()
    watched = _Watched({**before.templates, **claims}, frozenset(claims))
    tried = replace(scene, runtime=_saying(scene.runtime, watched))
    used = 0
    for case in sorted(cases, key=lambda case: hashlib.sha256(case.id.encode()).digest())[:_MOST_ASKED]:
        watched.asked = False
        result = await run_case(tried, case)
        if not watched.asked:
            continue
        used += 1
        fault = ""
        if result.score.outcome is not Outcome.RIGHT:
            known = (await run_case(scene, case)).score.outcome is not Outcome.RIGHT
            fault = "" if known else f"{result.score.outcome.value}: {'; '.join(result.score.missing)[:200]}"
        yield Try(case.id, fault)
        if used == _MOST_USED:
            return


def _saying(runtime: Runtime, templates: Mapping[str, ClaimTemplate]) -> Runtime:
    decider = Decider(templates, runtime.asking.model)
    return replace(
        runtime, sentences=_Proposed(Sentences(templates=templates, shapes=templates, decider=decider))
    )  # fmt: skip
