"""A distributor of any size behind a connector: made row by row as it is read, so that it costs no memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice

from connectors.base import Cursor, Keys, Page, SourceInfo, SourceRecord, Value

_AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
_FIRST_DAY = date(2025, 11, 1)
_PAGE = 5_000
_LINES = 4
_RECORDS_PER_ITEM = 1 + 1 + 3 + 3 * _LINES + 1 / 5
_SITES = 5
_TWO, _NINE = Decimal("2.5"), Decimal(9)
Make = Callable[[int], Mapping[str, Value]]


class VolumeConnector:
    """About `rows` records: for each item a stock row, three orders of four lines, and a fifth of a customer."""

    system = "volume"

    def __init__(self, rows: int) -> None:
        self._items = max(round(rows / _RECORDS_PER_ITEM), 1)
        self._customers = max(self._items // 5, 1)
        orders = self._items * 3
        self._parts: dict[str, tuple[int, Make]] = {
            "region": (1, lambda _: {"code": "US", "name": "Americas"}),
            "channel": (1, lambda _: {"code": "WEB", "name": "Web"}),
            "site": (_SITES, lambda n: {"code": f"W{n}", "name": f"Warehouse {n}", "region": "0", "time_zone": "UTC"}),
            "customer": (
                self._customers,
                lambda n: {"number": f"C{n:06}", "name": f"Customer {n % 997} of {n // 997}"},
            ),
            "item": (self._items, self._item),
            "stock": (self._items, self._stock),
            "sales_order": (orders, self._order),
            "sales_order_line": (orders * _LINES, self._line),
        }
        self.entities: tuple[str, ...] = tuple(self._parts)
        self.vanishing = frozenset(self.entities)
        self.rows = sum(count for count, _ in self._parts.values())

    async def check(self) -> SourceInfo:
        return SourceInfo(system=self.system, version="1", labels=(), unreadable=())

    async def changes(self, entity: str, cursor: Cursor | None) -> AsyncIterator[Page]:
        if cursor is not None:
            yield Page(records=(), cursor=cursor, last=True)
            return
        count = self._parts[entity][0]
        done = 0
        every = self._records(entity)
        while records := tuple(islice(every, _PAGE)):
            done += len(records)
            yield Page(records=records, cursor=Cursor("done"), last=done == count)

    async def keys(self, entity: str) -> AsyncIterator[Keys]:
        count = self._parts[entity][0]
        for start in range(0, count, _PAGE):
            yield [("", str(n)) for n in range(start, min(start + _PAGE, count))]

    async def read(self, entity: str, keys: Sequence[str]) -> tuple[SourceRecord, ...]:
        wanted = set(keys)
        return tuple(record for record in self._records(entity) if record.key in wanted)

    def link(self, entity: str, key: str) -> str | None:
        del entity, key
        return None

    async def aclose(self) -> None:
        """Nothing to close."""

    def _records(self, entity: str) -> Iterator[SourceRecord]:
        count, make = self._parts[entity]
        labels = _LABELS.get(entity, {})
        for n in range(count):
            yield SourceRecord(entity=entity, company="", key=str(n), changed_at=_AT, values=make(n), labels=labels)

    def _item(self, n: int) -> Mapping[str, Value]:
        return {"number": f"IT-{n:07}", "name": f"Part {n % 613} for {n // 613}", "base_unit": "ea", "status": "active"}

    def _stock(self, n: int) -> Mapping[str, Value]:
        return {
            "item": str(n % self._items), "site": str(n % _SITES), "on_hand": _NINE, "reserved": _TWO, "unit": "ea",
        }  # fmt: skip

    def _order(self, n: int) -> Mapping[str, Value]:
        day = _FIRST_DAY + timedelta(days=n % 365)
        return {
            "number": f"SO-{n:08}", "customer": str(n % self._customers), "site": str(n % _SITES),
            "status": "confirmed", "order_date": day, "promised_date": day + timedelta(days=7),
        }  # fmt: skip

    def _line(self, n: int) -> Mapping[str, Value]:
        return {
            "order": str(n // _LINES), "item": str(n * 7 % self._items), "line_number": n % _LINES + 1,
            "ordered_quantity": _NINE, "open_quantity": _TWO, "unit": "ea", "status": "open",
        }  # fmt: skip


_LABELS: Mapping[str, Mapping[str, str]] = {
    "customer": {"region": "0", "channel": "0"},
    "item": {"region": "*"},
    "sales_order": {"channel": "0"},
}
