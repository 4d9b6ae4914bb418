"""What must be said of a group of systems, worked out from what was planted by code of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evals.proofs.disagreements.planting import CASES, SITES, Group, Lot, System

Said = tuple[str, ...]
"""One finding: what was found, the site, the governing system and its figure, the other system and its figure."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a system says of an item at a site: an amount and its unit."""

    system: System
    amount: Decimal
    unit: str

    def __str__(self) -> str:
        amount = f"{self.amount:,f}"
        return f"{amount.rstrip('0').rstrip('.') if '.' in amount else amount} {self.unit}"


def findings(group: Group, item: int, policy: Mapping[str, Any], sites: tuple[str, ...] = SITES) -> Iterator[Said]:
    """Everything that must be said of an item at some sites, and nothing else may be."""
    for site in sites:
        present = [system for system in group.systems if (item, site) in system.stock]
        if not present:
            continue
        yield from _differing(group, item, site, present, policy)
        yield from _absent(group, item, site, present, policy)


def total_on_hand(group: Group, item: int, policy: Mapping[str, Any]) -> set[str]:
    """What may be shown as on hand at all sites together, in one unit or in pieces; nothing where it can't be told."""
    places = [[s for s in group.systems if (item, site) in s.stock] for site in SITES]
    counted: list[Told] = []
    for site, present in zip(SITES, places, strict=True):
        known = [told for system in present if (told := _told(group, item, site, system, "on_hand"))]
        governing = _first(policy, "on_hand", known)
        if governing:
            counted.append(governing)
        elif present:
            return set()
    pieces = [amount for told in counted if (amount := _pieces(group, item, told)) is not None]
    found: set[str] = set()
    if len({told.unit for told in counted}) == 1:
        found.add(str(Told(counted[0].system, sum((told.amount for told in counted), Decimal(0)), counted[0].unit)))
    if pieces and len(pieces) == len(counted):
        found.add(str(Told(counted[0].system, sum(pieces, Decimal(0)), "pc")))
    return found


def _differing(group: Group, item: int, site: str, present: list[System], policy: Mapping[str, Any]) -> Iterator[Said]:
    on_hand = {s.name: told for s in present if (told := _told(group, item, site, s, "on_hand"))}
    governing = _first(policy, "on_hand", list(on_hand.values()))
    for system in present:
        figure = "on_hand" if system.name in on_hand else "available"
        theirs = on_hand.get(system.name) or _told(group, item, site, system, "available")
        ours = governing if figure == "on_hand" else _available(group, item, site, present, governing, policy)
        if ours is None or theirs is None or ours.system is system:
            continue
        same = (ours.amount, theirs.amount) if ours.unit == theirs.unit else (
            _pieces(group, item, ours), _pieces(group, item, theirs))  # fmt: skip
        if None in same:
            yield ("not comparable", site, figure, ours.system.name, str(ours), system.name, str(theirs))
        elif same[0] != same[1]:
            yield ("differs", site, figure, ours.system.name, str(ours), system.name, str(theirs))


def _absent(group: Group, item: int, site: str, present: list[System], policy: Mapping[str, Any]) -> Iterator[Said]:
    known = [told for s in present if (told := _told(group, item, site, s, "on_hand"))]
    ours = _first(policy, "on_hand", known)
    for system in group.systems:
        keeps = any(place == site for _, place in system.stock)
        if ours and ours.amount and keeps and system not in present and system.purpose in policy["stock_kept_whole_by"]:
            yield ("not recorded", site, "on_hand", ours.system.name, str(ours), system.name, "")


def _available(
    group: Group, item: int, site: str, present: list[System], on_hand: Told | None, policy: Mapping[str, Any]
) -> Told | None:
    """What is available where somebody knows only that: by the governing figures, told for whoever has it on hand."""

    def best(figure: str) -> Told | None:
        return _first(policy, figure, [t for s in present if (t := _told(group, item, site, s, figure))])

    own, reserved = best("available"), best("reserved")
    if on_hand is None:
        return own
    units = {told.unit for told in (on_hand, own, reserved) if told}
    if len(units) > 1 and any(_pieces(group, item, told) is None for told in (on_hand, own, reserved) if told):
        own, reserved = (told if told and told.unit == on_hand.unit else None for told in (own, reserved))
        units = {on_hand.unit}
    unit = on_hand.unit if len(units) == 1 else "pc"

    def amount(told: Told) -> Decimal:
        return told.amount if told.unit == unit else _pieces(group, item, told) or Decimal(0)

    if own and reserved and own.system is on_hand.system is reserved.system:
        return Told(on_hand.system, amount(own), unit)
    if reserved:
        return Told(on_hand.system, amount(on_hand) - amount(reserved), unit)
    return Told(on_hand.system, amount(own), unit) if own else None


def _told(group: Group, item: int, site: str, system: System, figure: str) -> Told | None:
    """A figure of a system over its lots, of which every one must have it."""
    lots = system.stock[item, site]
    amounts = [_of(lot, figure) for lot in lots]
    known = [amount for amount in amounts if amount is not None]
    if len(known) != len(amounts):
        return None
    if len({lot.unit for lot in lots}) == 1:
        return Told(system, sum(known, Decimal(0)), lots[0].unit)
    pieces = [_pieces(group, item, Told(system, amount, lot.unit)) for amount, lot in zip(known, lots, strict=True)]
    whole = [each for each in pieces if each is not None]
    return Told(system, sum(whole, Decimal(0)), "pc") if len(whole) == len(pieces) else None


def _of(lot: Lot, figure: str) -> Decimal | None:
    return {"on_hand": lot.on_hand, "available": lot.available, "reserved": lot.reserved}[figure]


def _pieces(group: Group, item: int, told: Told) -> Decimal | None:
    """An amount in pieces; None where nobody says how many there are in one."""
    if item not in group.cased or told.unit == "pallet":
        return None
    return told.amount * CASES if told.unit == "case" else told.amount


def _first(policy: Mapping[str, Any], figure: str, told: list[Told]) -> Told | None:
    order: list[str] = policy["stock_governed_by"][figure]
    return min(told, key=lambda each: (order.index(each.system.purpose), each.system.name)) if told else None
