"""Reads a draft the way a stranger would and finds a backing for everything it says, or rejects the claim.

It shares no code with the renderer: references are resolved in the evidence again, printed text is parsed back and
compared with the stored value, and every figure and every word of state in the text must come from such a fact.
"""

from __future__ import annotations

import re
from calendar import month_abbr
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from unicodedata import category
from zoneinfo import ZoneInfo

from copilot.answering.draft import Claim, Draft
from copilot.domain.answer import Fact
from copilot.domain.evidence import Evidence, Record, Value

_FIGURE = re.compile(r"[^\s*]*\d[^\s*]*")
_NUMBER_WORD = re.compile(
    r"\b(zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|half|twice)\b",
    re.IGNORECASE,
)
_UNPRINTABLE = re.compile(r"<|!\[|\]\(")
_MONTHS = {name: n for n, name in enumerate(month_abbr[1:], 1)}
_SCALE = Decimal(1_000_000)
_SCALED_TYPES = ("quantity", "amount", "ratio", "days")
_PRINTED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})*(?:\.[0-9]+)?")
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_CUT_AT = 600
"""Characters at which a long text is cut off in print."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a claim was rejected: the rule that found it and the words it is about."""

    claim: str
    rule: str
    words: str


def verify(draft: Draft, evidence: Evidence) -> tuple[Finding, ...]:
    """What can't be backed; nothing when the whole draft can be shown."""
    records = evidence.by_id()
    return tuple(finding for claim in draft.claims for finding in _findings(claim, records))


def _findings(claim: Claim, records: Mapping[str, Record]) -> Iterator[Finding]:
    for fact in claim.facts:
        for rule in _broken(fact, records):
            yield Finding(claim.name, rule, fact.ref)
    plain = re.sub(r"\\([^\w\s]|_)", r"\1", claim.text)
    rest = _without_facts(plain, claim.facts)
    for rule, pattern in (("figure_without_fact", _FIGURE), ("number_word_without_fact", _NUMBER_WORD)):
        for match in pattern.finditer(rest):
            yield Finding(claim.name, rule, match.group())
    for match in _UNPRINTABLE.finditer(re.sub(r"\\.", "", claim.text)):
        yield Finding(claim.name, "markup", match.group())
    yield from _state_findings(claim, rest, records)


def _broken(fact: Fact, records: Mapping[str, Record]) -> Iterator[str]:
    """The rules a fact breaks."""
    source, _, field = fact.ref.partition(".")
    record = records.get(source)
    value = record.values.get(field) if record else None
    if record is None or value is None or value.raw is None:
        yield "reference_unknown"
        return
    if fact.unit != value.unit:
        yield "unit_differs"
    if not _same_value(fact.value, value):
        yield "value_differs"
    if not _reads_as(fact.text, value, record):
        yield "text_differs"


def _same_value(carried: object, value: Value) -> bool:
    """Whether what the fact carries over the wire is the stored value."""
    if value.type not in _SCALED_TYPES or not isinstance(value.raw, int):
        return carried == value.raw and type(carried) is type(value.raw)
    return isinstance(carried, str) and bool(_PLAIN.fullmatch(carried)) and Decimal(carried) * _SCALE == value.raw


def _without_facts(text: str, facts: tuple[Fact, ...]) -> str:
    """The text with each fact taken out once, longest first, so that what is left was said without one."""
    for fact in sorted(facts, key=lambda f: -len(f.text)):
        text = text.replace(fact.text, "\0", 1)
    return text


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
            return text == ("yes" if raw else "no")
        case "span":
            return isinstance(raw, date) and _read_span(text, value.unit or "") == raw
        case "code":
            return bool(text) and _flat(text.replace("_", " ")) == _flat(str(raw).replace("_", " "))
        case _:
            return _text_reads_as(text, str(raw))


def _text_reads_as(text: str, raw: str) -> bool:
    """Letter for letter; a text cut off, as its ending says, only where it is long."""
    shown = _flat("".join(c for c in raw if category(c) not in ("Cc", "Cf") or c.isspace()))
    if text.endswith("…") and len(text) >= _CUT_AT:
        return shown.startswith(text[:-1].rstrip())
    return bool(text) and text == shown


def _number_reads_as(text: str, raw: int, value: Value) -> bool:
    if value.type == "ratio":
        number, tail = text[:-1], text[-1:]
        named = tail == "%"
    else:
        number, _, tail = text.partition(" ")
        named = tail in ("day", "days") if value.type == "days" else tail == _flat(value.unit or "")
    read = _read_number(number)
    if read is None or not named:
        return False
    stored = Decimal(raw) / _SCALE * (100 if value.type == "ratio" else 1)
    step = Decimal("0.05") if value.type in ("ratio", "days") else Decimal(0)
    return abs(read - stored) <= step


