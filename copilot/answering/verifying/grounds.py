"""What has to stand behind words that claim something: in the records of the claim, in a measure, or in the outline.

The words are those of the language (forms.yaml), by group; what backs each group is code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.answering.verifying.finding import Broken, Rule
from copilot.answering.verifying.relations import Asked, Places
from copilot.answering.verifying.steps import Steps
from copilot.answering.verifying.words import Claimed
from copilot.domain.claims import Pick
from copilot.domain.evidence import Record
from copilot.domain.plan import Plan, RecordQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a sentence stands on: the records bound to it, and the place of the outline that asks for it."""

    records: tuple[Record, ...]
    steps: Steps
    plan: Plan | None = None
    asked: Asked | None = None
    places: Places | None = None

    @property
    def compared(self) -> Iterator[Record]:
        """The records that its measures were computed from, but for those of suppliers that are active no more."""
        gone = {r.row_id for r in self.steps.records.values() if r.entity == "supplier" and not _active(r)}
        for name in dict.fromkeys(name for record in self.records for name in record.inputs):
            record = self.steps.records.get(name)
            if record and record.raw("supplier") not in gone:
                yield record

    @property
    def decided(self) -> bool:
        """Whether it is said because of what was found: of a value that holds, or of nothing being there."""
        if self.asked is None:
            return False
        spec = self.asked.spec
        return bool(spec.conditions or spec.unless or self.asked.earlier)

    def listed(self) -> Iterator[str]:
        """The steps whose records are told one by one, here or next."""
        groups = self.places.groups[self.asked.group :] if self.places and self.asked else ()
        for group in groups:
            steps = {b.step for spec in group.specs for b in spec.bindings if b.pick is Pick.EACH}
            if steps:
                yield from steps
                return


Backing = Callable[[Ground], bool]


def _some(holds: Callable[[Record], bool]) -> Backing:
    return lambda ground: any(map(holds, ground.records))


def _is(field: str, *values: object) -> Backing:
    return _some(lambda record: record.raw(field) in values)


def _has(*fields: str) -> Backing:
    return _some(lambda record: any(record.raw(field) is not None for field in fields))


def _above_zero(*fields: str) -> Backing:
    def positive(record: Record) -> bool:
        values = [record.raw(field) for field in fields]
        return any(isinstance(value, int) and value > 0 for value in values)

    return _some(positive)


def _of(*entities: str) -> Backing:
    return _some(lambda record: record.entity in entities)


def _differs(record: Record) -> bool:
    """Whether a record holds two figures in one unit that are not the same."""
    pairs = (("quantity", "other_quantity", "unit", "other_unit"), ("compared", "other_compared", "unit", "unit"))
    for ours, theirs, unit, other_unit in pairs:
        if isinstance(record.raw(ours), int) and record.raw(unit) == record.raw(other_unit):
            return record.raw(ours) != record.raw(theirs)
    return False


def _elsewhere_missing(record: Record) -> bool:
    """Whether a record holds a figure of one system that is not zero, and names another system beside it."""
    return bool(record.raw("on_hand") and record.raw("system") and record.raw("other_system"))


def _decided(ground: Ground) -> bool:
    return ground.decided


def _measured(ground: Ground) -> bool:
    """Whether a measure is bound, which is computed as of the moment asked, over all that its definition names."""
    return any(record.kind == "measure" for record in ground.records)


def _told_by_measure(ground: Ground) -> bool:
    """Whether what is told one by one, here or next, was worked out by a measure."""
    return any(record.kind == "measure" for name in ground.listed() for record in ground.steps.found(name)[:1])


def _found(ground: Ground) -> bool:
    """Whether it is said because a step found something."""
    return bool(ground.asked and ground.asked.spec.needs)


def _in_order(ground: Ground) -> bool:
    """Whether what is told one by one comes in an order: by a query's, which the records keep, or by its measure's."""
    return any(_keeps_order(name, ground) for name in ground.listed())


def _first_in_order(ground: Ground) -> bool:
    """Whether a record is told of because it is the first by the order of its query."""
    bound = ground.asked.spec.bindings if ground.asked else ()
    return any(binding.pick is Pick.FIRST and _keeps_order(binding.step, ground) for binding in bound)


