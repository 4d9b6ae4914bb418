"""The files and sheets of a place as tables, with guessed types and keys: what a mapping is drafted from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import islice

from connectors.base import SourceColumn, SourceTable
from connectors.errors import FatalSourceError, SkippableSourceError
from connectors.files.excel import sheets_of
from connectors.files.opening import opened
from connectors.files.storage import Storage, Stored
from connectors.files.table import SHEET, TEXT_FILES, WORKBOOKS, Table
from connectors.mapping.spec import SourceMapping
from connectors.mapping.values import Reader, UnreadableValueError

_ROWS = 200
_MOST_TABLES = 500
_SAMPLES, _SAMPLE_LENGTH = 3, 40
_FLAGS = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n"})
_CODE = re.compile(r"[+-]?0[0-9]+")
"""Digits that begin with a zero are a code and no number."""


def describe(storage: Storage, mapping: SourceMapping) -> tuple[SourceTable, ...]:
    """Every file at the place and in its folders, one deep; one that can't be read is left out."""
    found: list[SourceTable] = []
    for stored in (*storage.find("*"), *storage.find("*/*")):
        if stored.name.casefold().endswith((*TEXT_FILES, *WORKBOOKS)) and len(found) < _MOST_TABLES:
            try:
                found.extend(_tables(storage, stored, mapping))
            except (FatalSourceError, SkippableSourceError):
                continue  # no table, empty, or not for this user
    return _referring(found)


def _referring(tables: Sequence[SourceTable]) -> tuple[SourceTable, ...]:
    """The tables with what they may refer to: a column called like the key of one other table."""
    keys: dict[str, list[tuple[str, str]]] = {}
    for table in tables:
        for column in table.key:
            keys.setdefault(column.casefold(), []).append((table.name, column))
    named = {column: places[0] for column, places in keys.items() if len(places) == 1}
    return tuple(
        replace(
            table,
            references={
                column.name: place
                for column in table.columns
                if (place := named.get(column.name.casefold())) and place[0] != table.name
            },
        )
        for table in tables
    )


def _tables(storage: Storage, stored: Stored, mapping: SourceMapping) -> Iterator[SourceTable]:
    sheets: tuple[str, ...] = ("",)
    if stored.name.casefold().endswith(WORKBOOKS):
        with storage.open(stored) as file:
            sheets = sheets_of(file, stored.name)
    for sheet in sheets:
        name = f"{stored.name}{SHEET}{sheet}" if len(sheets) > 1 else stored.name
        try:
            with opened(storage, stored, sheet, mapping.formats) as table:
                yield _described(name, table, Reader(mapping.formats, mapping.time_zone))
        except FatalSourceError:
            continue  # an empty sheet beside others


def _described(name: str, table: Table, reader: Reader) -> SourceTable:
    lines = list(islice(table.lines(()), _ROWS))
    rows = [cells for _, cells, fault in lines if not fault]
    values = {
        column: [reader.plain(cells[place]) for cells in rows] for place, column in enumerate(table.columns) if column
    }
    columns = tuple(
        SourceColumn(name=column, type=_type(held, reader), samples=_samples(held)) for column, held in values.items()
    )
    unique = [column for column, held in values.items() if _identifies(held)]
    return SourceTable(name=name, columns=columns, key=_key(unique))


def _type(values: Sequence[object], reader: Reader) -> str:
    held = [value for value in values if value is not None]
    if not held:
        return "text"
    for kind in ("flag", "number", "date", "instant"):
        if all(_is(value, kind, reader) for value in held):
            return kind
    return "text"


def _is(value: object, kind: str, reader: Reader) -> bool:
    text = value.strip() if isinstance(value, str) else None
    match kind:
        case "flag":
            return isinstance(value, bool) or (text is not None and text.casefold() in _FLAGS)
        case "number":
            plain = text is None or not _CODE.fullmatch(text)
            return plain and not isinstance(value, bool) and _reads(reader.number, value)
        case "date":
            if text is None:
                return isinstance(value, date) and not isinstance(value, datetime)
            return not text.isdecimal() and ":" not in text and _reads(reader.day, text)
        case _:
            if text is None:
                return isinstance(value, date)
            return not text.isdecimal() and _reads(reader.instant, text)


def _reads(read: object, value: object) -> bool:
    try:
        return callable(read) and read(value) is not None
    except UnreadableValueError:
        return False


def _identifies(values: Sequence[object]) -> bool:
    return bool(values) and None not in values and len({str(value) for value in values}) == len(values)


def _key(unique: Sequence[str]) -> tuple[str, ...]:
    """The first column that tells rows apart, one called like a key before others."""
    named = [column for column in unique if re.search(r"(id|key|no|number|code|nr|sku)$", column, re.IGNORECASE)]
    return tuple((named or list(unique))[:1])


def _samples(values: Sequence[object]) -> tuple[str, ...]:
    shown = dict.fromkeys(_shown(value) for value in values if value is not None)
    return tuple(text for text in shown if text)[:_SAMPLES]


def _shown(value: object) -> str:
    text = value.isoformat() if isinstance(value, date) else str(value)
    return text.strip()[:_SAMPLE_LENGTH]
