"""Who may read what an answer says now: whoever asked, as far as today's scope still shows all that it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from copilot.answering.made import Making, OfManner, OfNoPlan
from copilot.domain.evidence import Record
from copilot.domain.reach import Reach
from copilot.domain.scope import Scope
from copilot.semantic.compile import select_labels
from copilot.semantic.model import SemanticModel
from copilot.store.pool import Database

Labels = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody's scope today, beside the one that the answer was given under and the classes that its plan read."""

    now: Scope
    then: Scope
    classes: frozenset[str]
    model: SemanticModel

    def may_read_classes(self) -> bool:
        """Whether every class that was read may still be read somewhere; what the plan asked for in vain was not."""
        return all(self.now.allows(name) for name in self.classes & self.then.classes)

    def may_read(self, making: Making, today: Mapping[tuple[str, int], Sequence[Labels]]) -> bool:
        """Whether all that the answer was made from may be read: each record where it was and where it is `today`, by
        entity and id. What is no record's (a figure over many, questions to choose from) was worked out under the
        scope of then, so that nothing of that may be missing."""
        records = [record for record in making.records if record.kind == "record"]
        if not all(self._sees(record, today) for record in records):
            return False
        return self.covers() or not (_offers(making) or _figures(making.records))

    def covers(self) -> bool:
        """Whether today's scope shows all that the one of then did, of the classes that were read."""
        then, now = (_within(scope, self.classes or self.then.classes) for scope in (self.then, self.now))
        return then & now == then

    def _sees(self, record: Record, today: Mapping[tuple[str, int], Sequence[Labels]]) -> bool:
        record_class = self.model[record.entity].record_class
        places = (record.labels, *today.get((record.entity, record.row_id), ()))
        return all(self.now.sees(record_class, labels) for labels in places)


async def labels_today(
    database: Database, model: SemanticModel, records: Iterable[Record]
) -> Mapping[tuple[str, int], Sequence[Labels]]:
    """What records are labelled now, by entity and id; nothing for those that are gone. It looks at all there are, so
    that a record which moved out of somebody's scope is not taken for one that is gone."""
    asked = dict.fromkeys((record.entity, record.row_id) for record in records if record.kind == "record")
    reach = Reach(classes=model.classes, regions=None, sites=None, channels=None, accounts=None)
    found: dict[tuple[str, int], Sequence[Labels]] = {}
    async with database.scoped_transaction(Scope((reach,))) as connection:
        for entity, row_id in asked:
            rows = await (await connection.execute(select_labels(model[entity]), {"ids": [row_id]})).fetchall()
            found[entity, row_id] = [tuple(row.values()) for row in rows]
    return found


def _within(scope: Scope, classes: frozenset[str]) -> Scope:
    return scope.without(*(scope.classes - classes))


def _offers(making: Making) -> bool:
    """Whether it names records that are not part of its evidence."""
    return any(
        isinstance(part, OfManner) or (isinstance(part, OfNoPlan) and part.why is not None and bool(part.why.choices))
        for part in making.parts
    )


def _figures(records: Sequence[Record]) -> bool:
    """Whether a figure is over more than the records of the evidence."""
    known = {record.id for record in records if record.kind == "record"}
    return any(
        record.kind == "measure" and not (record.inputs and known.issuperset(record.inputs)) for record in records
    )
