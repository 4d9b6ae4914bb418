"""Why something marked was not found: a class for each, worked out from the text."""

from __future__ import annotations

import re

from phonenumbers import is_valid_number, parse
from phonenumbers.phonenumberutil import NumberParseException

from evals.redaction.corpus import PREFIXES, Span, Text
from redaction.gates import is_led

_DECIDED = {
    "DATE_TIME": "a date: not masked by decision", "DOMAIN_NAME": "a web address: not masked by decision",
    "TITLE": "a profession: not masked by decision", "PREFIX": "a title: not masked by decision",
    "LOCATION": "a town or country by itself: not masked by decision",
    "ORGANIZATION": "a firm: needs the company's own names, or a model",
}  # fmt: skip
_SEARCHED, _OTHERS = (
    ("US", "DE", "SG"),
    ("GB", "FR", "IT", "ES", "AT", "CH", "NL", "BE", "SE", "DK", "NO", "PL", "BR", "AU"),
)
_UNIT = re.compile(r"(?:apt|suite|unit)\b", re.IGNORECASE)


def why_missed(text: Text, span: Span, found: frozenset[int]) -> str:
    """The class of a miss; `found` are the places that any find covers."""
    value = text.text[span.begin : span.end]
    if span.kind in _DECIDED:
        return _DECIDED[span.kind]
    if found & text.told(span):
        return "found in part"
    if span.kind == "PERSON":
        return _person(value)
    if span.kind == "ADDRESS":
        return _address(value)
    if span.kind == "PHONE_NUMBER":
        return _phone(text.text, span)
    return "no word beside it" if span.kind == "US_DRIVER_LICENSE" else "other"


def _person(value: str) -> str:
    if value.strip(".").lower() in PREFIXES:
        return "a title alone"
    words = "one word" if len(value.split()) == 1 else "two words or more"
    if value.islower():
        return f"{words} in small letters, without a lead"
    return f"{words}, without a lead"


def _address(value: str) -> str:
    if value.isdigit():
        return "a bare number: house, flat or code in a line of its own or beside a street"
    if _UNIT.match(value):
        return "a flat by itself"
    if not any(map(str.isdigit, value)):
        return "a street without a number"
    return "a street of a form not looked for, without a label"


def _phone(text: str, span: Span) -> str:
    value = text[span.begin : span.end]
    led = "" if is_led("PHONE", text, span.begin, span.end) else ", no word beside it"
    if any(_valid(value, region) for region in _SEARCHED):
        return f"valid in a region looked for{led}"
    return f"{'valid elsewhere only' if any(_valid(value, region) for region in _OTHERS) else 'valid nowhere'}{led}"


def _valid(value: str, region: str) -> bool:
    try:
        return is_valid_number(parse(value, region))
    except NumberParseException:
        return False
