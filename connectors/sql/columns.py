"""What kind of column a database has, and how a value of ours is compared with it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql
from sqlalchemy.types import TypeEngine

Kind = Literal["whole", "number", "text", "uuid", "date", "naive", "utc", "aware", "flag", "anything", "other"]
"""`naive`: a moment in the mapping's zone; `utc`: one that comes without a zone but in UTC; `anything`: SQLite, where a
column holds what was put into it."""

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}")
_ISO_DAY = "____-__-__%"
_FIRST_YEAR = date(1000, 1, 1)
"""Before it lie only dates that stand for none, such as MySQL's 0000-00-00."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column as the database describes it; `name` carries how it is quoted."""

    name: str
    kind: Kind
    type: TypeEngine[Any]


def kind_of(type_: TypeEngine[Any], dialect: str) -> Kind:
    """The kind of a reflected type."""
    if dialect == "sqlite":
        return "anything"
    if isinstance(type_, sa.DateTime):
        return _moment_kind(type_, dialect)
    kinds: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
        (sa.Date, "date"),
        (sa.Boolean, "flag"),
        (sa.Integer, "whole"),
        (sa.Numeric, "number"),
        (sa.Uuid, "uuid"),
        (sa.Enum, "other"),
        (sa.String, "text"),
    )
    for known, kind in kinds:
        if isinstance(type_, known):
            return kind
    return "other"


def _moment_kind(type_: sa.DateTime, dialect: str) -> Kind:
    if isinstance(type_, mysql.TIMESTAMP):
        return "utc"
    if isinstance(type_, mssql.DATETIMEOFFSET):
        return "aware"
    zoned = type_.timezone or bool(getattr(type_, "local_timezone", False))
    if dialect == "oracle":
        return "utc" if zoned else "naive"
    return "aware" if zoned else "naive"


def selected(column: sa.ColumnElement[Any], kind: Kind, dialect: str) -> sa.ColumnElement[Any]:
    """How a column is asked for. Oracle's driver drops the zone of a moment, so it is asked for in UTC."""
    return sa.func.sys_extract_utc(column) if dialect == "oracle" and kind == "utc" else column


def equal(column: sa.ColumnElement[Any], kind: Kind, key: str, *, trimmed: bool) -> sa.ColumnElement[bool] | None:
    """That a column holds the value a key was made of; None where it can't. `trimmed`: but for spaces at its end."""
    match kind:
        case "whole":
            return column == sa.literal(int(key), sa.BigInteger()) if _fits(key) else None
        case "number":
            number = _number(key)
            return None if number is None else column == sa.literal(number, sa.Numeric())
        case "uuid":
            found = _uuid(key)
            return None if found is None else column == sa.literal(found, sa.Uuid())
        case "date":
            day = _day(key)
            return None if day is None else column == sa.literal(day, sa.Date())
        case "text":
            held = sa.func.rtrim(column) if trimmed else column
            return held == sa.literal(key, sa.String())
        case "anything":
            return _equal_anything(column, key, trimmed=trimmed)
        case _:
            return None


def readable(kind: Kind) -> bool:
    """Whether rows can be asked for by a key of such a column."""
    return kind in {"whole", "number", "uuid", "date", "text", "anything"}


def since(
    column: sa.ColumnElement[Any], kind: Kind, lower: datetime, zone: ZoneInfo, dialect: str
) -> sa.ColumnElement[bool] | None:
    """That a column is not before a moment; None where the database can't tell, so that all rows have to be read."""
    local = _earliest_local(lower, zone)
    zeros = dialect in {"mysql", "mariadb"}
    match kind:
        case "aware":
            return column >= sa.literal(lower, sa.DateTime(timezone=True))
        case "utc":
            return column >= sa.literal(lower.replace(tzinfo=None), sa.DateTime())
        case "naive":
            return _not_before(column, sa.literal(local, sa.DateTime()), zeros=zeros)
        case "date":
            return _not_before(column, sa.literal(local.date(), sa.Date()), zeros=zeros)
        case "text" | "anything":
            # Text that begins like an ISO date is compared as such, a day early because of zones in it.
            day = sa.literal((local - timedelta(days=1)).date().isoformat(), sa.String())
            iso = column.like(sa.literal(_ISO_DAY, sa.String()))
            return sa.or_(column >= day, sa.not_(iso), column < sa.literal(_FIRST_YEAR.isoformat(), sa.String()))
        case _:
            return None


def _not_before(column: sa.ColumnElement[Any], lower: sa.ColumnElement[Any], *, zeros: bool) -> sa.ColumnElement[bool]:
    later = column >= lower
    return sa.or_(later, column < sa.literal(_FIRST_YEAR, sa.Date())) if zeros else later


def _earliest_local(lower: datetime, zone: ZoneInfo) -> datetime:
    """The clock's reading at a moment in UTC, from which on no later moment reads earlier.

    Where the clock is put back soon after, an hour of readings comes a second time.
    """
    here, soon = lower.astimezone(zone), (lower + timedelta(hours=4)).astimezone(zone)
    offset, later = here.utcoffset(), soon.utcoffset()
    back = offset - later if offset and later and offset > later else timedelta()
    return here.replace(tzinfo=None) - max(back, timedelta())


def moment_in_utc(value: object) -> object:
    """A moment of a `utc` column with its zone."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _equal_anything(column: sa.ColumnElement[Any], key: str, *, trimmed: bool) -> sa.ColumnElement[bool]:
    held = sa.func.rtrim(column) if trimmed else column
    choices: list[sa.ColumnElement[Any]] = [sa.literal(key, sa.String())]
    if _fits(key):
        choices.append(sa.literal(int(key), sa.BigInteger()))
    elif (number := _number(key)) is not None:
        choices.append(sa.literal(float(number), sa.Float()))
    return held.in_(choices)


def storable(key: str) -> bool:
    """Whether a database can hold such a text at all."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in key


def _fits(key: str) -> bool:
    return bool(_WHOLE.fullmatch(key)) and -(2**63) <= int(key) < 2**63


def _number(key: str) -> Decimal | None:
    try:
        found = Decimal(key)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) < 38 else None


def _uuid(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None


def _day(key: str) -> date | None:
    try:
        return date.fromisoformat(key)
    except ValueError:
        return None
