"""The ways in which people write phone, account and tax numbers, and the company's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

_COUNTRIES = ("353", "49", "44", "41", "33", "65", "1")
_FEWEST = 7
"""A phone number without its country is looked for from so many digits on, by design."""
_LETTERS_APART = re.compile(r"(?<=[^\W\d_])(?=\d)")


def phone_ways(recorded: str) -> Mapping[str, tuple[str, ...]]:
    """Way -> the ways to dial or write a recorded number."""
    number = re.sub(r"\s*ext\.?\s*\d+$|^Tel\. |^\((?=\+)", "", recorded)
    if re.search("[A-Z]", number):
        return {"letters apart": (number.replace("-", " "),)}
    groups = re.findall(r"\d+", number.replace("(0)", ""))
    ways = {
        "digits only": ("".join(groups),),
        "groups apart": tuple(sign.join(groups) for sign in (" ", "-", ".", "/")),
    }
    international = number.startswith(("+", "00"))
    if not international:
        return ways
    country, *rest = _country_apart("".join(groups).removeprefix("00"), groups)
    national = "".join(rest)
    ways: dict[str, tuple[str, ...]] = {
        "plus": (f"+{country}{national}", f"+{country} {' '.join(rest)}", f"(+{country}) {'-'.join(rest)}"),
        "double zero": (f"00{country}{national}", f"00{country} {' '.join(rest)}", f"00 {country} {'/'.join(rest)}"),
        "dots and hyphens": (f"+{country}.{'.'.join(rest)}", f"+{country}-{'-'.join(rest)}"),
        "slashes": (f"+{country} {rest[0]} / {' '.join(rest[1:])}", f"+{country}/{'/'.join(rest)}"),
        "pairs": (f"+{country} {_grouped(national, 2, ' ')}", f"00{country} {_grouped(national, 2, '.')}"),
        "threes": (f"+{country} {_grouped(national, 3, ' ')}", f"+{country} {_grouped(national, 3, '-')}"),
        "without plus": (f"{country}{national}", f"{country} {' '.join(rest)}"),
    }
    if len(national) >= _FEWEST:
        zero = "" if country in ("1", "65") else "0"
        first, others = f"{zero}{rest[0]}", " ".join(rest[1:])
        ways["national"] = (
            f"{first} {others}", f"({first}) {others}", f"{first}/{''.join(rest[1:])}", f"{zero}{'-'.join(rest)}",
            f"{zero}{national}", f"{first} - {others}",
        )  # fmt: skip
        if zero:
            ways["zero in brackets"] = (
                f"+{country} (0){' '.join(rest)}", f"+{country}(0) {'-'.join(rest)}",
                f"00{country} (0) {' '.join(rest)}", f"+{country} (0) {rest[0]} / {' '.join(rest[1:])}",
            )  # fmt: skip
    return ways


def account_ways(recorded: str) -> Mapping[str, tuple[str, ...]]:
    """Way -> the ways to write a recorded account number of letters and digits."""
    plain = re.sub(r"[\W_]", "", recorded)
    parted = _LETTERS_APART.split(plain, maxsplit=1)
    return {
        "without hyphen": (plain,),
        "parted otherwise": tuple(sign.join(parted) for sign in (" ", ".", " - ", "/", "--")),
        "lower case without hyphen": (plain.lower(),),
    }


def tax_ways(recorded: str) -> Mapping[str, tuple[str, ...]]:
    """Way -> the ways to write a recorded tax number."""
    plain = re.sub(r"[\W_]", "", recorded)
    digits = plain.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    letters = plain.removesuffix(digits)
    return {
        "without signs": (plain,),
        "in threes": tuple(
            f"{letters}{apart}{_grouped(digits, 3, sign)}" for apart in ("", " ", "-") for sign in " .-"
        ),
        "in twos": (f"{letters} {_grouped(digits, 2, ' ')}",),
        "country apart": (f"{letters} {digits}".strip(), f"{letters}-{digits}".strip("-")),
    }


def identifier_ways(random: Random, number: str) -> tuple[str, str]:
    """How one of the company's own numbers is written, and the number so written."""
    spellings = {
        "as recorded": number,
        "upper case": number.upper(),
        "lower case": number.lower(),
        "blank for hyphen": number.replace("-", " "),
        "without hyphen": number.replace("-", ""),
    }
    way = random.choice([*spellings])
    return way, spellings[way]


def _country_apart(digits: str, groups: Sequence[str]) -> Sequence[str]:
    """The country's digits, and the groups of the rest."""
    country = next(each for each in _COUNTRIES if digits.startswith(each))
    rest = [group for group in groups if group not in (country, f"00{country}")]
    return country, *rest


def _grouped(digits: str, size: int, sign: str) -> str:
    return sign.join(digits[at : at + size] for at in range(0, len(digits), size))
