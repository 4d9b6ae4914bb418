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
_BESIDE = {"party": "kind", "postal_code": "city"}
"""Fields that are read together with another: a party is a person or a company, a place has a code and a name."""
_PERSON = "person"
_MOST_WORDS = 4
_LEGAL_FORM = re.compile(
    r"[\s,]+(?:gmbh|mbh|ag|kg|kgaa|ohg|ug|se|e\.?\s?k\.?|e\.?\s?v\.?|inc\.?|llc|llp|lp|corp\.?|corporation|co\.?|company"
    r"|ltd\.?|limited|plc|pte\.?|pty\.?|b\.?v\.?|n\.?v\.?|s\.?a\.?|s\.?a\.?r\.?l\.?|s\.?r\.?l\.?|s\.?p\.?a\.?|oy|ab|as"
    r"|a/s|aps|sp\.\s?z\s?o\.?\s?o\.?|&\s?co\.?)$",
    re.IGNORECASE,
)
_APOSTROPHE = re.compile("['\u2019]")
_AND = re.compile(r"\s(?:&|\+|und|and|u\.)\s", re.IGNORECASE)
_STREETS = (
    ("strasse", "str"), ("straße", "str"), ("street", "st"), ("avenue", "ave"), ("road", "rd"), ("lane", "ln"),
    ("drive", "dr"), ("boulevard", "blvd"), ("court", "ct"), ("place", "pl"), ("crescent", "cres"),
    ("parkway", "pkwy"), ("highway", "hwy"), ("square", "sq"), ("terrace", "ter"), ("jalan", "jln"), ("lorong", "lor"),
)  # fmt: skip
"""What streets are called, in full and for short."""
_BY_STREET = {each: pair for pair in _STREETS for each in pair}
_STREET = re.compile(rf"((?<=\w)(?:stra(?:ss|ß)e|str)|\b(?:{'|'.join(_BY_STREET)}))\b\.?", re.IGNORECASE)
"""As a word by itself; the German ones also at the end of one."""


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
    return len(value.split()) <= _MOST_WORDS and not _LEGAL_FORM.search(value)


def _forms(personal: str, value: str) -> Iterator[str]:
    """A value, and what people leave out or shorten of it."""
    yield value
    if personal in ("company", "addressee"):
        core = value
        while (shorter := _LEGAL_FORM.sub("", core)) != core:
            core = shorter
        whole = [value] if len(core.split()) == 1 else [value, core]  # a word alone is too often an ordinary one
        yield from {_AND.sub(f" {word} ", form) for form in whole for word in ("&", "und", "and", "u.")}
    elif personal == "street":
        for match in _STREET.finditer(value):
            for name in _BY_STREET[match[1].lower()]:
                yield f"{value[: match.start()]}{name}{value[match.end() :]}"
