"""One inventory truth: which system's figure counts where several hold stock of one item at one site.

What is not recorded is no figure: it is never taken for zero. Figures in several units are added and compared only
where the item's own units say how.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.domain.evidence import Raw, Record
from copilot.domain.quantity import SCALE
from copilot.retrieval.measures.base import Context, Records, grouped

FIGURES = ("on_hand", "reserved", "available", "in_transit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A scaled quantity of a unit, and the records it comes from."""

    quantity: int
    unit: Raw
    rows: tuple[Record, ...]

    @property
    def system(self) -> str:
        """The source's name."""
        return self.rows[0].system


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What stands for one item at one site: the governing figures in one unit, None where none can be told, and the
    records that they come from."""

    item: Raw
    site: Raw
    unit: Raw
    figures: Mapping[str, int | None]
    rows: tuple[Record, ...]


Recorded = Mapping[str, Mapping[str, Amount]]
"""Source -> figure -> the amount that it records for one item at one site, over all lots."""


class Units:
    """The units that items are counted in."""

    def __init__(self, units: Records) -> None:
        self._rows: dict[tuple[Raw, Raw], list[Record]] = defaultdict(list)
        self._bases: set[tuple[Raw, Raw]] = set()
        for row in units:
            self._rows[row.raw("item"), row.raw("unit")].append(row)
            self._bases.add((row.raw("item"), row.raw("base_unit")))

    def alike(self, item: Raw, amounts: Sequence[Amount]) -> list[Amount] | None:
        """Amounts in one unit: as they are where they have one, else in the item's base unit; None where some amount
        does not convert."""
        if len({amount.unit for amount in amounts}) <= 1:
            return list(amounts)
        based = [self._in_base(item, amount) for amount in amounts]
        known = [amount for amount in based if amount]
        return known if len(known) == len(amounts) and len({amount.unit for amount in known}) == 1 else None

    def total(self, item: Raw, amounts: Sequence[Amount]) -> Amount | None:
        """Amounts added up; None where they don't convert, or where there are none."""
        same = self.alike(item, amounts)
        if not same:
            return None
        rows = tuple(row for amount in same for row in amount.rows)
        return Amount(quantity=sum(amount.quantity for amount in same), unit=same[0].unit, rows=rows)

    def _in_base(self, item: Raw, amount: Amount) -> Amount | None:
        """By the unit as the amount's own system records it, else as all others do."""
        known = self._rows.get((item, amount.unit), [])
        own = [row for row in known if row.system == amount.system] or known
        if len({(row.raw("base_quantity"), row.raw("base_unit")) for row in own}) != 1:
            return amount if not own and (item, amount.unit) in self._bases else None
        size, unit = own[0].raw("base_quantity"), own[0].raw("base_unit")
        if not isinstance(size, int) or size <= 0 or unit is None:
            return None
        return Amount(quantity=round(amount.quantity * size / SCALE), unit=unit, rows=(*amount.rows, own[0]))


def by_place(stock: Records, units: Units) -> Iterator[tuple[Raw, Raw, list[Record], Recorded]]:
    """Item, site, stock rows and what each source records there, in a stable order."""
    for (item, site), rows in grouped(stock, "item", "site"):
        systems = dict.fromkeys(row.system for row in rows)
        recorded = {name: _recorded([row for row in rows if row.system == name], units) for name in systems}
        yield item, site, rows, recorded


def _recorded(rows: Sequence[Record], units: Units) -> dict[str, Amount]:
    """The figures that every lot has, added up."""
    found: dict[str, Amount] = {}
    for name in FIGURES:
        lots = [
            Amount(quantity=quantity, unit=row.raw("unit"), rows=(row,))
            for row in rows
            if isinstance(quantity := row.raw(name), int)
        ]
        total = units.total(rows[0].raw("item"), lots)
        if total and len(lots) == len(rows):
            found[name] = total
    return found


def held(context: Context, stock: Records, units: Units) -> Iterator[Held]:
    """What stands per item and site; where nobody's lots add up, one Held for each unit of the governing system."""
    for item, site, rows, recorded in by_place(stock, units):
        governing = govern(context, site, recorded)
        if governing:
            yield stands(item, site, governing, units)
        else:
            first = min((row.system for row in rows), key=lambda name: context.rank("on_hand", name, site))
            yield from _by_unit(item, site, [row for row in rows if row.system == first])


def govern(context: Context, site: Raw, recorded: Recorded) -> dict[str, Amount]:
    """Figure -> the amount that counts at a site by policy."""
    found: dict[str, Amount] = {}
    for name in FIGURES:
        known = [amounts[name] for amounts in recorded.values() if name in amounts]
        if known:
            found[name] = min(known, key=lambda amount: context.rank(name, amount.system, site))
    return found


def stands(item: Raw, site: Raw, governing: Mapping[str, Amount], units: Units) -> Held:
    """Governing figures in one unit; one that does not convert is left out.

    What is available is on hand less reserved, unless it is of the very system that also governs those.
    """
    first = governing.get("on_hand") or governing.get("available") or next(iter(governing.values()))
    same = units.alike(item, list(governing.values()))
    kept = dict(zip(governing, same, strict=True)) if same else _in_unit(governing, first.unit)
    figures = {name: kept[name].quantity if name in kept else None for name in FIGURES}
    on_hand, reserved = figures["on_hand"], figures["reserved"]
    if on_hand is not None and reserved is not None and not _one_system(governing):
        figures["available"] = on_hand - reserved
    rows = tuple(row for amount in kept.values() for row in amount.rows)
    return Held(item=item, site=site, unit=kept[next(iter(kept))].unit, figures=figures, rows=rows)


def _in_unit(governing: Mapping[str, Amount], unit: Raw) -> dict[str, Amount]:
    return {name: amount for name, amount in governing.items() if amount.unit == unit}


def _one_system(governing: Mapping[str, Amount]) -> bool:
    on_hand, available = governing.get("on_hand"), governing.get("available")
    reserved = governing.get("reserved", on_hand)
    return bool(on_hand and available and reserved and on_hand.system == available.system == reserved.system)


def _by_unit(item: Raw, site: Raw, rows: Records) -> Iterator[Held]:
    for _, same in grouped(rows, "unit"):
        if amounts := _recorded(same, Units(())):
            yield stands(item, site, {name: amounts[name] for name in FIGURES if name in amounts}, Units(()))
