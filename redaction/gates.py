"""What Presidio's recognizers can find at all, told cheaply: a text without candidates never loads Presidio.

A gate is a pattern that matches inside, or around, everything that its recognizer can find, or the words without which
the recognizer's finds do not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

BEFORE, AFTER = 48, 20
"""How many characters before and after a number may hold the word that tells what it is."""
DATES = re.compile(
    r"(?<![\w.+/-])(?:\d{4}-\d\d-\d\d|\d{1,2}([./])\d{1,2}\1(?:\d{4}|\d\d))(?![\w/-]|\.\d)"
    r"|(?<![\w.,])\d{1,3}(?:\.\d{3})+,\d\d(?![\w.,])"
)
"""Dates and amounts as people write them: no number of anybody, and by far the most of the digits in a question."""
_VAT_FORMS = (
    "ATU99999999", "BE9999999999", "BG999999999", "BG9999999999", "CY99999999A", "CZ99999999", "CZ999999999",
    "CZ9999999999", "DE999999999", "DK99999999", "EE999999999", "EL999999999", "GR999999999", "ESX9999999X",
    "FI99999999", "FRXX999999999", "GB999999999", "GB999999999999", "XI999999999", "HR99999999999", "HU99999999",
    "IE9X99999A", "IE9999999AA", "IT99999999999", "LT999999999", "LT999999999999", "LU99999999", "LV99999999999",
    "MT99999999", "NL999999999B99", "PL9999999999", "PT999999999", "RO999999", "RO9999999", "RO99999999", "RO999999999",
    "RO9999999999", "SE999999999999", "SI99999999", "SK9999999999", "CHE999999999",
)  # fmt: skip
"""VAT numbers by country (Council Directive 2006/112/EC, article 215, as VIES lists them): 9 a digit, A a letter, X
either."""
_SIGNS = {"9": r"\d", "A": "[A-Z]", "X": r"[A-Z\d]"}


def _vat() -> str:
    forms = sorted(_VAT_FORMS, key=len, reverse=True)
    return "|".join(
        form[:2] + "".join(rf"[ .-]?{letter if at == 0 and form[2] in 'UE' else _SIGNS.get(letter, letter)}"
                           for at, letter in enumerate(form[2:]))
        for form in forms
    )  # fmt: skip


VAT = rf"(?<![A-Z\d])(?:{_vat()})(?![A-Z\d])"
BIC = r"(?<![A-Z\d])[A-Z]{6}[A-Z\d]{2}(?:[A-Z\d]{3})?(?![A-Z\d])"
DE_TAX_ID = r"\b[1-9]\d ?\d{3} ?\d{3} ?\d{3}\b"
DE_PENSION = r"\b\d{2} ?\d{6} ?[A-Z] ?\d{3}\b"
NRIC = r"\b[STFGM]\d{7}[A-Z]\b"
WORDS: dict[str, tuple[str, ...]] = {
    "PHONE": (
        "tel", "phone", "telephone", "telefon", "cell", "cellphone", "mobile", "mobil", "handy",
        "rufnummer", "durchwahl", "fax", r"call(?!.?off)(?=[^#]*#)", "calling", "dial", "ring", "sms", "whatsapp",
        "anrufen", "rückruf", "hotline", "answering at", r"#\W{0,4}(?:office|work|home|privat|b\u00fcro)",
        "reach (?:me|him|her|us)",
    ),
    "CARD": ("credit", "card", "kreditkarte", "karte", "visa", "mastercard", "amex", "discover", "maestro"),
    "IBAN": ("iban",),
    "BIC": ("bic", r"swift(?=\W*#|.?code|[:)/])"),
    "SSN": ("social security", "ssn", "ssns", "social"),
    "ITIN": ("itin", "taxpayer", "tax id", "tin"),
    "EIN": ("ein", "fein", "employer id", "tax id", "federal tax"),
    "BANK": ("bank", "checking", "savings", "kontonummer", "kontonr", "konto-nr", "bankkonto", "bankverbindung"),
    "ROUTING": ("routing", "aba", "rtn"),
    "PASSPORT": ("passport", "reisepass", "passnummer", "pass-nr"),
    "LICENCE": ("driver", "driving licen[cs]e", "licen[cs]e number", "licen[cs]e", "führerschein", "fahrerlaubnis"),
    "DE_DOCUMENT": (
        "personalausweis", "ausweis", "identity card", "id card", "national id", "reisepass", "passnummer", "pass-nr",
        "passport",
    ),
    "DE_TAX_ID": ("steueridentifikation", "steuer-id", "steuerid", "idnr", "identifikationsnummer", "tax id"),
    "DE_TAX_NUMBER": ("steuernummer", "steuer-nr", "steuer nr", r"st\.?-nr", "finanzamt", "tax number"),
    "DE_PENSION": ("rentenversicherung", "sozialversicherung", "versicherungsnummer", "rvnr", "svnr", "sv-nummer"),
    "NRIC": ("nric", "fin"),
    "UEN": ("uen", "unique entity number", "acra"),
    "VAT": ("vat", "ust", "ustid", "ust-id", "umsatzsteuer", "uid", "mwst", "tva", "iva", "btw", "tax id"),
    "IP": ("ip", "ipv4", "ipv6"),
    "MAC": ("mac",),
    "WALLET": ("wallet", "btc", "bitcoin", "crypto"),
    "EMAIL": ("email", "e-mail", "mail"),
}  # fmt: skip
"""By recognizer: the words, English and German and as patterns, that tell what a number beside them is. A word of more
than four letters also begins longer ones: Telefonnummer. `#` is where the number stands."""


@cache
def leading(*names: str) -> re.Pattern[str]:
    """The words of some recognizers as one pattern."""
    words = sorted({word for name in names for word in WORDS[name.removesuffix("_LED")]}, key=len, reverse=True)
    forms = (word.replace(" ", "[ -]?") + ("" if len(word) > 4 else r"(?![^\W\d_])") for word in words)
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(forms)})", re.IGNORECASE)


def is_led(name: str, text: str, begin: int, end: int) -> bool:
    """Whether a word of a recognizer stands beside a piece of a text."""
    return leading(name).search(beside(text, begin, end)) is not None


def beside(text: str, begin: int, end: int) -> str:
    """What stands around a piece of a text, in whole words, with a # in its place."""
    first, last = max(0, begin - BEFORE), min(len(text), end + AFTER)
    while 0 < first < begin and text[first - 1].isalnum():
        first += 1
    while end < last < len(text) and text[last].isalnum():
        last -= 1
    return f"{text[first:begin]} # {text[end:last]}"


