"""What the SQL connector says to databases that can't run here, and how it sorts what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql
from sqlalchemy.exc import DBAPIError

from connectors.base import Cursor
from connectors.errors import (
    ConnectorError,
    SourceAccessDeniedError,
    SourceAuthFailedError,
    SourceBusyError,
    SourceProtocolError,
    SourceSettingsError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from connectors.mapping.parse import parse_mapping
from connectors.mapping.rows import RowMapper
from connectors.sql.columns import TableColumn, kind_of
from connectors.sql.connector import SqlConnector, SqlSettings
from connectors.sql.faults import typed
from connectors.sql.layout import FoundTable, Layout
from connectors.sql.scan import Marks

_MAPPING = """
mapping: 1
system: x
time_zone: America/New_York
entities:
  item:
    from: dbo.Sales Order
    key: [No, Line]
    changed: [Changed, head.ts, head.txt]
    join: {head: {from: dbo.Header, on: {No: No}}}
    fields: {name: Select}
"""
_NEW_YORK = ZoneInfo("America/New_York")
_DIALECTS: Mapping[str, tuple[Any, Any]] = {
    "mssql": (mssql.dialect(), mssql.DATETIMEOFFSET()),
    "oracle": (oracle.dialect(), oracle.TIMESTAMP(timezone=True)),
    "mysql": (mysql.dialect(), mysql.TIMESTAMP()),
    "postgresql": (postgresql.dialect(), sa.DateTime(timezone=True)),
}


def _layout(dialect: str, moment: Any) -> Layout:
    mapping = parse_mapping(_MAPPING)
    types = {
        "": {"No": sa.String(), "Line": sa.Integer(), "Changed": sa.DateTime(), "Select": sa.String()},
        "head": {"No": sa.String(), "ts": moment, "txt": sa.String()},
    }
    tables = {
        alias: FoundTable(
            schema="dbo",
            name="Header" if alias else "Sales Order",
            columns={n: TableColumn(name=n, kind=kind_of(t, dialect), type=t) for n, t in columns.items()},
        )
        for alias, columns in types.items()
    }
    return Layout(RowMapper(mapping, mapping.entities[0], {}), tables, dialect)


@pytest.mark.parametrize("dialect", sorted(_DIALECTS))
def test_names_are_quoted_and_values_bound(dialect: str) -> None:
    spoken, moment = _DIALECTS[dialect]
    layout = _layout(dialect, moment)
    statements = [
        layout.everything(),
        layout.identities(),
        layout.changed_since(datetime(2024, 3, 1, tzinfo=UTC), _NEW_YORK),
        *layout.with_keys(["A\\/1/10", "A/1/10", "'; drop table x --/3", "nonsense", "A/ten", "\x00/1", "\udcff/1"]),
    ]
    texts = [str(select.statement.compile(dialect=spoken)) for select in statements]
    quotes = {"mssql": "[]", "mysql": "``"}.get(dialect, '""')
    for text in texts:
        assert text.startswith("SELECT ")
        assert f"{quotes[0]}Sales Order{quotes[1]}" in text
        assert "drop" not in text
    assert "JOIN" not in texts[1]
    assert len(statements) == 4
    bound = statements[3].statement.compile(dialect=spoken).params.values()
    assert list(bound) == ["A/1", 10, "'; drop table x --", 3]
    assert ("sys_extract_utc" in texts[0]) is (dialect == "oracle")


@pytest.mark.parametrize(
    ("moment", "local"),
    [
        (datetime(2024, 7, 1, 12, tzinfo=UTC), datetime.fromisoformat("2024-07-01 08:00")),
        # Half past one, and half an hour later the clock is put back: what reads one o'clock then must be read too.
        (datetime(2024, 11, 3, 5, 30, tzinfo=UTC), datetime.fromisoformat("2024-11-03 00:30")),
        (datetime(2024, 11, 3, 6, 30, tzinfo=UTC), datetime.fromisoformat("2024-11-03 01:30")),
        (datetime(2024, 3, 10, 6, 30, tzinfo=UTC), datetime.fromisoformat("2024-03-10 01:30")),
    ],
)
def test_no_later_moment_reads_earlier_than_the_border(moment: datetime, local: datetime) -> None:
    spoken, kind = _DIALECTS["mssql"]
    select = _layout("mssql", kind).changed_since(moment, _NEW_YORK)
    bound = select.statement.compile(dialect=spoken).params
    assert bound["param_1"] == local
    assert bound["param_2"] == moment


class _DriverError(Exception):
    sqlstate: str | None = None


def _pg(state: str, text: str = "") -> Exception:
    error = _DriverError(text or state)
    error.sqlstate = state
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_pg("28P01"), SourceAuthFailedError),
        (_pg("42501"), SourceAccessDeniedError),
        (_pg("42703"), SourceProtocolError),
        (_pg("57014"), SourceTimeoutError),
        (_pg("08006"), SourceUnreachableError),
        (_pg("53300"), SourceBusyError),
        (_pg("3D000"), SourceSettingsError),
        (_DriverError(1045, "Access denied"), SourceAuthFailedError),
        (_DriverError(1142, "SELECT command denied"), SourceAccessDeniedError),
        (_DriverError(2013, "Lost connection"), SourceUnreachableError),
        (_DriverError("28000", "[28000] Login failed for user 'reader'"), SourceAuthFailedError),
        (_DriverError("42S02", "[42S02] Invalid object name 'x'"), SourceProtocolError),
        (_DriverError("42000", "[42000] The SELECT permission was denied on the object"), SourceAccessDeniedError),
        (_DriverError("HYT00", "[HYT00] Login timeout expired"), SourceTimeoutError),
        (_DriverError("08001", "[08001] server not found"), SourceUnreachableError),
        (_DriverError("ORA-01017: invalid credential"), SourceAuthFailedError),
        (_DriverError("ORA-00942: table or view does not exist"), SourceProtocolError),
        (_DriverError("DPY-4024: call timeout of 1000 ms exceeded"), SourceTimeoutError),
        (_DriverError("ORA-12514: no such service"), SourceSettingsError),
        (OSError("no route"), SourceUnreachableError),
        (_DriverError("something else"), SourceProtocolError),
    ],
)
def test_what_drivers_raise_is_sorted_by_what_to_do(error: Exception, kind: type[ConnectorError]) -> None:
    found = typed(DBAPIError("select 1", {}, error), "reading item", ["hunter2"])
    assert type(found) is kind
    assert str(found).startswith("reading item: ")


def test_no_error_repeats_the_password() -> None:
    error = _DriverError("login with PWD=hunter2 failed")
    assert "hunter2" not in str(typed(DBAPIError("select", {"p": "hunter2"}, error), "reading", ["hunter2"]))


def test_marks_go_through_a_cursor_and_not_to_another_mapping() -> None:
    marks = Marks("abc", {"": datetime(2024, 1, 1, tzinfo=UTC), "p-": datetime(2024, 2, 1, tzinfo=UTC)})
    assert Marks.parse(marks.cursor(), "abc").latest == marks.latest
    assert Marks.parse(marks.cursor(), "other").latest == {}
    for text in ("", "{}", "[]", '{"of": "abc", "latest": {"": "2024-01-01"}}', "7"):
        with pytest.raises(SourceProtocolError, match="not one of this connector's"):
            Marks.parse(Cursor(text), "abc")


def test_settings_and_connector_do_not_show_the_password(tmp_path: Path) -> None:
    settings = SqlSettings(url=f"sqlite:///{tmp_path / 'x.db'}", password="hunter2", mapping=parse_mapping(_MAPPING))
    assert "hunter2" not in f"{settings!r} {SqlConnector(settings, {})!r}"
