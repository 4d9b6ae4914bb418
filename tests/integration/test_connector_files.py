"""The files connector passes the conformance suite over CSV in a folder, Excel, and an S3-compatible store."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import openpyxl
import pytest
from minio import Minio
from minio.error import S3Error

from connectors.base import Connector, Cursor, SourceRecord
from connectors.errors import (
    SkippableSourceError,
    SourceAccessDeniedError,
    SourceAuthFailedError,
    SourceBusyError,
    SourceSettingsError,
    SourceUnreachableError,
)
from connectors.files.bucket import Bucket, BucketSettings
from connectors.files.connector import FilesConnector, from_answers
from connectors.files.fake_s3 import FakeS3
from connectors.files.storage import Folder
from connectors.mapping.parse import parse_mapping
from connectors.testing import Breakage, ConnectorConformance, all_keys

TYPES = {
    "supplier": {"name": "text", "active": "flag"},
    "purchase_order": {"number": "ident", "supplier": "ref", "ordered_on": "date", "total": "amount"},
    "purchase_order_line": {"order": "ref", "item": "text", "quantity": "quantity", "ordered_on": "date"},
}
MAPPING = """
mapping: 1
system: Paper
time_zone: Europe/Berlin
pages: {supplier: "https://paper.example/vendors/{key}"}
entities:
  purchase_order_line:
    from: LINES
    key: [po, line]
    join: {head: {from: ORDERS, on: {po: po}}}
    fields:
      order: po
      item: item
      quantity: qty
      ordered_on: head.date
  supplier:
    from: VENDORS
    key: id
    fields: {name: name, active: active}
    company: region
  purchase_order:
    - from: ORDERS
      key: po
      changed: changed
      fields: {number: po, supplier: vendor, ordered_on: date, total: total}
      labels: {warehouse: site}
    - prefix: opening/
      rows: [{key: a, number: OPEN-1, supplier: "1"}]
