"""Which fields hold something personal, as the semantic model says, and how it is written in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from copilot.semantic.model import Entity, SemanticModel
from redaction.gazetteer import How, Known

_WRITTEN: Mapping[str, tuple[str, How]] = {
    "name": ("PERSON", "name"),
    "company": ("COMPANY", "phrase"),
    "email": ("EMAIL", "phrase"),
    "phone": ("PHONE", "phone"),
    "street": ("ADDRESS", "phrase"),
    "addressee": ("ADDRESS", "phrase"),
    "account": ("ACCOUNT", "number"),
    "tax_number": ("TAX_ID", "number"),
}
"""What the model calls a field -> the kind of what it holds, and how that is written."""
_KINDS = {name: kind for name, (kind, _) in _WRITTEN.items()} | {
    "party": "COMPANY",
    "postal_code": "ADDRESS",
    "city": "ADDRESS",
}
_BESIDE = {"party": "kind", "postal_code": "city"}
"""Fields that are read together with another: a party is a person or a company, a place has a code and a name."""
_PERSON = "person"
_MOST_WORDS = 4
_APOSTROPHE = re.compile("['\u2019]")
_AND = re.compile(r"\s(?:&|\+|und|and|u\.)\s", re.IGNORECASE)
_LEGAL_FORMS = frozenset(
    {"&", "ab", "ag", "aps", "as", "bv", "co", "company", "corp", "corporation", "ek", "ev", "gmbh", "inc", "kg",
     "kgaa", "limited", "llc", "llp", "lp", "ltd", "mbh", "nv", "ohg", "oy", "plc", "pte", "pty", "sa", "sarl", "se",
     "spa", "srl", "ug", "und"}
)  # fmt: skip
_STREETS = {
    each: pair
    for pair in (
        ("street", "st"), ("avenue", "ave"), ("road", "rd"), ("lane", "ln"), ("drive", "dr"), ("boulevard", "blvd"),
        ("court", "ct"), ("place", "pl"), ("crescent", "cres"), ("parkway", "pkwy"), ("highway", "hwy"),
        ("square", "sq"), ("terrace", "ter"), ("jalan", "jln"), ("lorong", "lor"),
    )
    for each in pair
}  # fmt: skip
"""What streets are called, in full or for short -> both."""
_STRASSE = re.compile("(stra(?:ss|ß)e|str)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Personal:
    """A field that holds something personal, or two that are read together."""

    entity: str
    personal: str
    columns: tuple[str, ...]

    @property
    def source(self) -> str:
        """What a find says of where it is known from."""
        return f"{self.entity}.{self.columns[0]}"

    def known(self, row: Mapping[str, Any]) -> Iterator[Known]:
        """The values of a row, in each of the forms that differ by more than how a word is written."""
        value, *beside = (str(row[column] or "") for column in self.columns)
        rows = tuple(row["ids"])
        if self.personal == "postal_code":
            for form in (f"{value} {beside[0]}", f"{beside[0]} {value}") if value and beside[0] else ():
                yield Known("ADDRESS", form, "phrase", self.source, rows)
            return
        sort = self.personal
        if sort == "party":
            sort = "name" if beside[0] == _PERSON else "company"
        kind, how = _WRITTEN[sort]
        if sort == "addressee" and _is_like_a_name(value):
            how = "name"
        spellings = (value, _APOSTROPHE.sub("", value) if how in ("name", "phrase") and sort != "email" else value)
        for form in dict.fromkeys(form for spelling in spellings for form in _forms(sort, spelling)):
            yield Known(kind, form, how, self.source, rows)


def kind_of(entity: Entity | None, field: str) -> str:
    """The kind of what a field holds, for the token that stands for it."""
    personal = entity.fields[field].personal if entity and field in entity.fields else None
    return _KINDS.get(personal or "", "VALUE")


def personal_fields(model: SemanticModel) -> Sequence[Personal]:
    """The personal fields of the model."""
    return [each for entity in model.entities.values() for each in _of_entity(entity)]


def number_fields(model: SemanticModel) -> Sequence[tuple[str, str]]:
    """Entity and field of the company's own numbers: of orders, items, lots. Codes of regions are words."""
    return [
        (entity.name, field.name)
        for entity in model.entities.values()
        for field in entity.fields.values()
        if field.type == "ident" and not field.personal and not entity.derived and field.name != "code"
    ]


def _of_entity(entity: Entity) -> Iterator[Personal]:
    for field in entity.personal():
        personal = field.personal or ""
        if personal not in _BESIDE.values():
            beside = (_BESIDE[personal],) if personal in _BESIDE else ()
            yield Personal(entity.name, personal, (field.column, *beside))


def _is_like_a_name(value: str) -> bool:
    """Whether those at an address may be a person: few words, and no legal form."""
    return len(value.split()) <= _MOST_WORDS and _without_legal_form(value) == value


def _forms(personal: str, value: str) -> Iterator[str]:
    """A value, and what people leave out or shorten of it."""
    yield value
    if personal in ("company", "addressee"):
        core = _without_legal_form(value)
        whole = [value, core] if len(core.split()) > 1 else [value]  # a word alone is too often an ordinary one
        yield from (_AND.sub(f" {word} ", form) for form in whole for word in ("&", "und", "and", "u."))
    elif personal == "street":
        words = value.split()
        for place, word in enumerate(words):
            yield from (" ".join((*words[:place], form, *words[place + 1 :])) for form in _street(word))


def _without_legal_form(value: str) -> str:
    words = value.split()
    while words and words[-1].replace(".", "").strip(",").casefold() in _LEGAL_FORMS:
        words.pop()
    return " ".join(words).rstrip(",")


def _street(word: str) -> tuple[str, ...]:
    """A word of a street's name in full and for short, where it is what streets are called."""
    plain = word.rstrip(".,")
    if pair := _STREETS.get(plain.casefold()):
        return pair
    return tuple(_STRASSE.sub(form, plain) for form in ("strasse", "str")) if _STRASSE.search(plain) else ()
