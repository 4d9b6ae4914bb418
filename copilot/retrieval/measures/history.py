"""What became of records over time: moves of promised dates, and changes since a moment.

Inputs are versions as retrieval reads them, each under the labels it had then: of some records only a part may be here.
A figure about all of a record's past is given only where no version is missing; a change only between two versions that
follow each other without a gap. So nothing is said, and nothing can be told, about versions outside the scope.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby, pairwise
from operator import attrgetter

from copilot.domain.evidence import Raw, Record
from copilot.retrieval.measures.base import Context, Figures, Records, day_of, figures, number_of
from copilot.semantic.forms import load_forms
from copilot.semantic.titles import load_titles

_MOST = 25
"""Changes listed of one kind of record; of the others it is said how many there are."""
_END = datetime.max.replace(tzinfo=UTC)
_OWNERS = {"sales_order_line": "order", "purchase_line": "purchase_order"}
"""Lines, which are named by their order."""
_WATCHED: Mapping[str, tuple[str, ...]] = {
    "sales_order": ("status", "promised_date"),
    "sales_order_line": ("status", "promised_date", "ordered_quantity", "shipped_quantity"),
    "purchase_order": ("status", "promised_date"),
    "purchase_line": ("status", "promised_date", "ordered_quantity", "received_quantity"),
    "shipment": ("status", "expected_delivery"),
    "invoice": ("status", "due_date"),
    "return_order": ("status",),
    "service_case": ("status",),
    "receipt": ("status", "expected_date"),
}


def chains(versions: Records) -> Iterator[tuple[Record, ...]]:
    """The versions of each record, oldest first."""
    ordered = sorted(versions, key=lambda v: (v.entity, v.row_id, v.version, v.ended or _END))
    for _, group in groupby(ordered, key=attrgetter("entity", "row_id")):
        yield tuple(group)


def unbroken(chain: Sequence[Record]) -> bool:
    """Whether a chain holds every version: from the record's first one to what stands, or to its removal."""
    first, last = chain[0], chain[-1]
    joined = all(before.ended == after.version for before, after in pairwise(chain))
    return joined and first.version == first.began and (last.ended is None or last.removed)


def date_moves(context: Context, owners: Records, versions: Records) -> Iterator[Figures]:
    """How often the promised date of each record moved; nothing for one whose versions are not all there."""
    for owner in owners if context.complete else ():
        chain = next((c for c in chains(versions) if c[0].row_id == owner.row_id), ())
        if chain and unbroken(chain):
            yield _about_moves(context, owner, chain)


def _about_moves(context: Context, owner: Record, chain: Sequence[Record]) -> Figures:
    moves = [move for move in _moves(chain) if _asked_about(context, move.after.version)]
    period = context.period
    since = max(chain[0].version, (period and period.since) or chain[0].version)
    values: dict[str, Raw] = {
        "moves": len(moves),
        "since": since,
        "until": period.until if period else None,
        "last_date": moves[-1].to if moves else _last_date(context, chain),
    }
    if moves:
        values |= _span(context, owner, moves[0].start, moves[-1].to)
    return _in_zone(context, figures(values, owner, chain))


def _span(context: Context, owner: Record, first: date, last: date) -> dict[str, Raw]:
    """How far the last date is from the first."""
    earlier, later = min(first, last), max(first, last)
    return {
        "first_date": first,
        "direction": "same" if first == last else "later" if last > first else "earlier",
        "days": (later - earlier).days,
        "working_days": context.calendar(owner).days_late(earlier, later),
    }


def _last_date(context: Context, chain: Sequence[Record]) -> date | None:
    """The promised date at the end of the time asked about."""
    until = context.period.until if context.period else None
    known = [day_of(v, "promised_date") for v in chain if until is None or v.version < until]
    return next((day for day in reversed(known) if day), None)


def date_move(context: Context, versions: Records) -> Iterator[Figures]:
    """Every move of a promised date, in the order noticed; nothing for records whose versions are not all there."""
    whole = [chain for chain in chains(versions) if unbroken(chain)] if context.complete else []
    moves = [move for chain in whole for move in _moves(chain) if _asked_about(context, move.after.version)]
    for move in sorted(moves, key=lambda m: (number_of(m.after, "line_number"), m.after.version)):
        values: dict[str, Raw] = {
            "line_number": move.after.raw("line_number"),
            "from_date": move.start,
            "to_date": move.to,
            "noticed_at": move.after.version,
            "changed_at": move.after.changed_at,
        }
        yield _in_zone(context, figures(values, move.after, (move.before,)))


@dataclass(frozen=True, slots=True)
class _Move:
    before: Record
    after: Record
    start: date
    to: date


def _moves(chain: Sequence[Record]) -> Iterator[_Move]:
    """Where the promised date became another one. A date taken back and given again is compared with the last one."""
    held: Record | None = None
    for version in chain:
        day = day_of(version, "promised_date")
        last = day_of(held, "promised_date") if held else None
        if held and day and last and day != last:
            yield _Move(held, version, last, day)
        held = version if day else held


def history_period(context: Context, about: Records) -> Iterator[Figures]:
    """The time asked about, and since when there is history where that is later."""
    for record in about[:1]:
        kept, period = _kept_since(context, record), context.period
        since = period.since if period else None
        values: dict[str, Raw] = {
            "since": since,
            "until": period.until if period else None,
            "assumed": period is not None and not period.given and since is not None,
            "kept_since": kept if kept and since and since < kept else None,
            "begins": None if since else kept,
        }
        yield _in_zone(context, figures(values, record, ()))


