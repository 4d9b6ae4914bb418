"""The SQL connector against SQLite, PostgreSQL and, where it is installed, MariaDB."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from connectors.base import Cursor, SourceRecord
from connectors.errors import (
    MappingError,
    SourceAccessDeniedError,
    SourceBusyError,
    SourceProtocolError,
    SourceSettingsError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from connectors.sql.connector import SqlConnector, from_answers
from connectors.sql.dialects import Patience
from connectors.testing import Breakage, ConnectorConformance, all_keys
from tests.company import Company
from tests.integration.sql_support import MAPPING, TYPES, connector, fill, free_port, mariadb, mute_server

_HASTY = Patience(connect=1, statement=1, confirm=1)


async def _all(source: SqlConnector, entity: str, cursor: Cursor | None = None) -> tuple[list[SourceRecord], Cursor]:
    pages = [page async for page in source.changes(entity, cursor)]
    assert pages[-1].cursor is not None
    return [record for page in pages for record in page.records], pages[-1].cursor


class _Sql(ConnectorConformance):
    host = "erp.example"
    secrets = ("secret!", "wrong!")
    references: ClassVar = {"purchase_order": {"supplier": "supplier"}, "purchase_line": {"order": "purchase_order"}}
    codes: ClassVar = {"supplier": {"status": frozenset({"active", "archived"})}}
    required: ClassVar = {"supplier": frozenset({"number", "name", "status"})}
    fields: ClassVar = {entity: frozenset(types) for entity, types in TYPES.items()}
    late_entity = "supplier"

    async def test_the_same_rows_in_every_database(self) -> None:
        known = await self.known()
        supplier = known["supplier"]["main", "9"]
        assert supplier.values == {
            "number": "V-9",
            "name": "Müller & Söhne 9",
            "status": "active",
            "country": "DE",
            "tax_number": "DE000000009",
        }
        assert supplier.labels == {"site": "W1"}
        assert supplier.changed_at == datetime(2024, 3, 10, 9, tzinfo=UTC)
        assert {key for _, key in known["supplier"]} == {str(n) for n in range(1, 41)} | {
            "old-A/1", "old-A%1", "old-AB", "old-'; drop",
        }  # fmt: skip
        order = known["purchase_order"]["main", "PO/4"]
        # The clock is put back on that day: half past two comes twice, and the first counts.
        assert order.values["promised"] == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
        assert order.values["open"] is False
        assert len(known["purchase_order"]) == 40
        assert len(known["purchase_line"]) == 80
        line = known["purchase_line"]["main", "PO\\/4/2"]
        assert str(line.values["price"]).rstrip("0") == "0.4"
        assert line.values["order"] == "PO/4"

    async def test_a_later_pass_reads_what_changed_and_what_says_nothing(self) -> None:
        source = self.connect()
        everything, cursor = await _all(source, "purchase_order")
        again, _ = await _all(source, "purchase_order", cursor)
        assert len(everything) == 40
        assert 0 < len(again) < 10
        unmarked, _ = await _all(source, "supplier", (await _all(source, "supplier"))[1])
        assert {"7", "old-A/1"} <= {record.key for record in unmarked}
        await source.aclose()


class TestSqlite(_Sql):
    path: ClassVar[Path]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _source(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.path = tmp_path_factory.mktemp("sql") / "erp with space?.db"
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(cls.path)))
        fill(engine)
        engine.dispose()

    def connect(self) -> SqlConnector:
        return connector(sa.URL.create("sqlite", database=str(self.path)).render_as_string())

    def connect_broken(self, how: Breakage) -> SqlConnector | None:
        return connector("sqlite:////nowhere/at/all.db") if how == "unreachable" else None

    async def test_it_can_not_write(self) -> None:
        source = self.connect()
        with pytest.raises(SourceProtocolError, match="readonly"):
            await source._database.run("writing", lambda held: held.exec_driver_sql("delete from vendor"))
        await source.aclose()


class TestPostgresql(_Sql):
    url: ClassVar[str]
    password: ClassVar[str]
    dsn: ClassVar[str]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _source(cls, company: Company) -> Generator[None]:
        with company.clone("template1") as name:
            cls.dsn = company.dsn(name)
            given = conninfo_to_dict(cls.dsn)
            with psycopg.connect(cls.dsn, autocommit=True) as owner:
                role = f"reader_{name}"
                owner.execute(f"create role {role} login password 'secret!'")
                engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(cls.dsn))
                fill(engine)
                engine.dispose()
                owner.execute(f"grant select on all tables in schema public to {role}")
            cls.url = f"postgresql://{role}@{given['host']}:{given['port']}/{name}"
            yield
            with psycopg.connect(cls.dsn, autocommit=True) as owner:
                owner.execute(f"drop owned by {role}; drop role {role}")

    def connect(self) -> SqlConnector:
        return connector(self.url, "secret!")

    def connect_broken(self, how: Breakage) -> SqlConnector | None:
        if how == "unauthorised":
            return connector(self.url, "wrong!")
        port = free_port()
        return connector(f"postgresql://reader@127.0.0.1:{port}/erp", "secret!") if how == "unreachable" else None

    def late_change(self) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]]]:
        return _late_change(self.dsn)

    async def test_it_can_not_write(self) -> None:
        source = self.connect()
        with pytest.raises(SourceProtocolError, match="read-only transaction"):
            await source._database.run("writing", lambda held: held.exec_driver_sql("create table t (id int)"))
        await source.aclose()

    async def test_a_locked_table_is_waited_for_and_no_longer(self) -> None:
        source = connector(self.url, "secret!", patience=_HASTY)
        async with await psycopg.AsyncConnection.connect(self.dsn) as other:
            await other.execute("lock table vendor in access exclusive mode")
            with pytest.raises(SourceTimeoutError, match="reading supplier"):
                await _all(source, "supplier")
            with pytest.raises(SourceTimeoutError):
                await source.read("supplier", ["1"])
        assert len((await _all(source, "supplier"))[0]) == 44
        await source.aclose()

    async def test_a_server_that_says_nothing(self) -> None:
        with mute_server() as port:
            source = connector(f"postgresql://reader@127.0.0.1:{port}/erp", "secret!", patience=_HASTY)
            with pytest.raises(SourceTimeoutError):
                await source.check()
            await source.aclose()

    async def test_a_table_that_may_not_be_read_leaves_the_rest(self) -> None:
        source = self.connect()
        role = self.url.split("//")[1].split("@")[0]
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as owner:
            await owner.execute(f"revoke select on po_line from {role}".encode())
            try:
                info = await source.check()
                with pytest.raises(SourceAccessDeniedError):
                    await _all(source, "purchase_line")
            finally:
                await owner.execute(f"grant select on po_line to {role}".encode())
        assert [found.entity for found in info.unreadable] == ["purchase_line"]
        await source.aclose()

    async def test_a_column_renamed_after_the_check(self) -> None:
        source = self.connect()
        await source.check()
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as owner:
            await owner.execute("alter table po rename column is_open to still_open")
            try:
                with pytest.raises(SourceProtocolError, match=r"no column 'is_open'; there is 'still_open'"):
                    await _all(source, "purchase_order")
                with pytest.raises(MappingError) as wrong:
                    await source.check()
            finally:
                await owner.execute("alter table po rename column still_open to is_open")
        assert [found.place for found in wrong.value.complaints] == ["entities.purchase_order.fields.open"]
        await source.aclose()

    async def test_dates_beyond_pythons_are_handed_on_raw(self) -> None:
        source = self.connect()
        update = "update po set promised = %s, order_date = %s where nr = 'PO-1'"
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as owner:
            await owner.execute(update, ("infinity", "20240-01-01"))
            try:
                (record,) = await source.read("purchase_order", ["PO-1"])
            finally:
                await owner.execute(update, ("2024-10-27 02:30:00", "2024-02-02"))
        assert record.values["promised"] == "infinity"
        assert record.values["ordered"] == "20240-01-01"
        await source.aclose()

    async def test_a_pass_that_is_left_gives_its_connection_back(self) -> None:
        source = self.connect()
        for _ in range(6):
            async for _ in source.changes("purchase_line", None):
                break
        await asyncio.sleep(0)
        assert len(await all_keys(source, "purchase_line")) == 80
        await source.aclose()

    async def test_names_and_types_beyond_the_plain(self) -> None:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as owner:
            await owner.execute(_ODD)
            source = connector(self.dsn_url(), self.secret(), mapping=_ODD_MAPPING)
            try:
                await source.check()
                records, cursor = await _all(source, "supplier")
                by_uuid = await source.read("supplier", [record.key for record in records])
                by_name = await source.read("purchase_order", ["B"])
                again, _ = await _all(source, "supplier", cursor)
                described = {table.name: table for table in await source.tables()}
            finally:
                await owner.execute('drop schema "Sales" cascade')
                await source.aclose()
        assert list(by_uuid) == records
        assert [record.values["name"] for record in records] == ["A", "B"]
        assert records[0].changed_at == datetime(2024, 3, 1, 9, tzinfo=UTC)
        assert records[1].values["tax_number"] == {"x": 1}  # no text: the ingest sets it aside
        assert [record.values["number"] for record in by_name] == ["B"]
        assert [record.values["name"] for record in again] == ["B"]
        assert described["Sales.Order Head"].key == ("No.",)

    def dsn_url(self) -> str:
        """The owner's address, without the password."""
        given = conninfo_to_dict(self.dsn)
        return f"postgresql://{given['user']}@{given['host']}:{given['port']}/{given['dbname']}"

    def secret(self) -> str:
        """The owner's password."""
        return str(conninfo_to_dict(self.dsn).get("password") or "")

    async def test_tables_are_described(self) -> None:
        source = self.connect()
        tables = {table.name: table for table in await source.tables()}
        await source.aclose()
        assert set(tables) == {"vendor", "old_vendor", "po", "po_line"}
        assert tables["po_line"].key == ("po_nr", "pos")
        assert {c.name: c.type for c in tables["vendor"].columns} == {
            "id": "number", "name": "text", "active": "number", "country": "text", "tax": "text", "site": "text",
            "modified": "instant",
        }  # fmt: skip
        assert all(len(column.samples) <= 3 for table in tables.values() for column in table.columns)


