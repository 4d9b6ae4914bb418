"""The words in which a language says amounts, read from its amounts.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from copilot.errors import ModelDefinitionError
from copilot.semantic.language import in_force, per_language
from copilot.understanding.words import fold

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountWords:
    """How one language says amounts. Phrases are folded words, or a sign as it is."""

    decimal: str
    numbers: Mapping[str, int]
    ones: frozenset[str]
    half: tuple[Phrase, ...]
    joins: frozenset[str]
    scales: Mapping[Phrase, int]
    glued: Mapping[str, int]
    money_scales: Mapping[str, int]
    percent: tuple[Phrase, ...]
    times: Mapping[Phrase, str]
    units: Mapping[Phrase, str]
    unit_codes: Mapping[str, frozenset[str]]
    """Unit -> how the codes of a source may write it, in lower case."""
    signs: Mapping[str, tuple[str, ...]]
    """Sign -> the currencies it may mean, the longest sign first."""
    currencies: Mapping[Phrase, tuple[str, ...]]

    full: frozenset[str] = frozenset()
    """Words that stand before a unit and make it no other: full, whole, single."""
    per: frozenset[str] = frozenset()
    """Words after which a unit is one of it: per box."""
    aside: tuple[Phrase, ...] = ()
    """What follows a unit that only says that it was converted."""
    vague: frozenset[str] = frozenset()
    """Words for units that as often mean something else: they are one where `into` stands before them."""
    into: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    """Words for units that as often mean pieces of anything: no unit that figures are asked for in."""
    lots: tuple[Phrase, ...] = ()
    """What stands before the number of a lot."""
    lines: tuple[Phrase, ...] = ()
    """What stands before the number of a line."""
    roles: Mapping[Phrase, tuple[str, ...]] = field(default_factory=dict[Phrase, tuple[str, ...]])
    """What people call the roles of contacts, and the codes that each may mean."""

    def same_unit(self, unit: str, code: str) -> bool:
        """Whether a unit that somebody said is the one that a source's code names."""
        return code.casefold() in self.unit_codes.get(unit, frozenset((unit,)))


@per_language
def load_amount_words() -> AmountWords:
    """The words of the language in force. Raises ModelDefinitionError naming what is not well formed."""
    return read_amount_words(in_force().read("amounts.yaml"))


def read_amount_words(body: Mapping[str, Any]) -> AmountWords:
    """The words as a file holds them. Raises ModelDefinitionError naming what is not well formed."""
    try:
        return AmountWords(
            decimal=body["decimal"], numbers=body["numbers"], ones=frozenset(body["ones"]),
            half=_phrases(body["half"]), joins=frozenset(body["and"]),
            scales={phrase: int(by) for by, said in body["scales"].items() for phrase in _phrases(said)},
            glued=body["glued"], money_scales=body["money_scales"], percent=_phrases(body["percent"]),
            times={phrase: name for name, said in body["times"].items() for phrase in _phrases(said)},
            units={phrase: name for name, unit in body["units"].items() for phrase in _phrases(unit["say"])},
            unit_codes={name: frozenset((name, *unit["codes"])) for name, unit in body["units"].items()},
            signs={sign: tuple(body["signs"][sign]) for sign in sorted(body["signs"], key=len, reverse=True)},
            currencies=_currencies(body),
            full=frozenset(body.get("full", ())), per=frozenset(body.get("per", ())),
            aside=_phrases(body.get("aside", ())), vague=frozenset(body.get("vague", ())),
            into=frozenset(body.get("into", ())), never=frozenset(body.get("never", ())),
            lots=_phrases(body.get("lots", ())), lines=_phrases(body.get("lines", ())),
            roles=_roles(body.get("roles", {})),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelDefinitionError(f"the words for amounts are not well formed: {error!r}") from error


def _currencies(body: Mapping[str, Any]) -> Mapping[Phrase, tuple[str, ...]]:
    said = {phrase: tuple(meant) for words, meant in body["currencies"].items() for phrase in _phrases([words])}
    return said | {(code.lower(),): (code,) for code in body["codes"]}


def _roles(body: Mapping[str, Any]) -> Mapping[Phrase, tuple[str, ...]]:
    said = {phrase for phrases in body.values() for phrase in _phrases(phrases)}
    return {phrase: tuple(code for code, phrases in body.items() if phrase in _phrases(phrases)) for phrase in said}


def _phrases(said: Iterable[str]) -> tuple[Phrase, ...]:
    folded = (tuple(fold(phrase).split()) or (phrase,) for phrase in said)  # a sign is no letter
    return tuple(sorted(folded, key=len, reverse=True))


def to_number(text: str, decimal: str, *, sure: bool) -> Decimal | None:
    """The number that figures with marks mean; None where it is none, or where it is not `sure` what its mark means."""
    other = "," if decimal == "." else "."
    whole, mark, part = text.partition(decimal)
    if mark and part.isdecimal() and _grouped(whole, other):
        doubtful = not sure and len(part) == 3 and other not in whole and 0 < len(whole) <= 3
        return None if doubtful else Decimal(whole.replace(other, "") + "." + part)
    if not mark and _grouped(text, other):
        return Decimal(text.replace(other, ""))
    if text.count(other) == 1 and _fraction(text, other):
        return Decimal(text.replace(decimal, "").replace(other, "."))
    if text.count(decimal) > 1 and _grouped(text, decimal):
        return Decimal(text.replace(decimal, ""))
    return None


def _fraction(text: str, mark: str) -> bool:
    """Whether a mark parts decimals although it is not the usual one: nothing else is possible."""
    whole, _, part = text.partition(mark)
    decimal = "," if mark == "." else "."
    return part.isdecimal() and _grouped(whole, decimal) and (len(part) != 3 or decimal in whole)


def _grouped(text: str, mark: str) -> bool:
    first, *groups = text.split(mark)
    if not first.isdecimal():
        return False
    return not groups or (len(first) <= 3 and all(len(group) == 3 and group.isdecimal() for group in groups))
