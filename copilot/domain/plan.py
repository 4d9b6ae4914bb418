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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Read records of one entity; all conditions hold together. `order` names fields, `-` before one reverses it."""

    name: str
    entity: str
    where: tuple[Filter, ...]
    order: tuple[str, ...] = ()
    limit: int = 50


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

    def to_json(self) -> dict[str, Json]:
        """The plan as references, for the audit and for conversations: no value of any record."""
        return {"kind": self.kind, "references": {name: [*ids] for name, ids in self.references.items()}}


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
