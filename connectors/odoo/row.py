"""An Odoo record with what hangs on it, and how one of our values is read from it.

A path is a field name, or several through references: "partner_id.commercial_partner_id". A step may list the names
it has had over the versions, newest first: "product_uom_id|product_uom". A row is asked by the path as written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from connectors.base import Value
from connectors.errors import SourceProtocolError
from connectors.odoo.cells import Cell, Pair
from connectors.odoo.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record. `children` are the rows of other models that a spec asked for beside it."""

    model: str
    id: int
    cells: Mapping[str, Cell]
    world: World
    changed_at: datetime | None = None
    children: Mapping[str, tuple[Row, ...]] = field(default_factory=dict[str, "tuple[Row, ...]"])

    @property
    def key(self) -> str:
        """The record's key in our records."""
        return f"{self.model}/{self.id}"

    def get(self, path: str) -> Cell:
        """The cell at a path; None where this Odoo has no such field."""
        if path == "id":
            return self.id
        if path not in self.cells:
            raise SourceProtocolError(f"path {path!r} of {self.model!r} was not asked for")
        return self.cells[path]

    def text(self, path: str) -> str | None:
        """A text or the code of a selection."""
        found = self.get(path)
        return found if isinstance(found, str) else None

    def number(self, path: str) -> Decimal | None:
        """A figure."""
        found = self.get(path)
        if isinstance(found, bool):
            return None
        return Decimal(found) if isinstance(found, int | Decimal) else None

    def amount(self, path: str) -> Decimal:
        """A figure, zero where there is none."""
        return self.number(path) or Decimal(0)

    def flag(self, path: str) -> bool:
        """Whether a flag is set."""
        return self.get(path) is True

    def pair(self, path: str) -> Pair | None:
        """A reference."""
        found = self.get(path)
        return found if isinstance(found, Pair) else None

    def ident(self, path: str) -> int | None:
        """The id behind a reference, or a bare id."""
        found = self.get(path)
        if isinstance(found, Pair):
            return found.id
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def label(self, path: str) -> str | None:
        """The name a reference is shown by."""
        found = self.pair(path)
        return found.label or None if found else None

    def instant(self, path: str) -> datetime | None:
        """An instant in UTC."""
        found = self.get(path)
        return found if isinstance(found, datetime) else None

    def many(self, path: str) -> tuple[Cell, ...]:
        """What a reference to several holds: ids, or the cells behind them."""
        found = self.get(path)
        return found if isinstance(found, tuple) else ()

    def day(self, path: str, site: int | None) -> date | None:
        """A day: as it stands, or the day of an instant at a site."""
        found = self.get(path)
        if isinstance(found, datetime):
            return self.world.day(found, site)
        return found if isinstance(found, date) else None


@dataclass(frozen=True, slots=True)
class Get:
    """How a value is read from a row, and the paths it needs."""

    paths: tuple[str, ...]
    read: Callable[[Row], Value]


def text(path: str) -> Get:
    return Get((path,), lambda row: row.text(path))


def flag(path: str) -> Get:
    return Get((path,), lambda row: row.flag(path))


def number(path: str) -> Get:
    return Get((path,), lambda row: row.number(path))


def whole(path: str) -> Get:
    return Get((path,), lambda row: row.ident(path))


def percent(path: str) -> Get:
    """A percentage as a ratio: 10 becomes 0.1."""
    return Get((path,), lambda row: None if (found := row.number(path)) is None else found / 100)


def instant(path: str) -> Get:
    return Get((path,), lambda row: row.instant(path))


def day(path: str, site: str | None = None) -> Get:
    """A day. An instant becomes the day it is at the warehouse found at `site`, or in UTC."""
    paths = (path,) if site is None else (path, site)
    return Get(paths, lambda row: row.day(path, row.ident(site) if site else None))


def label(path: str) -> Get:
    return Get((path,), lambda row: row.label(path))


def ref(path: str, model: str) -> Get:
    """The key of the record a reference points to."""
    return Get((path,), lambda row: None if (found := row.ident(path)) is None else f"{model}/{found}")


def own_key() -> Get:
    """The key of this very record, for an entity that lies beside another one of the same record."""
    return Get((), lambda row: row.key)


def code(path: str, codes: Mapping[str, str]) -> Get:
    """A selection translated; what the table doesn't have becomes None."""
    return Get((path,), lambda row: codes.get(row.text(path) or ""))


def compute(read: Callable[[Row], Value], *paths: str) -> Get:
    """What a function makes of a row and its children."""
    return Get(paths, read)


def unit(path: str) -> Get:
    """A unit of measure."""
    return label(path)
