"""Excel sheets as tables, by calamine, which reads a sheet whole: its size is looked at before it may."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from posixpath import join, normpath
from typing import IO, BinaryIO
from xml.etree import ElementTree as ET

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from connectors.errors import SkippableSourceError, SourceProtocolError
from connectors.files.table import Line, header_of

MOST_BYTES = 1024**3
"""Of a workbook unpacked: some 5 million rows of a dozen columns. What is larger is a bomb, or should be CSV."""
MOST_CELLS = 25_000_000
"""Of a sheet, from the first to the last cell: calamine keeps 24 bytes for each, empty ones too."""
_MOST_ERRORS = 100_000
_MOST_INDEX = 10 * 1024**2
_AT_ONCE = 4 * 1024**2
_TAIL = 512
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_ERROR = re.compile(rb"""<(?:\w+:)?c\s([^<>]*\bt\s*=\s*["']e["'][^<>]*)>""")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"

Cell = str | int | float | bool | date | datetime | time | timedelta
Errors = dict[int, set[int]]
"""Row, from 1 -> columns, from 0, that hold an error instead of a value, which calamine gives as empty."""


class ExcelTable:
    """One sheet of a workbook; the first visible one where none is named.

    The header is the first row with anything in it. Whole numbers come as int; a formula comes as the value it was
    saved with; a cell with an error (#N/A) breaks its row.
    """

    def __init__(self, file: BinaryIO, name: str, sheet: str) -> None:
        self.name = f"{name}#{sheet}" if sheet else name
        self._workbook = _opened(file, name)
        try:
            chosen = self._chosen(name, sheet)
            self.errors = _surveyed(file, name, chosen)
            self._sheet = self._workbook.get_sheet_by_name(chosen)
        except CalamineError as error:
            raise SourceProtocolError(f"the sheet {sheet!r} of {name!r} can't be read: {_told(error)}") from None
        self._lines = self._read()
        header = next(self._lines, None)
        self.columns = header_of(self.name, header and (*header, ""))

    def lines(self, needed: Sequence[int]) -> Iterator[Line]:
        """The rows after the header."""
        for number, cells in self._lines:
            wrong = self.errors[number].intersection(needed) if number in self.errors else None
            if wrong:
                told = f"row {number} of {self.name}: an error of Excel's in the column {self.columns[min(wrong)]!r}"
                yield number, cells, told
            else:
                yield number, cells, ""

    def close(self) -> None:
        """Let go of the workbook."""
        self._workbook.close()

    def _read(self) -> Iterator[tuple[int, Sequence[object]]]:
        for number, cells in enumerate(self._sheet.iter_rows(), start=1):
            if (self.errors and number in self.errors) or any(cell != "" for cell in cells):
                yield number, [_plain(cell) for cell in cells]

    def _chosen(self, name: str, sheet: str) -> str:
        sheets = visible_sheets(self._workbook)
        if not sheet and sheets:
            return sheets[0]
        if sheet not in self._workbook.sheet_names:
            known = ", ".join(map(repr, self._workbook.sheet_names))
            raise SkippableSourceError(f"{name!r} has no sheet {sheet!r}; it has: {known}")
        return sheet


def sheets_of(file: BinaryIO, name: str) -> tuple[str, ...]:
    """The sheets of a workbook that a person sees. Raises SourceProtocolError."""
    workbook = _opened(file, name)
    try:
        return visible_sheets(workbook)
    finally:
        workbook.close()


def visible_sheets(workbook: CalamineWorkbook) -> tuple[str, ...]:
    """Its sheets with cells that are not hidden."""
    return tuple(
        held.name
        for held in workbook.sheets_metadata
        if held.typ == SheetTypeEnum.WorkSheet and held.visible == SheetVisibleEnum.Visible
    )


def _opened(file: BinaryIO, name: str) -> CalamineWorkbook:
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(held.file_size for held in archive.infolist())
        if unpacked > MOST_BYTES:
            raise SourceProtocolError(
                f"{name!r} unpacks to {unpacked:,} bytes, more than {MOST_BYTES:,}; export it as CSV"
            )
        file.seek(0)
        return CalamineWorkbook.from_filelike(file)
    except PasswordError:
        raise SourceProtocolError(f"{name!r} is protected by a password; save it without") from None
    except (zipfile.BadZipFile, CalamineError) as error:
        raise SourceProtocolError(f"{name!r} is no Excel workbook that can be read: {_told(error)}") from None


def _surveyed(file: BinaryIO, name: str, sheet: str) -> Errors:
    """Goes over a sheet's cells as they are stored, for those with an error.

    Raises SourceProtocolError for a sheet whose cells lie too far apart, before memory for all between is taken.
    """
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive, archive.open(_part(archive, sheet)) as part:
            columns, last, errors = _survey(part, name)
    except (zipfile.BadZipFile, ET.ParseError, KeyError, NotImplementedError, EOFError, zlib.error) as error:
        raise SourceProtocolError(f"the sheet {sheet!r} of {name!r} can't be found: {_told(error)}") from None
    finally:
        file.seek(0)
    if columns * last > MOST_CELLS:
        raise SourceProtocolError(
            f"the sheet {sheet!r} of {name!r} reaches to row {last:,} and column {columns:,}: more than "
            f"{MOST_CELLS:,} cells; delete the empty rows and columns, or export it as CSV"
        )
    return errors


def _survey(part: IO[bytes], name: str) -> tuple[int, int, Errors]:
    """(columns, rows, errors) of a sheet as it is stored."""
    letters: set[bytes] = set()
    last, kept, errors = b"0", b"", Errors()
    while chunk := part.read(_AT_ONCE):
        text = kept + chunk
        for column, row in _PLACE.findall(text):
            letters.add(column)
            if len(row) > len(last) or (len(row) == len(last) and row > last):
                last = row
        if b'"e"' in text or b"'e'" in text:
            _note_errors(text, errors, name)
        kept = text[-_TAIL:]
    return max((_column(column) for column in letters), default=0), int(last), errors


def _note_errors(text: bytes, errors: Errors, name: str) -> None:
    for found in _ERROR.findall(text):
        place = _PLACE.search(b" " + found)
        if place:
            errors.setdefault(int(place[2]), set()).add(_column(place[1]) - 1)
    if len(errors) > _MOST_ERRORS:
        raise SourceProtocolError(f"{name!r} has more than {_MOST_ERRORS:,} rows with errors of Excel's")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _part(archive: zipfile.ZipFile, sheet: str) -> str:
    """Where in the archive a sheet is."""
    book = _tree(archive, "xl/workbook.xml")
    found = [held for held in book.iter() if held.tag in {f"{_MAIN}sheet", f"{_STRICT}sheet"}]
    ids = [value for held in found if held.get("name") == sheet for key, value in held.items() if key.endswith("}id")]
    for relation in _tree(archive, "xl/_rels/workbook.xml.rels"):
        if ids and relation.get("Id") == ids[0]:
            return normpath(join("xl", relation.get("Target", ""))).lstrip("/")
    raise KeyError(sheet)


def _tree(archive: zipfile.ZipFile, name: str) -> ET.Element:
    if archive.getinfo(name).file_size > _MOST_INDEX:
        raise zipfile.BadZipFile(f"{name} is too large")
    return ET.fromstring(archive.read(name))  # noqa: S314 -- expat limits what entities grow to; it is small


def _plain(cell: Cell) -> object:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _told(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
