"""What differs between the databases: driver, time limits, and how a transaction is made read-only and steady.

Nothing but select is ever said to a source, apart from settings of the session itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError

from connectors.errors import SourceSettingsError

_ODBC_DRIVER = "ODBC Driver 18 for SQL Server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited, in seconds: for a connection, for a statement to answer, and for a confirmation."""

    connect: int = 10
    statement: int = 120
    confirm: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A kind of database. `prepare` sets a new connection up, `begin` makes a transaction a snapshot."""

    driver: str
    title: str
    options: frozenset[str]
    """What may stand after the ? of the address."""
    arguments: Callable[[Patience], dict[str, Any]]
    prepare: Callable[[Any, Patience], None]
    begin: tuple[str, ...] = ()
    abandon: Callable[[Any], None] = lambda _dbapi: None
    """What to do to a driver's connection before it is closed in the middle of a result."""
    isolation: Mapping[str, Any] = field(default_factory=dict[str, Any])
    system_schemas: frozenset[str] = frozenset()


def split_address(address: str, password: str) -> tuple[Dialect, URL]:
    """The dialect and the full address. Raises SourceSettingsError, which never repeats the address."""
    try:
        url = make_url(address.strip())
    except (ArgumentError, ValueError):
        raise SourceSettingsError(
            "'url' is no address of a database; it looks like postgresql://reader@db.example.com/erp"
        ) from None
    if url.password is not None:
        raise SourceSettingsError("there is a password in 'url'; take it out and give it as 'password', which is kept")
    dialect = DIALECTS.get(url.drivername.partition("+")[0])
    if dialect is None or url.drivername not in {dialect.driver, dialect.driver.partition("+")[0], "mariadb"}:
        raise SourceSettingsError(
            f"'url' begins with {url.drivername!r}; it can begin with {', '.join(sorted(DIALECTS))}"
        )
    strange = sorted(set(url.query) - dialect.options)
    if strange:
        known = ", ".join(sorted(dialect.options)) or "none"
        raise SourceSettingsError(
            f"'url' has the option {strange[0]!r}; for {dialect.title} these can be used: {known}"
        )
    if dialect is DIALECTS["sqlite"]:
        return dialect, _sqlite_address(url)
    if not url.host and "host" not in url.query:
        raise SourceSettingsError("'url' names no host")
    if dialect is DIALECTS["mssql"] and "driver" not in url.query:
        url = url.update_query_dict({"driver": _ODBC_DRIVER})
    return dialect, url.set(drivername=dialect.driver, password=password or None)


def _sqlite_address(url: URL) -> URL:
    if not url.database or url.database == ":memory:":
        raise SourceSettingsError("'url' names no file; it looks like sqlite:////data/erp.db")
    return url.set(database=f"file:{quote(str(Path(url.database).absolute()))}", query={"mode": "ro", "uri": "true"})


def begin(dialect: Dialect, connection: Connection) -> None:
    """Makes the transaction of this connection read-only and, where the database can, a snapshot."""
    for statement in dialect.begin:
        connection.exec_driver_sql(statement)


def _execute(dbapi: Any, *statements: str) -> None:
    cursor = dbapi.cursor()
    try:
        for statement in statements:
            cursor.execute(statement)
    finally:
        cursor.close()


def _postgresql(patience: Patience) -> dict[str, Any]:
    return {
        "connect_timeout": patience.connect,
        "application_name": "erp-copilot",
        "client_encoding": "utf8",
        "prepare_threshold": None,  # a prepared statement and a pooler before the database don't go together
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 1000 * patience.statement,
    }


def _prepare_postgresql(dbapi: Any, patience: Patience) -> None:
    from connectors.sql.postgresql import read_any_date  # noqa: PLC0415 -- psycopg only where it is used

    milliseconds = 1000 * patience.statement
    _execute(
        dbapi,
        f"select set_config('statement_timeout', '{milliseconds}', false), set_config('lock_timeout', '10000', false)",
    )
    dbapi.commit()
    read_any_date(dbapi)


def _mysql(patience: Patience) -> dict[str, Any]:
    return {
        "connect_timeout": patience.connect,
        "read_timeout": patience.statement,
        "write_timeout": patience.connect,
        "charset": "utf8mb4",
    }


def _prepare_mysql(dbapi: Any, _patience: Patience) -> None:
    # TIMESTAMP columns come in the session's zone; with UTC they are what the values are taken for.
    # A reader that merges between pages is slow in the server's eyes: it would be cut off after a minute.
    _execute(
        dbapi,
        "set session time_zone = '+00:00'",
        "set session net_write_timeout = 900",
        "set session transaction isolation level repeatable read, read only",
    )
    dbapi.commit()


def _abandon_mysql(dbapi: Any) -> None:
    result = getattr(dbapi, "_result", None)
    if result is not None:
        result.unbuffered_active = False  # its finaliser would read the rest from the closed connection


def _prepare_sqlite(dbapi: Any, _patience: Patience) -> None:
    dbapi.isolation_level = None  # BEGIN is said by us, so that a snapshot is one
    # Text that is no UTF-8 is handed on as what the ingest sets aside, instead of ending the pass.
    dbapi.text_factory = _text
    _execute(dbapi, "pragma query_only = 1")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _prepare_mssql(dbapi: Any, patience: Patience) -> None:
    dbapi.timeout = patience.statement


def _prepare_oracle(dbapi: Any, patience: Patience) -> None:
    dbapi.call_timeout = 1000 * patience.statement


_MYSQL = Dialect(
    driver="mysql+pymysql",
    title="MySQL and MariaDB",
    options=frozenset({"charset", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_cert", "ssl_verify_identity"}),
    arguments=_mysql,
    prepare=_prepare_mysql,
    abandon=_abandon_mysql,
    begin=("start transaction with consistent snapshot, read only",),
    system_schemas=frozenset({"information_schema", "mysql", "performance_schema", "sys"}),
)

DIALECTS: Mapping[str, Dialect] = {
    "postgresql": Dialect(
        driver="postgresql+psycopg",
        title="PostgreSQL",
        options=frozenset({"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding"}),
        arguments=_postgresql,
        prepare=_prepare_postgresql,
        isolation={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
        system_schemas=frozenset({"information_schema", "pg_catalog", "pg_toast"}),
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "mssql": Dialect(
        driver="mssql+pyodbc",
        title="SQL Server",
        options=frozenset({"driver", "Encrypt", "TrustServerCertificate", "ApplicationIntent", "MultiSubnetFailover"}),
        arguments=lambda patience: {"timeout": patience.connect},
        prepare=_prepare_mssql,
        system_schemas=frozenset(
            {"INFORMATION_SCHEMA", "sys", "guest", "db_owner", "db_accessadmin", "db_securityadmin", "db_ddladmin"}
            | {"db_backupoperator", "db_datareader", "db_datawriter", "db_denydatareader", "db_denydatawriter"}
        ),
    ),
    "oracle": Dialect(
        driver="oracle+oracledb",
        title="Oracle",
        options=frozenset({"service_name", "sid"}),
        arguments=lambda patience: {"tcp_connect_timeout": patience.connect},
        prepare=_prepare_oracle,
        begin=("set transaction read only",),
        system_schemas=frozenset({"sys", "system", "xdb", "ctxsys", "mdsys", "outln", "dbsnmp", "audsys", "wmsys"}),
    ),
    "sqlite": Dialect(
        driver="sqlite+pysqlite",
        title="SQLite",
        options=frozenset(),
        arguments=lambda patience: {"timeout": min(patience.connect, 5)},
        prepare=_prepare_sqlite,
        begin=("begin",),
    ),
}
