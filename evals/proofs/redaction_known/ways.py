"""The ways in which people write names, firms and addresses: what is said in place of a recorded value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from evals.proofs.redaction_known.columns import Value
from evals.proofs.redaction_known.numbers import account_ways, phone_ways, tax_ways


@dataclass(frozen=True, slots=True)
class Written:
    """What is said of a value, between words that lead to it or follow and needn't be masked."""

    way: str
    said: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """The parts of a recorded name."""

    titles: str
    after: str
    given: tuple[str, ...]
    surname: str

    @property
    def first(self) -> str:
        """All that stands before the surname."""
        return " ".join(self.given)


RECORDED = "as recorded"
_TITLES = re.compile(r"^(?:(?:Prof|Dr)\.\s+)+")
_TAIL = re.compile(r"\s+(?:jr\.|sr\.|[a-z])$")
_PARTICLES = frozenset({"von", "van", "de", "der", "la", "Binte", "Bin", "Ní"})
_LEGAL = re.compile(
    r",?\s+(?:(?:GmbH|AG|KG|Inc\.|LLC|LLP|Co\.|Corp\.|Ltd\.|Pte\. Ltd\.)|GmbH & Co\. KG)$", re.IGNORECASE
)
_STREETS = (("straße", "str."), ("strasse", "str."), ("Straße", "Str."), ("Street", "St"), ("Avenue", "Ave"),
            ("Lane", "Ln"), ("Road", "Rd"), ("Boulevard", "Blvd"), ("Jalan", "Jln"), ("Lorong", "Lor"))  # fmt: skip
_UNITS = (", Unit 4", " Suite 200", ", Apt. 3B", " #05-12", ", 2. OG", " - Hinterhaus", ", Floor 3", " (rear)")


def ways(value: Value) -> list[Callable[[Random], Written]]:
    """Every way to write a value."""
    return [*_BY_SORT[value.sort](value)]


def parts_of(name: str) -> Name:
    """A recorded name's titles, given names and surname, which begins with its particles."""
    titles = "".join(_TITLES.findall(name)).strip()
    after = "".join(_TAIL.findall(name))
    words = name.removeprefix(titles).removesuffix(after).split()
    cut = next((at for at, word in enumerate(words) if at and word in _PARTICLES), len(words) - 1)
    return Name(titles, after, tuple(words[:cut]), " ".join(words[cut:]))


def core_of(company: str) -> str:
    """A company's name without its legal form."""
    return _LEGAL.sub("", company)


def _as(way: str, *said: str, before: str = "", after: str = "") -> Callable[[Random], Written]:
    """One of several sayings that count as one way."""
    return lambda random: Written(way, random.choice(said), before, after)


def _person(value: Value) -> Iterator[Callable[[Random], Written]]:
    name = parts_of(value.text)
    first, surname, given = name.first, name.surname, name.given
    initials = [each[0] for each in given]
    bare = f"{first} {surname}"
    yield _as(RECORDED, bare, before=f"{name.titles} ".lstrip(), after=name.after)  # a title tells of nobody
    yield _as("surname, given names", f"{surname}, {first}", f"{surname},{first}")
    yield _as("surname given names", f"{surname} {first}")
    yield _as(
        "initial and surname", f"{initials[0]}. {surname}", f"{initials[0]}.{surname}", f"{initials[0]} {surname}"
    )
    yield _as("all initials and surname", f"{'. '.join(initials)}. {surname}", f"{'.'.join(initials)}. {surname}")
    yield _as("surname and initial", f"{surname}, {initials[0]}.", f"{surname} {initials[0]}.")
    yield _as("middle initial", *(f"{given[0]} {sign} {surname}" for sign in ("M.", "K.", "J. R.", "T")))
    for title in ("Mr. ", "Ms ", "Dr. ", "Herr ", "Frau Dr. ", "Hr. ", "Prof. Dr. "):
        yield _as("after a title", bare, before=title)
    yield _as("title within", f"{surname}, Dr. {first}", f"{first}, Dr. {surname}")
    yield _as("possessive", bare, after="'s")
    yield _as("possessive", bare, after="\u2019s")
    genitive = "'" if surname[-1].lower() in "sxzß" else "s"
    yield lambda _: Written("genitive", f"{bare}{'s' if genitive == 's' else ''}", after=genitive.strip("s"))
    yield _as("first given name only", f"{given[0]} {surname}")
    yield _as("with underscores", bare.replace(" ", "_"), before="CV_", after="_2026.pdf")
    yield _as("emphasised", bare.replace(" ", "** **"), before="**", after="**")


