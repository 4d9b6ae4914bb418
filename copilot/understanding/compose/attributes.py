"""What single records say: "when was SO-24 ordered", "payment terms of Acme", "who is the customer of RMA-7"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from copilot.domain.claims import Binding, ClaimGroup, ClaimSpec, Outline, Pick
from copilot.domain.plan import UNKNOWN, Attribute, Attributes, Plan
from copilot.domain.query import Path
from copilot.semantic.model import SemanticModel
from copilot.understanding.candidates import Candidate
from copilot.understanding.compose.tokens import Token
from copilot.understanding.vocabulary import DateWord, FieldWord, Noun, Sign, load_vocabulary
from copilot.understanding.words import fold

ASKED = "composed_attributes"
ATTRIBUTE_CLAIMS = ("attribute_numbered", "attribute")
NOT_RECORDED = "attribute_not_recorded"
_MOST = 6
_ASKING = ("when", "day", "count", "number", "total", "nothing", "money", "compare", "by")
"""Words that ask without saying for what."""
_TIMES = ("date", "instant")
_TOLD = Binding(slot="told", step="told", pick=Pick.EACH)
_UNKNOWN = Binding(slot="told", step=_TOLD.step + UNKNOWN, pick=Pick.EACH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Fields of some records of one entity."""

    entity: str
    ids: tuple[int, ...]
    attributes: tuple[Attribute, ...]


def asked_of(model: SemanticModel, tokens: Sequence[Token]) -> Asked | None:
    """The fields asked for, where every token is a record of one kind, a word for that kind, or one of its fields."""
    records = _records(model, tokens)
    if records is None:
        return None
    entity = records[0].entity
    dated = any(token.is_sign("when", "day") for token in tokens)
    found: list[Attribute] = []
    for token in tokens:
        fields = fields_of(model, entity, token)
        if token.reference or token.noun(entity) or (token.is_sign(*_ASKING) and not fields):
            continue
        if not fields or not (dated or is_field(token)):
            return None
        found.append(fields[0])
    if len(records) == 1 and records[0].by_number and records[0].via in ("", f"{entity}.number"):
        found = [each for each in found if each.path != ("number",)]  # "customer number C-10198" only names it
    told = tuple(dict.fromkeys((*found, *_days(model, entity, tokens, found))))
    if not told or len(told) > _MOST:
        return None
    return Asked(entity=entity, ids=tuple(dict.fromkeys(r.id for r in records)), attributes=told)


def _days(
    model: SemanticModel, entity: str, tokens: Sequence[Token], found: Sequence[Attribute]
) -> Iterator[Attribute]:
    """The day asked for beside what happened then: "who placed SO-24, and when"."""
    if not any(token.is_sign("when") for token in tokens):
        return
    if any(model[each.entity].fields[each.path[0]].type in _TIMES for each in found):
        return
    said = (word for token in tokens if token.all_of(FieldWord) for word in fold(token.text).split())
    meanings = (meaning for word in said for meaning in load_vocabulary().phrases.get((word,), ()))
    days = (meaning.path for meaning in meanings if isinstance(meaning, DateWord) and meaning.entity == entity)
    yield from [Attribute(entity=entity, path=path) for path in days if _plain(model, entity, path)][:1]


def attributes_plan(asked: Asked) -> Plan:
    """The plan that reads and tells them. Beside what is known, it is said what is not recorded, or not to be read."""
    specs = tuple(ClaimSpec(claim=name, bindings=(_TOLD,)) for name in ATTRIBUTE_CLAIMS)
    rest = ClaimSpec(claim=NOT_RECORDED, bindings=(_UNKNOWN,), needs=(_TOLD.step,))
    outline = Outline(groups=(ClaimGroup(specs), ClaimGroup((rest,))), any_is_enough=True)
    step = Attributes(name="told", entity=asked.entity, ids=asked.ids, attributes=asked.attributes)
    return Plan(kind=ASKED, references={asked.entity: asked.ids}, steps=(step,), outline=outline)


def is_field(token: Token) -> bool:
    """Whether a word names a field: what happened on a day ("shipped") asks for that day only beside a "when"."""
    if not token.all_of(DateWord):
        return True
    last = fold(token.text).split()[-1:]
    return Sign("day") in load_vocabulary().phrases.get(tuple(last), ())


def _records(model: SemanticModel, tokens: Sequence[Token]) -> tuple[Candidate, ...] | None:
    """The records named, all of one entity and each unmistakable, or the only one that has the fields asked for: of a
    customer and a supplier of one name "customer number" means the one."""
    found: list[Candidate] = []
    for token in tokens:
        if token.reference is None:
            continue
        those = token.records
        if len(those) > 1:
            those = [r for r in those if any(fields_of(model, r.entity, t) for t in tokens if t.all_of(FieldWord))]
        if len(those) != 1 or those[0].doubt:
            return None
        found.append(those[0])
    return tuple(found) if found and len({candidate.entity for candidate in found}) == 1 else None


def fields_of(model: SemanticModel, entity: str, token: Token) -> Sequence[Attribute]:
    """The fields of such records, and of those beside them, that a word may name, the likeliest first."""
    return tuple(_told(model, entity, token))


def _told(model: SemanticModel, entity: str, token: Token) -> Iterator[Attribute]:
    for word in (*token.all_of(DateWord), *token.all_of(FieldWord)):
        if word.entity == entity and _plain(model, entity, word.path):
            yield Attribute(entity=entity, path=word.path)
        elif model[word.entity].beside == entity and _plain(model, word.entity, word.path):
            by = next(spec.name for spec in model[word.entity].refs() if spec.to == entity)
            yield Attribute(entity=word.entity, path=word.path, by=by)
    for noun in token.all_of(Noun):
        for spec in model[entity].refs():
            if spec.to == noun.entity:
                yield Attribute(entity=entity, path=(spec.name,))


def _plain(model: SemanticModel, entity: str, path: Path) -> bool:
    """Whether it is a field of the record itself, as its source has it."""
    return len(path) == 1 and path[0] in model[entity].fields
