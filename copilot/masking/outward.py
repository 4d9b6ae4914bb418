"""The outward form of all that a model is told for one question: words, history, records, passages and tool calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from copilot.domain.evidence import Record
from copilot.domain.json import Json
from copilot.domain.redaction import Audience, Masked
from copilot.masking.audiences import forms
from copilot.masking.values import kind_of
from copilot.policy.policy import Policy
from copilot.policy.values import SHOWN
from copilot.semantic.model import SemanticModel
from redaction.redactor import Redactor
from redaction.removal import instead
from redaction.vault import Vault

_WORDED = frozenset({"text", "ident", "ref"})
"""Fields that hold words, whatever is in them."""
_IN_UNITS = frozenset({"quantity", "amount"})
"""Figures in units that come from an ERP, printed behind a blank."""


@dataclass(frozen=True, slots=True)
class Outward:
    """Masks for one audience with the tokens of one conversation."""

    redactor: Redactor
    vault: Vault
    model: SemanticModel
    policy: Policy
    audience: Audience

    def text(self, text: str) -> Masked:
        """Words of a person, a passage of a document, an error's message."""
        finds = self.redactor.find(text)
        return Masked(self.vault.mask(text, finds, forms(self.model, self.policy, self.audience)))

    def json(self, value: Json) -> Json:
        """Arguments and results of tools: every text in them, names of fields too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(name): self.json(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.json(each) for each in value]
        return value

    def fields(self, record: Record, printed: Mapping[str, str], classes: frozenset[str]) -> dict[str, Masked]:
        """The fields of a record as they are printed, by name, as far as the classes that it stands on may be seen:
        what is hidden is left out. Of a measure these are the classes of all that it was worked out from."""
        treated = max((self.policy.outward(each, self.audience) for each in classes), key=SHOWN.index, default="hidden")
        told = {name: self._field(record, name, text, treated) for name, text in printed.items()}
        return {name: masked for name, masked in told.items() if masked is not None}

    def _shown(self, record: Record, name: str, text: str) -> Masked:
        """A figure or a day of a class that is shown is personal to nobody, and one may look like a phone number; words
        are looked at, and so are units and codes that an ERP may fill with whatever it likes."""
        value = record.values[name]
        if value.type in _WORDED or (value.type == "code" and not self._is_closed(record, name)):
            return self.text(text)
        figure, blank, unit = text.partition(" ") if value.type in _IN_UNITS else (text, "", "")
        return Masked(f"{figure}{blank}{self.text(unit)}") if unit else Masked(text)

    def _is_closed(self, record: Record, name: str) -> bool:
        """Whether a field has one of a list of codes of ours."""
        entity = self.model.entities.get(record.entity)
        return entity is None or name not in entity.fields or bool(entity.fields[name].codes)

    def _field(self, record: Record, name: str, text: str, treated: str) -> Masked | None:
        if treated == "shown":
            return self._shown(record, name, text)
        if treated == "hidden":
            return None
        kind = kind_of(self.model.entities.get(record.entity), name)
        if treated == "partly":
            return Masked(instead(text, kind, "end"))
        source = f"{record.entity}.{name}"
        return Masked(self.vault.token(kind, text, ((source, ((source, record.row_id),)),)))
