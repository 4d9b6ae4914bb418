"""What replenishment draws for itself: when a supplier is ordered from and how a purchase order then fares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from copilot.demo.catalogue import Item
from copilot.demo.draws import NEVER, dice, span
from copilot.demo.masters import Masters
from copilot.demo.partners import Supplier
from copilot.demo.places import SITES
from copilot.demo.worktime import DAY, HOUR, UNIX_DAY, SiteClock, day

CYCLE = 21
"""Days between two orders to the same supplier for the same warehouse."""
Slot = tuple[int, int, int]
"""(supplier, site, cycle): names one purchase order."""


@dataclass(slots=True, eq=False, kw_only=True)
class PurchasePlan:
    """How one purchase order goes, whatever is on it. `arrivals` are one or two moments."""

    slot: Slot
    placed: int
    day: int
    sent: int
    confirmed: int
    promised: int
    arrivals: tuple[int, ...]
    cancelled: int
    luck: int


@dataclass(slots=True, eq=False, kw_only=True)
class PurchaseLine:
    """One item on a purchase order: base units ordered, and per arrival how many came and were rejected."""

    plan: PurchasePlan
    item: Item
    quantity: int
    arriving: tuple[int, ...]
    rejected: tuple[int, ...]


@dataclass(slots=True, eq=False, kw_only=True)
class Transfer:
    """Stock moved between two warehouses of a region. `quantity` falls to what was there when it left."""

    n: int = 0
    item: Item
    from_site: int
    to_site: int
    planned: int
    quantity: int
    sent: int
    expected: int
    shipped: int = NEVER
    shipped_quantity: int = 0
    received: int = NEVER
    cancelled: int = NEVER
    lot: str | None = None


@dataclass(slots=True)
class Planner:
    """Draws purchase plans; the same slot always gives the same plan."""

    masters: Masters
    clocks: Sequence[SiteClock]
    plans: dict[Slot, PurchasePlan] = field(default_factory=dict[Slot, PurchasePlan])

    def next_slot(self, supplier: int, site: int, moment: int) -> tuple[int, int]:
        """(cycle, day) of the next order to a supplier after a moment."""
        nominal = self.clocks[site].day_of(moment) + 1
        phase = supplier * 5 + site * 3
        nominal += -(nominal + phase) % CYCLE
        return (nominal + phase) // CYCLE, nominal

    def placing(self, supplier: int, site: int, nominal: int) -> int:
        """When on that day, or the next working day, the order is placed."""
        clock = self.clocks[site]
        return clock.at(clock.working(nominal), 9 * HOUR + (supplier % 60) * 60)

    def plan(self, slot: Slot, placed: int) -> PurchasePlan:
        """The plan of a slot."""
        known = self.plans.get(slot)
        if known is None:
            known = self.plans[slot] = self._draw(slot, placed)
        return known

    def _draw(self, slot: Slot, placed: int) -> PurchasePlan:
        supplier, clock = self.masters.suppliers[slot[0]], self.clocks[slot[1]]
        draw = dice(self.masters.seed, "purchase", *slot)
        placed_day = clock.day_of(placed)
        sent = placed + int((0.05 + draw.random()) * DAY)
        promised = clock.working(placed_day + supplier.lead)
        arrivals = _arrivals(clock, supplier, promised, draw.random(), draw.random(), draw.random())
        cancelled = sent + int((1 + 2 * draw.random()) * DAY) if draw.random() < 0.012 else NEVER
        return PurchasePlan(
            slot=slot,
            placed=placed,
            day=placed_day,
            sent=sent,
            confirmed=sent + int((0.2 + 1.8 * draw.random()) * DAY),
            promised=promised,
            arrivals=arrivals,
            cancelled=cancelled,
            luck=int(draw.random() * (1 << 48)),
        )


def lot_of(item: Item, site: int, moment: int) -> str | None:
    """The lot that goods arriving at that moment form; none for items not tracked by lot."""
    return f"L{day(moment // DAY + UNIX_DAY):%y%m%d}-{SITES[site].code}" if item.category.lots else None


def _arrivals(
    clock: SiteClock, supplier: Supplier, promised: int, late: float, how: float, split: float
) -> tuple[int, ...]:
    if late < supplier.late:
        delay = span(how, 5, 24) if supplier.late > 0.5 else span(how, 1, 8)
    else:
        delay = -span(how, 0, min(2, supplier.lead // 5))
    first = clock.working(promised + delay)
    if delay < 0 and first > promised:
        first = clock.working(promised)
    come = (first,) if split > 0.12 else (first, clock.working(first + span(split / 0.12, 3, 11)))
    return tuple(clock.at(arrives, 8 * HOUR + int(how * 6 * HOUR)) for arrives in come)
