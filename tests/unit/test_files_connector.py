"""The files connector over a folder: what is read, what is refused, and what is said about it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from connectors.base import Cursor, SourceRecord
from connectors.errors import (
    MappingError,
    SkippableSourceError,
    SourceBusyError,
    SourceProtocolError,
    SourceRecordBrokenError,
    SourceSettingsError,
    SourceUnreachableError,
)
from connectors.files.bucket import Bucket, BucketSettings, endpoint
from connectors.files.connector import FilesConnector, from_answers
from connectors.files.recent import Recent
from connectors.files.storage import Folder
from connectors.testing import all_keys
from copilot.ingest.hints import HintMap
from copilot.ingest.staging import Staging
from copilot.semantic.model import load_model

TYPES = {"supplier": {"name": "text"}, "item": {"name": "text", "weight": "quantity", "supplier_name": "text"}}
ITEMS = """
  item:
    from: ITEMS
    key: sku
    join: {vendor: {from: vendors.csv, on: {id: vendor}}}
    fields: {name: name, weight: kg, supplier_name: vendor.name}
"""
SUPPLIERS = """
  supplier: {from: vendors.csv, key: id, fields: {name: name}}
"""


class Place:
    """A folder with files that changed long ago, and a connector over it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("vendors.csv", "id,name\n1,Acme\n2,Bolt\n")
        self.write("items.csv", "sku,name,kg,vendor\nA,Anvil,10,1\nB,Bolt,0.5,2\n")

    def write(self, name: str, text: str | bytes, changed: int = 1_700_000_000) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(file, (changed, changed))
        return file

    def connector(self, entities: str = ITEMS + SUPPLIERS, items: str = "items.csv") -> FilesConnector:
        text = f"mapping: 1\nsystem: Paper\nentities:\n{entities.replace('ITEMS', repr(items))}"
        return from_answers({"location": str(self.path), "mapping": text}, TYPES)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data")


def open_files() -> list[str]:
    """What this process holds open, where the system tells."""
    links = Path("/proc/self/fd")
    return [os.path.realpath(link) for link in links.iterdir()] if links.exists() else []


async def records(connector: FilesConnector, entity: str, cursor: Cursor | None = None) -> list[SourceRecord]:
    return [record async for page in connector.changes(entity, cursor) for record in page.records]


async def cursor_of(connector: FilesConnector, entity: str) -> Cursor:
    pages = [page async for page in connector.changes(entity, None)]
    assert pages[-1].cursor is not None
    return pages[-1].cursor


async def test_entities_come_in_the_models_order(place: Place) -> None:
    assert place.connector().entities == ("supplier", "item")


async def test_nothing_is_read_again_until_a_file_changes(place: Place) -> None:
    cursor = await cursor_of(place.connector(), "item")
    assert await records(place.connector(), "item", cursor) == []
    place.write("vendors.csv", "id,name\n1,Acme Ltd\n2,Bolt\n", changed=1_700_000_001)
    found = await records(place.connector(), "item", cursor)
    assert [record.values["supplier_name"] for record in found] == ["Acme Ltd", "Bolt"]


async def test_another_mapping_reads_everything_anew(place: Place) -> None:
    cursor = await cursor_of(place.connector(), "supplier")
    other = place.connector("\n  supplier: {from: vendors.csv, key: id, fields: {name: {upper: name}}}\n")
    assert [record.values["name"] for record in await records(other, "supplier", cursor)] == ["ACME", "BOLT"]


async def test_a_file_changed_just_now_is_read_again(place: Place) -> None:
    """One written twice within the clock's grain, at the same size, looks the same."""
    (place.path / "vendors.csv").write_text("id,name\n1,Acme\n2,Bolt\n")
    cursor = await cursor_of(place.connector(), "supplier")
    assert len(await records(place.connector(), "supplier", cursor)) == 2


async def test_a_cursor_of_another_connector_is_refused(place: Place) -> None:
    with pytest.raises(SourceProtocolError, match="cursor"):
        await records(place.connector(), "supplier", Cursor("{}"))


