"""How confirmed orders become shipments, from what was reserved for them by now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from copilot.demo.carriage import Carriage, carry
from copilot.demo.demand import Line, Order
from copilot.demo.draws import NEVER
from copilot.demo.places import SITES
from copilot.demo.worktime import HOUR, SiteClock

MOST_SHIPMENTS = 4
"""Per order and warehouse; the last one waits for everything that is still missing."""
_Entry = tuple[int, int, Line, int, str | None]
"""A reservation: (moment, line position, line, base units, lot)"""
Part = tuple[Line, int, str | None]
"""(line, base units, lot)"""


@dataclass(slots=True, eq=False, kw_only=True)
class Shipment:
    """One shipment. `waiting` is when it should have been ready and was not."""

    order: Order
    site: int
    suffix: int
    created: int
    planned_day: int
    waiting: int = NEVER
    ready: int = NEVER
    shipped: int = NEVER
    parts: tuple[Part, ...] = ()
    carriage: Carriage | None = None

    @property
    def digits(self) -> int:
        return self.order.n * 10 + self.suffix

    @property
    def number(self) -> str:
        return f"SH-{self.digits}"

    def status(self, now: int) -> str:
        """The status code at a moment."""
        if self.order.cancelled <= now:
            return "cancelled"
        if self.shipped <= now and self.carriage is not None:
            return _on_the_way(self.carriage, now)
        if self.ready <= now:
            return "ready"
        return "waiting" if self.waiting <= now else "planned"

    def moments(self) -> Iterator[int]:
        """Every moment at which something about it changes, carriers' scans included."""
        yield from (self.created, self.waiting, self.ready, self.shipped, self.order.cancelled)
        if self.carriage is not None:
            ride = self.carriage
            yield from (ride.moving, ride.exception, ride.resolved, ride.delivered, ride.refused, ride.signed)
            yield from (event[0] for event in ride.events)

    def changed(self, now: int) -> int:
        """The last moment up to now at which anything about it changed."""
        return max(moment for moment in self.moments() if moment <= now)


def _on_the_way(c: Carriage, now: int) -> str:
    if c.delivered <= now:
        return "delivered"
    if c.refused <= now or c.exception <= now < c.resolved:
        return "exception"
    return "in_transit" if c.moving <= now else "shipped"


