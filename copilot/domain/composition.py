"""What a composed question asks for: a measure or records of an entity, the parts that narrow it down, and its shape.

It is kept with a conversation and changed by follow-ups part by part; of records it holds ids, never names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from copilot.domain.query import Bucket, Condition, Path

Role = Literal["segment", "record", "time", "limit", "code", "with"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One restriction. `about` says what it is of, so that a follow-up replaces the right one: a segment's name, an
    entity, the path of a date or of a figure.

    A record's part has `ids` instead of conditions, and is `negated` for "outside Dallas". One with other records
    ("with late orders") has the parts that those are restricted by. `text` is what any other restriction is called.
    """

    role: Role
    about: str
    conditions: tuple[Condition, ...] = ()
    ids: tuple[int, ...] = ()
    negated: bool = False
    text: str = ""
    inner: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """What figures are told apart by: records of an entity, the values of a field, or spans of the measure's date."""

    entity: str = ""
    path: Path = ()
    bucket: Bucket | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A field that a list is to show beside what it shows anyway; with `by`, of the record beside each whose field
    names it."""

    entity: str
    path: Path
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A question in the semantic model's words.

    With `measure` it is about that measure of the company, else about records of `entity`: a list of them, or with
    `counted` how many there are. `function` overrides what is made of the measured field: most, least, total.
    """

    measure: str = ""
    entity: str = ""
    counted: bool = False
    parts: tuple[Part, ...] = ()
    splits: tuple[Split, ...] = ()
    order: Path = ()
    descending: bool | None = None
    limit: int | None = None
    columns: tuple[Column, ...] = ()
    supposed: bool = False
    """Whether it takes for granted that there is such a record: "when was the hold on SO-24 released"."""

    def ids(self) -> dict[str, tuple[int, ...]]:
        """The records named, by entity."""
        found: dict[str, tuple[int, ...]] = {}
        for part in (*self.parts, *(inner for outer in self.parts for inner in outer.inner)):
            if part.role == "record":
                found[part.about] = tuple(dict.fromkeys((*found.get(part.about, ()), *part.ids)))
        return found

    @property
    def shaped(self) -> bool:
        """Whether it is more than a list of records in some state or of some other record."""
        special = any(part.role in ("time", "limit", "with") or part.negated for part in self.parts)
        return bool(self.measure or self.counted or self.splits or self.order or self.limit or self.columns or special)
