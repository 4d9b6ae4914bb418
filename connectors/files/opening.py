"""Opens a listed file as a table."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from connectors.errors import SourceSettingsError
from connectors.files.csv_table import CsvTable
from connectors.files.excel import ExcelTable
from connectors.files.storage import Storage, Stored
from connectors.files.table import TEXT_FILES, WORKBOOKS, Table
from connectors.mapping.spec import Formats

MOST_PACKED = 200 * 1024**2
"""Bytes of a workbook as it is stored."""


@contextmanager
def opened(storage: Storage, stored: Stored, sheet: str, formats: Formats) -> Generator[Table]:
    """The table in a file, closed afterwards. Raises what the storage and the readers raise."""
    suffix = check_kind(stored.name)
    if suffix in WORKBOOKS and stored.size > MOST_PACKED:
        raise SourceSettingsError(
            f"{stored.name!r} has {stored.size:,} bytes, too many for a workbook; export it as CSV"
        )
    with storage.open(stored) as file:
        table = ExcelTable(file, stored.name, sheet) if suffix in WORKBOOKS else CsvTable(file, stored.name, formats)
        try:
            yield table
        finally:
            table.close()


def check_kind(name: str) -> str:
    """The ending of a file that can be read. Raises SourceSettingsError for another."""
    for suffix in (*TEXT_FILES, *WORKBOOKS):
        if name.casefold().endswith(suffix):
            return suffix
    raise SourceSettingsError(f"{name!r} can't be read; files have to end in {', '.join((*TEXT_FILES, *WORKBOOKS))}")