def _kept_since(context: Context, about: Record) -> datetime | None:
    """The end of the first load of such records; for a customer that of orders, of whatever source was loaded last."""
    if about.entity == "customer":
        return max((at for (_, entity), at in context.first_loads.items() if entity == "sales_order"), default=None)
    return context.first_loads.get((about.system, about.entity))


def record_change(context: Context, versions: Records, owners: Records = (), others: Records = ()) -> Iterator[Figures]:
    """What changed in records of one kind, in the order noticed, at most so many of them.

    `owners` and `others` are the orders that lines belong to: their versions, and those that stand.
    """
    known = {owner.row_id: owner for owner in (*owners, *others)}
    passing = _passing(context, owners)
    found = [
        change
        for chain in chains(versions)
        for change in _changes(context, chain)
        if not (change.come_or_gone and _owner_id(change.version) in passing[str(change.values["change"])])
    ]
    found.sort(key=lambda change: (change.noticed, change.version.row_id))
    for change in found[-_MOST:]:
        owner = known.get(_owner_id(change.version) or 0)
        values = {**change.values, "subject": _subject(change.version, owner), "noticed_at": change.noticed}
        yield _in_zone(context, figures(values, change.version, (*change.used, *((owner,) if owner else ()))))
    yield from _left_out(context, versions, len(found) - _MOST)


def _left_out(context: Context, versions: Records, left: int) -> Iterator[Figures]:
    if not versions or (left <= 0 and context.complete):
        return
    subject = load_forms().subjects[versions[0].entity][1]
    values: dict[str, Raw] = {"subject": subject, "change": "more" if context.complete else "cut"}
    yield _in_zone(context, figures({**values, "left": left if context.complete else None}, versions[0], ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One change of one record: the version it led to, or for a removal ended, and when that was noticed."""

    version: Record
    noticed: datetime
    values: Mapping[str, Raw]
    used: tuple[Record, ...] = ()

    @property
    def come_or_gone(self) -> bool:
        """Whether the record itself came or went."""
        return self.values["change"] in ("new", "removed")


def _changes(context: Context, chain: Sequence[Record]) -> Iterator[_Change]:
    for before, version in zip((None, *chain), chain, strict=False):
        if _asked_about(context, version.version):
            if before is not None and before.ended == version.version:
                yield from _differences(before, version)
            elif _is_new(context, version):
                values: dict[str, Raw] = {"change": "new", "to_code": version.raw("status")}
                yield _Change(version=version, noticed=version.version, values=values)
        if version.removed and version.ended and _asked_about(context, version.ended):
            yield _Change(version=version, noticed=version.ended, values={"change": "removed"})


def _is_new(context: Context, version: Record) -> bool:
    """Whether it is the record's first version, and not what the first load of its source found there."""
    loaded = context.first_loads.get((version.system, version.entity))
    return version.version == version.began and loaded is not None and version.version > loaded


def _differences(before: Record, after: Record) -> Iterator[_Change]:
    for name in _WATCHED[after.entity]:
        old, new = before.values[name], after.values[name]
        if (old.raw, old.unit) != (new.raw, new.unit) and (old.raw, new.raw) != (None, None):
            kind = {"date": "date", "quantity": "quantity"}.get(new.type, "status")
            field = "code" if kind == "status" else kind
            change = "cleared" if new.raw is None else f"{kind}_set" if old.raw is None else kind
            values: dict[str, Raw] = {
                "change": change,
                "what": load_titles().field(after.entity, name),
                f"from_{field}": old.raw,
                f"to_{field}": new.raw,
                "from_unit": old.unit,
                "to_unit": new.unit,
            }
            yield _Change(version=after, noticed=after.version, values=values, used=(before,))


def _passing(context: Context, owners: Records) -> Mapping[str, set[int]]:
    """The orders that came and those that went in the time asked about, by "new" and "removed"."""
    come_or_gone = [c for chain in chains(owners) for c in _changes(context, chain) if c.come_or_gone]
    return {kind: {c.version.row_id for c in come_or_gone if c.values["change"] == kind} for kind in ("new", "removed")}


def _owner_id(version: Record) -> int | None:
    """The order that a line belongs to."""
    owner = version.raw(_OWNERS[version.entity]) if version.entity in _OWNERS else None
    return owner if isinstance(owner, int) else None


def _subject(version: Record, owner: Record | None) -> str:
    """What people call the record: Order SO-10482, Line 3 of SO-10482."""
    forms = load_forms()
    title, _ = forms.subjects[version.entity]
    if version.entity not in _OWNERS:
        return f"{title} {version.raw('number') or version.key}"
    number = version.raw("line_number")
    line = title if number is None else f"{title} {number}"
    return forms.part_of.format(line, owner.raw("number") or owner.key) if owner else line


def _asked_about(context: Context, moment: datetime) -> bool:
    return context.period is None or context.period.holds(moment)


def _in_zone(context: Context, found: Figures) -> Figures:
    """Moments are printed in the zone that the question is read in."""
    zone = context.period.time_zone if context.period else None
    return replace(found, time_zone=zone)
