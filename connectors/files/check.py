"""Looks the files over: everything the mapping names that is not there, keys that are not unique, and the labels.

A key in several files of a glob is no mistake: exports overlap, and the later file governs. Nor is one in several rows
of a file where the mapping names a change time, for then each is a version, and the latest counts. Both are told.
Without a change time the last row would take the others' place, which mostly means that a key column is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.base import LabelOption, SourceInfo, SourceRecord, Unreadable
from connectors.errors import (
    MappingError,
    SkippableSourceError,
    SourceAccessDeniedError,
    SourceProtocolError,
    SourceRecordBrokenError,
)
from connectors.files.parts import Part
from connectors.files.storage import Storage
from connectors.mapping.spec import Complaint

_SHARED = "*"
_MOST_LABELS = 10_000
_MOST_ROWS = 200_000
"""Of a part, looked at for labels and keys that occur twice."""
_MOST_DOUBLES = 3

Labels = dict[tuple[str, str], LabelOption]


def look(system: str, storage: Storage, parts: Mapping[str, Sequence[Part]]) -> SourceInfo:
    """What the source says about itself. Raises MappingError with everything named that there is not."""
    complaints: list[Complaint] = []
    unreadable: list[Unreadable] = []
    notes: list[str] = []
    labels: Labels = {}
    for place, part in _placed(parts):
        try:
            wrong = list(_missing(part, place)) or list(_gone_over(part, place, labels, notes))
        except (SourceAccessDeniedError, SourceRecordBrokenError) as error:
            unreadable.append(Unreadable(entity=part.entity.entity, reason=str(error)))
            continue
        complaints += wrong
    if complaints:
        raise MappingError(tuple(complaints))
    return SourceInfo(
        system=system,
        version=storage.describe(),
        labels=tuple(labels[at] for at in sorted(labels)),
        unreadable=tuple(unreadable),
        notes=tuple(notes),
    )


def _placed(parts: Mapping[str, Sequence[Part]]) -> Iterator[tuple[str, Part]]:
    """Each part with its place in the mapping."""
    for entity, several in parts.items():
        for index, part in enumerate(several):
            yield f"entities.{entity}[{index}]" if len(several) > 1 else f"entities.{entity}", part


def _missing(part: Part, place: str) -> Iterator[Complaint]:
    for alias, name in part.named().items():
        where = f"{place}.join.{alias}.from" if alias else f"{place}.from"
        try:
            for told in part.complaints(name, alias):
                yield Complaint(place=where, message=told)
        except SourceAccessDeniedError:
            raise
        except (SkippableSourceError, SourceProtocolError) as error:
            yield Complaint(place=where, message=str(error))


def _gone_over(part: Part, place: str, labels: Labels, notes: list[str]) -> Iterator[Complaint]:
    """Notes the labels of the first rows and which row governs where several have a key; complains where that is
    nothing but the last."""
    seen: set[str] = set()
    doubles: dict[str, None] = {}
    overtaken: dict[str, None] = {}
    partly = ""
    for count, record in enumerate(part.records(part.listing(), overtaken=overtaken.setdefault)):
        if count >= _MOST_ROWS:
            partly = f" among the first {_MOST_ROWS:,} rows"
            break
        if record.broken:
            continue
        _note(record, labels)
        if record.key in seen:
            doubles[record.key] = None
        seen.add(record.key)
    name, table = part.entity.entity, part.entity.table
    if overtaken:
        told = f"{name}: {_counted(overtaken)} of {table!r} in several files{partly}"
        notes.append(f"{told}; of each the row in the file that comes last by name governs")
    if doubles and part.entity.changed:
        told = f"{name}: {_counted(doubles)} of {table!r} in several rows of one file{partly}"
        notes.append(f"{told}; of each the row changed last governs")
    elif doubles:
        yield Complaint(
            place=f"{place}.key",
            message=f"{_counted(doubles)} of {table!r} in several rows of one file{partly}; a sync would keep the last "
            "row only: name the columns that tell its rows apart, or under `changed` when they changed",
        )


def _counted(keys: Mapping[str, None]) -> str:
    shown = ", ".join(map(repr, list(keys)[:_MOST_DOUBLES]))
    return f"{len(keys):,} keys (such as {shown})" if len(keys) > 1 else f"the key {shown}"


def _note(record: SourceRecord, labels: Labels) -> None:
    for kind, key in {**record.labels, "company": record.company}.items():
        if key and key != _SHARED and len(labels) < _MOST_LABELS:
            labels.setdefault((kind, key), LabelOption(kind=kind, key=key, name=key))