async def test_the_later_file_has_a_key(place: Place) -> None:
    place.write("items-2026-01.csv", "sku,name,kg,vendor\nA,old,1,1\nB,Bolt,2,2\nC,Clamp,3,1\n")
    place.write("items-2026-02.csv", "vendor,kg,name,sku\n2,9,new,A\n")
    connector = place.connector(items="items-*.csv")
    found = {record.key: record.values["name"] for record in await records(connector, "item")}
    assert found == {"A": "new", "B": "Bolt", "C": "Clamp"}
    assert len(await records(connector, "item")) == 3
    assert await all_keys(connector, "item") == {("", "A"), ("", "B"), ("", "C")}
    assert [record.values["name"] for record in await connector.read("item", ["A"])] == ["new"]


async def test_of_a_joined_table_the_first_row_of_a_key_counts(place: Place) -> None:
    place.write("vendors.csv", "id,name\n1,First\n1,Second\n")
    found = {record.key: record.values["supplier_name"] for record in await records(place.connector(), "item")}
    assert found == {"A": "First", "B": None}


async def test_broken_rows_are_handed_on_with_their_reason(place: Place) -> None:
    place.write(
        "items.csv", "sku,name,kg,vendor\nA,Anvil,10,1\nB,Bolt\nC,a,b,1,2\n,None,1,1\nS\xf6,x,1,1\n".encode("latin-1")
    )
    connector = place.connector()
    found = {record.key: record.broken for record in await records(connector, "item")}
    assert found == {
        "A": "",
        "B": "line 3 of items.csv: 2 cells where the header has 4",
        "C": "line 4 of items.csv: 5 cells where the header has 4",
        "items.csv:5": "line 5 of items.csv: the key, sku, is empty or no text",
        "items.csv:6": "line 6 of items.csv: the key, sku, is empty or no text",
    }
    assert await all_keys(connector, "item") == {("", key) for key in found}
    assert [record.broken for record in await connector.read("item", ["B"])] == [found["B"]]


async def test_the_ingest_sets_broken_rows_aside(place: Place) -> None:
    place.write("items.csv", "sku,name,kg,vendor\nB,Bolt\n")
    staging = Staging(None, load_model()["item"], 1, HintMap(label_map={}, by_code={}, by_key={}))  # pyright: ignore[reportArgumentType]
    await staging.take(await records(place.connector(), "item"))
    assert staging.faults["B"].detail == "line 2 of items.csv: 2 cells where the header has 4"


async def test_a_broken_joined_row_breaks_what_it_belongs_to(place: Place) -> None:
    place.write("vendors.csv", "id,name,city\n1,Acme,x\n2\n")
    found = {record.key: record.broken for record in await records(place.connector(), "item")}
    assert found == {"A": "", "B": "line 3 of vendors.csv: 1 cells where the header has 3"}
    place.write("vendors.csv", "name,id,city\nAcme,1,x\na,b,2,y\n")
    with pytest.raises(SourceRecordBrokenError, match="line 3"):
        await records(place.connector(), "item")


async def test_a_renamed_column_is_named_with_those_there_are(place: Place) -> None:
    place.write("items.csv", "sku,name,weight,vendor\nA,Anvil,10,1\n")
    with pytest.raises(SourceProtocolError, match=r"'items.csv' has no column 'kg'.*sku, name, weight, vendor"):
        await records(place.connector(), "item")


async def test_check_tells_everything_at_once(place: Place) -> None:
    place.write("items.csv", "sku,title,weight,vendor\nA,Anvil,10,1\n")
    (place.path / "vendors.csv").unlink()
    with pytest.raises(MappingError) as told:
        await place.connector().check()
    assert [(found.place, found.message.split(";")[0]) for found in told.value.complaints] == [
        ("entities.supplier.from", f"there is no file 'vendors.csv' in {str(place.path)!r}"),
        ("entities.item.from", "'items.csv' has no column 'name'"),
        ("entities.item.from", "'items.csv' has no column 'kg'"),
        ("entities.item.join.vendor.from", f"there is no file 'vendors.csv' in {str(place.path)!r}"),
    ]


async def test_check_tells_of_keys_that_come_twice(place: Place) -> None:
    place.write("vendors.csv", "id,name\n1,Acme\n1,Bolt\n")
    with pytest.raises(
        MappingError, match=r"the key '1' of 'vendors.csv' in several rows of one file; a sync would keep"
    ):
        await place.connector().check()


