"""Reads a draft the way a stranger would and finds a backing for everything it says, or rejects the claim.

It shares no code with the renderer: references are resolved in the evidence again, printed text is parsed back and
compared with the stored value, and every figure and every word of state in the text must come from such a fact.
"""

from __future__ import annotations

import re
from calendar import month_abbr
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from copilot.answering.draft import Claim, Draft
from copilot.domain.answer import Fact
from copilot.domain.evidence import Evidence, Record, Value

_FIGURE = re.compile(r"[^\s*]*\d[^\s*]*")
_NUMBER_WORD = re.compile(
    r"\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|half|twice)\b",
    re.IGNORECASE,
)
_UNPRINTABLE = re.compile(r"<|!\[|\]\(")
_MONTHS = {name: n for n, name in enumerate(month_abbr[1:], 1)}
_SCALED = Decimal(1_000_000)


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
        rule = _fact_rule(fact, records)
        if rule:
            yield Finding(claim.name, rule, fact.ref)
    plain = re.sub(r"\\([^\w\s]|_)", r"\1", claim.text)
    rest = _without_facts(plain, claim.facts)
    for rule, pattern in (("figure_without_fact", _FIGURE), ("number_word_without_fact", _NUMBER_WORD)):
        for match in pattern.finditer(rest):
            yield Finding(claim.name, rule, match.group())
    for match in _UNPRINTABLE.finditer(re.sub(r"\\.", "", claim.text)):
        yield Finding(claim.name, "markup", match.group())
    yield from _state_findings(claim, rest, records)


def _fact_rule(fact: Fact, records: Mapping[str, Record]) -> str | None:
    """The rule a fact breaks, if it does."""
    source, _, field = fact.ref.partition(".")
    record = records.get(source)
    value = record.values.get(field) if record else None
    if record is None or value is None or value.raw is None:
        return "reference_unknown"
    if fact.unit != value.unit:
        return "unit_differs"
    return None if _reads_as(fact.text, value, record) else "text_differs"


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
            return isinstance(raw, int) and _leading_number(text) == raw
        case "date":
            return isinstance(raw, date) and _read_date(text) == raw
        case "instant":
            return isinstance(raw, datetime) and _instant_reads_as(text, raw, record.time_zone)
        case "flag":
            return text == ("yes" if raw else "no")
        case "code":
            return text.replace(" ", "_") == str(raw).replace(" ", "_")
        case _:
            shown = text.removesuffix("…")
            flat = " ".join(str(raw).split())
            return flat == text or _letters(flat).startswith(_letters(shown))


def _number_reads_as(text: str, raw: int, value: Value) -> bool:
    number, _, tail = text.partition("%") if value.type == "ratio" else text.partition(" ")
    try:
        read = Decimal(number.replace(",", ""))
    except InvalidOperation:
        return False
    stored = Decimal(raw) / _SCALED * (100 if value.type == "ratio" else 1)
    step = Decimal("0.05") if value.type in ("ratio", "days") else Decimal(0)
    unit = tail in ("day", "days") if value.type == "days" else tail == " ".join((value.unit or "").split())
    return abs(read - stored) <= step and unit


def _leading_number(text: str) -> int | None:
    match = re.match(r"-?[\d,]+", text)
    return int(match.group().replace(",", "")) if match else None


def _read_date(text: str) -> date | None:
    match = re.fullmatch(r"(\d{1,2}) (\w{3}) (\d{4})", text)
    return date(int(match[3]), _MONTHS[match[2]], int(match[1])) if match and match[2] in _MONTHS else None


def _instant_reads_as(text: str, raw: datetime, time_zone: str) -> bool:
    match = re.fullmatch(r"(\d{1,2} \w{3} \d{4}), (\d\d):(\d\d) \S+", text)
    local = raw.astimezone(ZoneInfo(time_zone))
    return (
        bool(match)
        and _read_date(match[1]) == local.date()
        and (int(match[2]), int(match[3])) == (local.hour, local.minute)
    )


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


_STATES: Mapping[str, tuple[tuple[str, str], ...]] = {
    r"\b(late|overdue)\b": (("measure", "days_late"),),
    r"\bshort\b": (("measure", "missing"),),
    r"\bdelivered\b": (("record", "delivered_at"), ("record", "status"), ("record", "on_time_rate")),
    r"\bsigned by\b": (("record", "signed_by"),),
    r"\bmore than\b": (("measure", "complete"),),
    r"\bdisagree\b": (("measure", "other_on_hand"),),
}
"""Words that state something -> what a record of the claim must hold for them: any one of (kind, field)."""


def _state_findings(claim: Claim, rest: str, records: Mapping[str, Record]) -> Iterator[Finding]:
    used = [records[source] for source in {f.ref.partition(".")[0] for f in claim.facts} if source in records]
    for pattern, backings in _STATES.items():
        match = re.search(pattern, rest, re.IGNORECASE)
        if match and not any(r.kind == kind and r.raw(field) is not None for r in used for kind, field in backings):
            yield Finding(claim.name, "state_without_fact", match.group())
