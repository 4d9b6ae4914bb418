"""CSV files and Excel sheets as tables: what people export, and what nobody should."""

from __future__ import annotations

import datetime as dt
import io
import tracemalloc
import zipfile
from collections.abc import Sequence

import openpyxl
import pytest

from connectors.errors import SkippableSourceError, SourceProtocolError
from connectors.files import excel
from connectors.files.csv_table import CsvTable
from connectors.files.excel import ExcelTable, sheets_of
from connectors.files.table import Line, split_name
from connectors.mapping.spec import Formats

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 -- Excel knows no zones


def read(body: bytes, formats: Formats | None = None) -> tuple[tuple[str, ...], list[Line]]:
    table = CsvTable(io.BytesIO(body), "f.csv", formats or Formats())
    return table.columns, list(table.lines(()))


def cells(body: bytes, formats: Formats | None = None) -> list[list[object]]:
    return [list(found) for _, found, fault in read(body, formats)[1] if not fault]


def faults(body: bytes) -> list[str]:
    return [fault for *_, fault in read(body)[1] if fault]


@pytest.mark.parametrize(
    ("body", "formats"),
    [
        (b"a,b\n1,x\n", Formats()),
        (b"\xef\xbb\xbfa,b\r\n1,x\r\n", Formats()),
        (b"\xef\xbb\xbfa,b\r\n1,x", Formats(encoding="utf-8")),
        (b"a;b\n1;x\n", Formats()),
        (b"a\tb\n1\tx\n", Formats()),
        (b"a|b\n1|x\n", Formats()),
        (b"\n\na,b\n\n1,x\n\n", Formats()),
        (b"a~b\n1~x\n", Formats(delimiter="~")),
        ("a,b\n1,x\n".encode("utf-16"), Formats()),
    ],
)
def test_the_ways_a_table_is_written(body: bytes, formats: Formats) -> None:
    assert read(body, formats)[0] == ("a", "b")
    assert cells(body, formats) == [["1", "x"]]


def test_the_delimiter_is_not_the_decimal_comma() -> None:
    body = b"id;price;name\n1;1,50;a, b\n2;2,75;c, d\n3;3,00;e, f\n"
    assert cells(body)[0] == ["1", "1,50", "a, b"]


def test_a_column_alone_needs_no_delimiter() -> None:
    assert cells(b"sku\nA-1\nB 2\n") == [["A-1"], ["B 2"]]


def test_line_breaks_and_quotes_inside_a_cell() -> None:
    assert cells(b'a,b\r\n1,"two\r\nlines, ""quoted"""\r\n') == [["1", 'two\r\nlines, "quoted"']]


def test_another_encoding() -> None:
    assert cells("a,b\n1,Söhne\n".encode("cp1252"), Formats(encoding="cp1252")) == [["1", "Söhne"]]


def test_bytes_of_another_encoding_are_in_no_text() -> None:
    """So that the ingest sets aside the one record that has them."""
    (_, found, fault), good = read("a,b\n1,S\xf6hne\n2,x\n".encode("latin-1"))[1]
    assert not fault
    with pytest.raises(UnicodeEncodeError):
        str(found[1]).encode()
    assert good[1] == ["2", "x"]


def test_ragged_rows_are_broken_and_the_rest_is_not() -> None:
    body = b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n"
    assert cells(body) == [["1", "2", "3"], ["10", "11", "12"]]
    assert faults(body) == [
        "line 3 of f.csv: 2 cells where the header has 3",
        "line 4 of f.csv: 4 cells where the header has 3",
    ]


def test_a_stray_quote_breaks_its_line_only() -> None:
    body = b'a,b\n1,"12" pipe"\n2,x\n'
    assert cells(body) == [["2", "x"]]
    assert len(faults(body)) == 1


def test_a_quote_never_closed_is_a_file_that_is_not_whole() -> None:
    """The rows it swallows would pass for deleted ones."""
    with pytest.raises(SourceProtocolError, match=r"never closed"):
        read(b'a,b\n1,"x\n2,y\n3,z\n')
    with pytest.raises(SourceProtocolError, match=r"never closed"):
        read(b'a,b\n1,"x\n' + b"2,y\n" * 100_000)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no header"),
        (b"\n\n", "no header"),
        (b",,\n1,2,3\n", "no column names"),
        (b"a,b,a\n1,2,3\n", "'a' more than once"),
        (b"a\x00,b\n1,2\n", "no column names"),
    ],
)
def test_a_header_has_to_be_one(body: bytes, told: str) -> None:
    with pytest.raises(SourceProtocolError, match=told):
        read(body)