def _count_reads_as(text: str, raw: int, noun: str) -> bool:
    number, _, tail = text.partition(" ")
    return _read_number(number) == raw and tail in ({noun} if raw == 1 else {f"{noun}s"} if noun else {""})


def _read_number(text: str) -> Decimal | None:
    """A number as we print them: thousands in threes, a point before the decimals, nothing else."""
    return Decimal(text.replace(",", "")) if _PRINTED.fullmatch(text) else None


def _read_date(text: str) -> date | None:
    match = re.fullmatch(r"([1-9]|[12][0-9]|3[01]) ([A-Z][a-z]{2}) ([0-9]{4})", text)
    if match is None or match[2] not in _MONTHS:
        return None
    try:
        return date(int(match[3]), _MONTHS[match[2]], int(match[1]))
    except ValueError:
        return None


def _read_span(text: str, bucket: str) -> date | None:
    """The first day of a printed span of the calendar."""
    if bucket == "day":
        return _read_date(text)
    forms = {
        "week": r"week (?P<n>[1-9]|[1-4][0-9]|5[0-3]) of (?P<year>[0-9]{4})",
        "month": r"(?P<name>[A-Z][a-z]{2}) (?P<year>[0-9]{4})",
        "quarter": r"Q(?P<n>[1-4]) (?P<year>[0-9]{4})",
        "year": r"(?P<year>[0-9]{4})",
    }
    match = re.fullmatch(forms.get(bucket, "$^"), text)
    if match is None:
        return None
    year, parts = int(match["year"]), match.groupdict()
    if bucket == "week":
        return date.fromisocalendar(year, int(parts["n"]), 1)
    first = _MONTHS.get(parts["name"], 0) if "name" in parts else int(parts.get("n", 1)) * 3 - 2
    return date(year, first, 1) if first else None


def _instant_reads_as(text: str, raw: datetime, time_zone: str) -> bool:
    match = re.fullmatch(r"([^,]+), ([0-9]{2}):([0-9]{2}) (\S+)", text)
    local = raw.astimezone(ZoneInfo(time_zone))
    if match is None or match[4] != local.tzname():
        return False
    return _read_date(match[1]) == local.date() and (int(match[2]), int(match[3])) == (local.hour, local.minute)


def _flat(text: str) -> str:
    return " ".join(text.split())


Backing = Callable[[Record], bool]


def _is(field: str, *values: object) -> Backing:
    return lambda record: record.raw(field) in values


def _has(field: str) -> Backing:
    return lambda record: record.raw(field) is not None


def _above_zero(field: str) -> Backing:
    def positive(record: Record) -> bool:
        value = record.raw(field)
        return isinstance(value, int) and value > 0

    return positive


def _differs(record: Record) -> bool:
    """Whether a record holds two figures in one unit that are not the same."""
    pairs = (("quantity", "other_quantity", "unit", "other_unit"), ("compared", "other_compared", "unit", "unit"))
    for ours, theirs, unit, other_unit in pairs:
        if isinstance(record.raw(ours), int) and record.raw(unit) == record.raw(other_unit):
            return record.raw(ours) != record.raw(theirs)
    return False


def _elsewhere_missing(record: Record) -> bool:
    """Whether a record holds a figure of one system that is not zero, and names another system beside it."""
    return bool(record.raw("on_hand") and record.raw("system") and record.raw("other_system"))


_STATES: Mapping[str, tuple[Backing, ...]] = {
    r"\b(late|overdue)\b": (_above_zero("days_late"),),
    r"\bshort\b": (_above_zero("missing"),),
    r"\bdelivered\b": (_is("status", "delivered"), _has("delivered_at"), _has("on_time_rate")),
    r"\bcancelled\b": (_is("status", "cancelled"),),
    r"\bquotation\b": (_is("status", "quotation"),),
    r"\bblocked\b": (_is("blocked", True), _is("status", "blocked")),
    r"\bsigned by\b": (_has("signed_by"),),
    r"\bmore than\b": (_is("complete", False),),
    r"\bdisagree\b": (_differs, _elsewhere_missing),
    r"\bgoverns\b": (_has("governing_system"),),
    r"\b(approved)\b": (_has("approved"),),
    r"\bnot moved\b": (_is("moves", 0),),
    r"\bhas moved\b": (_above_zero("moves"),),
    r"\bis \*{0,2}new\b": (_is("change", "new"),),
    r"\bremoved\b": (_is("change", "removed"),),
}
"""Words that state something -> what a record that the claim speaks of must hold for them: any one of these."""


def _state_findings(claim: Claim, rest: str, records: Mapping[str, Record]) -> Iterator[Finding]:
    about = [records[source] for source in claim.about if source in records]
    for pattern, backings in _STATES.items():
        match = re.search(pattern, rest, re.IGNORECASE)
        if match and not any(backed(record) for record in about for backed in backings):
            yield Finding(claim.name, "state_without_fact", match.group())
