"""One item's stock over time: demand, reservations, purchase orders and transfers, in the order they happen.

Every decision looks back only, so that the state at a moment is the same whether the clock stops there or goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from copilot.demo.catalogue import Item
from copilot.demo.demand import Line, Order
from copilot.demo.draws import NEVER, chance, span
from copilot.demo.masters import Masters
from copilot.demo.places import HUBS, SITES
from copilot.demo.replenishment import CYCLE, Planner, PurchaseLine, PurchasePlan, Transfer, lot_of
from copilot.demo.worktime import DAY, HOUR, UNIX_DAY, SiteClock

_ARRIVE, _LEAVE, _CANCEL, _DEMAND, _REVIEW = range(5)
_Arrival = tuple[int, str | None, int, int]
"""(site, lot, units for the shelf, units no longer on order)"""


@dataclass(slots=True)
class Shelf:
    """One item at one warehouse. `lots` are what is neither reserved nor gone, oldest first; `touched` per lot."""

    reorder: float
    order_size: float
    lots: dict[str | None, int]
    free: int
    on_order: int = 0
    backlog: deque[Line] = field(default_factory=deque[Line])
    short: int = 0
    reviewing: bool = False
    touched: dict[str | None, int] = field(default_factory=dict[str | None, int])


@dataclass(slots=True)
class Supply:
    """What came of it for all items up to a moment."""

    shelves: dict[tuple[int, int], Shelf] = field(default_factory=dict[tuple[int, int], Shelf])
    purchases: list[PurchaseLine] = field(default_factory=list[PurchaseLine])
    transfers: list[Transfer] = field(default_factory=list[Transfer])


def run_supply(masters: Masters, clocks: Sequence[SiteClock], orders: Sequence[Order], now: int) -> Supply:
    """Let every item live from the epoch to a moment; fills in the lines' allocations."""
    supply, planner = Supply(), Planner(masters, clocks)
    demand: list[list[Line]] = [[] for _ in masters.items]
    for order in orders:
        if order.confirmed <= now:
            for line in order.lines:
                demand[line.item.index].append(line)
    for item in masters.items:
        _ItemRun(masters, planner, supply, item).run(demand[item.index], now)
    return supply


