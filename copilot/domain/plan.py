"""A plan: what to read and what to compute, in the semantic model's words. Planners make it; retrieval runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from copilot.domain.claims import Outline
from copilot.domain.json import Json

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """Compute a named measure from the records of earlier steps."""

    name: str
    measure: str
    inputs: tuple[str, ...]


Step = RecordQuery | Computation


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

    def to_json(self) -> dict[str, Json]:
        """The plan as references, for the audit and for conversations: no value of any record."""
        kept: dict[str, Json] = {
            "kind": self.kind,
            "references": {name: [*ids] for name, ids in self.references.items()},
        }
        if self.period is not None:
            kept["period"] = self.period.to_json()
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
