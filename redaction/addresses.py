"""Street addresses by their form: as written in the United States, in Germany and in Singapore, and post boxes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from redaction.gazetteer import Find

_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|"
    "SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|PR"
)
_STREETS = (
    "(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Dr|Ct|Pl|Sq|Parkway|Pkwy|Highway|Hwy|Terrace|Ter|Cir|"
    "Crescent|Alley|Grove|Gardens|Mews|Quay)\\b|"
    "(?:Drive|Court|Place|Square|Circle|Trail|Way|Close|Walk|Row|Plaza|Loop|Heights|Hill|Park)\\b(?![ ][a-z]{3})"
)
"""The second ones are words too: then another follows."""
_SMALL = "street|avenue|boulevard|road|lane|drive"
_PLACE_WORD = r"[^\W\d_][\w.'\u2019-]{0,30}"
_LARGE = r"(?:[^\W\d_a-z\u00df-\u00f6\u00f8-\u00ff][\w.'\u2019-]{0,30}|\d{1,3}(?:st|nd|rd|th))"
_UNIT = r"(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Room|Rm|Flat)\.?[ ]?#?[ ]?\w{1,6}|#[ ]?[\w-]{1,8}"
_TOWN = rf"(?:,|[ ]?\n)[ ]?(?:{_LARGE}[ ]?){{1,4}}"
_ZIP = rf",?[ \n]{{0,2}}(?:{_STATES})[ \n]{{1,2}}\d{{5}}(?:-\d{{4}})?(?!\w)"
_BEYOND = rf"(?:[, \n]{{1,3}}(?:{_UNIT}))?(?:(?:{_TOWN})?{_ZIP}|,[ ](?:{_LARGE}[ ]?){{1,3}}(?=[.,;\n]|$))?"
_NUMBER = re.compile(r"\d{1,6}[A-Za-z]?(?:[/-]\d{1,4})?(?=[ ]{1,2}[^\W_])")
_NOT_IN_NAMES = (
    r"(?!(?:of|on|in|at|by|for|from|to|with|and|or|the|per|is|are|was|a|an|more|units?|pcs|boxes|orders?)\b)"
)
_ENGLISH = re.compile(
    rf"[ ]{{1,2}}(?:(?:{_LARGE}[ ]{{1,2}}){{1,4}}?(?:{_STREETS})\.?(?:[ ](?:[NSEW]{{1,2}}|North|South|East|West)\b)?"
    rf"|(?:{_NOT_IN_NAMES}{_PLACE_WORD}[ ]){{1,3}}?(?:{_SMALL})\b){_BEYOND}"
)
_ZIP_AFTER_TOWN = re.compile(rf",[ ](?:{_STATES})[ ]\d{{5}}(?:-\d{{4}})?(?!\w)")
_TOWN_BEFORE = re.compile(rf"(?:{_LARGE}[ ]){{0,3}}{_LARGE}$")
_TOWN_AFTER_CODE = (
    r"(?:[, \n]{1,3}(?:D-|DE-|A-|CH-)?\d{4,5}[ ]{1,2}[^\W\d_][\w.-]{1,30}"
    r"(?:[ ](?:am|an der|a\.|b\.|\()[ ]?\w{1,20}\)?)?)?"
)
_GERMAN = re.compile(
    r"(?:stra(?:\u00df|ss)e|str\.|weg|platz|allee|gasse|damm|ufer|chaussee)[ ]?\d{1,4}"
    rf"(?:[ ]?[a-z]\b|[ ]?[-/][ ]?\d{{1,4}})?{_TOWN_AFTER_CODE}",
    re.IGNORECASE,
)
_STREET_BEFORE = re.compile(r"(?:[A-Z\u00c4\u00d6\u00dc][\w.-]{0,30}[ -]){0,3}[\w-]{0,40}$")
_CODE = re.compile(r"-\d{4,5}[ ][A-Z\u00c4\u00d6\u00dc][\w.-]{1,30}")
_COUNTRY_BEFORE = re.compile(r"(?<!\w)(?:D|DE|A|CH)$")
_BOX = re.compile(
    rf"(?:\bP\.?[ ]?O\.?[ ]?Box|\bPostfach)[ ]\d[\d ]{{0,8}}\d?(?:{_TOWN}{_ZIP})?{_TOWN_AFTER_CODE}", re.IGNORECASE
)
_SINGAPORE = re.compile(
    rf"\b(?:Blk|Block)[ ]\d{{1,4}}[A-Z]?[ ,]{{1,2}}(?:{_LARGE}[ ]){{1,5}}\d{{0,3}}"
    r"(?:[, ]{1,2}#\d{1,3}-\d{1,5}[A-Z]?)?(?:[, ]{1,2}Singapore[ ]\(?\d{6}\)?)?"
    r"|#\d{2,3}-\d{1,5}[A-Z]?[, ]{1,2}Singapore[ ]\(?\d{6}\)?|\bSingapore[ ]\(?\d{6}\)?(?!\d)"
)
_FLAT = re.compile(
    r"\b(?:Apt|Apartment|Suite|Ste|Flat)\b\.?[ ]?#?\d{1,5}[A-Z]?\b"
    r"(?:(?:[ ,]*\n[^\w\n]{0,4}[^\W\d][^\d\n]{0,40}){0,2}\n?[^\w\n]{0,4}[^\d\n]{0,40}\b\d{4,6}(?![\w-]))?",
    re.IGNORECASE,
)
"""A flat, with the lines of town and country after it up to their code."""
_NUMBERED_LINE = re.compile(r"(?:^|\n)[^\w\n]{0,4}\d[^\n]{3,50}\n[^\w\n]{0,4}$")
_LABELLED = re.compile(
    r"\b(?:address(?:es)?(?:[ ](?:is|to)|[ ]?:)|lives at|live at|located at|moved to|sent to|"
    r"(?:liefer|rechnungs)?(?:adresse|anschrift)(?:[ ]ist|[ ]?:)|wohnt in|wohnhaft)\s{1,8}",
    re.IGNORECASE,
)
_LABEL_BODY = re.compile(
    r"(?!(?:be|the|that|this|my|our|your|same|as|where|which|order|for|in)\b)(?=[^\n]{0,30}\d)[\w#][^.;?!\n]{4,70}"
)
_ENDS = " ,.>?*-\n\t"
_LOOK_BACK = 60
_GLUED = frozenset(".,/-_0123456789")
"""A number after one of these is a part of another."""
_BY_WORD = (
    (("box", "postfach"), _BOX, "box"),
    (("singapore", "blk ", "block "), _SINGAPORE, "street"),
)
_FLAT_WORDS = ("apt", "apartment", "suite", "ste", "flat")
_GERMAN_WORDS = ("str", "weg", "platz", "allee", "gasse", "damm", "ufer", "chaussee")
_LABEL_WORDS = ("address", "adresse", "anschrift", "lives", "live at", "located", "moved", "sent to", "wohn")
"""A word without which the pattern finds nothing: telling that is much cheaper than the pattern."""


def addresses_in(text: str) -> Iterator[Find]:
    """The addresses of a text; they may overlap. Every one has a digit."""
    if not _DIGIT.search(text):
        return
    lower = text.lower()
    yield from _english(text)
    yield from _towns(text)
    for words, pattern, told in _BY_WORD:
        for match in pattern.finditer(text) if _has(lower, words) else ():
            yield _find(text, match.start(), match.end(), told)
    for match in _FLAT.finditer(text) if _has(lower, _FLAT_WORDS) else ():
        yield _find(text, _begin(_NUMBERED_LINE, text, match.start()), match.end(), "flat")
    if _has(lower, _GERMAN_WORDS):
        yield from _german(text)
    for label in _LABELLED.finditer(text) if _has(lower, _LABEL_WORDS) else ():
        body = _LABEL_BODY.match(text, label.end())
        if body:
            yield _find(text, body.start(), body.end(), "label")


def _english(text: str) -> Iterator[Find]:
    for number in _NUMBER.finditer(text):
        if number.start() and text[number.start() - 1] in _GLUED:
            continue
        street = _ENGLISH.match(text, number.end())
        if street:
            yield _find(text, number.start(), street.end(), "street")


def _towns(text: str) -> Iterator[Find]:
    for pattern, before in ((_ZIP_AFTER_TOWN, _TOWN_BEFORE), (_CODE, _COUNTRY_BEFORE)):
        for match in pattern.finditer(text):
            begin = _begin(before, text, match.start())
            if begin < match.start():
                yield _find(text, begin, match.end(), "town")


def _german(text: str) -> Iterator[Find]:
    for match in _GERMAN.finditer(text):
        begin = _begin(_STREET_BEFORE, text, match.start())
        if text[begin : match.start()].strip(" -"):
            yield _find(text, begin, match.end(), "street")


def _has(text: str, words: Iterable[str]) -> bool:
    return any(word in text for word in words)


def _begin(before: re.Pattern[str], text: str, end: int) -> int:
    """Where what stands right before a place begins, so far as it belongs to what follows."""
    found = before.search(text[max(0, end - _LOOK_BACK) : end])
    return max(0, end - _LOOK_BACK) + found.start() if found else end


_DIGIT = re.compile(r"\d")


def _find(text: str, begin: int, end: int, told: str) -> Find:
    said = text[begin:end]
    return Find(
        begin + len(said) - len(said.lstrip(_ENDS)), begin + len(said.rstrip(_ENDS)), "ADDRESS", f"context:{told}"
    )
