"""Reads printed facts back: every fact is the stored value of the record and field that it names, and nothing else.

Nothing here is shared with the printer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from unicodedata import category
from zoneinfo import ZoneInfo

from copilot.answering.verifying.finding import Broken
from copilot.domain.answer import Fact
from copilot.domain.evidence import Record, Value
from copilot.semantic.forms import load_forms
from copilot.semantic.language import per_language
from copilot.semantic.titles import load_titles

_SCALE = Decimal(1_000_000)
_SCALED_TYPES = ("quantity", "amount", "ratio", "days")
_MOST_NUMBERS = {"week": 53, "quarter": 4}
"""The highest number of a span; others have none."""
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_CUT_AT = 600
"""Characters at which a long text is cut off in print."""


def fact_rules(fact: Fact, records: Mapping[str, Record]) -> Iterator[Broken]:
    """The rules that a fact breaks."""
    source, _, field = fact.ref.partition(".")
    record = records.get(source)
    value = record.values.get(field) if record else None
    if record is None or value is None or value.raw is None:
        yield "reference_unknown", fact.ref
    elif fact.quoted:
        yield from _quote_rules(fact, value)
    else:
        if fact.unit != value.unit:
            yield "unit_differs", fact.ref
        if not _same_value(fact.value, value):
            yield "value_differs", fact.ref
        if not _reads_as(fact.text, value, record):
            yield "text_differs", fact.ref


def _same_value(carried: object, value: Value) -> bool:
    """Whether what the fact carries over the wire is the stored value."""
    if value.type not in _SCALED_TYPES or not isinstance(value.raw, int):
        return carried == value.raw and type(carried) is type(value.raw)
    return isinstance(carried, str) and bool(_PLAIN.fullmatch(carried)) and Decimal(carried) * _SCALE == value.raw


_LINK = re.compile(r"://|www\.|\S@\S|\b(?:mailto|javascript|data):|\b\w[\w-]*\.[a-z]{2,}\b", re.IGNORECASE)
"""An address, or what a channel would make one of."""
_MARKED_UP = re.compile(r"<\s*[/!?a-zA-Z]|!\[|\]\(|```|^\s*(?:#{1,6}\s|>|\|)|&#?\w+;")


def _quote_rules(fact: Fact, value: Value) -> Iterator[Broken]:
    """A quote is the whole of a text, letter for letter, and it leads nowhere and lays nothing out."""
    words, whole = fact.text, value.raw
    of_text = value.type == "text" and isinstance(whole, str)
    if not of_text or fact.value != words or fact.unit or not words or _shown(str(whole)) != words:
        yield "quote_differs", fact.ref
    if _LINK.search(words) or _MARKED_UP.search(words) or any(category(c) in ("Cc", "Cf") for c in words):
        yield "quote_unsafe", fact.ref


def _shown(raw: str) -> str:
    """A stored text as one line without control and format characters, and without letters that are blank."""
    seen = (c for c in raw if c.isspace() or not (category(c) in ("Cc", "Cf") or c in _BLANKS))
    return _flat("".join(seen))


def _reads_as(text: str, value: Value, record: Record) -> bool:
    """Whether a printed text, read back, is the stored value at the precision printed."""
    raw = value.raw
    match value.type:
        case "quantity" | "amount" | "ratio" | "days":
            return isinstance(raw, int) and _number_reads_as(text, raw, value)
        case "count":
            return isinstance(raw, int) and _count_reads_as(text, raw, value.unit or "")
        case "date":
            return isinstance(raw, date) and _read_date(text) == raw
        case "instant":
            return isinstance(raw, datetime) and _instant_reads_as(text, raw, record.time_zone)
        case "flag":
            return text == (load_forms().yes if raw else load_forms().no)
        case "span":
            return isinstance(raw, date) and _read_span(text, value.unit or "") == raw
        case "code":
            return bool(text) and _flat(text.replace("_", " ")) == _flat(load_titles().word(str(raw)))
        case _:
            return _text_reads_as(text, str(raw))


def _text_reads_as(text: str, raw: str) -> bool:
    """Letter for letter; a text cut off, as its ending says, only where it is long."""
    shown = _shown(raw)
    if text.endswith("…") and len(text) >= _CUT_AT:
        return shown.startswith(text[:-1].rstrip())
    return bool(text) and text in (shown, f"“{shown}”")


def _number_reads_as(text: str, raw: int, value: Value) -> bool:
    if value.type == "ratio":
        before, _, behind = load_forms().percent.partition("{}")
        number, named = (
            text.removeprefix(before).removesuffix(behind),
            text.startswith(before) and text.endswith(behind),
        )
    else:
        number, _, tail = text.partition(" ")
        named = tail in load_forms().counted_as("day") if value.type == "days" else tail == _flat(value.unit or "")
    read = _read_number(number)
    if read is None or not named:
        return False
    stored = Decimal(raw) / _SCALE * (100 if value.type == "ratio" else 1)
    step = Decimal("0.05") if value.type in ("ratio", "days") else Decimal(0)
    return abs(read - stored) <= step


def _count_reads_as(text: str, raw: int, noun: str) -> bool:
    number, _, tail = text.partition(" ")
    one, several = load_forms().counted_as(noun) if noun else ("", "")
    return _read_number(number) == raw and tail == (one if raw == 1 else several)


def _read_number(text: str) -> Decimal | None:
    """A number as we print them: thousands in threes, the mark before the decimals, no minus before a zero, nothing
    else."""
    if not _patterns().number.fullmatch(text):
        return None
    number = Decimal(text.replace(load_forms().thousands, "").replace(load_forms().decimal, "."))
    return None if number.is_signed() and not number else number


def _read_date(text: str) -> date | None:
    match = _patterns().date.fullmatch(text)
    if match is None:
        return None
    try:
        return date(int(match["year"]), _month(match["month"]), int(match["day"]))
    except ValueError:
        return None


def _read_span(text: str, bucket: str) -> date | None:
    """The first day of a printed span of the calendar."""
    if bucket == "day":
        return _read_date(text)
    pattern = _patterns().spans.get(bucket)
    match = pattern.fullmatch(text) if pattern else None
    if match is None:
        return None
    year, parts = int(match["year"]), match.groupdict()
    number = int(parts.get("number", 1))
    if number > _MOST_NUMBERS.get(bucket, 1):
        return None
    if bucket == "week":
        return date.fromisocalendar(year, number, 1)
    return date(year, _month(parts["month"]) if "month" in parts else number * 3 - 2, 1)


def _month(name: str) -> int:
    return load_forms().months.index(name) + 1


def _instant_reads_as(text: str, raw: datetime, time_zone: str) -> bool:
    match = _patterns().instant.fullmatch(text)
    local = raw.astimezone(ZoneInfo(time_zone))
    if match is None or match["zone"] != local.tzname():
        return False
    hour, minute = map(int, match["time"].split(":"))
    return _read_date(match["date"]) == local.date() and (hour, minute) == (local.hour, local.minute)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patterns:
    """How a language writes what has to be read back."""

    number: re.Pattern[str]
    date: re.Pattern[str]
    instant: re.Pattern[str]
    spans: Mapping[str, re.Pattern[str]]


@per_language
def _patterns() -> _Patterns:
    forms = load_forms()
    months = "|".join(map(re.escape, forms.months))
    places = {
        "day": r"[1-9]|[12][0-9]|3[01]", "month": months, "year": r"[0-9]{4}", "number": r"[1-9][0-9]?",
        "date": r".+?", "time": r"[0-9]{2}:[0-9]{2}", "zone": r"\S+",
    }  # fmt: skip

    def read(form: str) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", form)
        return re.compile("".join(f"(?P<{p}>{places[p]})" if n % 2 else re.escape(p) for n, p in enumerate(parts)))

    thousands, decimal = re.escape(forms.thousands), re.escape(forms.decimal)
    return _Patterns(
        number=re.compile(rf"-?[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})*(?:{decimal}[0-9]+)?"),
        date=read(forms.day_form), instant=read(forms.instant_form),
        spans={name: read(form) for name, form in forms.spans.items()},
    )  # fmt: skip


def _flat(text: str) -> str:
    return " ".join(text.split())
