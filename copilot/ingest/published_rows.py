"""What is published of one item at one site: the governing figures of its stock, and what can be promised from when.

By the rules that answers use (retrieval/measures/inventory.py); pure, over records of everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import Literal

from copilot.domain.evidence import Raw, Record
from copilot.retrieval.measures.base import Context, Records
from copilot.retrieval.measures.inventory import Amount, Held, Recorded, Units, by_place, govern, stands

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What goes out of a site (demand) or comes in (receipt) on a day; `day` None: no day is recorded."""

    kind: Literal["demand", "receipt"]
    day: date | None
    quantity: int | None
    """Scaled; None where something of it is not recorded."""
    unit: str | None
    voice: Record
    """A record that says which system tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands for one item at one site, whose figure it is, and whether ERP and warehouse system agree."""

    held: Held
    row: Record
    """The stock record of the governing system that the labels are those of."""
    agrees: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """From a day on: what comes in and goes out that day, the balance at its end, and what can be promised."""

    day: date
    receipts: int
    demand: int
    balance: int
    promisable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What can be promised of an item at a site, all in one unit; `late` is what is expected but not counted."""

    unit: Raw
    buckets: tuple[Bucket, ...]
    demand: int
    incoming: int
    late: int


def standing(context: Context, stock: Records, units: Units) -> Iterator[Standing]:
    """What stands per item and site; nothing where the lots of nobody add up."""
    for item, site, rows, recorded in by_place(stock, units):
        governing = govern(context, site, recorded)
        if governing:
            held = stands(item, site, governing, units)
            first = governing.get("on_hand") or next(iter(governing.values()))
            row = next(each for each in rows if each.system == first.system)
            yield Standing(held=held, row=row, agrees=_agree(context, item, site, recorded, units))


def _agree(context: Context, item: Raw, site: Raw, recorded: Recorded, units: Units) -> bool | None:
    """Whether the ERP's and the warehouse system's figure on hand are the same; None where they can't be compared."""
    told: dict[str, Amount] = {}
    for system in sorted(recorded, key=lambda name: context.rank("on_hand", name, site)):
        if "on_hand" in recorded[system]:
            told.setdefault(context.purposes.get(system, ""), recorded[system]["on_hand"])
    if "erp" not in told or "wms" not in told:
        return None
    same = units.alike(item, (told["erp"], told["wms"]))
    return same[0].quantity == same[1].quantity if same else None


def promise(held: Held, flows: Sequence[Flow], units: Units, today: date, horizon: timedelta) -> Promise | None:
    """What can be promised from today on; None where something that it takes is not recorded, does not
    convert or is beyond all bounds.

    Demand that is late or of no day counts at once; what should have come before today, or for no day, is not counted
    on. Neither is what is due or expected after the horizon.
    """
    available = held.figures["available"]
    near = [flow for flow in flows if flow.day is None or flow.day <= today + horizon]
    amounts = [_amount(flow) for flow in near]
    if available is None or held.unit is None or any(amount is None for amount in amounts):
        return None
    own = Amount(quantity=available, unit=held.unit, rows=held.rows)
    same = units.alike(held.item, [own, *(amount for amount in amounts if amount)])
    if same is None:
        return None
    told = [(flow, amount.quantity) for flow, amount in zip(near, same[1:], strict=True)]
    demand = _by_day((f.day or today, quantity) for f, quantity in told if f.kind == "demand")
    expected = [(f.day, quantity) for f, quantity in told if f.kind == "receipt"]
    receipts = _by_day((day, quantity) for day, quantity in expected if day and day >= today)
    late = sum(quantity for day, quantity in expected if day is None or day < today)
    going, coming = sum(demand.values()), sum(receipts.values())
    if not all(map(fits, (same[0].quantity, going, coming, late, same[0].quantity + coming, same[0].quantity - going))):
        return None
    buckets = _buckets(same[0].quantity, receipts, demand, today)
    return Promise(unit=same[0].unit, buckets=buckets, demand=going, incoming=coming, late=late)


def fits(figure: int | None) -> bool:
    """Whether a sum of what sources say is a quantity that can be stored."""
    return figure is None or abs(figure) <= _LARGEST


def _amount(flow: Flow) -> Amount | None:
    if flow.quantity is None or flow.unit is None:
        return None
    return Amount(quantity=flow.quantity, unit=flow.unit, rows=(flow.voice,))


def _by_day(quantities: Iterable[tuple[date, int]]) -> dict[date, int]:
    found: dict[date, int] = defaultdict(int)
    for day, quantity in quantities:
        found[day] += quantity
    return found


def _buckets(
    available: int, receipts: Mapping[date, int], demand: Mapping[date, int], today: date
) -> tuple[Bucket, ...]:
    """One for today, with all that is due by now, and one for each later day on which something comes or goes.

    What is promised for later may not be given away: what can be promised is the least balance from a day on.
    """
    days = [today, *sorted(day for day in receipts.keys() | demand.keys() if day > today)]
    coming = [receipts.get(day, 0) for day in days]
    going = [sum(q for day, q in demand.items() if day <= today), *(demand.get(day, 0) for day in days[1:])]
    balances = list(accumulate((i - o for i, o in zip(coming, going, strict=True)), initial=available))[1:]
    least = list(accumulate(reversed(balances), min))[::-1]
    return tuple(
        Bucket(day=day, receipts=i, demand=o, balance=balance, promisable=low)
        for day, i, o, balance, low in zip(days, coming, going, balances, least, strict=True)
    )
