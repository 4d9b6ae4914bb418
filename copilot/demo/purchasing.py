"""Purchase orders and their receipts, put together from what the items needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from copilot.demo.draws import NEVER
from copilot.demo.masters import Masters
from copilot.demo.partners import Supplier
from copilot.demo.replenishment import PurchaseLine, PurchasePlan, Slot, Transfer

FIRST_PURCHASE = 40_001
FIRST_TRANSFER = 50_001


@dataclass(slots=True, eq=False)
class PurchaseOrder:
    """A purchase order with its lines in item order."""

    n: int
    supplier: Supplier
    site: int
    plan: PurchasePlan
    lines: list[PurchaseLine]

    @property
    def number(self) -> str:
        return f"PO-{self.n}"

    @property
    def arrivals(self) -> tuple[int, ...]:
        """When goods come; fewer than planned where nothing is left for the second time, none once cancelled."""
        if self.plan.cancelled != NEVER:
            return ()
        return self.plan.arrivals[: max(len(line.arriving) for line in self.lines)]

    def status(self, now: int) -> str:
        """The status code at a moment."""
        plan, arrivals = self.plan, self.arrivals
        if plan.cancelled <= now:
            return "cancelled"
        if arrivals and arrivals[0] <= now:
            return "received" if arrivals[-1] <= now else "partly_received"
        if plan.confirmed <= now:
            return "confirmed"
        return "sent" if plan.sent <= now else "draft"

    def changed(self, now: int) -> int:
        """The last moment up to now at which anything about it changed."""
        plan = self.plan
        return max(m for m in (plan.placed, plan.sent, plan.confirmed, plan.cancelled, *self.arrivals) if m <= now)

    def arrived(self, line: PurchaseLine, now: int) -> int:
        """Base units of a line that have come, rejected ones included."""
        return sum(part for moment, part in zip(self.arrivals, line.arriving, strict=False) if moment <= now)

    def last_arrival(self, line: PurchaseLine) -> int:
        """When the last of a line comes."""
        return self.arrivals[len(line.arriving) - 1] if self.arrivals else NEVER


@dataclass(slots=True, eq=False)
class Receipt:
    """One arrival of a purchase order, expected or come. `created` is since when it is on record."""

    order: PurchaseOrder
    leg: int
    created: int
    arrives: int

    @property
    def number(self) -> str:
        return f"RC-{self.order.n * 10 + self.leg}"

    def status(self, now: int) -> str:
        """The status code at a moment."""
        if self.order.plan.cancelled <= now:
            return "cancelled"
        return "received" if self.arrives <= now else "expected"

    def changed(self, now: int) -> int:
        """The last moment up to now at which anything about it changed."""
        return max(m for m in (self.created, self.arrives, self.order.plan.cancelled) if m <= now)

    def lines(self) -> Iterator[tuple[int, PurchaseLine, int, int]]:
        """(line number, line, base units that came, of those rejected)."""
        for place, line in enumerate(self.order.lines, 1):
            if self.leg <= len(line.arriving):
                yield place, line, line.arriving[self.leg - 1], line.rejected[self.leg - 1]

    def expected(self, line: PurchaseLine) -> int:
        """Base units of a line that are out before this arrival, all of which it may bring."""
        return line.quantity - sum(line.arriving[: self.leg - 1])


def make_purchase_orders(masters: Masters, lines: Sequence[PurchaseLine]) -> list[PurchaseOrder]:
    """One order per slot, numbered in the order of placing."""
    slots: dict[Slot, list[PurchaseLine]] = {}
    for line in lines:
        slots.setdefault(line.plan.slot, []).append(line)
    grouped = sorted(slots.values(), key=lambda group: (group[0].plan.placed, group[0].plan.slot))
    return [
        PurchaseOrder(n, masters.suppliers[group[0].plan.slot[0]], group[0].plan.slot[1], group[0].plan, group)
        for n, group in enumerate(grouped, FIRST_PURCHASE)
    ]


def receipts(order: PurchaseOrder, now: int) -> Iterator[Receipt]:
    """The receipts on record by now: the first since confirmation, the second since the first came."""
    arrivals = order.arrivals or (NEVER,)
    created = min(order.plan.confirmed, arrivals[0])
    if order.plan.cancelled <= created:
        return
    for leg, arrives in enumerate(arrivals, 1):
        if created <= now:
            yield Receipt(order, leg, created, arrives)
        created = arrives


def number_transfers(transfers: list[Transfer]) -> list[Transfer]:
    """Number the transfers in the order of planning."""
    transfers.sort(key=lambda t: (t.planned, t.item.index, t.to_site))
    for n, transfer in enumerate(transfers, FIRST_TRANSFER):
        transfer.n = n
    return transfers


def transfer_status(transfer: Transfer, now: int) -> str:
    """The status code of a transfer at a moment."""
    steps = (("cancelled", transfer.cancelled), ("received", transfer.received), ("in_transit", transfer.shipped))
    return next((code for code, moment in steps if moment <= now), "planned")


def transfer_changed(transfer: Transfer, now: int) -> int:
    """The last moment up to now at which anything about a transfer changed."""
    return max(m for m in (transfer.planned, transfer.shipped, transfer.received, transfer.cancelled) if m <= now)


def transfer_number(transfer: Transfer) -> str:
    """The document number of a transfer."""
    return f"TR-{transfer.n}"
