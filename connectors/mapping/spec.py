"""A mapping as values: what the YAML says, parsed and not yet held against the semantic model.

An expression works on one row, a mapping of column name to value; columns of a joined table are named `alias.column`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FieldTypes = Mapping[str, Mapping[str, str]]
"""entity -> field -> type of the semantic model (ident, text, code, ref, date, instant, quantity, amount, ratio, days,
count, flag): what a mapped connector converts values to. Plain names, because connectors don't know the model."""

Function = Literal[
    "concat", "first", "trim", "upper", "lower", "part", "add", "subtract", "multiply", "divide", "max", "min", "round",
]  # fmt: skip
Comparison = Literal["equals", "in", "not_in", "empty", "above", "below"]


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a column; `alias.column` for a joined table."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value for every row."""

    value: str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A value translated by a code table, "" standing for an empty one. A code the table lacks is passed on as it is
    (and set aside by the ingest where the field does not know it), unless `otherwise` says what it and an empty value
    mean."""

    value: Expression
    table: Mapping[str, str | None]
    otherwise: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One of the listed functions. An empty argument makes arithmetic empty; `concat` and `first` skip it."""

    function: Function
    arguments: tuple[Expression, ...]
    separator: str = ""
    """For `concat` what stands between, for `part` what the text is split at."""
    number: int = 0
    """For `part` which part, from 0, or from -1 backwards; for `round` how many decimals (halves away from zero)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Whether a value equals a constant, is one or none of several, is empty (or, for the operand False, is not), or
    lies above or below a number or an ISO date."""

    value: Expression
    comparison: Comparison
    operand: tuple[str | int | bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`then` where all conditions hold, else `otherwise`."""

    when: tuple[Condition, ...]
    then: Expression
    otherwise: Expression


Expression = Column | Constant | Lookup | Call | Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One row of another table for each row of this one: `on` gives this table's column for each of the other's."""

    table: str
    alias: str
    on: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedEntity:
    """How one entity is made. Several parts of one entity, from different tables, have different `prefix`es.

    `table` is a table or view ("purchasing.vendor"), a file ("vendor.csv", "orders-*.csv") or a sheet
    ("stock.xlsx#WH1"); None where `rows` holds the rows themselves. The record's key is `prefix` and the key columns
    joined as keys.py says. `changed` are the columns whose latest says when the row last changed; empty: the table is
    read whole each time.
    """

    entity: str
    table: str | None
    rows: tuple[Mapping[str, str | int | bool | None], ...] = ()
    prefix: str = ""
    key: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    vanishing: bool = True
    """Whether rows may be deleted in the source, so that the keys are compared at every sync."""
    joins: tuple[Join, ...] = ()
    where: tuple[Condition, ...] = ()
    fields: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    labels: Mapping[str, Expression] = field(default_factory=dict[str, Expression])
    company: Expression = Constant("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """How text columns are read where the source has only text (CSV), or keeps dates and numbers as text."""

    dates: tuple[str, ...] = ()
    """strptime formats, tried in order after ISO 8601."""
    decimal: Literal[".", ","] = "."
    group: Literal["", ".", ",", " ", "'"] = ""
    """What may stand between groups of three digits; "" accepts none, so that 1,234 is not taken for 1234."""
    true: tuple[str, ...] = ("true", "t", "yes", "y", "1")
    false: tuple[str, ...] = ("false", "f", "no", "n", "0")
    empty: tuple[str, ...] = ("",)
    encoding: str = "utf-8-sig"
    delimiter: str = ""
    """"" finds out by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMapping:
    """A whole mapping file."""

    system: str
    """What the source calls itself, such as "AdventureWorks"."""
    time_zone: str
    """IANA name: where times without a zone are."""
    entities: tuple[MappedEntity, ...]
    formats: Formats = field(default_factory=Formats)
    pages: Mapping[str, str] = field(default_factory=dict[str, str])
    """entity -> address of a record's page in the source, with {key} in it."""
    text: str = ""
    """The file as it was read; what is kept with the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing that is wrong with a mapping: where in the file ("entities.supplier.fields.status"), and what."""

    place: str
    message: str
