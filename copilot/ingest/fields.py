"""From a raw value to the text that COPY takes, by the semantic model's types."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from copilot.domain.quantity import to_scaled
from copilot.ingest.report import Reason
from copilot.semantic.model import Field

Convert = Callable[[object], str]

NULL = "\\N"
_SPECIAL = re.compile(r"[\\\t\n\r\x00]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_LARGEST_COUNT = 2**31 - 1


class RecordFaultError(Exception):
    """A record that can't be taken as it is; set aside with this reason, never raised out of the ingest."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def converter(field: Field) -> Convert:
    """What turns a value of this field into COPY text. The result raises RecordFaultError."""
    match field.type:
        case "ident" | "text" | "ref":
            return text
        case "code":
            return _code(frozenset(field.codes)) if field.codes else text
        case "date":
            return _date
        case "instant":
            return instant
        case "quantity" | "amount" | "ratio" | "days":
            return _scaled
        case "count":
            return _count
        case "flag":
            return _flag


def text(value: object) -> str:
    """Text as it is; blank text says nothing and becomes null."""
    if not isinstance(value, str):
        raise _wrong("text", value)
    blank = not value.strip()
    if _SPECIAL.search(value):
        if "\x00" in value:
            raise RecordFaultError(Reason.BAD_VALUE, "text with a zero character")
        value = value.translate(_ESCAPES)
    if not value.isascii():
        _encodable(value)
    return NULL if blank else value


def instant(value: object) -> str:
    """A moment with its offset."""
    if not isinstance(value, datetime):
        raise _wrong("a date and time", value)
    if value.tzinfo is None:
        raise RecordFaultError(Reason.BAD_TYPE, "a date and time without a time zone")
    return value.isoformat()


def _encodable(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RecordFaultError(Reason.BAD_VALUE, "text that is not Unicode") from None


def _code(codes: frozenset[str]) -> Convert:
    def convert(value: object) -> str:
        if value in codes:
            return str(value)
        if isinstance(value, str):
            raise RecordFaultError(Reason.UNKNOWN_CODE, f"{value[:60]!r} is none of {', '.join(sorted(codes))}")
        raise _wrong("a code", value)

    return convert


def _date(value: object) -> str:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _wrong("a date", value)
    return value.isoformat()


def _scaled(value: object) -> str:
    # No floats: what a source meant by 0.1 is the connector's to say.
    if not isinstance(value, Decimal | int) or isinstance(value, bool):
        raise _wrong("a decimal", value)
    try:
        return str(to_scaled(value))
    except ValueError as error:
        raise RecordFaultError(Reason.BAD_VALUE, str(error)) from None


def _count(value: object) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong("a whole number", value)
    if abs(value) > _LARGEST_COUNT:
        raise RecordFaultError(Reason.BAD_VALUE, f"{value!r} is too large for a count")
    return str(value)


def _flag(value: object) -> str:
    if not isinstance(value, bool):
        raise _wrong("true or false", value)
    return "t" if value else "f"


def _wrong(expected: str, value: object) -> RecordFaultError:
    # Only the type is named: the value may be somebody's address.
    return RecordFaultError(Reason.BAD_TYPE, f"expected {expected}, got {type(value).__name__}")
