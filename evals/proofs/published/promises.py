"""What must stand in `atp_bucket`, worked out from the open lines one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from evals.proofs.oracle import Row, World, read_baseline
from evals.proofs.published.stock import Place, Stands, Stock, Told

Bucket = tuple[date, int, int, int, int]
"""Day, receipts, demand, balance, what can be promised."""


@dataclass(frozen=True, slots=True)
class Line:
    """One open line: what it takes (negative) or brings, on which day, and whether its quantity is known."""

    source: int
    unit: str | None
    day: date | None
    quantity: int | None
    takes: bool


@dataclass(frozen=True, slots=True)
class Promised:
    """What must be published of a place beside its stock."""

    buckets: tuple[Bucket, ...]
    unit: str | None
    demand: int
    incoming: int
    late: int


@dataclass
class Promises:
    """The open lines of a world, by place."""

    world: World
    stock: Stock
    now: datetime
    lines: dict[Place, list[Line]] = field(default_factory=lambda: defaultdict(list[Line]))
    horizon: timedelta = field(default_factory=lambda: timedelta(days=read_baseline()["promise_within_days"]))

    def __post_init__(self) -> None:
        for place, line in (*self._sold(), *self._bought(), *self._moved()):
            self.lines[place].append(line)

    def today(self, site: int) -> date:
        """The day at a site."""
        zone = self.world.rows["site"][site]["time_zone"]
        return self.now.astimezone(ZoneInfo(zone) if zone else UTC).date()

    def at(self, place: Place, stands: Stands) -> Promised | None:
        """What can be promised at a place; None where it can't be told."""
        today = self.today(place[1])
        last = today + self.horizon
        near = [line for line in self.lines.get(place, []) if line.day is None or line.day <= last]
        available = stands.figures["available"]
        if available is None or stands.unit is None or any(x.quantity is None or x.unit is None for x in near):
            return None
        own = Told(stands.source, Fraction(available), stands.unit)
        told = [Told(line.source, Fraction(line.quantity or 0), line.unit) for line in near]
        same = self.stock.alike(place[0], [own, *told])
        if same is None:
            return None
        amounts = [(line, int(t.amount)) for line, t in zip(near, same[1:], strict=True)]
        return _promised(int(same[0].amount), amounts, same[0].unit, today)

    def _sold(self) -> Iterator[tuple[Place, Line]]:
        rows = self.world.rows
        for line in rows["sales_order_line"].values():
            order = rows["sales_order"].get(line["order_id"])
            if order is None or order["status"] not in ("confirmed", "partly_shipped"):
                continue
            if line["status"] not in ("open", "backordered", "partly_shipped"):
                continue
            days = (line["promised_date"], order["promised_date"], line["requested_date"], order["requested_date"])
            day = next((each for each in days if each), None)
            quantity = self._unreserved(line)
            if quantity is None or quantity > 0:
                place = line["item_id"], line["site_id"] or order["site_id"]
                yield place, Line(line["source_id"], line["unit"], day, quantity, takes=True)

    def _unreserved(self, line: Row) -> int | None:
        reserved = line["reserved_quantity"]
        if reserved is None:
            held = self.world.where("reservation", "line_id", [line["id"]])
            reserved = sum(row["quantity"] or 0 for row in held if row["unit"] == line["unit"])
        return None if line["open_quantity"] is None else line["open_quantity"] - reserved

    def _bought(self) -> Iterator[tuple[Place, Line]]:
        rows = self.world.rows
        for line in rows["purchase_line"].values():
            order = rows["purchase_order"].get(line["purchase_order_id"])
            if order is None or order["status"] not in ("sent", "confirmed", "partly_received"):
                continue
            if line["status"] in ("open", "partly_received") and (line["open_quantity"] or 0) > 0:
                day = line["promised_date"] or order["promised_date"]
                told = Line(line["source_id"], line["unit"], day, line["open_quantity"], takes=False)
                yield (line["item_id"], order["site_id"]), told

    def _moved(self) -> Iterator[tuple[Place, Line]]:
        rows = self.world.rows
        for line in rows["transfer_line"].values():
            transfer = rows["transfer"].get(line["transfer_id"])
            if transfer is None or transfer["status"] not in ("planned", "in_transit"):
                continue
            item, source, unit = line["item_id"], line["source_id"], line["unit"]
            if line["quantity"] is not None and (rest := line["quantity"] - (line["received_quantity"] or 0)) > 0:
                told = Line(source, unit, transfer["expected_date"], rest, takes=False)
                yield (item, transfer["to_site_id"]), told
            leaves = transfer["status"] == "planned" and transfer["from_site_id"]
            if leaves and (line["quantity"] is None or line["quantity"] > 0):
                yield (item, transfer["from_site_id"]), Line(source, unit, None, line["quantity"], takes=True)


def _promised(available: int, amounts: Sequence[tuple[Line, int]], unit: str | None, today: date) -> Promised:
    takes = [(line.day or today, amount) for line, amount in amounts if line.takes]
    brings = [(line.day, amount) for line, amount in amounts if not line.takes]
    sure = [(day, amount) for day, amount in brings if day is not None and day >= today]
    days = sorted({today} | {day for day, _ in takes if day > today} | {day for day, _ in sure})

    def balance(day: date) -> int:
        return available + sum(a for d, a in sure if d <= day) - sum(a for d, a in takes if d <= day)

    def on(day: date, flows: Sequence[tuple[date, int]]) -> int:
        return sum(a for d, a in flows if d == day or (day == today and d < today))

    buckets = tuple(
        (day, on(day, sure), on(day, takes), balance(day), min(balance(later) for later in days if later >= day))
        for day in days
    )
    incoming = sum(amount for _, amount in sure)
    late = sum(amount for _, amount in brings) - incoming
    return Promised(buckets, unit, sum(amount for _, amount in takes), incoming, late)


def published_buckets(world: World) -> Mapping[Place, tuple[list[Row], str | None]]:
    """The rows that stand, by place, in order of days, with their unit."""
    found: dict[Place, list[Row]] = defaultdict(list)
    for row in world.rows["atp_bucket"].values():
        found[row["item_id"], row["site_id"]].append(row)
    return {place: (sorted(rows, key=lambda r: r["day"]), rows[0]["unit"]) for place, rows in found.items()}