async def test_check_says_which_row_governs_where_exports_overlap(place: Place) -> None:
    head = "sku,name,kg,vendor\n"
    place.write("items-2026-01.csv", head + "A,Anvil,1,1\nB,Bolt,2,2\nC,Clamp,3,1\n")
    place.write("items-2026-02.csv", head + "B,Bolt,3,2\nC,Clamp,3,1\nD,Dowel,1,1\n")
    place.write("items-2026-03.csv", head + "C,Clamp,4,1\nE,Eyelet,1,1\n")
    (note,) = (await place.connector(items="items-*.csv").check()).notes
    assert note == (
        "item: 2 keys (such as 'C', 'B') of 'items-*.csv' in several files; of each the row in the file that comes"
        " last by name governs"
    )
    assert (await place.connector(items="items-2026-01.csv").check()).notes == ()


async def test_check_says_that_the_latest_of_several_versions_governs(place: Place) -> None:
    place.write("vendors.csv", "id,name,at\n1,Acme,2026-01-02\n1,Acme Ltd,2026-01-03\n2,Bolt,2026-01-01\n")
    connector = place.connector("\n  supplier: {from: vendors.csv, key: id, changed: at, fields: {name: name}}\n")
    (note,) = (await connector.check()).notes
    assert (
        note
        == "supplier: the key '1' of 'vendors.csv' in several rows of one file; of each the row changed last governs"
    )


async def test_a_file_gone_can_be_skipped_and_a_folder_gone_can_not(place: Place) -> None:
    (place.path / "items.csv").unlink()
    connector = place.connector()
    with pytest.raises(SkippableSourceError, match=r"no file 'items.csv'.*'vendors.csv'"):
        await records(connector, "item")
    assert len(await records(connector, "supplier")) == 2
    (place.path / "vendors.csv").unlink()
    with pytest.raises(SourceUnreachableError, match="holds no files"):
        await records(connector, "supplier")
    shutil.rmtree(place.path)
    with pytest.raises(SourceUnreachableError, match="is it mounted"):
        await records(connector, "supplier")


async def test_a_file_written_while_it_is_read_is_busy(place: Place) -> None:
    place.write("vendors.csv", "id,name\n" + "".join(f"{n},x\n" for n in range(5000)))
    pages = place.connector().changes("supplier", None)
    assert len((await anext(pages)).records) == 2000
    place.write("vendors.csv", "id,name\n" + "".join(f"{n},y\n" for n in range(5001)))
    with pytest.raises(SourceBusyError, match=r"vendors\.csv"):
        [page async for page in pages]


async def test_a_file_half_written_is_busy_and_not_wrong(place: Place) -> None:
    place.write("vendors.csv", "id,name\n" + "".join(f"{n},x\n" for n in range(30_000)))
    pages = place.connector().changes("supplier", None)
    await anext(pages)
    place.write("vendors.csv", "id,name\n" + "".join(f"{n},x\n" for n in range(20_000)) + '5,"')
    with pytest.raises(SourceBusyError, match=r"vendors\.csv"):
        [page async for page in pages]


async def test_a_pass_given_up_midway_lets_go(place: Place) -> None:
    place.write("vendors.csv", "id,name\n" + "".join(f"{n},x\n" for n in range(5000)))
    pages = place.connector().changes("supplier", None)
    await anext(pages)
    assert isinstance(pages, AsyncGenerator)
    await pages.aclose()
    assert str(place.path / "vendors.csv") not in open_files()


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/secret.csv", "a/../../secret.csv", "a//b.csv", "a\\b.csv"])
def test_a_name_can_not_lead_out(place: Place, name: str) -> None:
    with pytest.raises(SourceSettingsError, match="can't be used"):
        Folder(str(place.path)).find(name)