_ODD = """
create schema "Sales";
create type "Sales".kind as enum ('A', 'B');
create table "Sales"."Order Head"
  ("No." uuid primary key, "Kind" "Sales".kind, "When" timestamptz, gone bool, js jsonb);
insert into "Sales"."Order Head" values
  ('00000000-0000-0000-0000-00000000000a', 'A', '2024-03-01 10:00+01', false, null),
  ('00000000-0000-0000-0000-00000000000b', 'B', '2024-04-01 10:00+01', false, '{"x": 1}'),
  ('00000000-0000-0000-0000-00000000000c', 'B', '2024-04-01 10:00+01', true, null);
"""
_ODD_MAPPING = """
mapping: 1
system: Odd
entities:
  supplier:
    from: sales.order head
    key: No.
    changed: when
    where: {gone: false}
    fields: {name: Kind, tax_number: js}
  purchase_order:
    from: Sales.Order Head
    key: Kind
    where: {gone: false}
    fields: {number: Kind}
"""


@asynccontextmanager
async def _late_change(dsn: str) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    update = "update vendor set name = %s, modified = '2024-03-28 09:55:00' where id = 3"
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        await connection.execute(update, ("changed late",))
        yield connection.commit
        await connection.execute(
            "update vendor set name = '  Müller & Söhne 3 ', modified = '2024-03-04 10:00:00' where id = 3"
        )
        await connection.commit()


