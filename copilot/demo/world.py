"""The demo company at one moment: a pure function of seed, epoch and moment."""

from __future__ import annotations

import gc
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property, lru_cache

from copilot.demo.billing import Invoice, bill
from copilot.demo.demand import FIRST_NUMBER, Order, make_orders
from copilot.demo.draws import NEVER
from copilot.demo.fulfilment import Fulfilment, fulfil
from copilot.demo.masters import Masters, make_masters
from copilot.demo.purchasing import PurchaseOrder, make_purchase_orders, number_transfers
from copilot.demo.replenishment import Transfer
from copilot.demo.service import Case, Note, Return, credit, give_back, open_case, write_notes
from copilot.demo.stock import StockKey, StockRow, disagreement, stock_rows
from copilot.demo.supply import Shelf, run_supply
from copilot.demo.worktime import DAY, UNIX_DAY, SiteClock, clocks, instant

ORDER_LIFE = 190 * DAY
"""Nothing about an order changes later than this after it came in (tested)."""
PURCHASE_LIFE = 150 * DAY
"""The same for purchase orders."""
TRACKING_SINCE, JOURNAL_SINCE, WMS_SINCE = 540 * DAY, 450 * DAY, 640 * DAY
"""After the epoch: when carriers' events, the stock journal and the warehouse system's own journal begin."""


@dataclass(slots=True, eq=False, kw_only=True)
class Life:
    """An order and all that came of it by now."""

    order: Order
    fulfilment: Fulfilment
    invoices: tuple[Invoice, ...]
    back: Return | None
    case: Case | None
    notes: tuple[Note, ...]
    changed: int = 0


@dataclass(slots=True, eq=False, kw_only=True)
class _State:
    """What is worked out once per moment."""

    masters: Masters
    clocks: Sequence[SiteClock]
    orders: list[Order]
    created: list[int]
    lives: list[Life | None]
    purchases: list[PurchaseOrder]
    placed: list[int]
    transfers: list[Transfer]
    shelves: dict[tuple[int, int], Shelf]
    stock: dict[int, dict[StockKey, StockRow]]


class DemoWorld:
    """The company as it stands at `now` (whole minutes), having begun on the day `epoch`.

    Worlds of the same seed, epoch and minute share their state, so that making a second one costs nothing. With
    `whole` its journals begin on its first day, which a company of few months can afford.
    """

    def __init__(
        self, *, seed: int, epoch: date, now: datetime, only: frozenset[int] | None = None, whole: bool = False
    ) -> None:
        self.seed = seed
        self.epoch = epoch
        self.whole = whole
        self.now = int(now.timestamp()) // 60 * 60
        self.begin = int(datetime.combine(epoch, time(), UTC).timestamp())
        self._only = only

    @cached_property
    def _state(self) -> _State:
        # Worked out when first asked for: that takes seconds, which its maker may not have.
        return _work_out(self.seed, self.epoch, self.now)

    def at(self, moment: datetime) -> DemoWorld:
        """The same company at another moment."""
        return DemoWorld(seed=self.seed, epoch=self.epoch, now=moment, whole=self.whole)

    def journal(self, since: int) -> int:
        """When a journal begins that otherwise begins `since` seconds after the first day."""
        return self.begin if self.whole else self.begin + since

    def only(self, orders: frozenset[int]) -> DemoWorld:
        """The same world, seen as if only these order numbers had come in."""
        return DemoWorld(seed=self.seed, epoch=self.epoch, now=instant(self.now), only=orders, whole=self.whole)

    @property
    def masters(self) -> Masters:
        """Items, customers, suppliers, prices."""
        return self._state.masters

    @property
    def clocks(self) -> Sequence[SiteClock]:
        """Wall clock and working calendar of every warehouse."""
        return self._state.clocks

    @property
    def transfers(self) -> Sequence[Transfer]:
        """All transfers planned by now."""
        return self._state.transfers

    @property
    def shelves(self) -> dict[tuple[int, int], Shelf]:
        """What is free, by item index and site."""
        return self._state.shelves

    def lives(self, since: int = 0) -> Iterator[Life]:
        """The orders that anything changed about after `since`, oldest first."""
        return (life for life in self.recent(since) if life.changed > since)

    def recent(self, since: int) -> Iterator[Life]:
        """The orders that anything may have changed about after `since`, and all that are still open."""
        state = self._state
        if self._only is not None:
            indices = (n - FIRST_NUMBER for n in sorted(self._only))
            yield from (self._life(index) for index in indices if 0 <= index < len(state.orders))
            return
        with _no_collection():
            lives = [self._life(n) for n in range(bisect_right(state.created, since - ORDER_LIFE), len(state.orders))]
        yield from lives

    def orders(self) -> Sequence[Order]:
        """All orders that came in by now, without what became of them."""
        return self._state.orders

    def purchases(self, since: int = 0) -> Sequence[PurchaseOrder]:
        """The purchase orders that anything may have changed about after `since`."""
        state = self._state
        return state.purchases[bisect_right(state.placed, since - PURCHASE_LIFE) :]

    def stock(self, since: int = 0) -> dict[StockKey, StockRow]:
        """All stock rows now; `changed` is only right where it is after `since`."""
        known = self._state.stock.get(since)
        if known is None:
            state = self._state
            known = stock_rows(
                state.masters.items, state.shelves, state.transfers, self._fulfilments(since), self.now, self.begin
            )
            state.stock[since] = known
        return known

    def planted_disagreements(self) -> dict[tuple[str, str, str | None], tuple[int, int]]:
        """(item number, site code, lot) -> (on hand in the ERP, on hand in the WMS), wherever the two differ."""
        found: dict[tuple[str, str, str | None], tuple[int, int]] = {}
        for key, row in self.stock(self.now).items():
            units = disagreement(self.seed, key, row.on_hand)
            if units:
                found[row.item.number, row.site_code, row.lot] = (row.on_hand, row.on_hand + units)
        return found

    def _fulfilments(self, since: int) -> Iterator[Fulfilment]:
        return (life.fulfilment for life in self.recent(since))

    def _life(self, index: int) -> Life:
        known = self._state.lives[index]
        if known is None:
            known = self._state.lives[index] = _live(self._state.orders[index], self._state.clocks, self.now)
        return known