"""
VENDORS = [("id", "name", "active", "region"), *((n, f"Vendor {n}, Söhne", n % 2 == 0, "SG") for n in range(1, 41))]
ORDERS = [
    ("po", "vendor", "date", "total", "changed", "site"),
    *((1000 + n, n % 40 + 1, f"2026-03-{n % 28 + 1:02}", n * 1.5, "2026-03-02 10:00:00", "WH1") for n in range(90)),
]
LINES = [("po", "line", "item", "qty"), *((1000 + n // 3, n % 3 + 1, f"00{n}", n / 4) for n in range(270))]
NAMES = {"ORDERS": ORDERS, "VENDORS": VENDORS, "LINES": LINES}


def mapping(**names: str) -> str:
    text = MAPPING
    for name, file in names.items():
        text = text.replace(name, f"{file!r}")
    return text


CSV_MAPPING = mapping(ORDERS="orders-*.csv", VENDORS="vendors.csv", LINES="lines/lines.csv")
EXCEL_MAPPING = mapping(ORDERS="all.xlsx#Orders", VENDORS="all.xlsx#Vendors", LINES="all.xlsx#Lines")


def csv_text(rows: Sequence[tuple[object, ...]]) -> bytes:
    quoted = ("\r\n".join(";".join(f'"{cell}"' for cell in row) for row in rows)) + "\r\n"
    return quoted.encode("utf-8-sig")


def csv_files() -> dict[str, bytes]:
    return {
        "vendors.csv": csv_text(VENDORS),
        "orders-1.csv": csv_text(ORDERS[:50]),
        "orders-2.csv": csv_text([ORDERS[0], *ORDERS[50:]]),
        "lines/lines.csv": csv_text(LINES),
        "readme.md": b"not data",
    }


def write_files(folder: Path) -> None:
    for name, body in csv_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        os.utime(path, (1_700_000_000, 1_700_000_000))


def write_workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    for name, rows in NAMES.items():
        sheet = book.create_sheet(name.title())
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    book.save(path)
    os.utime(path, (1_700_000_000, 1_700_000_000))


class FilesConformance(ConnectorConformance):
    host = "paper.example"
    references: ClassVar = {
        "purchase_order": {"supplier": "supplier"},
        "purchase_order_line": {"order": "purchase_order"},
    }
    required: ClassVar = {
        "supplier": frozenset({"name", "active"}),
        "purchase_order": frozenset({"number", "supplier"}),
        "purchase_order_line": frozenset({"order", "item", "quantity", "ordered_on"}),
    }
    fields: ClassVar = {entity: frozenset(types) for entity, types in TYPES.items()}

    async def test_it_has_all_records(self) -> None:
        known = await self.known()
        assert {entity: len(records) for entity, records in known.items()} == {
            "supplier": 40,
            "purchase_order": 91,
            "purchase_order_line": 270,
        }


class TestCsvInAFolder(FilesConformance):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _files(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.folder = tmp_path_factory.mktemp("csv")
        write_files(cls.folder)

    folder: ClassVar[Path]

    def connect(self) -> Connector:
        return FilesConnector(Folder(str(self.folder)), parse_mapping(CSV_MAPPING), TYPES, page_size=40)

    def connect_broken(self, how: Breakage) -> Connector | None:
        gone = str(self.folder / "not mounted")
        return from_answers({"location": gone, "mapping": CSV_MAPPING}, TYPES) if how == "unreachable" else None


class TestExcelInAFolder(FilesConformance):
    folder: ClassVar[Path]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _files(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.folder = tmp_path_factory.mktemp("xlsx")
        write_workbook(cls.folder / "all.xlsx")

    def connect(self) -> Connector:
        return from_answers({"location": str(self.folder), "mapping": EXCEL_MAPPING}, TYPES)


class TestCsvInABucket(FilesConformance):
    secrets = ("not-so-secret", "wrong-secret")
    store: ClassVar[FakeS3]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _files(cls) -> Iterator[None]:
        with FakeS3("exports", "reader", "not-so-secret", region="ap-southeast-1") as cls.store:
            cls.store.page_size = 2
            for name, body in csv_files().items():
                cls.store.put(f"erp/daily/{name}", body)
            yield
        for listening in cls.silent:
            listening.close()

    def connect(self) -> Connector:
        return from_answers(bucket_answers(self.store), TYPES)

    def connect_broken(self, how: Breakage) -> Connector | None:
        answers = bucket_answers(self.store)
        if how == "unauthorised":
            return from_answers({**answers, "secret_key": "wrong-secret"}, TYPES)
        if how == "unreachable":
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                answers["endpoint"] = f"http://127.0.0.1:{free.getsockname()[1]}"
            return from_answers(answers, TYPES)
        listening = socket.create_server(("127.0.0.1", 0))
        self.silent.append(listening)
        settings = BucketSettings(
            bucket="exports",
            endpoint=f"http://127.0.0.1:{listening.getsockname()[1]}",
            access_key="reader",
            secret_key="not-so-secret",
            read_timeout=0.1,
            tries=2,
        )
        return FilesConnector(Bucket(settings), parse_mapping(CSV_MAPPING), TYPES)

    silent: ClassVar[list[socket.socket]] = []


def bucket_answers(store: FakeS3) -> dict[str, str]:
    return {
        "location": "s3://exports/erp/daily/",
        "endpoint": store.endpoint,
        "region": "ap-southeast-1",
        "access_key": "reader",
        "secret_key": "not-so-secret",
        "mapping": CSV_MAPPING,
    }


@pytest.fixture
def store() -> Iterator[FakeS3]:
    with FakeS3("exports", "reader", "not-so-secret", region="ap-southeast-1") as held:
        for name, body in csv_files().items():
            held.put(f"erp/daily/{name}", body)
        yield held


async def records(connector: Connector, entity: str, cursor: Cursor | None = None) -> list[SourceRecord]:
    return [record async for page in connector.changes(entity, cursor) for record in page.records]


async def test_the_three_places_give_the_same_records(store: FakeS3, tmp_path: Path) -> None:
    write_files(tmp_path)
    write_workbook(tmp_path / "all.xlsx")
    csv = from_answers({"location": str(tmp_path), "mapping": CSV_MAPPING}, TYPES)
    excel = from_answers({"location": str(tmp_path), "mapping": EXCEL_MAPPING}, TYPES)
    bucket = from_answers(bucket_answers(store), TYPES)
    for entity in csv.entities:
        found = [{record.key: record for record in await records(each, entity)} for each in (csv, excel, bucket)]
        assert found[0] == found[1] == found[2]


async def test_an_unchanged_bucket_is_only_listed(store: FakeS3) -> None:
    connector = from_answers(bucket_answers(store), TYPES)
    pages = [page async for page in connector.changes("purchase_order", None)]
    before = store.requests
    again = [page async for page in connector.changes("purchase_order", pages[-1].cursor)]
    assert (len(again), again[0].records, again[0].last) == (1, (), True)
    assert store.requests == before + 1
    store.put("erp/daily/orders-2.csv", csv_files()["orders-2.csv"].replace(b"1.5", b"2.5"))
    assert len(await records(connector, "purchase_order", pages[-1].cursor)) == 91
    await connector.aclose()


async def test_a_file_replaced_midway_is_noticed(store: FakeS3) -> None:
    bucket = Bucket(
        BucketSettings(
            bucket="exports", endpoint=store.endpoint, region="ap-southeast-1",
            access_key="reader", secret_key="not-so-secret",
        )
    )  # fmt: skip
    (listed,) = bucket.find("erp/daily/vendors.csv")
    store.put("erp/daily/vendors.csv", b"id;name\n1;x\n")
    with pytest.raises(SourceBusyError, match="replaced"), bucket.open(listed):
        pass


async def test_what_a_store_refuses_is_sorted(store: FakeS3) -> None:
    connector = from_answers(bucket_answers(store), TYPES)
    store.forbidden.add("erp/daily/vendors.csv")
    with pytest.raises(SourceAccessDeniedError, match=r"vendors\.csv"):
        await all_keys(connector, "supplier")
    store.skew = timedelta(hours=1)
    with pytest.raises(SourceAuthFailedError, match="clock"):
        await all_keys(connector, "supplier")
    store.skew = timedelta()
    store.fail = ["SlowDown", "InternalError"]
    assert len(await all_keys(connector, "purchase_order")) == 91
    store.fail = ["SlowDown"] * 9
    with pytest.raises(SourceBusyError):
        await all_keys(connector, "purchase_order")
    store.fail = []
    other = from_answers({**bucket_answers(store), "location": "s3://elsewhere"}, TYPES)
    with pytest.raises(SourceSettingsError, match="no such bucket"):
        await all_keys(other, "supplier")
    empty = from_answers({**bucket_answers(store), "location": "s3://exports/nothing"}, TYPES)
    with pytest.raises(SourceUnreachableError, match="holds no files"):
        await all_keys(empty, "supplier")
    wrong = from_answers({**bucket_answers(store), "region": "eu-central-1"}, TYPES)
    with pytest.raises(SourceSettingsError, match="region"):
        await all_keys(wrong, "supplier")


async def test_an_object_that_breaks_off_is_asked_for_again(store: FakeS3) -> None:
    connector = from_answers(bucket_answers(store), TYPES)
    store.cuts = 2
    assert len(await all_keys(connector, "supplier")) == 40
    store.cuts = 3
    with pytest.raises(SourceUnreachableError, match=r"vendors\.csv"):
        await all_keys(connector, "supplier")


def test_the_store_does_what_others_of_its_kind_do(store: FakeS3) -> None:
    host = store.endpoint.removeprefix("http://")
    client = Minio(host, access_key="reader", secret_key="not-so-secret", secure=False, region=store.region)
    name, body = "erp/daily/readme.md", csv_files()["readme.md"]
    assert client.stat_object("exports", name).size == len(body)
    assert client.get_object("exports", name, offset=4, length=2).read() == body[4:6]
    assert [held.object_name for held in client.list_objects("exports", prefix="erp/")] == ["erp/daily/"]
    store.put("erp/möbel & co+1.csv", b"x")
    assert {held.object_name for held in client.list_objects("exports", recursive=True)} == set(store.objects)
    assert client.get_object("exports", "erp/möbel & co+1.csv").read() == b"x"
    nobody = Minio(host, secure=False, region=store.region)
    with pytest.raises(S3Error, match="AccessDenied"):
        nobody.stat_object("exports", name)


async def test_a_vanished_file_can_be_skipped(store: FakeS3) -> None:
    connector = from_answers(bucket_answers(store), TYPES)
    del store.objects["erp/daily/vendors.csv"]
    with pytest.raises(SkippableSourceError, match=r"vendors\.csv"):
        await all_keys(connector, "supplier")
    assert len(await all_keys(connector, "purchase_order")) == 91


async def test_read_is_quick_the_second_time(tmp_path: Path) -> None:
    write_files(tmp_path)
    connector = from_answers({"location": str(tmp_path), "mapping": CSV_MAPPING}, TYPES)
    await connector.read("purchase_order", ["1003"])
    begun = time.perf_counter()
    assert len(await connector.read("purchase_order", ["1003", "1004", "none"])) == 2
    assert time.perf_counter() - begun < 5
    (tmp_path / "orders-2.csv").write_bytes(csv_text([ORDERS[0], ("1003", "9", "2026-01-01", "7", "", "")]))
    (found,) = await connector.read("purchase_order", ["1003"])
    assert found.values["supplier"] == "9"
