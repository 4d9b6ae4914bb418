"""Reads a draft the way a stranger would and finds a backing for everything it says, or rejects the claim.

It shares no code with the renderer: references are resolved in the evidence again, printed text is parsed back and
compared with the stored value, and every figure and every word of state in the text must come from such a fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from unicodedata import category
from zoneinfo import ZoneInfo

from copilot.answering.draft import Claim, Draft
from copilot.domain.answer import Fact
from copilot.domain.evidence import Evidence, Record, Value
from copilot.semantic.forms import load_forms
from copilot.semantic.language import ENGLISH, per_language, speaking
from copilot.semantic.titles import load_titles

_FIGURE = re.compile(r"[^\s*]*\d[^\s*]*")
_UNPRINTABLE = re.compile(r"<|!\[|\]\(")
_SCALE = Decimal(1_000_000)
_SCALED_TYPES = ("quantity", "amount", "ratio", "days")
_MOST_NUMBERS = {"week": 53, "quarter": 4}
"""The highest number of a span; others have none."""
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
    for rule, pattern in (("figure_without_fact", _FIGURE), ("number_word_without_fact", _patterns().number_word)):
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
            return text == (load_forms().yes if raw else load_forms().no)
        case "span":
            return isinstance(raw, date) and _read_span(text, value.unit or "") == raw
        case "code":
            return bool(text) and _flat(text.replace("_", " ")) == _flat(load_titles().word(str(raw)))
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
    """A number as we print them: thousands in threes, the mark before the decimals, nothing else."""
    if not _patterns().number.fullmatch(text):
        return None
    return Decimal(text.replace(load_forms().thousands, "").replace(load_forms().decimal, "."))


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
    number_word: re.Pattern[str]
    states: tuple[tuple[re.Pattern[str], tuple[Backing, ...]], ...]


@per_language
def _patterns() -> _Patterns:
    forms = load_forms()
    with speaking(ENGLISH):  # which is said where the language has no sentence of its own
        english = load_forms()
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
        number_word=_phrases((*forms.number_words, *english.number_words)),
        states=tuple((_phrases((*said, *english.states[name])), _STATES[name]) for name, said in forms.states.items()),
    )  # fmt: skip


def _phrases(said: Sequence[str]) -> re.Pattern[str]:
    """Any of some phrases, also where a part of one is set in bold."""
    words = (r" \*{0,2}".join(map(re.escape, phrase.split())) for phrase in said)
    return re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)


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
    "late": (_above_zero("days_late"),),
    "short": (_above_zero("missing"),),
    "delivered": (_is("status", "delivered"), _has("delivered_at"), _has("on_time_rate")),
    "cancelled": (_is("status", "cancelled"),),
    "quotation": (_is("status", "quotation"),),
    "blocked": (_is("blocked", True), _is("status", "blocked")),
    "signed": (_has("signed_by"),),
    "more": (_is("complete", False),),
    "differing": (_differs, _elsewhere_missing),
    "governing": (_has("governing_system"),),
    "approved": (_has("approved"),),
    "unmoved": (_is("moves", 0),),
    "moved": (_above_zero("moves"),),
    "new": (_is("change", "new"),),
    "removed": (_is("change", "removed"),),
}
"""What words state (forms.yaml has them) -> what a record that the claim speaks of must hold: any one of these."""


def _state_findings(claim: Claim, rest: str, records: Mapping[str, Record]) -> Iterator[Finding]:
    about = [records[source] for source in claim.about if source in records]
    for pattern, backings in _patterns().states:
        match = pattern.search(rest)
        if match and not any(backed(record) for record in about for backed in backings):
            yield Finding(claim.name, "state_without_fact", match.group())
