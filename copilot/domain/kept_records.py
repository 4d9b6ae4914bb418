"""Records and evidence as JSON and back, value for value: what an answer was made from, kept sealed with its audit row.

A question reads many records of few kinds. What records of one kind share (entity, source, and the names, types and
units of the fields) is told once, as a head; of each record only the rest. All of it is lists of JSON's own values,
and a date or a moment is an object, which no value of a field is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any, cast

from copilot.domain.evidence import Evidence, Raw, Record, Value
from copilot.domain.json import Json
from copilot.domain.residency import Residency

_Head = tuple[Any, ...]
_PARTS = attrgetter("type", "unit", "raw")


@dataclass(slots=True)
class KeptRecords:
    """Records that are being put down, each told once however often it is used."""

    heads: dict[_Head, int] = field(default_factory=dict[_Head, int])
    bodies: list[list[Any]] = field(default_factory=list[list[Any]])
    _places: dict[int, tuple[int, Record]] = field(default_factory=dict[int, tuple[int, Record]])

    def put(self, record: Record) -> int:
        """The place of a record."""
        known = self._places.get(id(record))
        if known is not None:
            return known[0]
        parts = tuple(zip(*map(_PARTS, record.values.values()), strict=True)) or ((), (), ())
        types, units, raws = parts
        head = (
            record.kind, record.entity, record.system, record.company, record.time_zone, record.residency,
            tuple(record.values), types, units,
        )  # fmt: skip
        number = self.heads.setdefault(head, len(self.heads))
        self.bodies.append(_body(record, number, raws))
        place = len(self._places)
        self._places[id(record)] = place, record  # held, so that its id stays its own
        return place

    def evidence(self, evidence: Evidence) -> dict[str, Json]:
        """What was found, by the places of the records."""
        steps: list[Json] = [[name, [self.put(record) for record in found]] for name, found in evidence.steps.items()]
        told: dict[str, Json] = {"steps": steps}
        for name in ("truncated", "refused", "unkept"):
            if names := getattr(evidence, name):
                told[name] = sorted(names)
        return told

    def to_json(self) -> dict[str, Any]:
        """All records that were put down; for days and moments among their values `in_json` has the form."""
        return {"heads": [_head(head) for head in self.heads], "records": self.bodies}


def in_json(value: object) -> Json:
    """A day or a moment in JSON. Raises TypeError for anything else."""
    if isinstance(value, date):
        return {"at" if isinstance(value, datetime) else "on": value.isoformat()}
    raise TypeError(f"{value!r} is no value of a field")


def read_records(told: Json) -> tuple[Record, ...]:
    """The records of `KeptRecords.to_json`, by their places. Raises LookupError, TypeError or ValueError for
    anything else."""
    body = cast("dict[str, Any]", told)
    heads = [_read_head(each) for each in body["heads"]]
    return tuple(_record(each, heads) for each in body["records"])


def read_evidence(told: Json, records: Sequence[Record]) -> Evidence:
    """The evidence of `KeptRecords.evidence`. Raises LookupError, TypeError or ValueError for anything else."""
    body = cast("dict[str, Any]", told)
    steps: dict[str, tuple[Record, ...]] = {}
    found: list[tuple[str, list[int]]] = body["steps"]
    for name, places in found:
        steps[name] = tuple([records[place] for place in places])
    return Evidence(
        steps=steps,
        truncated=frozenset(body.get("truncated", ())),
        refused=frozenset(body.get("refused", ())),
        unkept=frozenset(body.get("unkept", ())),
    )


def to_moment(moment: datetime | None) -> str | None:
    """A moment with its offset, None for none."""
    return None if moment is None else moment.isoformat()


def read_moment(text: Any) -> datetime | None:
    """What `to_moment` told. Raises TypeError or ValueError for anything else."""
    return None if text is None else datetime.fromisoformat(text)


def _body(record: Record, head: int, raws: Sequence[Raw]) -> list[Any]:
    body: list[Any] = [
        head, record.id, record.row_id, record.key, record.version.isoformat(), to_moment(record.changed_at),
        record.confirmed_at.isoformat(), record.labels, raws, record.link,
    ]  # fmt: skip
    if record.inputs or record.ended or record.removed or record.began:
        body += [record.inputs, to_moment(record.ended), record.removed, to_moment(record.began)]
    return body


def _head(head: _Head) -> list[Json]:
    *plain, residency, names, types, units = head
    return [*plain, sorted(residency.origins), sorted(residency.places), [*names], [*types], [*units]]


@dataclass(frozen=True, slots=True)
class _ReadHead:
    shared: Mapping[str, Any]
    fields: Sequence[tuple[str, Any, str | None]]


def _read_head(told: Sequence[Any]) -> _ReadHead:
    kind, entity, system, company, time_zone, origins, places, names, types, units = told
    shared: dict[str, Any] = {
        "kind": kind, "entity": entity, "system": system, "company": company, "time_zone": time_zone,
        "residency": Residency(frozenset(origins), frozenset(places)),
    }  # fmt: skip
    return _ReadHead(shared, [*zip(names, types, units, strict=True)])


def _record(told: Sequence[Any], heads: Sequence[_ReadHead]) -> Record:
    head: _ReadHead = heads[int(told[0])]
    _, ident, row_id, key, version, changed_at, confirmed_at, labels, raws, link, *more = told
    fields = zip(head.fields, raws, strict=True)
    region, site, channel, account = labels
    record = Record(
        id=ident, row_id=row_id, key=key, version=datetime.fromisoformat(version), changed_at=read_moment(changed_at),
        confirmed_at=datetime.fromisoformat(confirmed_at), labels=(region, site, channel, account), link=link,
        values={name: Value(kind, _read_raw(raw), unit) for (name, kind, unit), raw in fields}, **head.shared,
    )  # fmt: skip
    if not more:
        return record
    inputs, ended, removed, began = more
    return replace(record, inputs=tuple(inputs), ended=read_moment(ended), removed=removed, began=read_moment(began))


def _read_raw(raw: Any) -> Raw:
    match raw:
        case {"at": str(text)}:
            return datetime.fromisoformat(text)
        case {"on": str(text)}:
            return date.fromisoformat(text)
        case None | str() | int():
            return raw
        case _:
            raise ValueError(f"{raw!r} is no value of a field")
