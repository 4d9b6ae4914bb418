"""Everything that must be published, as the owner works it out, and what of it an actor is to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from evals.proofs.oracle import Actor, Row, World
from evals.proofs.published.measures import supplier_rates
from evals.proofs.published.promises import Promised, Promises
from evals.proofs.published.stock import FIGURES, Place, Stock
from evals.proofs.published.use import Use

_ATP = ("day", "receipts", "demand", "balance", "promisable")
_LABELS = ("label_region", "label_site", "label_channel", "label_account")


@dataclass(frozen=True, slots=True)
class Truth:
    """The rows of `availability`, of `supplier_rate`, and what can be promised, by place."""

    availability: Mapping[Place, Row]
    promised: Mapping[Place, Promised]
    supplier_rate: Sequence[Row]

    @classmethod
    def of(cls, world: World, now: datetime) -> Truth:
        """All of it, from the base tables."""
        stock = Stock.of(world)
        promises = Promises(world, stock, now)
        use = Use(world, stock, promises)
        rows: dict[Place, Row] = {}
        promised: dict[Place, Promised] = {}
        for place, stands in stock.all():
            told = promises.at(place, stands)
            alike = told if told and told.unit == stands.unit else None
            status = world.rows["item"][place[0]]["status"]
            wanted = any(line.takes for line in promises.lines.get(place, []))
            rows[place] = {
                "item_id": place[0], "site_id": place[1], **{f: stands.figures[f] for f in FIGURES},
                "unit": stands.unit, "governed_by": world.sources[stands.source], "agrees": stands.agrees,
                "demand": alike and alike.demand, "incoming": alike and alike.incoming,
                "late_incoming": alike and alike.late, "promised": told is not None,
                "live": wanted or status not in ("phase_out", "discontinued"), **use.at(place, stands),
                **_labels(world, place[1]), "record_class": "stock",
            }  # fmt: skip
            if told:
                promised[place] = told
        return cls(rows, promised, list(_rates(world, now)))

    def seen(self, actor: Actor, entity: str) -> list[Row]:
        """The rows of an entity that an actor is to see."""
        rows = self.availability.values() if entity == "availability" else self.supplier_rate
        return [row for row in rows if actor.sees(row)]


def differences(truth: Truth, actor: Actor, entity: str, found: Sequence[Row]) -> list[str]:
    """Where the rows that an actor got are not those that there must be."""
    wanted = {place: row for place, row in truth.availability.items() if actor.sees(row)}
    if entity == "availability":
        got = {(row["item_id"], row["site_id"]): row for row in found}
        return [*_differing(wanted, got)]
    buckets: dict[Place, list[Row]] = {}
    for row in sorted(found, key=lambda each: each["day"]):
        buckets.setdefault((row["item_id"], row["site_id"]), []).append(row)
    meant = {place: told for place, told in truth.promised.items() if place in wanted}
    faults = [f"{place}: {bool(buckets.get(place))}, not {place in meant}" for place in meant.keys() ^ buckets.keys()]
    for place in meant.keys() & buckets.keys():
        faults += _bucket_faults(place, meant[place], buckets[place])
    return faults


def _differing(wanted: Mapping[Place, Row], got: Mapping[Place, Row]) -> list[str]:
    faults = [f"{place} is {'there' if place in got else 'missing'}" for place in wanted.keys() ^ got.keys()]
    for place in wanted.keys() & got.keys():
        for name, value in wanted[place].items():
            if got[place][name] != value:
                faults.append(f"{place}.{name} is {got[place][name]!r}, not {value!r}")
    return faults


def _bucket_faults(place: Place, meant: Promised, rows: Sequence[Row]) -> list[str]:
    """The first row says what holds today, whenever that began; all later ones are as they must be."""
    got = [tuple(row[name] for name in _ATP) for row in rows]
    opening, today = got[0], meant.buckets[0]
    if opening[0] > today[0] or (*today[1:], meant.unit) != (*opening[1:], rows[0]["unit"]):
        return [f"{place} opens with {opening}, not {today}"]
    if got[1:] != list(meant.buckets[1:]) or any(row["unit"] != meant.unit for row in rows):
        return [f"{place} goes on with {got[1:]}, not {meant.buckets[1:]}"]
    kinds = [row["kind"] for row in rows]
    return [] if kinds == ["opening", *["change"] * (len(rows) - 1)] else [f"{place} has kinds {kinds}"]


def _labels(world: World, site: int) -> dict[str, Any]:
    row = world.rows["site"][site]
    return {name: row[name] for name in _LABELS}


def _rates(world: World, now: datetime) -> list[Row]:
    found = supplier_rates(world, now.date(), timedelta(days=365))
    return [
        {"supplier_id": supplier, "receipts": receipts, "on_time": on_time, "record_class": "supplier_rate",
         **{name: world.rows["supplier"][supplier][name] for name in _LABELS}}
        for supplier, (receipts, on_time) in found.items()
    ]  # fmt: skip