_SEP = r"[ ()./+\[\]~x-]{0,4}"


def _run(fewest: int) -> re.Pattern[str]:
    """So many digits with nothing between them but what groups digits."""
    return re.compile(rf"\d(?:{_SEP}\d){{{fewest - 1},}}")


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Gate:
    """What lets a text through to one recognizer."""

    name: str
    kind: str
    """What its finds are."""
    pattern: re.Pattern[str]
    led: bool = False
    """Whether one of its words must stand beside what the pattern matches."""


RUN = _run(6)
TOLD = re.compile(
    r"(?<![\w+])(?:(?P<US>\(?\+|\([1-9]|(?:1[-. ])?\d{3}([-. ])\d{3}\2\d{4}(?!\d))|(?P<SG>[689]\d{3}[ -]\d{4}(?!\d))"
    r"|(?P<DE>\(0|00[1-9]|0\d{1,5}[ /.()-]+\d))"
)
"""Beginnings that tell a phone number from a quantity: a country, a trunk zero and a group, groups as in the US (3-3-4)
or in Singapore (4-4); and the region as whose number it is read. Zeros before plain digits are an item number's."""
_TOLD_RUN = re.compile(
    rf"[+(\[]{{1,2}}\d(?:{_SEP}\d){{6,}}|00[1-9](?:{_SEP}\d){{4,}}|0\d{{1,5}}[ /.()-]+\d"
    r"|\d{3}([-. ])\d{3}\1\d{4}|[689]\d{3}[ -]\d{4}"
)
_TOKEN = _form(r"(?<![A-Z\d])(?:(?=[A-Z]*\d)[A-Z\d]{7,}|\d{2,3}[/ -]\d{3,7})")
_COUNTRIES = "|".join(sorted({form[:2] for form in _VAT_FORMS}))
_VAT = _form(
    r"(?<![A-Z\d])(?=[A-Z]{2}[ .-]?(?:[A-Z\d][ .-]?){0,2}\d)"  # far quicker to rule out than each of the countries
    rf"(?:{_COUNTRIES})[ .-]?(?:[A-Z\d][ .-]?){{0,2}}(?:\d[ .-]?){{5}}"
)
GATES = (
    Gate("EMAIL", "EMAIL", re.compile("@")),
    Gate("PHONE", "PHONE", _TOLD_RUN),
    Gate("PHONE_LED", "PHONE", RUN, led=True),
    Gate("CARD", "CARD", _run(13)),
    Gate("IBAN", "IBAN", _form(r"(?<![A-Z\d])[A-Z]{2}\d{2}[ -]?[A-Z\d]{4}")),
    Gate("BIC", "BIC", re.compile(BIC), led=True),
    Gate("VAT", "TAX_ID", _VAT),
    Gate("SSN", "ID_NUMBER", re.compile(r"\b\d{3}[- .]?\d{2}[- .]?\d{4}\b")),
    Gate("ITIN", "TAX_ID", re.compile(r"\b9\d{2}[- ]?\d{2}[- ]?\d{4}\b")),
    Gate("EIN", "TAX_ID", _TOKEN, led=True),
    Gate("BANK", "ACCOUNT", _TOKEN, led=True),
    Gate("ROUTING", "ACCOUNT", re.compile(r"\b\d{4}-?\d{4}-?\d\b"), led=True),
    Gate("PASSPORT", "ID_NUMBER", _TOKEN, led=True),
    Gate("LICENCE", "ID_NUMBER", _TOKEN, led=True),
    Gate("DE_DOCUMENT", "ID_NUMBER", _TOKEN, led=True),
    Gate("DE_TAX_ID", "TAX_ID", re.compile(DE_TAX_ID)),
    Gate("DE_TAX_NUMBER", "TAX_ID", _TOKEN, led=True),
    Gate("DE_PENSION", "ID_NUMBER", _form(DE_PENSION)),
    Gate("NRIC", "ID_NUMBER", _form(NRIC)),
    Gate("UEN", "TAX_ID", _form(r"\b(?:\d{8,9}|[TSR]\d{2}[A-Z]{2}\d{4})[A-Z]\b")),
    Gate("IP", "IP", _form(r"\d(?:\.\d{1,3}){3}|::|:[A-F\d]{1,4}(?::[A-F\d]{1,4}){4}")),
    Gate("MAC", "MAC", _form(r"[:-][A-F\d]{2}[:-][A-F\d]{2}[:-]|\.[A-F\d]{4}\.")),
    Gate("WALLET", "WALLET", _form(r"(?:bc1|[13])[A-Z\d]{25}")),
)
ANY = re.compile(r"@|\d(?:\D{0,4}\d){3}|::|[:-][\da-fA-F]{1,4}[:-]|[bB][iI][cC]|[sS][wW][iI][fF][tT]|\.[\da-fA-F]{4}\.")
"""Somewhere in every text that any gate lets through."""
_IN_RUNS = {"PHONE", "PHONE_LED", "CARD", "SSN", "ITIN", "ROUTING", "DE_TAX_ID", "DE_PENSION", "NRIC"}


def _by_pattern(*, in_runs: bool) -> dict[re.Pattern[str], tuple[Gate, ...]]:
    gates = [gate for gate in GATES if (gate.name in _IN_RUNS) == in_runs]
    return {gate.pattern: tuple(each for each in gates if each.pattern is gate.pattern) for gate in gates}


IN_RUNS, ELSEWHERE = _by_pattern(in_runs=True), _by_pattern(in_runs=False)
"""Gates that only a run of six digits and more can pass, and the others, by their patterns.
Of one pattern all need a word, or none does."""
