"""A question as a query over the semantic model: which records, or which figures of which records.

Planners make it, the model's `compile` turns it into SQL, and an answer explains itself by it. Nothing in it is text
that anybody typed but the values compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

Scalar = str | int | bool | date | datetime
Path = tuple[str, ...]
"""Fields from one record to the next and the last one's field: ("order", "customer", "name").

The last may also be "id", "today" (the date where the record belongs), or "@region", "@site", "@channel" or "@account":
what the record's labels say that it belongs to.
"""


class Is(StrEnum):
    """How a value is compared. A value that is not recorded fulfils none of these but UNKNOWN."""

    EQUAL = "="
    NOT_EQUAL = "<>"
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    IN = "in"
    NOT_IN = "not in"
    KNOWN = "known"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against a value; `value` is a tuple for IN and NOT_IN, None for KNOWN and UNKNOWN."""

    path: Path
    how: Is
    value: Scalar | tuple[Scalar, ...] | None = None


@dataclass(frozen=True, slots=True)
class Relate:
    """A date against another one, moved by some days: shipped more than 3 days after it was promised."""

    path: Path
    how: Is
    other: Path
    days: int = 0


@dataclass(frozen=True, slots=True)
class Linked:
    """There is a record of another entity whose field `by` names this one (with `none`: there is no such).

    With `at` it names what that reference of this one leads to.
    """

    entity: str
    by: str
    where: tuple[Condition, ...] = ()
    none: bool = False
    at: Path = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of some conditions."""

    conditions: tuple[Condition, ...]


Condition = Compare | Relate | Linked | AnyOf


class Function(StrEnum):
    """What is made of a field over many records."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    SPREAD = "spread"
    LEAST = "least"
    MOST = "most"
    SHARE = "share"
    RATE = "rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure over the records of a query.

    COUNT counts those that fulfil `where`; SHARE is how many of all do; the others are of `path` over those that do and
    have it. SPREAD is the sample standard deviation. RATE is the sum of `path` over the sum of `over`, of those records
    that have both.
    """

    name: str
    function: Function
    path: Path | None = None
    over: Path | None = None
    where: tuple[Condition, ...] = ()


class Bucket(StrEnum):
    """A span of the calendar that dates are put together by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Group:
    """What figures are told apart by: the values of a field, or spans of a date."""

    path: Path
    bucket: Bucket | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """By a field of the records, or by a figure (its name alone); what has none comes last."""

    by: Path
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Having:
    """A figure, by its name, against a value on the scale that it is given on. One that can't be told fulfils none."""

    figure: str
    how: Is
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Records of one entity that fulfil all conditions, in order; with figures, those figures of them by group.

    Sums of quantities and amounts are told apart by unit and currency, whatever the groups are. `having` leaves only
    the groups whose figures are so. With `apart` the order and the limit are of every unit and currency by itself:
    24,000 USD are neither more nor less than 23,000 EUR.
    """

    entity: str
    where: tuple[Condition, ...] = ()
    figures: tuple[Figure, ...] = ()
    groups: tuple[Group, ...] = ()
    having: tuple[Having, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int = 50
    apart: bool = False
