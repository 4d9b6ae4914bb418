"""The outward form of what is said in a conversation, and the way back for whoever may see what stands behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from copilot.domain.redaction import Audience, Masked
from copilot.domain.scope import Scope
from copilot.errors import MaskingError
from copilot.masking.audiences import treatment
from copilot.masking.company import PEOPLE, Company
from copilot.masking.outward import Outward
from copilot.policy.policy import Policy
from copilot.semantic.model import SemanticModel
from copilot.store.known import KnownValues
from copilot.store.vaults import KeptVault, Vaults
from redaction.removal import remove
from redaction.vault import TOKEN, Kept, Unmasked, Vault

_MOST_TRIES = 20
Told = TypeVar("Told")
_Record = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Masks texts of conversations, and shows them again."""

    company: Company
    vaults: Vaults
    known: KnownValues
    model: SemanticModel

    async def mask(
        self, texts: Sequence[str], subject: str, conversation: str, policy: Policy, audience: Audience = "logs"
    ) -> list[Masked]:
        """What an audience may see of texts that are told in a person's conversation.

        Raises MaskingError where that can't be worked out; then nothing may leave.
        """
        redactor = await self.company.redactor()
        if not any(redactor.find(text) or TOKEN.search(text) for text in texts):
            return [Masked(text) for text in texts]
        return await self.outward(
            subject, conversation, policy, audience, lambda outward: [outward.text(text) for text in texts]
        )

    async def outward(
        self, subject: str, conversation: str, policy: Policy, audience: Audience, tell: Callable[[Outward], Told]
    ) -> Told:
        """What `tell` makes for an audience, with the tokens of a conversation, which are kept before anything leaves.
        It is asked again where another question of the conversation came first."""
        redactor = await self.company.redactor()
        for _ in range(_MOST_TRIES):
            kept = (await self.vaults.read(subject, [conversation])).get(conversation) or KeptVault()
            before = kept.vault.kept
            told = tell(Outward(redactor, kept.vault, self.model, policy, audience))
            if kept.vault.kept == before and kept.day in ("", self.vaults.day):
                return told
            if await self.vaults.keep(subject, conversation, kept):
                return told
        raise MaskingError(
            f"the pseudonyms of the conversation {conversation} change all the time; try again in a moment"
        )

    def guard(self, policy: Policy, audience: Audience) -> Callable[[str], Sequence[str]]:
        """What stands before an audience: the kinds of what a text holds of the records and that audience may not see.

        Of what was masked already: a figure that only looks like a phone number need not stop a question.
        """

        def held(text: str) -> Sequence[str]:
            found = self.company.latest.find_known(text)
            return [each.kind for each in found if treatment(each, self.model, policy, audience) != "shown"]

        return held

    async def removed(self, text: str) -> str:
        """A text without anything personal, for where nobody needs it back."""
        return remove(text, (await self.company.redactor()).find(text), "kind")

    async def shown(self, subject: str, scope: Scope, texts: Sequence[tuple[str, str]]) -> list[Unmasked]:
        """Texts, each given after its conversation, with the values in place of their tokens that this person may see
        today. A value from records is shown to whoever sees one that it may be from; any other was typed by the person
        themselves. Tokens that somebody made up, and those of values not shown, are noted and stay."""
        asked = sorted({conversation for conversation, text in texts if TOKEN.search(text)})
        vaults: Mapping[str, KeptVault] = await self.vaults.read(subject, asked) if asked else {}
        found = [
            kept
            for conversation, text in texts
            for match in TOKEN.finditer(text)
            if (vault := vaults.get(conversation)) and (kept := vault.vault.kept.get(match[0]))
        ]
        visible = await self._visible(found, scope)

        def may(kept: Kept) -> bool:
            return all(not records or not visible.isdisjoint(map(_record, records)) for _, records in kept.origins)

        return [
            (vaults[conversation].vault if conversation in vaults else Vault()).unmask(text, may)
            for conversation, text in texts
        ]

    async def _visible(self, found: Sequence[Kept], scope: Scope) -> frozenset[_Record]:
        """The records behind some values that a scope shows."""
        asked: defaultdict[str, set[int]] = defaultdict(set)
        colleagues: set[_Record] = set()
        for kept in found:
            for _, records in kept.origins:
                for field, row in records:
                    name, ident = _record((field, row))
                    entity = self.model.entities.get(name)
                    if field == PEOPLE:
                        colleagues.add((name, ident))
                    elif entity and scope.allows(entity.record_class):  # nobody sees the record of a measure
                        asked[name].add(ident)
        return await self.known.visible(scope, asked) | colleagues if asked else frozenset(colleagues)


def _record(held: tuple[str, int]) -> _Record:
    """Entity and id of a record, of the field that holds a value and the id."""
    return held[0].partition(".")[0], held[1]
