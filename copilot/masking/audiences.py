"""How much of what was found in a text goes to whom, as the policy says for the classes of the records it is from."""

from __future__ import annotations

from copilot.domain.redaction import Audience
from copilot.policy.policy import Policy
from copilot.policy.values import SHOWN
from copilot.semantic.model import SemanticModel
from redaction.finds import Find
from redaction.vault import Form

PERSONAL = "personal"
"""The class of what is personal by its form or by the words around it, and is in no record."""
_ENDING = 4


def forms(model: SemanticModel, policy: Policy, audience: Audience) -> Form:
    """What stands for values towards an audience."""

    def form(find: Find, value: str) -> str | None:
        match treatment(find, model, policy, audience):
            case "shown":
                return value
            case "partly":
                return in_part(find.kind, value)
            case "token":
                return None
            case _:
                return removed(find, value)

    return form


def in_part(kind: str, value: str) -> str:
    """The last characters of a value; of a short one nothing."""
    return f"\u2026{value[-_ENDING:]}" if len(value) > 2 * _ENDING else f"<{kind}>"


def removed(find: Find, _value: str) -> str:
    """What stands for a value that nobody gets back."""
    return f"<{find.kind}>"


def treatment(find: Find, model: SemanticModel, policy: Policy, audience: Audience) -> str:
    """How much of a find an audience sees, as `SHOWN` has it: the least that is said for any of its parts."""
    classes = {
        _class_of(source, model)
        for part in find.parts
        for source in (part.source, *(field for field, _ in part.records))
    }
    return max((policy.outward(each, audience) for each in classes), key=SHOWN.index)


def _class_of(source: str, model: SemanticModel) -> str:
    entity = model.entities.get(source.partition(".")[0])
    return entity.record_class if entity else PERSONAL
