"""What a connector is and what it hands over.

A connector knows its source and the names of our semantic model, nothing else. It yields raw records: values are
scalars, a reference to another record is that record's source key. Identity, labels, units and the merge are the
ingest's business.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

Value = str | int | float | bool | Decimal | date | datetime | None
"""A raw value: Decimal for quantities and amounts, date for a day, aware datetime for an instant, str for a key."""


Keys = Collection[tuple[str, str]]
"""(company, key) of some living records, in no order; one may be named again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """One record of one entity, as the source has it now.

    `key` is stable within (system, entity, company); `company` is "" where all companies share the record.
    `changed_at` is the source's own change time in UTC. `labels` are raw hints ("company", "warehouse", "team") from
    which the ingest derives region, site and channel.
    """

    entity: str
    company: str
    key: str
    changed_at: datetime | None
    values: Mapping[str, Value]
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    broken: str = ""
    """Why the source's row can't be read at all, for the ingest to set aside; "" for a record that can be used."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far an entity has been read. Opaque: the store keeps it between syncs and hands it back unchanged."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some changed records. `cursor` is to be kept once they are merged; `last` says the entity is up to date."""

    records: tuple[SourceRecord, ...]
    cursor: Cursor | None
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOption:
    """A company, warehouse or team that a label mapping has to place; `hints` help a person to decide."""

    kind: str
    key: str
    name: str
    hints: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An entity, or some of its fields, that the source does not give us, and why."""

    entity: str
    reason: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """What a source says about itself when it is checked."""

    system: str
    version: str
    labels: tuple[LabelOption, ...]
    unreadable: tuple[Unreadable, ...]
    notes: tuple[str, ...] = ()
    """What is as it may be, but a person should know, one sentence each."""


class Connector(Protocol):
    """A source of records. Every method raises only `connectors.errors.ConnectorError`."""

    system: str
    entities: tuple[str, ...]
    """In load order: what is referred to comes before what refers to it."""
    vanishing: frozenset[str]
    """Entities whose records may be deleted; for the others `keys` need never be asked."""

    async def check(self) -> SourceInfo:
        """Reach the source and say what it is, what its labels are and what cannot be read."""
        ...

    def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        """Everything changed since `cursor` (everything at all for None), page by page; at least one page.

        Reaches back a little behind the cursor, so that a change committed late still arrives; a record may come
        twice, and merging it twice must change nothing.
        """
        ...

    def keys(self, entity: str) -> AsyncIterator[Keys]:
        """Every living record, some thousands at a time: what we hold and these do not name has been deleted.

        Whoever asks must go on to the end before drawing that conclusion; an error on the way says nothing about
        what was not named before it.
        """
        ...

    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        """These records as they are now, within a bounded time; a key that no longer exists is left out."""
        ...

    def link(self, entity: str, key: str) -> str | None:
        """Where a person opens this record in the source's own pages. Needs no connection."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceColumn:
    """A column of a source's table; `type` is text, number, date, instant, flag or other."""

    name: str
    type: str
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """A table, file or sheet of a source, as it describes itself: what a mapping is drafted from and checked against.

    `references` gives for a column the (table, column) it refers to.
    """

    name: str
    columns: tuple[SourceColumn, ...]
    key: tuple[str, ...] = ()
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])


class Described(Protocol):
    """A source that can say which tables it has. Raises only `connectors.errors.ConnectorError`."""

    async def tables(self) -> tuple[SourceTable, ...]:
        """Every table with its columns."""
        ...
