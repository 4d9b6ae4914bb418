"""Validates records one by one and copies the good ones into the entity's staging table."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from psycopg import sql

from connectors.base import SourceRecord
from copilot.ingest.fields import NULL, Convert, RecordFaultError, converter, instant, text
from copilot.ingest.hints import HintColumns, HintMap
from copilot.ingest.report import Reason
from copilot.semantic.model import Entity
from copilot.store.pool import Connection
from copilot.store.queries import query

_CHUNK = 1_000_000
_BREATH = 200
"""After so many records, some two milliseconds, others get a turn: questions, and the merge of the entity before."""
_HEAD = (
    "batch_id",
    "arrival",
    "company",
    "source_key",
    "changed_at",
    "hint_region",
    "hint_site",
    "hint_channel",
    "hint_fault",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one record, by its source key, was not staged."""

    key: str
    reason: Reason
    detail: str


class Staging:
    """One entity's records of one batch on their way into `stage`.

    Text is made here rather than by the driver: checking and formatting each value is one pass, and the driver gets
    a megabyte at a time.
    """

    def __init__(self, connection: Connection, entity: Entity, batch_id: int, hints: HintMap) -> None:
        self._connection = connection
        self._entity = entity
        self._batch = batch_id
        self._hints = HintColumns(entity, hints)
        self._fields = frozenset(entity.fields)
        self._columns = [(field.name, converter(field), field.required) for field in entity.fields.values()]
        self._copy = _copy_statement(entity)
        self._lines: list[str] = []
        self._size = 0
        self.read = 0
        self.staged = 0
        self.faults: dict[str, Fault] = {}

    async def take(self, records: Iterable[SourceRecord]) -> None:
        """Stage these records, or note what is wrong with them."""
        for record in records:
            self.read += 1
            if not self.read % _BREATH:
                await asyncio.sleep(0)
            try:
                line = self._line(record)
            except RecordFaultError as fault:
                key = str(record.key).replace("\x00", "").encode(errors="replace").decode()
                self.faults[key] = Fault(key, fault.reason, fault.detail)
            else:
                self._lines.append(line)
                self._size += len(line)
                self.faults.pop(record.key, None)
        if self._size >= _CHUNK:
            await self.flush()

    async def flush(self) -> None:
        """Copy what is held back."""
        if not self._lines:
            return
        data = "".join(self._lines).encode()
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            await cursor.execute(query("ingest_relax_commit"))
            async with cursor.copy(self._copy) as copy:
                await copy.write(data)
        self.staged += len(self._lines)
        self._lines.clear()
        self._size = 0

    def _line(self, record: SourceRecord) -> str:
        head = self._head(record)
        if record.broken:
            raise RecordFaultError(Reason.BAD_VALUE, record.broken[:200])
        if not self._fields.issuperset(record.values):
            unknown = sorted(set(record.values) - self._fields)
            raise RecordFaultError(Reason.UNKNOWN_FIELD, ", ".join(unknown)[:200])
        return "\t".join([*head, *_cells(self._columns, record)]) + "\n"

    def _head(self, record: SourceRecord) -> tuple[str, ...]:
        if record.entity != self._entity.name:
            raise RecordFaultError(Reason.WRONG_ENTITY, f"a record of {record.entity[:60]!r}")
        try:
            key, company = text(record.key), text(record.company)
            changed = NULL if record.changed_at is None else instant(record.changed_at)
        except RecordFaultError as fault:
            raise RecordFaultError(Reason.BAD_KEY, fault.detail) from None
        if key == NULL:
            raise RecordFaultError(Reason.BAD_KEY, "an empty key")
        company = "" if company == NULL else company
        return str(self._batch), str(self.read), company, key, changed, self._hints.of(record.labels)


def _cells(columns: list[tuple[str, Convert, bool]], record: SourceRecord) -> list[str]:
    values = record.values
    cells: list[str] = []
    name = ""
    try:
        for name, convert, required in columns:
            value = values.get(name)
            cell = NULL if value is None else convert(value)
            cells.append(cell)
            if required and cell == NULL:
                _missing()
    except RecordFaultError as fault:
        raise RecordFaultError(fault.reason, f"{name}: {fault.detail}") from None
    return cells


def _missing() -> NoReturn:
    raise RecordFaultError(Reason.MISSING_FIELD, "empty")


def _copy_statement(entity: Entity) -> sql.Composed:
    fields = (f"{field.name}_key" if field.type == "ref" else field.name for field in entity.fields.values())
    return query("ingest_copy").format(
        table=sql.Identifier("stage", entity.name),
        columns=sql.SQL(", ").join(sql.Identifier(column) for column in (*_HEAD, *fields)),
    )
