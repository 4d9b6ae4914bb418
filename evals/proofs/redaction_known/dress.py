"""How letters, blanks, hyphens and digits of a value may be set without its being another one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from random import Random

Dress = Callable[[Random, str], str]
_GERMAN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ø": "oe", "Ø": "Oe", "ẞ": "SS"}
)
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f"
_EMBEDDING = "\u202a\u202c\u2066\u2069\u202d\u061c"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2212\uff0d\ufe63"
_BLANKS = "\u00a0\u202f\u2009\u2007\u2003\u3000"
_WIDE = {code: code + 0xFEE0 for code in range(ord("0"), ord("9") + 1)}
_WIDE_LETTERS = {code: code + 0xFEE0 for code in (*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1))}


def _within(random: Random, text: str, signs: str) -> str:
    """Signs that are not seen, between two letters or digits."""
    places = [at for at in range(1, len(text)) if text[at - 1].isalnum() and text[at].isalnum()]
    for at in sorted(random.sample(places, min(len(places), random.randint(1, 3))), reverse=True):
        text = text[:at] + random.choice(signs) + text[at:]
    return text


def _blanks(random: Random, text: str, choices: tuple[str, ...]) -> str:
    return re.sub(" ", lambda _: random.choice(choices), text)


def _without_marks(_: Random, text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


DRESSES: Mapping[str, Dress] = {
    "upper case": lambda _, text: text.upper(),
    "lower case": lambda _, text: text.lower(),
    "title case": lambda _, text: text.title(),
    "mixed case": lambda random, text: "".join(random.choice((c.upper(), c.lower())) for c in text),
    "decomposed": lambda _, text: unicodedata.normalize("NFD", text),
    "umlauts spelled out": lambda _, text: text.translate(_GERMAN),
    "umlauts spelled out in capitals": lambda _, text: text.translate(_GERMAN).upper(),
    "without marks": _without_marks,
    "zero-width inside": lambda random, text: _within(random, text, _UNSEEN),
    "soft hyphens inside": lambda random, text: _within(random, text, "\u00ad"),
    "direction marks inside": lambda random, text: _within(random, text, _EMBEDDING),
    "direction marks around": lambda random, text: f"{random.choice(_EMBEDDING)}{text}{random.choice(_EMBEDDING)}",
    "non-breaking blanks": lambda random, text: _blanks(random, text, tuple(_BLANKS)),
    "double blanks": lambda random, text: _blanks(random, text, ("  ", "   ", " \u00a0")),
    "tabs": lambda random, text: _blanks(random, text, ("\t", " \t")),
    "line breaks": lambda random, text: _blanks(random, text, ("\n", "\r\n", " \n", "\n ")),
    "zero-width beside blanks": lambda random, text: _blanks(random, text, ("\u200b ", " \u200b", " \ufeff")),
    "full-width digits": lambda _, text: text.translate(_WIDE),
    "full-width letters": lambda _, text: text.translate(_WIDE_LETTERS),
    "other hyphens": lambda random, text: text.replace("-", random.choice(_HYPHENS)),
    "without apostrophes": lambda _, text: re.sub("['\u2019]", "", text),
    "other apostrophes": lambda random, text: re.sub("['\u2019]", random.choice("'\u2019\u2018\u02bc`\u00b4"), text),
}
"""Name -> what it makes of a value."""
PLAIN = "plain"
BROKEN = "line breaks"
LEFT_OUT = "without apostrophes"


def dress(random: Random, text: str, *, one_line: bool) -> tuple[str, str]:
    """How a value is set, and the value so set; plain where that changes nothing."""
    name = random.choice((PLAIN, *DRESSES))
    if name == PLAIN or (one_line and name == BROKEN):
        return PLAIN, text
    dressed = DRESSES[name](random, text)
    return (name, dressed) if dressed != text else (PLAIN, text)
