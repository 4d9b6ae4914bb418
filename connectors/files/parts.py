"""One mapped part of an entity over the files it is made of.

Of a key in several files of a glob the file that comes last by name has it, whatever the rows say; rows of one key in
one file are all handed on, and the ingest keeps the one changed latest, else the last. Of a joined table each key's
first row counts, in the last file by name that has it; the table is held in memory, with only the columns needed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from connectors.base import SourceRecord
from connectors.errors import (
    SkippableSourceError,
    SourceProtocolError,
    SourceRecordBrokenError,
    SourceSettingsError,
    SourceUnreachableError,
)
from connectors.files.opening import check_kind, opened
from connectors.files.storage import Storage, Stored
from connectors.files.table import Table, split_name
from connectors.mapping.keys import joined, split
from connectors.mapping.rows import RowMapper
from connectors.mapping.spec import Join, SourceMapping
from connectors.mapping.values import Reader, UnreadableValueError

Row = Mapping[str, object]
Only = frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of a part as they were listed: by alias, "" for the part's own."""

    files: Mapping[str, tuple[Stored, ...]]

    def versions(self) -> dict[str, str]:
        """Each file's version, by name."""
        return {stored.name: stored.version for files in self.files.values() for stored in files}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """A joined table by the columns it is joined on: values in the order of `names`, or why its row is broken."""

    ours: tuple[str, ...]
    names: tuple[str, ...]
    rows: Mapping[tuple[str, ...], tuple[object, ...] | str]


class Part:
    """Reads one part. Every method blocks."""

    def __init__(self, mapper: RowMapper, mapping: SourceMapping, storage: Storage) -> None:
        self.mapper = mapper
        self.entity = mapper.entity
        self._formats = mapping.formats
        self._read_text = Reader(mapping.formats, mapping.time_zone).text
        self._storage = storage

    def named(self) -> dict[str, str]:
        """The files or sheets of the mapping, by alias."""
        own = {} if self.entity.table is None else {"": self.entity.table}
        return own | {join.alias: join.table for join in self.entity.joins}

    def listing(self) -> Listing:
        """What there is now. Raises SkippableSourceError for a file that isn't there."""
        return Listing(files={alias: self.files(name) for alias, name in self.named().items()})

    def files(self, name: str) -> tuple[Stored, ...]:
        """The files of one name or glob; at least one."""
        pattern = split_name(name)[0]
        found = self._storage.find(pattern)
        for stored in found:
            check_kind(stored.name)
        if not found:
            raise self._missing(pattern)
        return found

    def records(
        self, listing: Listing, only: Only = None, overtaken: Callable[[str], None] | None = None
    ) -> Iterator[SourceRecord]:
        """The records of all rows, or of those with some keys; a row that can't be read is a broken one. `overtaken` is
        told the key of each row that is passed over because a later file has it."""
        mapper = self.mapper
        for row, key, fault in self._rows(listing, only, overtaken):
            if fault:
                yield self._broken(key, fault)
            elif mapper.wanted(row):
                yield mapper.record(row)

    def identities(self, listing: Listing) -> Iterator[tuple[str, str]]:
        """(company, key) of every record, broken ones included: the source still has them."""
        mapper = self.mapper
        for row, key, fault in self._rows(listing, None):
            if fault:
                yield "", key
            elif mapper.wanted(row):
                yield mapper.company(row), key

    def complaints(self, name: str, alias: str) -> list[str]:
        """What is missing in the files of one name."""
        sheet, needed = split_name(name)[1], self.mapper.columns[alias]
        told: list[str] = []
        for stored in self.files(name):
            with opened(self._storage, stored, sheet, self._formats) as table:
                told += [_no_column(table, column) for column in needed if _place(table, column) is None]
        return told

    def _missing(self, pattern: str) -> SkippableSourceError | SourceUnreachableError:
        there = self._neighbours()
        if not there:
            return SourceUnreachableError(
                f"{self._storage.where!r} holds no files; is it the right place, and mounted?"
            )
        near = difflib.get_close_matches(pattern, there, n=1, cutoff=0.6)
        hint = f"there is {near[0]!r}" if near else f"there are: {', '.join(there[:20])}"
        return SkippableSourceError(f"there is no file {pattern!r} in {self._storage.where!r}; {hint}")

    def _neighbours(self) -> list[str]:
        try:
            return [stored.name for stored in (*self._storage.find("*"), *self._storage.find("*/*"))]
        except SourceSettingsError:
            return ["too many to name, or some that lead elsewhere"]

    def _rows(
        self, listing: Listing, only: Only, overtaken: Callable[[str], None] | None = None
    ) -> Iterator[tuple[Row, str, str]]:
        """(row, key, fault), the last file first."""
        if self.entity.table is None:
            yield from ((row, key, "") for row in self.entity.rows for key in [self.mapper.key(row)] if _in(key, only))
            return
        needed = self.mapper.columns
        joined = [self._joined(join, listing.files[join.alias], needed[join.alias]) for join in self.entity.joins]
        tails = None if only is None else frozenset(_tails(only, self.entity.prefix, len(self.entity.key)))
        later: set[str] = set()
        for stored in reversed(listing.files[""]):
            seen: set[str] = set()
            keep = seen.add if stored is not listing.files[""][0] else None
            with opened(self._storage, stored, split_name(self.entity.table)[1], self._formats) as table:
                for found in self._rows_of(table, needed[""], joined, tails):
                    if found[1] in later:
                        if overtaken is not None:
                            overtaken(found[1])
                        continue
                    if keep is not None:
                        keep(found[1])
                    if _in(found[1], only):
                        yield found
            later |= seen

    def _rows_of(
        self, table: Table, columns: tuple[str, ...], joined: Sequence[_Joined], tails: Only
    ) -> Iterator[tuple[Row, str, str]]:
        positions = _positions(table, columns)
        pick, mapper, prefix = _picker(positions), self.mapper, self.entity.prefix
        own = dict(zip(columns, positions, strict=True))
        key_at = [own.get(name) for name in self.entity.key]
        last = None if tails is None else key_at[-1]
        for number, cells, wrong in table.lines(positions):
            if last is not None and not wrong and self._beside(cells[last], tails):
                continue
            row: dict[str, object] = {}
            if wrong:
                fault, key = wrong, self._trusted_key(cells, key_at, len(table.columns))
            else:
                row = dict(zip(columns, pick(cells), strict=True))
                fault = self._join(row, joined)
                key = mapper.key(row)
            if not _usable(key):
                fault = fault or self._keyless(table, number)
                key = f"{prefix}{table.name}:{number}"
            yield row, key, fault

    def _beside(self, cell: object, tails: Only) -> bool:
        """Whether a row is none of those asked for, told by its last key column, before anything is made of it."""
        try:
            text = self._read_text(cell)
        except UnreadableValueError:
            return False
        return text is not None and tails is not None and text not in tails

    def _keyless(self, table: Table, number: int) -> str:
        return f"line {number} of {table.name}: the key, {' and '.join(self.entity.key)}, is empty or no text"

    def _join(self, row: dict[str, object], joined: Sequence[_Joined]) -> str:
        """Adds the joined columns to a row; says why where a joined row is broken."""
        fault = ""
        for table in joined:
            found = table.rows.get(self._texts([row[name] for name in table.ours]))
            if isinstance(found, str):
                fault, found = found, None
            row.update(zip(table.names, found or (None,) * len(table.names), strict=True))
        return fault

    def _joined(self, join: Join, files: Sequence[Stored], columns: tuple[str, ...]) -> _Joined:
        rows: dict[tuple[str, ...], tuple[object, ...] | str] = {}
        for stored in reversed(files):
            with opened(self._storage, stored, split_name(join.table)[1], self._formats) as table:
                positions = _positions(table, columns)
                at, pick = [positions[columns.index(theirs)] for theirs in join.on], _picker(positions)
                for _, cells, fault in table.lines(positions):
                    if fault and not _trusted(cells, at, len(table.columns)):
                        raise SourceRecordBrokenError(f"{fault}; which rows it belongs to can't be told")
                    key = self._texts([cells[place] for place in at])
                    if key:
                        rows.setdefault(key, fault or pick(cells))
        names = tuple(f"{join.alias}.{column}" for column in columns)
        return _Joined(ours=tuple(join.on.values()), names=names, rows=rows)

    def _texts(self, values: Sequence[object]) -> tuple[str, ...]:
        """What a row is joined on; () where one of the values is empty, which nothing is joined on."""
        try:
            found = tuple(self._read_text(value) for value in values)
        except UnreadableValueError:
            return ()
        return tuple(text for text in found if text is not None) if None not in found else ()

    def _trusted_key(self, cells: Sequence[object], at: Sequence[int | None], width: int) -> str:
        places = [place for place in at if place is not None]
        if len(places) < len(at) or not _trusted(cells, places, width):
            return ""
        texts = self._texts([cells[place] for place in places])
        return self.entity.prefix + joined(texts) if texts else ""

    def _broken(self, key: str, fault: str) -> SourceRecord:
        return SourceRecord(entity=self.entity.entity, company="", key=key, changed_at=None, values={}, broken=fault)