def test_a_link_can_not_lead_out(place: Place, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (place.path / "link.csv").symlink_to(tmp_path / "secret.csv")
    (place.path / "out").symlink_to(tmp_path)
    (place.path / "inside.csv").symlink_to(place.path / "items.csv")
    folder = Folder(str(place.path))
    for name in ("link.csv", "*.csv", "out/secret.csv", "*/secret.csv"):
        with pytest.raises(SourceSettingsError, match="by a link"):
            folder.find(name)
    assert [stored.name for stored in folder.find("inside.csv")] == ["inside.csv"]


def test_lock_files_and_hidden_ones_are_no_data(place: Place) -> None:
    for name in ("~$items.csv", ".items.csv", "old/items.csv"):
        place.write(name, "x")
    folder = Folder(str(place.path))
    assert [stored.name for stored in folder.find("*items*.csv")] == ["items.csv"]
    assert [stored.name for stored in folder.find("*/*")] == ["old/items.csv"]


async def test_tables_say_what_a_mapping_is_drafted_from(place: Place) -> None:
    place.write(
        "stock/levels.csv", "sku;qty;counted;at;ok;plant\nA;1;2026-01-02;2026-01-02 03:04:05;yes;001\nB;;;;no;002\n"
    )
    place.write("broken.csv", "")
    place.write("notes.txt.bak", "x")
    found = {table.name: table for table in await place.connector().tables()}
    assert set(found) == {"items.csv", "vendors.csv", "stock/levels.csv"}
    levels = found["stock/levels.csv"]
    types = {column.name: column.type for column in levels.columns}
    assert types == {"sku": "text", "qty": "number", "counted": "date", "at": "instant", "ok": "flag", "plant": "text"}
    assert levels.key == ("sku",)
    assert levels.columns[0].samples == ("A", "B")
    assert found["vendors.csv"].key == ("id",)
    place.write("prices.csv", "id,price\n1,2\n1,3\n")
    found = {table.name: table for table in await place.connector().tables()}
    assert found["prices.csv"].references == {"id": ("vendors.csv", "id")}
    assert found["vendors.csv"].references == {}


async def test_what_was_read_lately_is_bounded(place: Place) -> None:
    connector = place.connector()
    connector._recent = recent = Recent(most=3)  # pyright: ignore[reportPrivateUsage]
    for entity in ("supplier", "item", "supplier"):
        assert len(await connector.read(entity, ["1", "A"])) == 1
        held = recent._parts.values()  # pyright: ignore[reportPrivateUsage]
        assert 2 <= sum(count for *_, count in held) <= 3
    place.write("vendors.csv", "id,name\n1,Other\n", changed=1_700_000_001)
    assert [record.values["name"] for record in await connector.read("supplier", ["1"])] == ["Other"]


@pytest.mark.parametrize(
    ("given", "host", "secure"),
    [
        ("", "s3.eu-central-1.amazonaws.com", True),
        ("minio.lan:9000", "minio.lan:9000", True),
        ("https://minio.lan", "minio.lan", True),
        ("http://minio.lan:9000/", "minio.lan:9000", False),
        ("127.0.0.1:9000", "127.0.0.1:9000", False),
        ("localhost", "localhost", False),
        ("http://[::1]:9000", "[::1]:9000", False),
    ],
)
def test_http_only_where_it_is_said(given: str, host: str, *, secure: bool) -> None:
    assert endpoint(given, "eu-central-1") == (host, secure)


@pytest.mark.parametrize(
    "given", ["ftp://x", "https://me:pass-word@x", "https://x/path", "https://x?a=b", "https://x:y"]
)
def test_an_endpoint_has_to_be_one(given: str) -> None:
    with pytest.raises(SourceSettingsError, match="endpoint") as told:
        endpoint(given, "us-east-1")
    assert "pass-word" not in str(told.value)


def test_settings_of_a_bucket() -> None:
    with pytest.raises(SourceSettingsError, match="go together"):
        Bucket(BucketSettings(bucket="exports", access_key="x"))
    with pytest.raises(SourceSettingsError, match="no name of a bucket"):
        Bucket(BucketSettings(bucket="Not A Bucket"))
    settings = BucketSettings(bucket="exports", access_key="x", secret_key="hush")
    assert "hush" not in f"{settings!r} {Bucket(settings)!r}"
    for location in ("s3://", "s3://key:hush@exports", "relative/folder"):
        with pytest.raises(SourceSettingsError) as told:
            from_answers({"location": location, "mapping": f"mapping: 1\nsystem: P\nentities:{SUPPLIERS}"}, TYPES)
        assert "hush" not in str(told.value)
