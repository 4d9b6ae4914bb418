"""Tries a text: what an audience would get of it, and why."""

from __future__ import annotations

from collections.abc import Mapping

from copilot.domain.redaction import Audience, Masking, RedactionTrial
from copilot.masking.audiences import forms, treatment
from copilot.masking.company import PEOPLE
from copilot.policy.policy import Policy
from copilot.semantic.model import SemanticModel
from redaction.finds import Find, joined
from redaction.redactor import Redactor
from redaction.vault import TYPED, Vault, typed_tokens

_RULES: Mapping[str, str] = {
    PEOPLE: "known: the name of somebody who uses the copilot",
    TYPED: "looks like one of our tokens",
    "presidio": "has the form",
    "context": "the words around it",
}


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
        why = _why(find, model)
        pieces.append(
            Masking(
                begin=find.begin, end=find.end, text=value, kind=find.kind, why=why, shown=shown, instead=instead
            )
        )  # fmt: skip
    return RedactionTrial(masked=masked, pieces=tuple(pieces), uncovered=tuple(sorted(redactor.uncovered)))


def _moved(find: Find) -> Find:
    """A find in the text of its own value."""
    return Find(0, find.end - find.begin, find.kind, find.source, find.records, find.within)


def _why(find: Find, model: SemanticModel) -> str:
    """What tells of a find; of what was joined, the parts that are all of it, if there are any."""
    whole = [part for part in find.parts if (part.begin, part.end) == (find.begin, find.end)] or find.parts
    sources = [source for part in whole for source in _sources(part)]
    known = [words for source in sources if (words := _field(source, model))]
    told = [_rule(source) for source in sources if not _field(source, model)]
    return "; ".join(dict.fromkeys((*([f"known: {', '.join(dict.fromkeys(known))}"] if known else []), *told)))


def _sources(part: Find) -> list[str]:
    return [field for field, _ in part.records] or [part.source or part.kind]


def _field(source: str, model: SemanticModel) -> str:
    """A field of a record in words; nothing for a rule."""
    name, _, field = source.partition(".")
    entity = model.entities.get(name)
    return f"{entity.fields[field].title} of a {entity.title}" if entity and field in entity.fields else ""


def _rule(source: str) -> str:
    how, _, rule = source.partition(":")
    return f"{_RULES[how]} ({rule})" if rule and how in _RULES else _RULES.get(source, source)