class _ItemRun:
    """The event loop of one item over all its warehouses."""

    __slots__ = ("_events", "_item", "_masters", "_planner", "_sequence", "_shelves", "_supply")

    def __init__(self, masters: Masters, planner: Planner, supply: Supply, item: Item) -> None:
        self._masters, self._planner, self._supply, self._item = masters, planner, supply, item
        self._shelves = {site: _opening(masters, item, site) for site in sorted(item.sites)}
        self._events: list[tuple[int, int, int, object]] = []
        self._sequence = 0
        for site, shelf in self._shelves.items():
            supply.shelves[item.index, site] = shelf

    def run(self, demand: list[Line], now: int) -> None:
        for line in demand:
            order = line.order
            rank = order.n * 16 + line.position
            self._events.append((order.confirmed, _DEMAND, rank, line))
            if order.cancelled != NEVER:
                self._events.append((order.cancelled, _CANCEL, rank, line))
        heapify(self._events)
        events = self._events
        while events and events[0][0] <= now:
            moment, kind, _, subject = heappop(events)
            if kind == _DEMAND and isinstance(subject, Line):
                self._demand(moment, subject)
            elif kind == _ARRIVE and isinstance(subject, tuple):
                self._arrive(moment, subject)  # pyright: ignore[reportUnknownArgumentType]
            elif kind == _REVIEW and isinstance(subject, tuple):
                self._review(moment, *subject)  # pyright: ignore[reportUnknownArgumentType]
            elif kind == _LEAVE and isinstance(subject, Transfer):
                self._leave(moment, subject)
            elif isinstance(subject, Line):
                self._cancel(moment, subject)

    def _push(self, moment: int, kind: int, subject: object) -> None:
        self._sequence += 1
        heappush(self._events, (moment, kind, self._sequence, subject))

    def _demand(self, moment: int, line: Line) -> None:
        shelf = self._shelves[line.site]
        shelf.backlog.append(line)
        shelf.short += line.quantity
        self._serve(moment, shelf)
        self._watch(moment, line.site, shelf)

    def _serve(self, moment: int, shelf: Shelf) -> None:
        """Reserve what is free for the lines that wait, first come first served, in whole units of the line."""
        while shelf.backlog and shelf.free:
            line = shelf.backlog[0]
            wanted = line.quantity - line.allocated
            taken = min(wanted, shelf.free)
            taken -= taken % line.factor
            if taken:
                self._take(moment, shelf, line, taken)
            if taken < wanted:
                return
            shelf.backlog.popleft()

    def _take(self, moment: int, shelf: Shelf, line: Line, taken: int) -> None:
        line.allocated += taken
        shelf.free -= taken
        shelf.short -= taken
        for lot, there in shelf.lots.items():
            part = min(there, taken)
            if part:
                line.allocations.append((moment, part, lot))
                shelf.lots[lot] = there - part
                shelf.touched[lot] = moment
                taken -= part
            if not taken:
                return

    def _watch(self, moment: int, site: int, shelf: Shelf) -> None:
        """Order again at the supplier's next turn when too little is left."""
        growth = self._masters.growth(moment // DAY + UNIX_DAY)
        if not shelf.reviewing and shelf.free + shelf.on_order - shelf.short <= shelf.reorder * growth:
            shelf.reviewing = True
            supplier = self._item.supplier
            cycle, start = self._planner.next_slot(supplier, site, moment)
            self._push(self._planner.placing(supplier, site, start), _REVIEW, (site, cycle))

    def _review(self, moment: int, site: int, cycle: int) -> None:
        shelf = self._shelves[site]
        shelf.reviewing = False
        growth = self._masters.growth(moment // DAY + UNIX_DAY)
        wanted = (shelf.reorder + shelf.order_size) * growth - (shelf.free + shelf.on_order - shelf.short)
        pack = self._item.box or 1
        quantity = -(-int(wanted) // pack) * pack
        if quantity <= 0:
            return
        shelf.on_order += quantity
        if self._spare(site, moment) >= quantity:
            self._transfer(moment, site, quantity)
        else:
            self._purchase(self._planner.plan((self._item.supplier, site, cycle), moment), site, quantity)

    def _spare(self, site: int, moment: int) -> int:
        """What the region's hub could give away; one item in five is never transferred."""
        hub = HUBS[SITES[site].region]
        if site == hub or self._item.index % 5 == 0:
            return 0
        growth = self._masters.growth(moment // DAY + UNIX_DAY)
        return self._shelves[hub].free - int(self._shelves[hub].reorder * growth * 0.25)

    def _purchase(self, plan: PurchasePlan, site: int, quantity: int) -> None:
        item = self._item
        first = quantity if len(plan.arrivals) == 1 else (quantity * 6 + 9) // 10
        arriving = (first,) if first == quantity else (first, quantity - first)
        draw = chance(plan.luck, item.index)
        share = 0.05 + 0.15 * chance(plan.luck, item.index, "share") if draw < 0.03 else 0.0
        rejected = tuple(int(part * share + 0.5) if share else 0 for part in arriving)
        line = PurchaseLine(plan=plan, item=item, quantity=quantity, arriving=arriving, rejected=rejected)
        self._supply.purchases.append(line)
        if plan.cancelled != NEVER:
            self._push(plan.cancelled, _ARRIVE, (site, None, 0, quantity))
            return
        for moment, part, bad in zip(plan.arrivals, arriving, rejected, strict=False):
            self._push(moment, _ARRIVE, (site, lot_of(item, site, moment), part - bad, part))

    def _arrive(self, moment: int, arrival: _Arrival) -> None:
        site, lot, units, closed = arrival
        shelf = self._shelves[site]
        shelf.on_order -= closed
        if units:
            shelf.lots[lot] = shelf.lots.get(lot, 0) + units
            shelf.touched[lot] = moment
            shelf.free += units
            self._serve(moment, shelf)
        self._watch(moment, site, shelf)

    def _transfer(self, moment: int, site: int, quantity: int) -> None:
        hub = HUBS[SITES[site].region]
        clock = self._planner.clocks[hub]
        leaves = clock.working_after(clock.day_of(moment))
        travel = span(chance("travel", self._item.index, site, moment), 2, 6)
        transfer = Transfer(
            item=self._item,
            from_site=hub,
            to_site=site,
            planned=moment,
            quantity=quantity,
            sent=clock.at(leaves, 14 * HOUR),
            expected=self._planner.clocks[site].working(leaves + travel),
        )
        self._supply.transfers.append(transfer)
        self._push(transfer.sent, _LEAVE, transfer)

    def _leave(self, moment: int, transfer: Transfer) -> None:
        """A transfer takes what one lot has when it leaves, and is cancelled where that is nothing."""
        hub = self._shelves[transfer.from_site]
        lot = next((lot for lot, there in hub.lots.items() if there), None)
        taken = min(transfer.quantity, hub.lots.get(lot, 0))
        self._shelves[transfer.to_site].on_order -= transfer.quantity - taken
        if not taken:
            transfer.cancelled = moment
            self._watch(moment, transfer.to_site, self._shelves[transfer.to_site])
            return
        hub.lots[lot] -= taken
        hub.free -= taken
        hub.touched[lot] = moment
        transfer.shipped, transfer.shipped_quantity, transfer.lot = moment, taken, lot
        clock = self._planner.clocks[transfer.to_site]
        late = chance("late transfer", transfer.item.index, transfer.to_site, moment) < 0.15
        transfer.received = clock.at(clock.working(transfer.expected, 2 if late else 0), 10 * HOUR + moment % HOUR)
        self._push(transfer.received, _ARRIVE, (transfer.to_site, lot, taken, taken))
        self._watch(moment, transfer.from_site, hub)

    def _cancel(self, moment: int, line: Line) -> None:
        """Give back what a cancelled order had reserved."""
        shelf = self._shelves[line.site]
        shelf.short -= line.quantity - line.allocated
        if line in shelf.backlog:
            shelf.backlog.remove(line)
        for _, units, lot in line.allocations:
            shelf.lots[lot] += units
            shelf.free += units
            shelf.touched[lot] = moment
        self._serve(moment, shelf)


def _opening(masters: Masters, item: Item, site: int) -> Shelf:
    """How a warehouse starts, and when and how much of the item it orders."""
    lines = masters.daily_lines(item, site)
    typical = item.usual * 0.85
    lead = masters.suppliers[item.supplier].lead + CYCLE
    reorder = item.cover * (lines * typical * lead + 1.1 * typical)
    order_size = max(lines * typical * 110, typical * 2.2, float(item.box))
    units = int(reorder + order_size * (0.2 + 0.7 * chance(masters.seed, "opening", item.index, site))) + 1
    lot = lot_of(item, site, (masters.first_day - UNIX_DAY) * DAY)
    return Shelf(reorder, order_size, {lot: units}, units, touched={lot: 0})
