"""A small source for the SQL connector in three kinds of database, and its mapping."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pymysql
import sqlalchemy as sa

from connectors.mapping.parse import parse_mapping
from connectors.sql.connector import SqlConnector, SqlSettings
from connectors.sql.dialects import Patience

TYPES: Mapping[str, Mapping[str, str]] = {
    "supplier": {"number": "ident", "name": "text", "status": "code", "country": "code", "tax_number": "ident"},
    "purchase_order": {
        "number": "ident", "supplier": "ref", "ordered": "date", "promised": "instant", "open": "flag",
    },
    "purchase_line": {"order": "ref", "item": "text", "ordered": "quantity", "price": "amount", "lines": "count"},
    "region": {"code": "ident"},
}  # fmt: skip

MAPPING = """
mapping: 1
system: Test ERP
time_zone: Europe/Berlin
codes: {status: {"1": active, "0": archived}}
pages: {supplier: "https://erp.example/vendor/{key}"}
entities:
  supplier:
    - from: vendor
      key: id
      changed: modified
      fields:
        number: {concat: [{constant: "V-"}, id]}
        name: {trim: name}
        status: {column: active, codes: status}
        country: country
        tax_number: tax
      labels: {site: site}
      company: {constant: main}
    - from: old_vendor
      prefix: old-
      key: code
      fields: {number: code, name: name, status: {constant: archived}}
      company: {constant: main}
  purchase_order:
    from: po
    key: nr
    changed: modified
    where: {kind: [A, B]}
    fields: {number: nr, supplier: vendor_id, ordered: order_date, promised: promised, open: is_open}
    labels: {site: site}
    company: {constant: main}
  purchase_line:
    from: po_line
    key: [po_nr, pos]
    changed: [modified, head.modified]
    join: {head: {from: po, on: {nr: po_nr}}}
    where: [{value: head.kind, in: [A, B]}]
    fields: {order: po_nr, item: item, ordered: {max: [{constant: 0}, qty]}, price: price}
    company: {constant: main}
  region:
    rows: [{key: EU, code: EU}]
    company: {constant: main}
"""

_DATES = {"postgresql": "timestamp", "mysql": "datetime(3)", "sqlite": "datetime"}


_TABLES = (
    """create table vendor (id integer primary key, name varchar(60), active smallint, country char(4),
       tax varchar(30), site char(6), modified {moment})""",
    "create table old_vendor (code varchar(20) primary key, name varchar(60))",
    """create table po (nr varchar(20) primary key, kind varchar(2), vendor_id integer, order_date date,
       promised {moment}, is_open smallint, site char(6), modified {moment})""",
    """create table po_line (po_nr varchar(20), pos integer, item varchar(30), qty numeric(12, 3),
       price numeric(14, 4), modified {moment}, primary key (po_nr, pos))""",
)


def fill(engine: sa.Engine) -> None:
    """The source's tables with rows in them, some of them awkward."""
    moment = _DATES[engine.dialect.name]
    with engine.begin() as connection:
        for statement in _TABLES:
            connection.exec_driver_sql(statement.format(moment=moment))
        _vendors(connection)
        _orders(connection)


def _vendors(connection: sa.Connection) -> None:
    insert = sa.text("insert into vendor values (:id, :name, :active, :country, :tax, :site, :modified)")
    for number in range(1, 41):
        connection.execute(
            insert,
            {
                "id": number,
                "name": f"  Müller & Söhne {number} ",
                "active": number % 2,
                "country": "DE",
                "tax": None if number % 3 else f"DE{number:09}",
                "site": "W1" if number % 5 else "W2",
                "modified": None if number == 7 else f"2024-03-{1 + number % 28:02} 10:00:00",
            },
        )
    for code, name in (("A/1", "Alt & Co"), ("A%1", "Prozent"), ("AB ", "Blank am Ende"), ("'; drop", "Bobby")):
        connection.execute(sa.text("insert into old_vendor values (:code, :name)"), {"code": code, "name": name})


def _orders(connection: sa.Connection) -> None:
    order = sa.text("insert into po values (:nr, :kind, :vendor, :day, :promised, :open, :site, :modified)")
    line = sa.text("insert into po_line values (:nr, :pos, :item, :qty, :price, :modified)")
    for number in range(1, 61):
        name = f"PO/{number}" if number % 4 == 0 else f"PO-{number}"
        row = {
            "nr": name,
            "kind": "ABC"[number % 3],
            "vendor": 1 + number % 40,
            "day": f"2024-02-{1 + number % 28:02}",
            "promised": "2024-10-27 02:30:00",
            "open": number % 2,
            "site": "W1",
            "modified": f"2024-03-{1 + number % 28:02} 23:30:00.123",
        }
        connection.execute(order, row)
        for position in (1, 2):
            qty = {"nr": name, "pos": position, "item": "I 1", "qty": 2.5, "price": 0.1 * number}
            connection.execute(line, {**qty, "modified": "2024-01-01 00:00:00"})


def connector(
    url: str, password: str = "", *, patience: Patience | None = None, mapping: str = MAPPING
) -> SqlConnector:
    """A connector with small pages."""
    return SqlConnector(
        SqlSettings(
            url=url,
            password=password,
            mapping=parse_mapping(mapping),
            page_size=16,
            patience=patience or Patience(connect=5, statement=20),
        ),
        TYPES,
    )


@contextmanager
def mute_server() -> Generator[int]:
    """The port of something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=20) as listening:
        yield listening.getsockname()[1]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextmanager
def mariadb(folder: Path) -> Generator[int]:
    """A MariaDB server of one's own; its port. The user `root` has the password `secret!`."""
    data, port = folder / "data", free_port()
    user = ["--user=root"] if os.geteuid() == 0 else []
    basedir = Path(shutil.which("mariadbd") or "").resolve().parents[1]
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--basedir={basedir}", f"--datadir={data}", *user,
         "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, capture_output=True,
    )  # fmt: skip
    process = subprocess.Popen(
        ["mariadbd", "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1", *user,
         f"--socket={folder / 's'}", f"--pid-file={folder / 'pid'}", "--innodb-buffer-pool-size=32M"],
        stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w"),
    )  # fmt: skip
    try:
        _until_up(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _until_up(port: int) -> None:
    for _ in range(150):
        try:
            with pymysql.connect(host="127.0.0.1", port=port, user="root") as root, root.cursor() as cursor:
                cursor.execute("create database erp")
                cursor.execute("create user reader@'%' identified by 'secret!'")
                cursor.execute("grant select on erp.* to reader@'%'")
                return
        except pymysql.err.OperationalError:
            time.sleep(0.2)
    raise AssertionError("MariaDB did not start")