def _company(value: Value) -> Iterator[Callable[[Random], Written]]:
    core, legal = core_of(value.text), value.text[len(core_of(value.text)) :].strip(" ,")
    yield _as(RECORDED, value.text)
    yield _as("legal form after a comma", f"{core}, {legal}")
    yield _as("legal form without stops", f"{core} {legal.replace('.', '')}")
    yield _as("possessive", value.text.rstrip("."), after="'s")
    if len(core.split()) > 1:  # one word of a company's name is not looked for
        yield _as("without legal form", core)
        yield _as("without legal form", core, after="'s")
        yield _as("other legal form", core, after=" GmbH und Co. KG")
        yield _as("with hyphens", core.replace(" & ", " ").replace(" ", "-") if "&" not in core else core)
        if " & " in core:
            yield _as("and in words", *(core.replace("&", word) for word in ("und", "and", "u.", "+")))
    if "GmbH & Co. KG" in value.text:
        yield _as("and in words", *(value.text.replace("&", word) for word in ("und", "+", "u.")))


def _street(value: Value) -> Iterator[Callable[[Random], Written]]:
    yield _as(RECORDED, value.text)
    for long, short in _STREETS:
        for one, other in ((long, short), (short, long)):
            if re.search(rf"{re.escape(one)}(?!\w)", value.text):
                said = re.sub(rf"{re.escape(one)}(?!\w)", other, value.text)
                yield _as("abbreviated or in full", said)
    for unit in _UNITS:
        yield _as("unit after it", value.text, after=unit)
    yield _as("comma before the number", re.sub(r" (\d+)$", r", \1", value.text))


def _place(value: Value) -> Iterator[Callable[[Random], Written]]:
    code, city = value.text, value.city
    yield _as("code and city", f"{code} {city}", f"{code}, {city}")
    yield _as("city and code", f"{city} {code}", f"{city}, {code}")
    yield _as("country before the code", f"{code} {city}", before="D-")
    yield _as("country after it", f"{code} {city}", after=", Germany")


def _email(value: Value) -> Iterator[Callable[[Random], Written]]:
    yield _as(RECORDED, value.text)
    around = {
        "in angles": (("<", ">"), ("&lt;", "&gt;")),
        "mailto": (("mailto:", ""), ("[write](mailto:", ")"), ("<mailto:", "?subject=order>")),
        "after a word": (("E-Mail:", ""), ("email=", ";"), ("cc ", ",")),
        "in a URL": (("https://x.example/find?to=", "&page=2"), ("https://x.example/u/", "/edit")),
        "in quotes": (('"', '"'), ("'", "'"), ("„", "“"), ("`", "`")),
    }
    for way, sides in around.items():
        for before, after in sides:
            yield _as(way, value.text, before=before, after=after)


def _number(value: Value, said: Mapping[str, tuple[str, ...]]) -> Iterator[Callable[[Random], Written]]:
    yield _as(RECORDED, value.text)
    for way, sayings in said.items():
        yield _as(way, *sayings)


def _phone(value: Value) -> Iterator[Callable[[Random], Written]]:
    yield from _number(value, phone_ways(value.text))
    yield _as("as a link", value.text, before="tel:")
    if value.text.startswith("+"):
        yield _as("dialled from America", value.text[1:], before="011 ")
    yield _as("extension after it", value.text, after=" ext. 7")


def _account(value: Value) -> Iterator[Callable[[Random], Written]]:
    if value.text.isdigit() and len(value.text) < 7:  # could be a quantity: a word before it tells, by design
        for lead in _LEADS:
            yield _as("digits after a word", value.text, before=lead)
    else:
        yield from _number(value, account_ways(value.text))
        yield _as("after a word", value.text, before="customer ")
        yield _as("after a sign", value.text, before="#")


def _tax(value: Value) -> Iterator[Callable[[Random], Written]]:
    yield from _number(value, tax_ways(value.text))
    yield _as("after a word", value.text, before="VAT ID: ")
    yield _as("after a word", value.text, before="USt-IdNr.")


_LEADS = ("customer ", "Customer no. ", "customer number: ", "account ", "Acct. #", "cust. no. ", "client ", "Kunde ",
          "Kundennummer: ", "Kunden-Nr. ", "Kundennr.: ", "Debitor ", "Debitoren-Nr. ", "Kd.-Nr. ", "KdNr. ",
          "Konto ", "customers 3 and ", '"customer_number": "', '"customerNumber": ', "account=", "Kundin Nr. ",
          "customer_id:", "Mandant ", "buyer no ")  # fmt: skip
_BY_SORT: Mapping[str, Callable[[Value], Iterator[Callable[[Random], Written]]]] = {
    "person": _person,
    "company": _company,
    "street": _street,
    "place": _place,
    "email": _email,
    "phone": _phone,
    "account": _account,
    "tax": _tax,
}
