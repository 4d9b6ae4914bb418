"""CSV as a table: rows by position, and why a row can't be one. Memory does not grow with the file."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from connectors.errors import SourceProtocolError
from connectors.files.table import Line, header_of
from connectors.mapping.spec import Formats

_SAMPLE = 64 * 1024
_SAMPLE_ROWS = 50
_DELIMITERS = (",", ";", "\t", "|")
_UNFINISHED = "unexpected end of data"


class CsvTable:
    """One CSV file that is open. `columns` are the header's names; "" for one without."""

    def __init__(self, file: BinaryIO, name: str, formats: Formats) -> None:
        self.name = name
        self._encoding = _encoding(file, formats)
        # Bytes that are not of the encoding become characters that no text may hold, so that the ingest sets aside the
        # records that have them and nothing else.
        self._text = io.TextIOWrapper(file, encoding=self._encoding, errors="surrogateescape", newline="")
        self.delimiter = formats.delimiter or self._delimiter()
        self._reader = csv.reader(self._text, delimiter=self.delimiter, strict=True)
        self._lines = self._read()
        self.columns = header_of(name, next(self._lines, None))

    def lines(self, needed: Sequence[int]) -> Iterator[Line]:
        """The rows after the header. One of another length is broken: which cell is missing can't be told."""
        del needed
        width = len(self.columns)
        for number, cells, fault in self._lines:
            if fault or len(cells) != width:
                told = fault or f"{len(cells)} cells where the header has {width}"
                yield number, cells, f"line {number} of {self.name}: {told}"
            else:
                yield number, cells, ""

    def close(self) -> None:
        """Leave the file to whoever opened it."""
        self._text.detach()

    def _read(self) -> Iterator[Line]:
        reader = self._reader
        while True:
            try:
                for cells in reader:
                    if cells:
                        yield reader.line_num, cells, ""
            except csv.Error as error:
                if _UNFINISHED in str(error) or "field limit" in str(error):
                    raise SourceProtocolError(
                        f"a quote opened in {self.name!r} is never closed (noticed in line {reader.line_num}); is the "
                        f"file whole, and its delimiter {self.delimiter!r}?"
                    ) from None
                yield reader.line_num, (), str(error)
            except UnicodeError:
                raise SourceProtocolError(
                    f"{self.name!r} is not {self._encoding} from line {reader.line_num} on; say which `encoding` in "
                    "the mapping's `formats`"
                ) from None
            else:
                return

    def _delimiter(self) -> str:
        """The candidate by which most of the first rows have as many cells as the header, and the header most; a comma
        where none divides it."""
        sample = self._sample()
        rated = [(*_rating(sample, delimiter), -place) for place, delimiter in enumerate(_DELIMITERS)]
        return _DELIMITERS[-max(rated)[2]]

    def _sample(self) -> list[str]:
        try:
            text = self._text.read(_SAMPLE)
        except UnicodeError:
            text = ""
        self._text.seek(0)
        lines = text.splitlines(keepends=True)
        return lines[:-1] if len(text) == _SAMPLE and len(lines) > 1 else lines


def _rating(sample: Sequence[str], delimiter: str) -> tuple[float, int]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(iter(sample), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) > _SAMPLE_ROWS:
                break
    except csv.Error:
        return 0.0, 0
    if not rows or len(rows[0]) < 2:
        return 0.0, 0
    alike = sum(len(row) == len(rows[0]) for row in rows)
    # In tenths, so that a few broken rows do not decide for a delimiter that happens to stand in all of them.
    return round(alike / len(rows), 1), len(rows[0])


def _encoding(file: BinaryIO, formats: Formats) -> str:
    """The mapping's; UTF-16 where the file begins like that, which no text in another encoding does."""
    head = file.read(4)
    file.seek(0)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if codecs.lookup(formats.encoding).name == "utf-8" else formats.encoding
