"""Makes records of a source's rows by a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import cast

from connectors.base import SourceRecord, Value
from connectors.errors import SourceProtocolError
from connectors.mapping.expressions import Compiled, Row, columns_of, compiled, compiled_test
from connectors.mapping.keys import joined
from connectors.mapping.spec import Column, Expression, MappedEntity, SourceMapping
from connectors.mapping.values import Convert, Reader, UnreadableValueError

_TEXTS = frozenset({"text", "ident", "code", "ref"})
_UNTELLABLE = 0.0
"""What stands in a text field for arithmetic that failed. No field takes a float, so the record is set aside, where the
text of a number that can't be read might pass for the text wanted."""

_Cell = tuple[str, Callable[[Row], Value]]


class RowMapper:
    """Makes the records of one mapped entity.

    `names` are the columns that a row handed in maps to their values, a joined one as `alias.column`; a missing one is
    a SourceProtocolError. Of these `identifying` are those that `key`, `company` and `wanted` need. `columns` are what
    has to be read of each table, also to join it: "" stands for the entity's own, an alias for a joined one.
    """

    def __init__(self, mapping: SourceMapping, entity: MappedEntity, types: Mapping[str, str]) -> None:
        self.entity = entity
        self._aliases = frozenset(join.alias for join in entity.joins)
        self.names = tuple(dict.fromkeys(_all_columns(entity)))
        self.identifying = tuple(dict.fromkeys(_identifying(entity)))
        self.columns = self._needed(self.names)
        self._reader = reader = Reader(mapping.formats, mapping.time_zone)
        self._fields = [_cell(name, made, types.get(name, "text"), reader) for name, made in entity.fields.items()]
        self._labels = [_cell(name, made, "text", reader) for name, made in entity.labels.items()]
        self._company = _cell("company", entity.company, "text", reader)[1]
        self._test = compiled_test(entity.where, reader) if entity.where else None

    def record(self, row: Row) -> SourceRecord:
        """The record of a row. A value that can't be read is handed on as it is, for the ingest to set aside."""
        try:
            return SourceRecord(
                entity=self.entity.entity,
                company=self.company(row),
                key=self.key(row),
                changed_at=self.changed_at(row),
                values={name: value(row) for name, value in self._fields},
                labels=self.labels(row),
            )
        except KeyError as error:
            raise SourceProtocolError(f"{self.entity.table!r} has no column {error.args[0]!r}") from None

    def key(self, row: Row) -> str:
        """The record's key; "" where a key column is empty or no text, which the ingest sets aside."""
        parts: list[str] = []
        for name in self.entity.key:
            part = self._part(row[name])
            if part is None:
                return ""
            parts.append(part)
        return self.entity.prefix + joined(parts)

    def company(self, row: Row) -> str:
        """The company the record belongs to; "" where all share it."""
        found = self._company(row)
        return "" if found is None else cast("str", found)

    def labels(self, row: Row) -> dict[str, str]:
        """The labels that are not empty."""
        return {name: found for name, value in self._labels if isinstance(found := value(row), str)}

    def wanted(self, row: Row) -> bool:
        """Whether the row is a record at all. One of which that can't be told is: the ingest shall see it."""
        if self._test is None:
            return True
        try:
            return self._test(row)
        except UnreadableValueError:
            return True

    def changed_at(self, row: Row) -> datetime | None:
        """The latest of the change times, in UTC; None where there is none that can be read."""
        found: datetime | None = None
        for name in self.entity.changed:
            try:
                moment = self._reader.instant(row[name])
            except UnreadableValueError:
                continue
            if moment is not None and (found is None or moment > found):
                found = moment
        return found

    def _part(self, value: object) -> str | None:
        try:
            return self._reader.text(value)
        except UnreadableValueError:
            return None

    def _needed(self, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Columns by the alias of their table, "" for the entity's own."""
        found: dict[str, dict[str, None]] = {
            "": {},
            **{join.alias: dict.fromkeys(join.on) for join in self.entity.joins},
        }
        for join in self.entity.joins:
            found[""].update(dict.fromkeys(join.on.values()))
        for name in names:
            alias, column = split_column(name, self._aliases)
            found[alias][column] = None
        return {alias: tuple(columns) for alias, columns in found.items()}


def split_column(name: str, aliases: frozenset[str]) -> tuple[str, str]:
    """(alias, column) of a column's name; the alias is "" for one of the entity's own table."""
    alias, dot, column = name.partition(".")
    return (alias, column) if dot and alias in aliases else ("", name)


def _all_columns(entity: MappedEntity) -> Iterator[str]:
    yield from _identifying(entity)
    yield from entity.changed
    for expression in (*entity.fields.values(), *entity.labels.values()):
        yield from columns_of(expression)


def _identifying(entity: MappedEntity) -> Iterator[str]:
    """What is needed to tell which records there are."""
    yield from entity.key
    yield from columns_of(entity.company)
    for condition in entity.where:
        yield from columns_of(condition.value)


def _cell(name: str, expression: Expression, kind: str, reader: Reader) -> _Cell:
    convert = reader.converter(kind)
    if isinstance(expression, Column):
        return name, _plain(expression.name, convert)
    return name, _made(compiled(expression, reader, key=kind == "ref"), convert, textual=kind in _TEXTS)


def _plain(column: str, convert: Convert) -> Callable[[Row], Value]:
    def value(row: Row) -> Value:
        found = row[column]
        if found is None:
            return None
        try:
            return convert(found)
        except UnreadableValueError as error:
            return error.value

    return value


def _made(make: Compiled, convert: Convert, *, textual: bool) -> Callable[[Row], Value]:
    def value(row: Row) -> Value:
        try:
            found = make(row)
        except UnreadableValueError as error:
            return _UNTELLABLE if textual else error.value
        try:
            return convert(found)
        except UnreadableValueError as error:
            return error.value

    return value
