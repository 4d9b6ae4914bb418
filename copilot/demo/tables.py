"""How a kind of thing in the demo world becomes records of one entity."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, TypeVar

from connectors.base import SourceRecord, Value
from copilot.demo.worktime import day, instant
from copilot.demo.world import DemoWorld

T = TypeVar("T")
Values = dict[str, Value]
NO_LABELS: Mapping[str, str] = {}
SHARED: Mapping[str, str] = {"region": "*", "channel": "*"}
_DIGITS = re.compile(r"\d+")


def _begin(world: DemoWorld, _: object) -> int:
    return world.begin


def _everyone(_: object) -> str:
    return ""


def _unlabelled(_: object) -> Mapping[str, str]:
    return NO_LABELS


@dataclass(frozen=True, kw_only=True)  # no slots: Table[T](...) marks the instance with its T
class Table(Generic[T]):
    """One entity of the demo ERP.

    `rows` gives what exists now and may have changed after a moment. `drop` is set where a key begins with an order's
    number: how many digits come after it.
    """

    entity: str
    rows: Callable[[DemoWorld, int], Iterable[T]]
    key: Callable[[T], str]
    values: Callable[[DemoWorld, T], Values]
    changed: Callable[[DemoWorld, T], int] = _begin
    company: Callable[[T], str] = _everyone
    labels: Callable[[T], Mapping[str, str]] = _unlabelled
    drop: int | None = None

    def records(self, world: DemoWorld, since: int) -> Iterator[SourceRecord]:
        """What changed after a moment, as it is now."""
        for row in self.rows(world, since):
            changed = self.changed(world, row)
            if changed > since:
                yield self._record(world, row, changed)

    def keys(self, world: DemoWorld) -> Iterator[tuple[str, str]]:
        """(company, key) of everything that exists now."""
        company, key = self.company, self.key
        return ((company(row), key(row)) for row in self.rows(world, 0))

    def read(self, world: DemoWorld, keys: Sequence[str]) -> Iterator[SourceRecord]:
        """The records of these keys, as they are now."""
        wanted = frozenset(keys)
        narrowed = world if self.drop is None else world.only(_orders(wanted, self.drop))
        for row in self.rows(narrowed, 0):
            if self.key(row) in wanted:
                yield self._record(world, row, self.changed(world, row))

    def _record(self, world: DemoWorld, row: T, changed: int) -> SourceRecord:
        return SourceRecord(
            entity=self.entity,
            company=self.company(row),
            key=self.key(row),
            changed_at=instant(changed),
            values=self.values(world, row),
            labels=self.labels(row),
        )


def _orders(keys: frozenset[str], drop: int) -> frozenset[int]:
    found = (_DIGITS.search(key) for key in keys)
    digits = (match.group() for match in found if match is not None)
    return frozenset(int(text[: len(text) - drop]) for text in digits if len(text) > drop)


def money(cents: int) -> Decimal:
    """Cents as an amount."""
    return Decimal(cents).scaleb(-2)


def passed(world: DemoWorld, moment: int) -> datetime | None:
    """A moment that has come; None for one still ahead."""
    return instant(moment) if moment <= world.now else None


def passed_day(world: DemoWorld, site: int, moment: int) -> date | None:
    """The local day of a moment that has come."""
    return day(world.clocks[site].day_of(moment)) if moment <= world.now else None


def latest(world: DemoWorld, *moments: int) -> int:
    """The last of some moments that has come."""
    return max(moment for moment in moments if moment <= world.now)