def _live(order: Order, sites: Sequence[SiteClock], now: int) -> Life:
    fulfilment = fulfil(order, sites, now)
    invoices = [bill(shipment, sites[shipment.site]) for shipment in fulfilment.shipments if shipment.shipped <= now]
    back = give_back(fulfilment, sites[order.site], now)
    if back is not None and back.closed <= now:
        invoices.append(credit(back, sites[order.site]))
    case = open_case(order, now)
    notes = write_notes(order, case, now) if case is not None or order.held != NEVER else []
    life = Life(order=order, fulfilment=fulfilment, invoices=tuple(invoices), back=back, case=case, notes=tuple(notes))
    life.changed = max(moment for moment in _moments(life) if moment <= now)
    return life


def _moments(life: Life) -> Iterator[int]:
    """Every moment at which a record of the order changes; those still ahead too."""
    order = life.order
    yield from (order.created, order.confirmed, order.cancelled, order.held, order.released)
    yield from (moment for line in order.lines for moment, _, _ in line.allocations)
    for shipment in life.fulfilment.shipments:
        yield from shipment.moments()
    for invoice in life.invoices:
        yield from invoice.moments()
    if life.back is not None:
        yield from life.back.moments()
    if life.case is not None:
        yield from life.case.moments()
    yield from (note.written for note in life.notes)


@contextmanager
def _no_collection() -> Generator[None]:
    """Hold the cycle collector back: nothing made here is garbage, and looking through it all doubles the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@lru_cache(maxsize=2)
def _work_out(seed: int, epoch: date, now: int) -> _State:
    with _no_collection():
        return _simulate(seed, epoch, now)


def _simulate(seed: int, epoch: date, now: int) -> _State:
    masters = make_masters(seed, epoch)
    today = now // DAY + UNIX_DAY
    sites = clocks(masters.first_day - 40, today - today % 100 + 600)
    orders = make_orders(masters, sites, now)
    supply = run_supply(masters, sites, orders, now)
    purchases = make_purchase_orders(masters, supply.purchases)
    return _State(
        masters=masters,
        clocks=sites,
        orders=orders,
        created=[order.created for order in orders],
        lives=[None] * len(orders),
        purchases=purchases,
        placed=[order.plan.placed for order in purchases],
        transfers=number_transfers(supply.transfers),
        shelves=supply.shelves,
        stock={},
    )
