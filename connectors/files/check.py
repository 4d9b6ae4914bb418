"""Looks the files over: everything the mapping names that is not there, keys that are not unique, and the labels."""

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
    labels: Labels = {}
    for place, part in _placed(parts):
        try:
            wrong = list(_missing(part, place)) or list(_gone_over(part, place, labels))
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


def _gone_over(part: Part, place: str, labels: Labels) -> Iterator[Complaint]:
    """Notes the labels of the first rows; complains of keys that come twice, in one file or in several."""
    seen: set[str] = set()
    doubles: dict[str, None] = {}
    for count, record in enumerate(part.records(part.listing())):
        if count >= _MOST_ROWS:
            break
        if record.broken:
            continue
        _note(record, labels)
        if record.key in seen:
            doubles[record.key] = None
        seen.add(record.key)
    if doubles:
        shown = ", ".join(map(repr, list(doubles)[:_MOST_DOUBLES]))
        yield Complaint(
            place=f"{place}.key",
            message=f"{len(doubles):,} keys of {part.entity.table!r} stand in several rows, such as {shown}; "
            "name the columns that tell its rows apart",
        )


def _note(record: SourceRecord, labels: Labels) -> None:
    for kind, key in {**record.labels, "company": record.company}.items():
        if key and key != _SHARED and len(labels) < _MOST_LABELS:
            labels.setdefault((kind, key), LabelOption(kind=kind, key=key, name=key))
