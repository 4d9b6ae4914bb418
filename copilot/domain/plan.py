"""A plan: what to read and what to compute, in the semantic model's words. Planners make it; retrieval runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from copilot.domain.claims import Outline
from copilot.domain.composition import Composition
from copilot.domain.json import Json
from copilot.domain.kept import to_kept
from copilot.domain.query import Path, Query

Scalar = str | int | bool | date | datetime


class Operator(StrEnum):
    """Comparisons that an index can serve under row security."""

    EQUAL = "="
    IN = "in"
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class StepField:
    """The values of one field over all records that an earlier step found; `id` is the record's own id."""

    step: str
    field: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on a field; `value` is None only for MISSING."""

    field: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...] | StepField | tuple[StepField, ...] | None


ACCOUNT = "account"
"""In a condition on versions: the customer whose account a record counts to, as its label says."""
UNKNOWN = "_unknown"
"""Behind the name of a step that tells fields: those of which no value is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The time a question is about: from `since` (None: as far back as there is history) up to and without `until`
    (None: up to now), both aware. Its moments are printed in `time_zone`. `given` is False where the question said
    nothing and a usual period was taken."""

    since: datetime | None
    until: datetime | None = None
    time_zone: str = "UTC"
    given: bool = True

    def holds(self, moment: datetime) -> bool:
        """Whether a moment falls into the period."""
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)

    def to_json(self) -> dict[str, Json]:
        """The absolute moments: asked again later, the question is about the same ones."""
        return {
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "time_zone": self.time_zone,
            "given": self.given,
        }

    @classmethod
    def from_json(cls, kept: Json) -> Period | None:
        """A period as `to_json` gave it; None for anything else."""
        match kept:
            case {"since": str() | None as since, "until": str() | None as until, "time_zone": str(zone), **more}:
                moments = (_instant(since), _instant(until))
                known = (since is None or moments[0]) and (until is None or moments[1])
                given = more.get("given") is not False
                return cls(since=moments[0], until=moments[1], time_zone=zone, given=given) if known else None
            case _:
                return None


def _instant(text: str | None) -> datetime | None:
    """An aware moment; None for none and for what is not one."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How much a question wants, scaled, and by which day; `units` are the codes, in lower case, that the unit said may
    be written as, our own word for it first: none where no unit was said."""

    quantity: int | None = None
    units: tuple[str, ...] = ()
    day: date | None = None
    into: tuple[str, ...] = ()
    """The codes of the unit that figures are asked for in, like `units`."""
    line: int | None = None
    """The number of the one line of a document that is asked about."""
    lot: str | None = None
    """The lot that is asked about, as typed."""
    roles: tuple[str, ...] = ()
    """The codes of the role of the contacts that are asked for."""

    def to_json(self) -> dict[str, Json]:
        """As a conversation keeps it."""
        day = self.day.isoformat() if self.day else None
        kept: dict[str, Json] = {"quantity": self.quantity, "units": [*self.units], "day": day}
        more: dict[str, Json] = {"into": [*self.into], "line": self.line, "lot": self.lot, "roles": [*self.roles]}
        return kept | {name: value for name, value in more.items() if value}

    @classmethod
    def from_json(cls, kept: Json) -> Wanted | None:
        """As `to_json` gave it; None for anything else."""
        match kept:
            case {"quantity": int() | None as quantity, "units": [*units], "day": str() | None as day, **more}:
                try:
                    known = date.fromisoformat(day) if day else None
                except ValueError:
                    return None
                wanted = cls(quantity=quantity, units=tuple(str(unit) for unit in units), day=known)
                return _told_more(wanted, more)
            case _:
                return None


def _told_more(wanted: Wanted, more: Mapping[str, Json]) -> Wanted | None:
    """With the unit asked for, the line, the lot and the role, where they were kept; None for what is none."""
    match {"into": [], "line": None, "lot": None, "roles": [], **more}:
        case {"into": [*into], "line": int() | None as line, "lot": str() | None as lot, "roles": [*roles]}:
            codes = tuple(str(role) for role in roles)
            return replace(wanted, into=tuple(str(unit) for unit in into), line=line, lot=lot, roles=codes)
        case _:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Read records of one entity; all conditions hold together. `order` names fields, `-` before one reverses it.

    With `versions` it reads how the records stood over time, each version as a record of its own, in order of record
    and time; the conditions hold for the version, and `since` leaves out those that ended before it or that have stood
    since before it.
    """

    name: str
    entity: str
    where: tuple[Filter, ...]
    order: tuple[str, ...] = ()
    limit: int = 50
    versions: bool = False
    since: datetime | None = None

    @property
    def reads(self) -> frozenset[str]:
        """The earlier steps that its conditions take values from."""
        values = (each for c in self.where for each in (c.value if isinstance(c.value, tuple) else (c.value,)))
        return frozenset(value.step for value in values if isinstance(value, StepField))


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """Compute a named measure from the records of earlier steps."""

    name: str
    measure: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Read the records of a query, in its order; nothing where the figures of the step `unless` are over any."""

    name: str
    query: Query
    unless: str = ""
    probe: bool = False
    """Whether it only asks if there is any: that there are more than it reads says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Work out the first figure of a query by its groups; one record each, under the measure's name.

    Each has the `value`, how many `records` it is over, counted in `noun`, and what it is of as `group` and `group2`.
    One more record, of the step `NAME_head`, has the `title` and how many there are and are shown.
    """

    name: str
    query: Query
    measure: str
    title: str
    noun: str
    unit: str = ""
    """What a count is counted in, a word."""
    rate_unit: str = ""
    """What a rate that is no share is told in, a word in the plural."""
    shown: int | None = None
    """How many of the records a list shows, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A field of a record; with `by`, of the record beside it whose field names it."""

    entity: str
    path: Path
    by: str = ""

    def to_json(self) -> dict[str, Json]:
        """The field's names."""
        return {"entity": self.entity, "path": ".".join(self.path), "by": self.by}

    @classmethod
    def from_json(cls, kept: Json) -> Attribute | None:
        """A field as `to_json` gave it; None for anything else."""
        match kept:
            case {"entity": str(entity), "path": str(path), "by": str(by)}:
                return cls(entity=entity, path=tuple(path.split(".")), by=by)
            case _:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """Read fields of some records of an entity; one record each, with the `title`, the `name` of the record, the
    `value`, and the record itself as `of`. What has no value comes under the step's name with UNKNOWN behind it."""

    name: str
    entity: str
    ids: tuple[int, ...] | StepField
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Read what a named statement finds over everything in scope: one record of `measure` for each of its first rows,
    which say how many there are in all. `places` and `customers` narrow it where the question names some."""

    name: str
    measure: str
    reads: tuple[str, ...]
    """The entities that the statement reads: none of it is said to those who may not read one of them."""
    since: date
    until: date
    """The first day after those asked about."""
    sites: tuple[int, ...] = ()
    regions: tuple[int, ...] = ()
    customers: tuple[int, ...] = ()
    limit: int = 5


OtherStep = Computation | Listing | Figures | Attributes | Survey
Step = RecordQuery | OtherStep


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAs:
    """Words that no record is called by, and the record that was taken for the one meant. `typed` holds no figure."""

    typed: str
    entity: str
    id: int
    label: str
    """For where the record itself is no part of the evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one question needs: its kind, the records it names, the steps in order and the outline of the answer."""

    kind: str
    references: Mapping[str, tuple[int, ...]]
    """Entity -> ids of the records the question names; enough, with the kind, to make the plan again."""
    steps: tuple[Step, ...]
    outline: Outline
    echo: str = ""
    """The words of the question that named the records."""
    unused_words: tuple[str, ...] = ()
    """Words of the question that the plan takes no account of; the answer names them."""
    period: Period | None = None
    """The time the question is about, for kinds that are about one."""
    read_as: tuple[ReadAs, ...] = ()
    """Words typed with a slip and what they were read as; the answer says so."""
    wanted: Wanted | None = None
    """How much is asked for and by when, for kinds that are about a quantity."""
    composition: Composition | None = None
    """What a composed question asks for."""
    understood: str = ""
    """The question as it was understood, in one line."""
    before: tuple[Plan, ...] = ()
    """The questions asked in the same message before this one, answered together with it."""

    def to_json(self) -> dict[str, Json]:
        """The plan as references, for the audit and for conversations: no value of any record."""
        kept: dict[str, Json] = {
            "kind": self.kind,
            "references": {name: [*ids] for name, ids in self.references.items()},
        }
        if self.period is not None:
            kept["period"] = self.period.to_json()
        if self.composition is not None:
            kept["composition"] = to_kept(self.composition)
        fields = [
            attribute.to_json()
            for step in self.steps
            if isinstance(step, Attributes) and isinstance(step.ids, tuple)
            for attribute in step.attributes
        ]
        if fields:
            kept["attributes"] = [*fields]
        if self.wanted is not None:
            kept["wanted"] = self.wanted.to_json()
        if self.before:
            kept["before"] = [part.to_json() for part in self.before]
        return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several records that a question could mean, with the question that would pick it."""

    label: str
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPlan:
    """Why there is nothing to run: declined before retrieval."""

    reason: Literal["not_found", "ambiguous", "unsupported"]
    entity: str | None = None
    echo: str = ""
    choices: tuple[Choice, ...] = ()
    unknown_words: tuple[str, ...] = ()