def _keeps_order(step: str, ground: Ground) -> bool:
    plan = ground.plan.steps if ground.plan else ()
    query = next((each for each in plan if each.name == step and isinstance(each, RecordQuery)), None)
    return query is None or bool(query.order and ground.steps.ordered(step, query.order[0]))


def _extreme(entity: str, field: str, *, highest: bool) -> Backing:
    """Whether a measure's figure is the highest, or lowest, of that figure of what it was computed from."""

    def is_extreme(ground: Ground) -> bool:
        told = next((record for record in ground.records if record.entity == entity), None)
        figure = told.raw(field) if told else None
        if told is None or not isinstance(figure, int):
            return False
        others = [other for record in ground.compared if isinstance(other := record.raw(field), int)]
        return all(other <= figure if highest else other >= figure for other in others)

    return is_extreme


def _active(supplier: Record) -> bool:
    return supplier.raw("status") in (None, "active")


def _assumed(ground: Ground) -> bool:
    """Whether the question named no time and a usual one was taken."""
    return ground.plan is not None and ground.plan.period is not None and not ground.plan.period.given


BACKINGS: Mapping[Rule, Mapping[str, tuple[Backing, ...]]] = {
    "state_without_fact": {
        "late": (_above_zero("days_late"),),
        "short": (_above_zero("missing"),),
        "delivered": (_is("status", "delivered"), _has("delivered_at", "on_time_rate")),
        "cancelled": (_is("status", "cancelled"),),
        "quotation": (_is("status", "quotation"),),
        "blocked": (_is("blocked", True), _is("status", "blocked")),
        "signed": (_has("signed_by"),),
        "differing": (_some(_differs), _some(_elsewhere_missing)),
        "governing": (_has("governing_system"),),
        "approved": (_has("approved"),),
        "unmoved": (_is("moves", 0),),
        "moved": (_above_zero("moves"),),
        "new": (_is("change", "new"),),
        "removed": (_is("change", "removed"),),
        "held": (_has("placed_at", "held_since", "hold_reason", "held", "blocked"), _is("state", "on_hold"), _measured),
        "paid": (_has("paid_date"), _decided),
        "shipped": (_has("shipped_date", "shipped_at", "shipped_lines", "shipped_quantity", "lines"), _decided),
        "received": (_has("received_date", "received_at", "received_quantity"), _above_zero("receipts"), _decided),
        "in_time": (_has("on_time_rate", "late"), _decided),
        "preferred": (_is("preferred", True),),
    },
    "comparison_without_fact": {
        "more": (_is("complete", False), _is("cause", "taken"), _decided),
        "less": (_has("discount"), _is("exact", "less")),
        "beyond": (_has("balance", "last"),),
        "below": (_has("poor_rate"),),
        "too_little": (_above_zero("missing"),),
        "enough": (_has("compared"), _is("verdict", "enough")),
        "same": (_of("customer"), _decided),
    },
    "rank_without_fact": {
        "best": (_extreme("best_supplier", "on_time_rate", highest=True),),
        "worst": (_has("worst_failing"),),
        "lowest": (_extreme("lowest_quote", "price", highest=False),),
        "shortest": (_extreme("quickest_quote", "lead_time", highest=False),),
        "ordered": (_in_order, _is("basis", "added_first")),
        "next": (_is("state", "next"), _has("supply_date", "next")),
        "last": (_in_order, _first_in_order),
    },
    "quantity_without_fact": {
        "none": (_decided, _measured),
        "all": (_decided, _measured, _found, _told_by_measure),
        "only": (_of("site"), _decided, _measured),
    },
    "cause_without_fact": {
        "because": (_has("cause", "hold_reason", "reason"), _decided),
        "waiting": (_has("cause"), _told_by_measure),
    },
    "day_without_fact": {
        "now": (_measured, _decided, _found),
        "usual": (_assumed,),
    },
}  # fmt: skip
"""Rule -> group of words -> what backs a sentence with one of them: any one of these."""


def unbacked(claimed: Sequence[Claimed], ground: Ground) -> Iterator[Broken]:
    """The words of a sentence that claim what nothing backs. Where nothing was planned, the outline backs nothing and
    only states are looked at."""
    for rule, group, words in claimed:
        looked_at = ground.plan is not None or rule == "state_without_fact"
        if looked_at and not any(backed(ground) for backed in BACKINGS[rule][group]):
            yield rule, words
