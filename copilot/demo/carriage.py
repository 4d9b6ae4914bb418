"""Carriers and what happens to a shipment between the warehouse door and the customer's."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from copilot.demo.draws import NEVER, span
from copilot.demo.worktime import DAY, HOUR, SiteClock


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier; `prefix` begins its tracking numbers and is empty where it has none."""

    name: str
    prefix: str


CARRIERS = (
    (Carrier("Northline Parcel", "NLP"), Carrier("Tallgrass Freight", "TGF"), Carrier("Own truck", "")),
    (Carrier("Blauwagen Paket", "BWP"), Carrier("Kornfeld Spedition", "KFS"), Carrier("Own truck", "")),
    (Carrier("Straits Courier", "STC"), Carrier("Tembusu Express", "TBX"), Carrier("Own truck", "")),
)
"""By region."""

TrackingEvent = tuple[int, str, str]
"""(moment, event code, place)"""


@dataclass(slots=True, eq=False, kw_only=True)
class Carriage:
    """One journey. `moving` is the first scan on the way, `exception` to `resolved` a trouble, `signed` the proof."""

    carrier: Carrier
    tracking: str | None
    expected: int
    moving: int
    exception: int
    resolved: int
    delivered: int
    refused: int
    signed: int
    events: tuple[TrackingEvent, ...]


def carry(draw: Random, region: int, clock: SiteClock, number: int, shipped: int, place: str) -> Carriage:
    """Draw the journey of a shipment that left at `shipped`; all of it, also what is still to come."""
    carrier = CARRIERS[region][(draw.random() > 0.55) + (draw.random() > 0.82)]
    left = clock.day_of(shipped)
    days = span(draw.random(), 1, 4) if carrier.prefix else 1
    expected = clock.working(left, days)
    trouble, more, hour = draw.random(), draw.random(), draw.random()
    bad, delayed = trouble < 0.03 and bool(carrier.prefix), 0.03 <= trouble < 0.07 and bool(carrier.prefix)
    extra = span(more, 2, 5) if bad else span(more, 1, 2) if delayed else 0
    arrived = clock.at(clock.working(left, days + extra), 9 * HOUR + int(hour * 8 * HOUR))
    refused = draw.random() > 0.997 and bool(carrier.prefix)
    exception = clock.at(clock.working_after(left), 11 * HOUR - 1) if bad else NEVER
    resolved = min(exception + span(more, 22, 46) * HOUR, arrived - 3 * HOUR) if bad else NEVER
    return Carriage(
        carrier=carrier,
        tracking=f"{carrier.prefix}{span(draw.random(), 10_000, 99_999)}{number}" if carrier.prefix else None,
        expected=expected,
        moving=shipped + 4 * HOUR if carrier.prefix else NEVER,
        exception=exception,
        resolved=resolved,
        delivered=NEVER if refused else arrived,
        refused=arrived if refused else NEVER,
        signed=arrived + int((0.05 + 0.8 * draw.random()) * DAY) if carrier.prefix and not refused else NEVER,
        events=_events(clock, shipped, (exception, resolved), arrived, place, delayed=delayed, refused=refused)
        if carrier.prefix
        else (),
    )


def _events(
    clock: SiteClock,
    shipped: int,
    trouble: tuple[int, int],
    arrived: int,
    place: str,
    *,
    delayed: bool,
    refused: bool,
) -> tuple[TrackingEvent, ...]:
    left, last = clock.day_of(shipped), clock.day_of(arrived)
    exception, resolved = trouble
    events = [(shipped + HOUR // 2, "picked_up", place), (shipped + 4 * HOUR, "in_transit", f"{place} hub")]
    if exception != NEVER:
        events.append((exception, "exception", "sorting centre"))
        events.append((resolved, "in_transit", "sorting centre"))
    elif delayed:
        events.append((clock.at(left + 1, 12 * HOUR), "delayed", "line haul"))
    elif last > left + 1:
        events.append((clock.at(left + 1, 6 * HOUR), "in_transit", "sorting centre"))
    events.append((clock.at(last, 7 * HOUR), "out_for_delivery", "delivery depot"))
    events.append((arrived, "returned" if refused else "delivered", "consignee"))
    return tuple(sorted(events))
