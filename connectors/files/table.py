"""What CSV files and Excel sheets have in common, and how a mapping names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from connectors.errors import SourceProtocolError

Line = tuple[int, Sequence[object], str]
"""A row: its line or row number as a person sees it, its cells by position, and why it is broken, "" where it isn't."""

TEXT_FILES = (".csv", ".tsv", ".txt")
WORKBOOKS = (".xlsx", ".xlsm")
SHEET = "#"


class Table(Protocol):
    """A file or sheet that is open for reading, once."""

    name: str
    columns: tuple[str, ...]

    def lines(self, needed: Sequence[int]) -> Iterator[Line]:
        """The rows after the header, empty ones left out. `needed` are the positions of the columns that are used:
        what is wrong elsewhere breaks no row."""
        ...

    def close(self) -> None:
        """Leave the file to whoever opened it."""
        ...


def split_name(name: str) -> tuple[str, str]:
    """(file or glob, sheet) that a mapping's table names; the sheet is "" where none is."""
    file, mark, sheet = name.rpartition(SHEET)
    return (file, sheet) if mark and file.casefold().endswith(WORKBOOKS) else (name, "")


def header_of(name: str, line: Line | None) -> tuple[str, ...]:
    """The columns that a header names. Raises SourceProtocolError for one that is no header."""
    if line is None:
        raise SourceProtocolError(f"{name!r} is empty: there is no header row")
    number, cells, fault = line
    if fault:
        raise SourceProtocolError(f"the header of {name!r} can't be read: {fault}")
    columns = tuple(str(cell).strip() for cell in cells)
    if not any(columns) or any("\x00" in column for column in columns):
        raise SourceProtocolError(f"the first row of {name!r}, row {number}, holds no column names")
    doubles = sorted(column for column, count in Counter(columns).items() if column and count > 1)
    if doubles:
        raise SourceProtocolError(
            f"the header of {name!r} has the column {doubles[0]!r} more than once; rename one in the file"
        )
    return columns
