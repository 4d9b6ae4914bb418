"""Publishes availability and what can be promised, worked out over everything by the rules that answers use.

Only items of which something changed since the last time, or of which a day came, are worked out again; everything is
where the rules changed (the policy, the sources and what they are for).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from copilot.domain.evidence import FieldType, Raw, Record, Value
from copilot.ingest.published_rows import Flow, Promise, Standing, fits, promise, standing
from copilot.policy.policy import Policy
from copilot.retrieval.measures.base import Context
from copilot.retrieval.measures.inventory import Units
from copilot.store.pool import Connection
from copilot.store.queries import query

PUBLISHED = ("availability", "atp_bucket")
_STOCK = ("item", "site", "on_hand", "reserved", "available", "in_transit", "unit")
_UNIT = ("item", "unit", "base_quantity", "base_unit")
_TYPES: Mapping[str, FieldType] = {"item": "ref", "site": "ref", "unit": "code", "base_unit": "code"}
_RULES_VERSION = 1
"""Another number: what stands was worked out by other code."""
_MANY = 1_000
"""Items at sites from which on statements are planned as for whole tables, whatever statistics there are yet."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

Row = Mapping[str, Any]
_Place = tuple[Raw, Raw]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When this happens: the moment, the batch, each site's zone, and when what is read was confirmed by then."""

    now: datetime
    batch: int
    confirmed: datetime
    zones: Mapping[int, ZoneInfo]

    def day(self, site: Raw, moment: datetime | None = None) -> date:
        """The day at a site."""
        zone = self.zones.get(site) if isinstance(site, int) else None
        return (moment or self.now).astimezone(zone or UTC).date()


@dataclass(frozen=True, slots=True)
class _Inputs:
    stock: Sequence[Record]
    units: Units
    flows: Mapping[_Place, Sequence[Flow]]


async def publish_availability(worker: Connection, moment: Moment, policy: Policy) -> None:
    """Bring what is published up to the records as they are now, in the transaction that the worker is in.

    Rows that come out the same are not rewritten. They count as confirmed when the oldest of their inputs was.
    """
    sources = await (await worker.execute(query("availability_sources"))).fetchall()
    names = {row["id"]: row["name"] for row in sources}
    purposes = {row["name"]: row["purpose"] for row in sources}
    context = Context(now=moment.now, policy=policy, purposes=purposes)
    confirmed = await _confirmed(worker, moment)
    rules = json.dumps([_RULES_VERSION, *policy.identity, [*names.items()], purposes])
    touched = await _touched(worker, moment, policy, rules)
    if touched is None or len(touched) > _MANY:
        await worker.execute(query("availability_expect_many"))
    if touched is None:
        await worker.execute(query("availability_forget_use"), {"now": moment.now, "batch": moment.batch})
    if touched is None or touched:
        some = {
            "items": None if touched is None else [item for item, _ in touched],
            "places": None if touched is None else [site for _, site in touched],
        }
        rows, buckets = _worked_out(context, await _read(worker, some, names), moment)
        known = {**some, "confirmed": confirmed, "now": moment.now, "batch": moment.batch}
        await worker.execute(query("availability_write"), {**known, "rows": Jsonb(rows)})
        await worker.execute(query("availability_write_buckets"), {**known, "rows": Jsonb(buckets)})
    await worker.execute(query("availability_use"), _weeks(moment, context, names))
    await worker.execute(query("availability_cover"), {"confirmed": confirmed, "entities": list(PUBLISHED)})
    await worker.execute(query("availability_keep"), {"now": moment.now, "rules": rules})


async def _confirmed(worker: Connection, moment: Moment) -> datetime:
    row = await (await worker.execute(query("availability_confirmed"))).fetchone()
    oldest: datetime | None = row["confirmed_at"] if row else None
    return min(moment.confirmed, oldest) if oldest else moment.confirmed


async def _touched(worker: Connection, moment: Moment, policy: Policy, rules: str) -> list[tuple[int, int]] | None:
    """The items and sites to be worked out again; None for all, also where the clock went back."""
    before = await (await worker.execute(query("availability_before"))).fetchone()
    if before is None or before["rules"] != rules or before["moment"] > moment.now:
        return None
    known = {
        "sites": list(moment.zones),
        "before": [moment.day(site, before["moment"]) for site in moment.zones],
        "days": [moment.day(site) for site in moment.zones],
        "since": before["moment"],
        "horizons": [policy.at_site(site).promise_within.days for site in moment.zones],
    }
    rows = await (await worker.execute(query("availability_touched"), known)).fetchall()
    return [(row["item_id"], row["site_id"]) for row in rows]