def _trusted(cells: Sequence[object], places: Sequence[int], width: int) -> bool:
    """Whether cells of a broken row stand where they should. A row that is too short mostly breaks off at its end; in
    one that is too long anything may have moved but what begins it."""
    if len(cells) > width:
        return sorted(places) == list(range(len(places)))
    return all(place < len(cells) for place in places)


def _positions(table: Table, columns: Sequence[str]) -> list[int]:
    found = [_place(table, column) for column in columns]
    missing = [column for column, place in zip(columns, found, strict=True) if place is None]
    if missing:
        raise SourceProtocolError("; ".join(_no_column(table, column) for column in missing))
    return [place for place in found if place is not None]


def _place(table: Table, column: str) -> int | None:
    """Where a column is; one in another case where that is the only one."""
    if column in table.columns:
        return table.columns.index(column)
    alike = [place for place, known in enumerate(table.columns) if known.casefold() == column.casefold()]
    return alike[0] if len(alike) == 1 else None


def _no_column(table: Table, column: str) -> str:
    near = difflib.get_close_matches(column, table.columns, n=1, cutoff=0.6)
    hint = f"there is {near[0]!r}; " if near else ""
    return f"{table.name!r} has no column {column!r}; {hint}it has: {', '.join(filter(None, table.columns))[:400]}"


def _picker(positions: Sequence[int]) -> Callable[[Sequence[Any]], tuple[object, ...]]:
    if not positions:
        return lambda _cells: ()
    if len(positions) == 1:
        place = positions[0]
        return lambda cells: (cells[place],)
    return itemgetter(*positions)


def _in(key: str, only: Only) -> bool:
    return only is None or key in only


def _tails(keys: frozenset[str], prefix: str, count: int) -> Iterator[str]:
    """What the last key column holds in the rows of some keys."""
    for key in keys:
        values = split(key.removeprefix(prefix), count)
        if values is not None:
            yield values[-1]


def _usable(key: str) -> bool:
    if key.isascii():
        return bool(key) and "\x00" not in key
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in key