def test_columns_without_a_name_are_nobodys() -> None:
    assert read(b"a,b,\n1,2,\n")[0] == ("a", "b", "")


def test_a_zero_byte_stays_in_its_cell() -> None:
    assert cells(b"a,b\n1,x\x00y\n2,z\n") == [["1", "x\x00y"], ["2", "z"]]


def test_memory_does_not_grow_with_the_file() -> None:
    def peak(rows: int) -> int:
        body = io.BytesIO(b"a,b,c\n" + b"1,2,some text\n" * rows)
        tracemalloc.start()
        assert sum(1 for _ in CsvTable(body, "f.csv", Formats()).lines(())) == rows
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(80_000) < peak(10_000) + 20_000


def workbook(*rows: Sequence[object], **others: Sequence[Sequence[object]]) -> io.BytesIO:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "First"
    for row in rows:
        sheet.append(list(row))
    for name, held in others.items():
        more = book.create_sheet(name)
        for row in held:
            more.append(list(row))
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def sheet(file: io.BytesIO, name: str = "") -> tuple[tuple[str, ...], list[Line]]:
    table = ExcelTable(file, "f.xlsx", name)
    try:
        return table.columns, list(table.lines(range(len(table.columns))))
    finally:
        table.close()


def test_values_come_as_excel_keeps_them() -> None:
    values = [1, 1.5, True, dt.date(2026, 1, 2), MOMENT, dt.time(3, 4), "007", None]
    columns, (line,) = sheet(workbook([], [*"abcdefgh"], [], values))
    assert columns == tuple("abcdefgh")
    assert line[0] == 4
    assert list(line[1]) == [*values[:-1], ""]
    assert type(line[1][0]) is int


def test_sheets_are_named_and_the_first_visible_one_is_meant() -> None:
    book = openpyxl.load_workbook(workbook(["secret"], ["x"], Second=[["a"], [1]], Third=[["b"], [2]]))
    book["First"].sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    assert sheets_of(file, "f.xlsx") == ("Second", "Third")
    assert sheet(file)[0] == ("a",)
    assert sheet(file, "Third")[0] == ("b",)
    with pytest.raises(SkippableSourceError, match=r"'Fourth'.*'Second'"):
        sheet(file, "Fourth")


def test_an_error_of_excels_breaks_its_row_where_the_column_is_used() -> None:
    file = workbook(["id", "qty", "note"], [1, "#N/A", "x"], [2, 3, "#REF!"], [4, 5, "y"])
    table = ExcelTable(file, "f.xlsx", "")
    found = {cells[0]: fault for _, cells, fault in table.lines((0, 1))}
    assert found == {1: "row 2 of f.xlsx: an error of Excel's in the column 'qty'", 2: "", 4: ""}


def test_cells_far_apart_are_refused_before_memory_is_taken() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "id"
    book.worksheets[0]["XFD1048576"] = 1
    file = io.BytesIO()
    book.save(file)
    with pytest.raises(SourceProtocolError, match="1,048,576 and column 16,384"):
        sheet(file)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "MOST_BYTES", 1_000_000)
    file = workbook(["a"], [1])
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", b"0" * 2_000_000)
    assert len(file.getvalue()) < 50_000
    with pytest.raises(SourceProtocolError, match="unpacks to"):
        sheet(file)


@pytest.mark.parametrize("body", [b"", b"no zip", b"PK\x03\x04aaaa"])
def test_what_is_no_workbook_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(SourceProtocolError, match=r"f\.xlsx"):
        sheet(io.BytesIO(body))


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_half_a_workbook_is_no_workbook(keep: float) -> None:
    whole = workbook(["a"], *[[n] for n in range(500)]).getvalue()
    with pytest.raises(SourceProtocolError):
        sheet(io.BytesIO(whole[: int(len(whole) * keep)]))


def test_names_of_tables() -> None:
    assert split_name("stock.xlsx#WH1") == ("stock.xlsx", "WH1")
    assert split_name("a#1/stock.XLSM#A") == ("a#1/stock.XLSM", "A")
    assert split_name("odd#name.csv") == ("odd#name.csv", "")