async def _read(worker: Connection, some: Mapping[str, list[int] | None], names: Mapping[int, str]) -> _Inputs:
    async def rows(name: str) -> Sequence[Row]:
        return await (await worker.execute(query(name), some)).fetchall()

    stock = [_record("stock", row, _STOCK, names) for row in await rows("availability_stock")]
    units = [_record("item_unit", row, _UNIT, names) for row in await rows("availability_units")]
    flows: dict[_Place, list[Flow]] = defaultdict(list)
    voices = {source: _record("source", {"id": 0, "source_id": source}, (), names) for source in names}
    for row in await rows("availability_demand"):
        quantity = None if row["unknown"] else int(row["quantity"])
        flows[row["item_id"], row["site_id"]].append(_flow("demand", row, quantity, voices))
    for row in await rows("availability_receipts"):
        flows[row["item_id"], row["site_id"]].append(_flow("receipt", row, int(row["quantity"]), voices))
    return _Inputs(stock, Units(units), flows)


def _flow(kind: Literal["demand", "receipt"], row: Row, quantity: int | None, voices: Mapping[int, Record]) -> Flow:
    return Flow(kind=kind, day=row["day"], quantity=quantity, unit=row["unit"], voice=voices[row["source_id"]])


def _record(entity: str, row: Row, fields: Sequence[str], names: Mapping[int, str]) -> Record:
    """A row as the rules of answers read it."""
    values = {
        name: Value(_TYPES.get(name, "quantity"), row[f"{name}_id" if name in ("item", "site") else name])
        for name in fields
    }
    return Record(
        id=str(row["id"]), kind="record", entity=entity, row_id=row["id"], system=names.get(row["source_id"], ""),
        company="", key="", version=_LONG_AGO, time_zone="UTC", values=values, changed_at=None,
        confirmed_at=_LONG_AGO,
    )  # fmt: skip


def _worked_out(context: Context, inputs: _Inputs, moment: Moment) -> tuple[list[Row], list[Row]]:
    """The rows of `availability` and of `atp_bucket`."""
    rows: list[Row] = []
    buckets: list[Row] = []
    for each in standing(context, inputs.stock, inputs.units):
        place = each.held
        flows = inputs.flows.get((place.item, place.site), ())
        told = promise(
            place, flows, inputs.units, moment.day(place.site), context.policy.at_site(place.site).promise_within
        )
        demanded = any(flow.kind == "demand" for flow in flows)
        rows.append({**_standing_row(each, told), "demanded": demanded})
        buckets += _bucket_rows(each, told) if told else ()
    return rows, buckets


def _standing_row(each: Standing, told: Promise | None) -> Row:
    """A row of `availability`; sums of what is to come only where they are in its unit."""
    place = each.held
    alike = told if told and told.unit == place.unit else None
    return {
        "stock_id": each.row.row_id, "item_id": place.item, "site_id": place.site,
        **{name: figure if fits(figure) else None for name, figure in place.figures.items()},
        "unit": place.unit, "governed_by": each.row.system, "agrees": each.agrees, "promised": told is not None,
        "demand": alike and alike.demand, "incoming": alike and alike.incoming, "late_incoming": alike and alike.late,
    }  # fmt: skip


def _bucket_rows(each: Standing, told: Promise) -> Iterator[Row]:
    for number, bucket in enumerate(told.buckets):
        yield {
            "item_id": each.held.item, "site_id": each.held.site, "day": bucket.day.isoformat(),
            "kind": "change" if number else "opening", "receipts": bucket.receipts, "demand": bucket.demand,
            "balance": bucket.balance, "promisable": bucket.promisable, "unit": told.unit,
        }  # fmt: skip


def _weeks(moment: Moment, context: Context, names: Mapping[int, str]) -> Mapping[str, object]:
    """Each site with its zone and the Sunday before today, and the sources at each site as policy ranks them."""

    def ranked(figure: str) -> list[int]:
        return [
            source
            for site in moment.zones
            for source in sorted(names, key=lambda source: context.rank(figure, names[source], site))
        ]

    days = [moment.day(site) for site in moment.zones]
    return {
        "sites": list(moment.zones),
        "zones": [zone.key for zone in moment.zones.values()],
        "lasts": [day - timedelta(days=day.isoweekday()) for day in days],
        "ranked_sites": [site for site in moment.zones for _ in names],
        "ranked": ranked("available"),
        "keepers": ranked("on_hand"),
        "now": moment.now,
        "batch": moment.batch,
    }