@pytest.mark.skipif(shutil.which("mariadbd") is None, reason="no MariaDB server (mariadbd) on the PATH")
class TestMariadb(_Sql):
    port: ClassVar[int]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _source(cls, tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
        with mariadb(tmp_path_factory.mktemp("m")) as cls.port:
            engine = sa.create_engine(f"mysql+pymysql://root@127.0.0.1:{cls.port}/erp")
            fill(engine)
            engine.dispose()
            yield

    def connect(self) -> SqlConnector:
        return connector(f"mariadb://reader@127.0.0.1:{self.port}/erp", "secret!")

    def connect_broken(self, how: Breakage) -> SqlConnector | None:
        if how == "unauthorised":
            return connector(f"mysql://reader@127.0.0.1:{self.port}/erp", "wrong!")
        port = free_port()
        return connector(f"mysql://reader@127.0.0.1:{port}/erp", "secret!") if how == "unreachable" else None

    async def test_a_locked_table_is_waited_for_and_no_longer(self) -> None:
        source = connector(f"mysql://reader@127.0.0.1:{self.port}/erp", "secret!", patience=_HASTY)
        with (
            pymysql.connect(host="127.0.0.1", port=self.port, user="root", database="erp") as other,
            other.cursor() as held,
        ):
            held.execute("lock tables vendor write")
            with pytest.raises(SourceUnreachableError, match="reading supplier"):
                await _all(source, "supplier")
        assert len((await _all(source, "supplier"))[0]) == 44
        await source.aclose()

    async def test_moments_in_the_servers_zone_and_none_at_all(self) -> None:
        mapping = """{mapping: 1, system: M, time_zone: Europe/Berlin, entities: {purchase_order: {from: stamped,
            key: id, changed: [ts, dt], fields: {number: id, promised: ts, ordered: dt}}}}"""
        with (
            pymysql.connect(host="127.0.0.1", port=self.port, user="root", database="erp") as other,
            other.cursor() as held,
        ):
            held.execute("set sql_mode = '', time_zone = '+05:00'")
            held.execute("create table stamped (id int primary key, ts timestamp null, dt datetime)")
            held.execute(
                "insert into stamped values (1, '2024-03-01 12:00:00', '2024-03-01 12:00:00'), (2, null, '0000-00-00')"
            )
            other.commit()
            source = connector(f"mysql://reader@127.0.0.1:{self.port}/erp", "secret!", mapping=mapping)
            records, cursor = await _all(source, "purchase_order")
            again, _ = await _all(source, "purchase_order", cursor)
            described = {table.name: table for table in await source.tables()}
            held.execute("drop table stamped")
        await source.aclose()
        assert records[0].values["promised"] == datetime(2024, 3, 1, 7, tzinfo=UTC)
        assert records[0].changed_at == datetime(2024, 3, 1, 11, tzinfo=UTC)
        assert records[1].values["ordered"] == "0000-00-00 00:00:00"
        assert again == records
        assert described["po_line"].key == ("po_nr", "pos")

    async def test_it_can_not_write(self) -> None:
        source = connector(f"mysql://root@127.0.0.1:{self.port}/erp")
        with pytest.raises(SourceProtocolError, match="READ ONLY transaction"):
            await source._database.run("writing", lambda held: held.exec_driver_sql("delete from vendor"))
        await source.aclose()

    async def test_a_pass_that_is_left_gives_its_connection_back(self) -> None:
        source = self.connect()
        for _ in range(6):
            async for _ in source.changes("purchase_line", None):
                break
        await asyncio.sleep(0)
        assert len(await all_keys(source, "purchase_line")) == 80
        await source.aclose()


async def test_a_locked_sqlite_file_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "erp.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    fill(engine)
    engine.dispose()
    source = connector(f"sqlite:///{path}", patience=_HASTY)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("begin exclusive")
        with pytest.raises(SourceBusyError):
            await _all(source, "supplier")
        other.execute("rollback")
    await source.aclose()
    with pytest.raises(SourceUnreachableError):
        await all_keys(connector(f"sqlite:///{tmp_path / 'gone.db'}"), "supplier")


async def test_everything_the_database_lacks_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "erp.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    fill(engine)
    with engine.begin() as held:
        held.exec_driver_sql("create table doubled (id int, name text)")
        held.exec_driver_sql("insert into doubled values (1, 'a'), (1, 'b')")
    engine.dispose()
    wrong = (
        MAPPING.replace("country: country", "country: countri")
        .replace("from: old_vendor", "from: older_vendors")
        .replace("changed: [modified, head.modified]", "changed: [modified, head.modifed]")
    )
    wrong += "  item: {from: doubled, key: id, fields: {name: name}}\n"
    wrong += "  site: {from: nowhere.site, key: id, fields: {}}\n"
    with pytest.raises(MappingError) as error:
        await connector(f"sqlite:///{path}", mapping=wrong).check()
    assert {found.place: found.message for found in error.value.complaints} == {
        "entities.supplier[0].fields.country": "the table 'vendor' has no column 'countri'; there is 'country'",
        "entities.supplier[1].from": "the database has no table 'older_vendors', or this user may not see it;"
        " there is 'old_vendor'",
        "entities.purchase_line.changed": "the table 'po' has no column 'modifed'; there is 'modified'",
        "entities.site.from": "the database has no table 'nowhere.site', or this user may not see it",
        "entities.item.key": "id of 'doubled' stands 2 times for the same values; the key has to identify one row",
    }


async def test_a_change_time_in_the_future_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "erp.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    fill(engine)
    with engine.begin() as held:
        held.exec_driver_sql("update vendor set modified = '9024-01-01 00:00:00' where id = 1")
    source = connector(f"sqlite:///{path}")
    _, cursor = await _all(source, "supplier")
    with engine.begin() as held:
        held.exec_driver_sql("update vendor set name = 'new', modified = '2024-03-29 10:00:00' where id = 2")
    engine.dispose()
    changed, _ = await _all(source, "supplier", cursor)
    assert "new" in {record.values["name"] for record in changed}
    await source.aclose()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://reader:hunter2@db/erp", "password"),
        ("postgresql://reader@db/erp?options=-c%20x", "option 'options'"),
        ("mysql://reader@db/erp?init_command=drop", "option 'init_command'"),
        ("mssql://reader@db/erp?odbc_connect=PWD%3Dhunter2", "option 'odbc_connect'"),
        ("duckdb:///x", "begins with 'duckdb'"),
        ("postgresql:///erp", "no host"),
        ("sqlite://", "no file"),
        ("hunter2", "no address"),
    ],
)
def test_addresses_that_are_refused(url: str, message: str) -> None:
    with pytest.raises(SourceSettingsError, match=message) as error:
        from_answers({"url": url, "password": "hunter2", "mapping": MAPPING}, TYPES)
    assert "hunter2" not in f"{error.value!r} {error.value}"


@pytest.mark.parametrize("url", ["mssql://reader@db/erp", "oracle://reader@db?service_name=erp"])
def test_a_driver_that_is_missing_is_named(url: str) -> None:
    try:
        from_answers({"url": url, "mapping": MAPPING}, TYPES)
    except SourceSettingsError as error:
        assert "requirements-databases.lock" in str(error)  # noqa: PT017 -- with the extra installed there is no error
