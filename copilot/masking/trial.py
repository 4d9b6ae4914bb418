"""Tries a text: what an audience would get of it, and why."""

from __future__ import annotations

from collections.abc import Iterator

from copilot.domain.redaction import Audience, Masking, RedactionTrial
from copilot.masking.audiences import forms, treatment
from copilot.masking.company import PEOPLE
from copilot.policy.policy import Policy
from copilot.semantic.model import SemanticModel
from redaction.finds import Find, joined
from redaction.redactor import Redactor
from redaction.vault import TYPED, Vault, typed_tokens


def tried(text: str, audience: Audience, redactor: Redactor, model: SemanticModel, policy: Policy) -> RedactionTrial:
    """What becomes of a text. Nothing of it is kept."""
    finds = joined((*redactor.find(text), *typed_tokens(text)))
    form, vault = forms(model, policy, audience), Vault()
    masked = vault.mask(text, finds, form)
    pieces: list[Masking] = []
    for find in finds:
        value = text[find.begin : find.end]
        shown = "token" if find.kind == TYPED else treatment(find, model, policy, audience)
        instead = vault.mask(value, [_moved(find)], form)
        why = "; ".join(dict.fromkeys(_why(find, model)))
        pieces.append(
            Masking(
                begin=find.begin, end=find.end, text=value, kind=find.kind, why=why, shown=shown, instead=instead
            )
        )  # fmt: skip
    return RedactionTrial(masked=masked, pieces=tuple(pieces))


def _moved(find: Find) -> Find:
    """A find in the text of its own value."""
    return Find(0, find.end - find.begin, find.kind, find.source, find.records, find.within)


def _why(find: Find, model: SemanticModel) -> Iterator[str]:
    for part in find.parts:
        if part.kind == TYPED:
            yield "looks like one of our tokens"
        for source in dict.fromkeys(field for field, _ in part.records) or ([part.source] if part.source else []):
            yield _told(source, model)


def _told(source: str, model: SemanticModel) -> str:
    if source == PEOPLE:
        return "the name of somebody who uses the copilot"
    name, _, detail = source.partition(".")
    entity = model.entities.get(name)
    if entity and detail in entity.fields:
        return f"known: {entity.fields[detail].title} of a {entity.title}"
    how, _, rule = source.partition(":")
    words = {"presidio": "has the form", "context": "the words around it", "ner": "recognized by the model"}
    return f"{words.get(how, how)} ({rule})" if rule else source
