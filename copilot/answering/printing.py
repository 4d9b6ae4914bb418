"""Prints typed values for people. The verifier reads the printed text back with code of its own."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from copilot.domain.evidence import Record, Value
from copilot.domain.quantity import from_scaled
from copilot.semantic.forms import load_forms
from copilot.semantic.titles import load_titles

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~$&])")
_BLOCK_START = re.compile(r"^(\s*)([-=])")
_NUMBERED_START = re.compile(r"^(\s*\d+)([.)])(?=\s|$)")
_MOST_TEXT = 600
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols that nobody sees: fillers of Hangul, inherent vowels of Khmer, the empty Braille pattern."""
_SAYS = re.compile(r"[:;!?]\s|://|www\.|@|(?:[0-9]|\w{5})\.\s+\w", re.IGNORECASE)
"""What may make a name read as a statement of ours: the end of a sentence within it (after a longer word than most that
are abbreviated), a colon, an address."""
_DAY = "day"


def print_value(record: Record, value: Value) -> str | None:
    """The text of a value as plain text; None where there is none. Instants are shown in the record's time zone."""
    if value.raw is None or value.raw == "":
        return None
    if value.type in ("quantity", "amount") and not value.unit:
        return None  # a figure without its unit or currency says nothing
    return _PRINTERS[value.type](value, record.time_zone)


def called(name: str) -> str:
    """A name as it is told; in quotation marks where something is said in it, for those are not our words."""
    return f"“{name}”" if _SAYS.search(name) else name


def markdown(text: str) -> str:
    """Plain text as markdown that shows exactly that text: whatever a field holds, it is no link, image or heading."""
    escaped = _BLOCK_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", text))
    return _NUMBERED_START.sub(r"\1\\\2", escaped)


def clean(text: str) -> str:
    """One line without control, format or bidirectional characters, cut at a length fit for an answer."""
    line = " ".join((text if text.isascii() and text.isprintable() else _visible(text)).split())
    return line if len(line) <= _MOST_TEXT else line[: _MOST_TEXT - 1] + "…"


def _visible(text: str) -> str:
    """A text without what is not seen, every kind of blank as a plain one."""
    return "".join(
        " " if c.isspace() else c
        for c in text
        if c.isspace() or (unicodedata.category(c) not in ("Cc", "Cf") and c not in _UNSEEN)
    )


def wire_value(value: Value) -> str | int | bool | date | None:
    """A value as a fact carries it: scaled figures as exact decimal text, codes and texts as stored."""
    if isinstance(value.raw, int) and value.type in ("quantity", "amount", "ratio", "days"):
        return plain_decimal(from_scaled(value.raw))
    return value.raw


def plain_decimal(number: Decimal) -> str:
    """Without exponent and trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, noun: str) -> str:
    """ "1 line", "3 lines"; only the number where there is no noun."""
    if not noun:
        return _parted(number)
    return f"{_parted(number)} {load_forms().counted_as(noun)[number != 1]}"


def _text(value: Value, _: str) -> str | None:
    return clean(str(value.raw)) or None


def _code(value: Value, _: str) -> str | None:
    return clean(load_titles().word(str(value.raw))) or None


def _date(value: Value, _: str) -> str | None:
    return load_forms().day(value.raw) if isinstance(value.raw, date) else None


def _instant(value: Value, time_zone: str) -> str | None:
    if not isinstance(value.raw, datetime):
        return None
    local = value.raw.astimezone(ZoneInfo(time_zone))
    return load_forms().instant_form.format(date=load_forms().day(local), time=f"{local:%H:%M}", zone=local.tzname())


def _number(raw: object) -> Decimal:
    return from_scaled(raw if isinstance(raw, int) else 0)


def _quantity(value: Value, _: str) -> str | None:
    return f"{_grouped(_number(value.raw), 0)} {clean(value.unit or '')}".strip()


def _amount(value: Value, _: str) -> str | None:
    return f"{_grouped(_number(value.raw), 2)} {clean(value.unit or '')}".strip()


def _ratio(value: Value, _: str) -> str | None:
    return load_forms().percent.format(_grouped(round(_number(value.raw) * 100, 1) + 0, 0))


def _days(value: Value, _: str) -> str | None:
    number = round(_number(value.raw), 1) + 0  # no minus before a zero
    return f"{_grouped(number, 0)} {load_forms().counted_as(_DAY)[number != 1]}"


def _count(value: Value, _: str) -> str | None:
    return counted(value.raw, value.unit or "") if isinstance(value.raw, int) else None


def _flag(value: Value, _: str) -> str | None:
    return load_forms().yes if value.raw else load_forms().no


def _grouped(number: Decimal, least_places: int) -> str:
    """Thousands separated, at least so many decimal places, no needless zeros beyond."""
    whole, _, places = plain_decimal(number).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    places = places.ljust(least_places, "0")
    return f"{sign}{_parted(int(digits))}" + (f"{load_forms().decimal}{places}" if places else "")


def _parted(number: int) -> str:
    return f"{number:,}".replace(",", load_forms().thousands)


def _span(value: Value, _: str) -> str | None:
    if not isinstance(value.raw, date):
        return None
    forms, day, bucket = load_forms(), value.raw, value.unit or ""
    if bucket not in forms.spans:
        return forms.day(day)
    week = day.isocalendar()
    number, year = (week.week, week.year) if bucket == "week" else ((day.month + 2) // 3, day.year)
    return forms.spans[bucket].format(number=number, month=forms.months[day.month - 1], year=year)


def _reference(value: Value, _: str) -> str | None:
    del value
    return None


_PRINTERS = {
    "ident": _text,
    "text": _text,
    "code": _code,
    "ref": _reference,
    "date": _date,
    "instant": _instant,
    "quantity": _quantity,
    "amount": _amount,
    "ratio": _ratio,
    "days": _days,
    "count": _count,
    "flag": _flag,
    "span": _span,
}
