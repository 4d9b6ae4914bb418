"""The sentences that may be said at this moment: those of the claim templates in force."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from copilot.answering.decide import Decider
from copilot.answering.draft import Templates
from copilot.domain.prompts import PromptText
from copilot.errors import UnapprovedTemplateError
from copilot.semantic.language import Language
from copilot.semantic.model import SemanticModel
from copilot.wiring.prompts_in_force import Approvals, ApprovedPrompts
from prompts.errors import TemplateError
from prompts.shipped import CLAIMS
from prompts.template import ClaimTemplate, approved_in, load_approved, read_claims, says_the_same


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """What may be said, and the decider that says it. `shapes` are all there are, those that may not be said in their
    shipped form: by them it is found out that an answer would need one."""

    templates: Templates
    shapes: Templates
    decider: Decider


class TemplatesInForce:
    """Made again only when something was approved, revoked or has ended."""

    def __init__(self, approved: ApprovedPrompts, language: Language, model: SemanticModel) -> None:
        self._approved = approved
        self._model = model
        try:
            self.shipped = load_approved(language=language.folder)
            self._other = approved_in(language.folder)
        except TemplateError as error:
            raise UnapprovedTemplateError(str(error)) from error
        self._files = {
            ident: read_claims(ident, text.text)
            for ident, (text, _) in approved.shipped.items()
            if ident.startswith(f"{CLAIMS}/")
        }
        self._made: tuple[Approvals, Sentences] | None = None

    async def __call__(self) -> Sentences:
        """The sentences of this moment."""
        approvals = await self._approved()
        if self._made is None or self._made[0] is not approvals:
            self._made = approvals, self.of(approvals)
        return self._made[1]

    def of(self, approvals: Approvals) -> Sentences:
        """The sentences that are approved by these."""
        said: dict[str, ClaimTemplate] = {}
        for ident, shipped in self._files.items():
            said |= self._of_file(ident, shipped, approvals)
        return Sentences(templates=said, shapes={**self.shipped, **said}, decider=Decider(said, self._model))

    def every(self, texts: Iterable[PromptText]) -> Iterator[ClaimTemplate]:
        """Every template there is in some texts, and in those that are shipped."""
        yield from (*self.shipped.values(), *self._other.values())
        for text in texts:
            if text.id.startswith(f"{CLAIMS}/"):
                with contextlib.suppress(TemplateError):
                    yield from read_claims(text.id, text.text).values()

    def _of_file(self, ident: str, shipped: Templates, approvals: Approvals) -> Mapping[str, ClaimTemplate]:
        """The sentences of one file in force: under the names of the shipped file, and of the same values."""
        found = approvals.standings[ident].produced(approvals.today)
        if found is None:
            return {}
        text = found.text
        try:
            claims = shipped if text.shipped else read_claims(ident, text.text)
        except TemplateError:
            return {}
        return dict(self._same(claims, shipped))

    def _same(self, claims: Templates, shipped: Templates) -> Iterator[tuple[str, ClaimTemplate]]:
        for name, template in claims.items():
            if name in shipped and says_the_same(template, shipped[name]):
                yield name, self._other.get(name, template)
