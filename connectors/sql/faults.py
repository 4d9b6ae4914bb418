"""Sorts what the drivers raise by what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

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

_Kind = type[ConnectorError]

_BY_CODE: dict[str, _Kind] = {
    # PostgreSQL, and the SQLSTATEs of ODBC
    **dict.fromkeys(("28P01", "28000", "28001"), SourceAuthFailedError),
    **dict.fromkeys(("3D000", "3F000", "IM002"), SourceSettingsError),
    "42501": SourceAccessDeniedError,
    **dict.fromkeys(("42P01", "42703", "42S02", "42S22"), SourceProtocolError),
    **dict.fromkeys(("57014", "HYT00", "HYT01", "25P03"), SourceTimeoutError),
    **dict.fromkeys(("55P03", "40001", "40P01", "53300", "53400", "57P03"), SourceBusyError),
    **dict.fromkeys(("57P01", "57P02", "58030"), SourceUnreachableError),
    # MySQL and MariaDB
    **dict.fromkeys(("1045", "1698", "1251", "2059", "2061"), SourceAuthFailedError),
    "1049": SourceSettingsError,
    **dict.fromkeys(("1044", "1142", "1143", "1370"), SourceAccessDeniedError),
    **dict.fromkeys(("1146", "1054", "1356"), SourceProtocolError),
    **dict.fromkeys(("3024", "1969"), SourceTimeoutError),
    **dict.fromkeys(("1205", "1213", "1040", "1203", "1226"), SourceBusyError),
    **dict.fromkeys(("2002", "2003", "2005", "2006", "2013", "2055", "1927", "1053", "0"), SourceUnreachableError),
    # Oracle
    **dict.fromkeys(("ORA-01017", "ORA-01005", "ORA-28000", "ORA-28001", "DPY-4001"), SourceAuthFailedError),
    **dict.fromkeys(("ORA-01031", "ORA-41900"), SourceAccessDeniedError),
    **dict.fromkeys(("ORA-00942", "ORA-00904"), SourceProtocolError),
    **dict.fromkeys(("ORA-01013", "DPY-4024", "DPI-1067"), SourceTimeoutError),
    **dict.fromkeys(("ORA-12516", "ORA-12519", "ORA-12520", "ORA-00018", "ORA-00020", "ORA-01555"), SourceBusyError),
    **dict.fromkeys(("ORA-12514", "ORA-12505"), SourceSettingsError),
}
_BY_WORDS: tuple[tuple[str, _Kind], ...] = (
    # in this order: what a driver says where it gives no code
    (r"password authentication failed|no pg_hba\.conf entry|no password supplied", SourceAuthFailedError),
    (r"role .* does not exist", SourceAuthFailedError),
    (r"login failed|access denied for user", SourceAuthFailedError),
    (r"database .* does not exist|cannot open database", SourceSettingsError),
    (r"select permission was denied|permission denied|insufficient privileges", SourceAccessDeniedError),
    (r"too many (clients|connections)|remaining connection slots|starting up|shutting down|is locked", SourceBusyError),
    (r"timed? ?out|timeout|interrupted", SourceTimeoutError),
    (r"no such (table|column)|does not exist|invalid (object|column) name|malformed|not a database|read-? ?only",
     SourceProtocolError),
)  # fmt: skip
_CODE = re.compile(r"\b(ORA-\d{5}|DP[YI]-\d{4})\b")


def typed(error: Exception, doing: str, secrets: Iterable[str] = ()) -> ConnectorError:
    """The error of ours for one of the driver's. Its message has the driver's first line, without any secret."""
    if isinstance(error, ConnectorError):
        return error
    if isinstance(error, PoolTimeoutError):
        return SourceBusyError(f"{doing}: all connections of this source are in use; try again later")
    if isinstance(error, NoSuchTableError):
        return SourceProtocolError(f"{doing}: there is no table {str(error)!r} any more")
    original = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return _kind(error, original)(f"{doing}: {_told(original, secrets)}")


def _kind(error: Exception, original: BaseException) -> _Kind:
    for code in _codes(original):
        if code in _BY_CODE:
            return _BY_CODE[code]
        if code.startswith("08") and len(code) == 5:
            return SourceUnreachableError
    text = str(original).lower()
    for words, kind in _BY_WORDS:
        if re.search(words, text):
            return kind
    # A driver's OperationalError is about the connection or the server; the rest is about what was said.
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or type(original).__name__ in {"OperationalError", "InterfaceError"} or isinstance(original, OSError):
        return SourceUnreachableError
    return SourceProtocolError


def _codes(error: BaseException) -> list[str]:
    first: Any = error.args[0] if error.args else ""
    found = [str(state) for state in (getattr(error, "sqlstate", None), first) if isinstance(state, str | int)]
    return [*(code for code in found if len(code) <= 9), *_CODE.findall(str(error))]


def _told(error: BaseException, secrets: Iterable[str]) -> str:
    text = " ".join(str(error).split())
    if not text or isinstance(error, SQLAlchemyError | UnicodeError):
        text = type(error).__name__
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return text if len(text) <= 240 else f"{text[:237]}..."
