"""What is not looked for by design, to be told in numbers: a name is known by a first and a last word of it, a number
by all of its letters and digits, and everything by letters that stand there as letters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from urllib.parse import quote

from evals.proofs.redaction_known.columns import Value
from evals.proofs.redaction_known.texts import Author, Text, Writing
from evals.proofs.redaction_known.ways import core_of, parts_of

_Said = Callable[[Random, Value], str]


def _encoded(text: str, encoded: str) -> str:
    """What was encoded, where that makes a difference."""
    return encoded if encoded != text else ""


def _entities(text: str) -> str:
    return "".join(sign if sign.isascii() else f"&#{ord(sign)};" for sign in text)


def _halves(text: str, sign: str) -> str:
    name = parts_of(text)
    return f"{name.first}{sign}{name.surname}"


ASIDES: Mapping[str, tuple[str, _Said]] = {
    "a surname alone": ("person", lambda _, value: parts_of(value.text).surname),
    "a first name alone": ("person", lambda _, value: parts_of(value.text).first),
    "an unknown middle name": ("person", lambda _, value: _halves(value.text, " Theodor ")),
    "an initial without stop in lower case": (
        "person", lambda _, value: f"{value.text[0]} {parts_of(value.text).surname}".lower()
    ),
    "first and last name in fields of their own": (
        "person", lambda random, value: _halves(value.text, random.choice(";|"))
    ),
    "a name run together": ("person", lambda _, value: value.text.replace(" ", "")),
    "a slip of the keyboard": ("person", lambda random, value: _slip(random, value.text)),
    "one word of a company's name": ("company", lambda _, value: core_of(value.text).split()[0]),
    "initials of a company": ("company", lambda _, value: "".join(word[0] for word in value.text.split())),
    "an account's digits without its letters": ("account", lambda _, value: value.text.lstrip("CV-")),
    "an account of few digits without a word before it": ("few", lambda _, value: value.text),
    "a tax number without its country": ("tax", lambda _, value: value.text.lstrip("DEUSG ")),
    "a phone number's last digits": ("phone", lambda _, value: value.text[-4:]),
    "a street without its number": ("street", lambda _, value: value.text.strip("0123456789 ")),
    "a street's name in two words": (
        "street", lambda _, value: _encoded(value.text, value.text.replace("stra", " Stra"))
    ),
    "a city alone": ("place", lambda _, value: value.city),
    "a postal code alone": ("place", lambda _, value: value.text),
    "city and code with a state between": ("place", lambda _, value: f"{value.city}, TX {value.text}"),
    "an e-mail address spelled out": ("email", lambda _, value: value.text.replace("@", " at ").replace(".", " dot ")),
    "an e-mail address in per cent code": ("email", lambda _, value: quote(value.text)),
    "a name in per cent code": ("person", lambda _, value: quote(value.text)),
    "escaped in JSON": ("person", lambda _, value: _encoded(value.text, json.dumps(value.text)[1:-1])),
    "after an escaped line break": ("person", lambda _, value: f"\\n{value.text}"),
    "numeric entities": ("person", lambda _, value: _encoded(value.text, _entities(value.text))),
    "letters apart": ("person", lambda _, value: " ".join(value.text)),
    "divided at a line's end": ("person", lambda _, value: f"{value.text[:-2]}-\n{value.text[-2:]}"),
    "in other letters that look the same": ("person", lambda _, value: value.text.translate(_ALIKE)),
}  # fmt: skip
"""Name -> the sort of value, and what is said of it."""
_ALIKE = str.maketrans("aeopcxy", "\u0430\u0435\u043e\u0440\u0441\u0445\u0443")


def aside(name: str, author: Author, random: Random) -> Text | None:
    """A text with a value in a form that is not looked for; None where no value that was drawn has it."""
    sort, said_of = ASIDES[name]
    for _ in range(20):
        value = author.any_of(random, "account" if sort == "few" else sort)
        few = value.text.isdigit() and len(value.text) < 7
        said = said_of(random, value)
        if said and few == (sort == "few" or (few and sort != "account")):
            writing = Writing()
            writing.add("It is about ")
            writing.plant(said, value, name)
            writing.add(", as we said.")
            return writing.done
    return None


def _slip(random: Random, text: str) -> str:
    """Two letters the other way round."""
    at = random.randrange(1, len(text) - 2)
    return _encoded(text, f"{text[:at]}{text[at + 1]}{text[at]}{text[at + 2 :]}")
