"""Evidence: the records one question retrieved, each with its source, its values and its age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from copilot.domain.reach import UNLABELLED
from copilot.domain.residency import NOWHERE, Residency

NO_LABELS = (UNLABELLED, UNLABELLED, UNLABELLED, UNLABELLED)
FieldType = Literal[
    "ident", "text", "code", "ref", "date", "instant", "quantity", "amount", "ratio", "days", "count", "flag"
]
ValueType = FieldType | Literal["span"]
"""`span` is a day, week, month, quarter or year, by its first day; its unit says which."""
Raw = str | int | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Value:
    """One field of a record: its type, the stored value (quantities, amounts, ratios and days scaled by a million)
    and, for quantities and amounts, the unit or currency."""

    type: ValueType
    raw: Raw
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row as evidence. `kind` is "record" for a row of a source and "measure" for a computed one, whose `inputs`
    are the ids of the records it was computed from."""

    id: str
    kind: Literal["record", "measure"]
    entity: str
    row_id: int
    system: str
    company: str
    key: str
    version: datetime
    """Since when this version of the row stands in our copy."""
    time_zone: str
    values: Mapping[str, Value]
    changed_at: datetime | None
    confirmed_at: datetime
    labels: tuple[int, int, int, int] = NO_LABELS
    """The region, site, channel and account that it belongs to; a measure has those of what it is about."""
    residency: Residency = NOWHERE
    link: str | None = None
    inputs: tuple[str, ...] = ()
    ended: datetime | None = None
    """Until when this version stood; None while it stands."""
    removed: bool = False
    """Whether the version ended because the record is gone."""
    began: datetime | None = None
    """When the record was first kept here: the `version` of its first version. Read for versions only."""

    @property
    def site_id(self) -> int:
        """The site that it belongs to, 0 where that is no particular one."""
        return self.labels[1]

    def raw(self, name: str) -> Raw:
        """The stored value of a field, None where it is empty or unknown."""
        value = self.values.get(name)
        return None if value is None else value.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a plan's steps found, by step name, as of one moment of the database."""

    steps: Mapping[str, tuple[Record, ...]] = field(default_factory=dict[str, tuple[Record, ...]])
    truncated: frozenset[str] = frozenset()
    """Names of steps that found more records than their limit."""
    refused: frozenset[str] = frozenset()
    """Names of steps that the scope does not let run, or not for all that they are about, and of computations over
    them."""
    unkept: frozenset[str] = frozenset()
    """Names of steps that found nothing because no source brings such records."""

    def get(self, step: str) -> tuple[Record, ...]:
        """The records of one step; none where the step did not run."""
        return self.steps.get(step, ())

    def by_id(self) -> dict[str, Record]:
        """Every record under its source id."""
        return {record.id: record for records in self.steps.values() for record in records}


NO_EVIDENCE = Evidence()