@dataclass(slots=True, eq=False)
class Fulfilment:
    """An order's shipments up to now, and per line position (base units shipped, when last)."""

    order: Order
    shipments: list[Shipment] = field(default_factory=list[Shipment])
    shipped: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])

    @property
    def all_shipped(self) -> bool:
        """Whether every line has left in full."""
        return all(self.shipped.get(line.position, (0, 0))[0] == line.quantity for line in self.order.lines)

    def delivered(self, now: int) -> int:
        """When the last shipment of a wholly shipped order arrived; NEVER before that."""
        last = max((s.carriage.delivered if s.carriage else NEVER for s in self.shipments), default=NEVER)
        return last if last <= now and self.all_shipped else NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A portion of an order line in a shipment: what was loaded, or what is still to be. `portion` counts from 1 along
    the line; what is to be loaded comes last, and on the shipment that waits for it."""

    shipment: Shipment
    line: Line
    portion: int
    units: int
    lot: str | None
    changed: int


def contents(made: Fulfilment, now: int) -> Iterator[Content]:
    """What the shipments of an order hold or are to hold. A portion never ceases to exist: one to be loaded becomes one
    that is, and what is left of it the next."""
    for line in made.order.lines:
        shipments = [shipment for shipment in made.shipments if shipment.site == line.site]
        loaded = [(s, units, lot) for s in shipments if s.ready <= now for held, units, lot in s.parts if held is line]
        for portion, (shipment, units, lot) in enumerate(loaded, 1):
            yield Content(shipment=shipment, line=line, portion=portion, units=units, lot=lot, changed=shipment.ready)
        left = line.quantity - sum(units for _, units, _ in loaded)
        if left > 0 and shipments:
            last = shipments[-1]
            changed = max(last.created, last.ready) if last.ready <= now else last.created
            yield Content(shipment=last, line=line, portion=len(loaded) + 1, units=left, lot=None, changed=changed)


def fulfil(order: Order, clocks: Sequence[SiteClock], now: int) -> Fulfilment:
    """The shipments of an order that exist by now."""
    made = Fulfilment(order)
    if order.confirmed > now:
        return made
    chains: dict[int, list[Line]] = {}
    for line in order.lines:
        chains.setdefault(line.site, []).append(line)
    for place, (site, lines) in enumerate(chains.items()):
        made.shipments.extend(s for s in _chain(order, clocks[site], site, lines, place) if s.created <= now)
    for shipment in made.shipments:
        if shipment.shipped <= now:
            _send(made, shipment, clocks[shipment.site])
    return made


def _send(made: Fulfilment, shipment: Shipment, clock: SiteClock) -> None:
    draw = Random(shipment.order.luck + shipment.suffix)
    city = SITES[shipment.site].city
    shipment.carriage = carry(draw, shipment.order.region, clock, shipment.digits, shipment.shipped, city)
    for line, units, _ in shipment.parts:
        before, last = made.shipped.get(line.position, (0, 0))
        made.shipped[line.position] = (before + units, max(last, shipment.shipped))


def _chain(order: Order, clock: SiteClock, site: int, lines: list[Line], place: int) -> list[Shipment]:
    """The shipments from one warehouse, one after the other; the last may still lack its goods."""
    entries: list[_Entry] = sorted(
        ((moment, line.position, line, units, lot) for line in lines for moment, units, lot in line.allocations),
        key=lambda entry: entry[:2],
    )
    planned = clock.working(order.promised)
    suffix = place * MOST_SHIPMENTS + 1
    first = Shipment(order=order, site=site, suffix=suffix, created=order.confirmed, planned_day=planned)
    chain, start = [first], _earliest(order, clock)
    missing = sum(line.quantity - line.allocated for line in lines)
    while entries and order.cancelled == NEVER:
        shipment = chain[-1]
        day = _departure(order, clock, start, entries, missing, last=len(chain) == MOST_SHIPMENTS)
        if day == NEVER:
            break
        cut = clock.at(day, 6 * HOUR)
        taken = [entry for entry in entries if entry[0] < cut]
        entries = entries[len(taken) :]
        _load(shipment, clock, day, [(line, units, lot) for _, _, line, units, lot in taken])
        if not entries and not missing:
            break
        chain.append(_follower(shipment))
        start = clock.working_after(day)
    _mark_waiting(chain[0], clock)
    return chain


def _departure(order: Order, clock: SiteClock, start: int, entries: list[_Entry], missing: int, *, last: bool) -> int:
    """The day the next shipment leaves: with whatever is there, or with everything where nothing may be missing."""
    if order.complete:
        if any(line.allocated < line.quantity for line in order.lines):
            return NEVER
        moment = max(moment for line in order.lines for moment, _, _ in line.allocations)
    elif last:
        if missing:
            return NEVER
        moment = entries[-1][0]
    else:
        moment = entries[0][0]
    return max(start, _morning_after(clock, moment))


def _earliest(order: Order, clock: SiteClock) -> int:
    day = max(clock.working(order.promised, order.slip), _morning_after(clock, order.confirmed))
    return max(day, _morning_after(clock, order.released)) if order.held != NEVER else day


def _morning_after(clock: SiteClock, moment: int) -> int:
    """The first working day whose morning cut is after a moment."""
    day = clock.day_of(moment)
    return clock.working(day) if moment < clock.at(day, 6 * HOUR) else clock.working_after(day)


def _load(shipment: Shipment, clock: SiteClock, day: int, parts: list[Part]) -> None:
    merged: dict[tuple[int, str | None], Part] = {}
    for line, units, lot in parts:
        known = merged.get((line.position, lot))
        merged[line.position, lot] = (line, units + (known[1] if known else 0), lot)
    spread = (shipment.order.luck >> shipment.suffix) % 1000
    shipment.parts = tuple(merged.values())
    shipment.ready = clock.at(day, 6 * HOUR + 1800 + spread * 5)
    shipment.shipped = clock.at(day, 13 * HOUR + spread * 14)
    if not shipment.planned_day:
        shipment.planned_day = day


def _follower(before: Shipment) -> Shipment:
    shipped = before.shipped
    return Shipment(
        order=before.order, site=before.site, suffix=before.suffix + 1, created=shipped, planned_day=0, waiting=shipped
    )


def _mark_waiting(first: Shipment, clock: SiteClock) -> None:
    due = clock.at(first.planned_day, 9 * HOUR)
    if first.ready > due and first.order.cancelled > due:
        first.waiting = due
