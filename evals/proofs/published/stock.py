"""What must stand in `availability`, worked out from the base tables by code of its own.

It shares nothing with the product but the policy's YAML. Conversions are exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from evals.proofs.oracle import Row, World, read_baseline

FIGURES = ("on_hand", "reserved", "available", "in_transit")
Place = tuple[int, int]
"""Item, site."""


@dataclass(frozen=True, slots=True)
class Told:
    """A figure that a source tells, in a unit."""

    source: int
    amount: Fraction
    unit: str | None


@dataclass(frozen=True, slots=True)
class Stands:
    """What stands at a place: the governing figures in one unit, whose the first one is, and whether systems agree."""

    figures: Mapping[str, int | None]
    unit: str | None
    source: int
    agrees: bool | None


@dataclass(slots=True)
class Stock:
    """The stock of a world."""

    world: World
    _order: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, world: World) -> Stock:
        """The stock, by the order that the policy's YAML gives."""
        return cls(world, read_baseline()["stock_governed_by"])

    def all(self) -> Iterator[tuple[Place, Stands]]:
        """What stands at each place where something can be told."""
        places: dict[Place, list[Row]] = defaultdict(list)
        for row in self.world.rows["stock"].values():
            places[row["item_id"], row["site_id"]].append(row)
        for place, rows in places.items():
            found = self._at(place[0], rows)
            if found:
                yield place, found

    def rank(self, figure: str, source: int) -> tuple[int, int]:
        """Where a source stands for a figure."""
        order, purpose = self._order[figure], self.world.purposes[source]
        return (order.index(purpose) if purpose in order else len(order)), source

    def in_base(self, item: int, told: Told) -> Told | None:
        """An amount in base units, by the source's own unit or by what all say alike."""
        units = [row for row in self.world.where("item_unit", "item_id", [item]) if row["unit"] == told.unit]
        own = [row for row in units if row["source_id"] == told.source] or units
        says = {(row["base_quantity"], row["base_unit"]) for row in own}
        if not own:
            bases = {row["base_unit"] for row in self.world.where("item_unit", "item_id", [item])}
            return told if told.unit in bases else None
        size, unit = next(iter(says))
        if len(says) > 1 or size is None or size <= 0 or unit is None:
            return None
        return Told(told.source, Fraction(round(told.amount * size / 1_000_000)), unit)

    def alike(self, item: int, tolds: Sequence[Told]) -> list[Told] | None:
        """Amounts in one unit."""
        if len({told.unit for told in tolds}) < 2:
            return list(tolds)
        based = [self.in_base(item, told) for told in tolds]
        known = [told for told in based if told]
        return known if len(known) == len(based) and len({told.unit for told in known}) == 1 else None

    def _at(self, item: int, rows: Sequence[Row]) -> Stands | None:
        told = {figure: self._told(item, rows, figure) for figure in FIGURES}
        best = {f: min(each, key=lambda t, f=f: self.rank(f, t.source)) for f, each in told.items() if each}
        if not best:
            return None
        first = best.get("on_hand") or best.get("available") or next(iter(best.values()))
        same = self.alike(item, list(best.values()))
        kept = dict(zip(best, same, strict=True)) if same else {f: t for f, t in best.items() if t.unit == first.unit}
        figures: dict[str, int | None] = {f: int(kept[f].amount) if f in kept else None for f in FIGURES}
        governing = {f: best[f].source for f in ("on_hand", "available", "reserved") if f in best}
        one = "on_hand" in governing and "available" in governing and len(set(governing.values())) == 1
        on_hand, reserved = figures["on_hand"], figures["reserved"]
        if on_hand is not None and reserved is not None and not one:
            figures["available"] = on_hand - reserved
        whose = best.get("on_hand") or next(iter(best.values()))
        return Stands(figures, next(iter(kept.values())).unit, whose.source, self._agree(item, told["on_hand"]))

    def _told(self, item: int, rows: Sequence[Row], figure: str) -> list[Told]:
        found: list[Told] = []
        for source in {row["source_id"] for row in rows}:
            lots = [row for row in rows if row["source_id"] == source]
            if any(row[figure] is None for row in lots):
                continue
            same = self.alike(item, [Told(source, Fraction(row[figure]), row["unit"]) for row in lots])
            if same:
                found.append(Told(source, sum((t.amount for t in same), Fraction(0)), same[0].unit))
        return found

    def _agree(self, item: int, on_hand: Sequence[Told]) -> bool | None:
        sides: list[Told] = []
        for purpose in ("erp", "wms"):
            those = [told for told in on_hand if self.world.purposes[told.source] == purpose]
            if not those:
                return None
            sides.append(min(those, key=lambda told: self.rank("on_hand", told.source)))
        same = self.alike(item, sides)
        return same[0].amount == same[1].amount if same else None
