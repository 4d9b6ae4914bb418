"""Wrong figures made of right ones, and other ways to write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_UNIT = re.compile(r"(?<=\d )[a-z]+\b")
_CURRENCY = re.compile(r"\b(USD|EUR|SGD)\b")
_CURRENCIES = ("USD", "EUR", "SGD", "GBP")
_UNITS = ("kg", "box", "each", "pallet")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})\b")
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ARABIC = "٠١٢٣٤٥٦٧٨٩"
_ZERO_WIDTH = "\u200b"
Change = Callable[[str, Random], str]


def wrong(text: str, draw: Random) -> str:
    """A printed value that is another one: its date, else its number."""
    if month := _MONTH.search(text):
        others = [each for each in _MONTHS if each != month[0]]
        return text[: month.start()] + draw.choice(others) + text[month.end() :]
    return _replaced(text, lambda number: f"{_number(number) + draw.randint(2, 9):g}")


def _swapped(text: str, draw: Random) -> str:
    """Two digits in each other's place, else one digit more."""
    for at in range(len(text) - 1):
        a, b = text[at], text[at + 1]
        if a.isdigit() and b.isdigit() and a != b:
            return text[:at] + b + a + text[at + 2 :]
    return _replaced(text, lambda number: f"{number}{draw.randint(1, 9)}")


def _rounded(text: str, draw: Random) -> str:
    del draw
    return _replaced(text, lambda number: f"about {round(_number(number) / 10 + 1) * 10}")


def _other_unit(text: str, draw: Random) -> str:
    unit = _UNIT.search(text)
    if unit is None:
        return wrong(text, draw) + " kg"
    return text[: unit.start()] + draw.choice([each for each in _UNITS if each != unit[0]]) + text[unit.end() :]


def _other_currency(text: str, draw: Random) -> str:
    currency = _CURRENCY.search(text)
    if currency is None:
        return wrong(text, draw) + " GBP"
    others = [each for each in _CURRENCIES if each != currency[0]]
    return text[: currency.start()] + draw.choice(others) + text[currency.end() :]


def _points(text: str, draw: Random) -> str:
    return text.replace("%", " percentage points") if "%" in text else wrong(text, draw) + "%"


def _sum(text: str, draw: Random) -> str:
    return f"{wrong(text, draw)} in total"


VALUES: Mapping[str, Change] = {
    "invented": lambda text, draw: f"{draw.randint(1, 28)} {draw.choice(_MONTHS)} 2031" if text else text,
    "digit_swapped": _swapped,
    "times_1000": lambda text, _: _replaced(text, lambda number: f"{_number(number) * 1000 + 1000:,.0f}"),
    "sign": lambda text, _: _replaced(text, lambda number: f"-{number}"),
    "unit": _other_unit,
    "currency": _other_currency,
    "points": _points,
    "over_rounded": _rounded,
    "wrong_sum": _sum,
}
"""How a printed value is turned into a wrong one."""


def in_words(text: str) -> str:
    """The digits as words."""
    return re.sub(r"\d", lambda digit: f" {_WORDS[int(digit[0])]} ", text).strip().replace("  ", " ")


def _translated(digits: str) -> Callable[[str], str]:
    return lambda text: text.translate({ord("0") + n: digit for n, digit in enumerate(digits)})


FORMS: Mapping[str, Callable[[str], str]] = {
    "number_words": in_words,
    "full_width": _translated("０１２３４５６７８９"),  # noqa: RUF001 -- the point of it
    "arabic": _translated(_ARABIC),
    "zero_width": _ZERO_WIDTH.join,
    "table": lambda text: f"| fact | value |\n| --- | --- |\n| promised | {text} |",
    "code_block": lambda text: f"```\n{text}\n```",
    "url": lambda text: f"https://figures.example/{text.replace(' ', '-')}",
    "image": lambda text: f"![{text}](https://figures.example/p.png?d={text.replace(' ', '')})",
    "html": lambda text: f"<b onclick='x()'>{text}</b>",
    "footnote": lambda text: f"{text}[^1]\n\n[^1]: {text}",
}
"""How a wrong value may be written so that it is not seen for one."""


def _replaced(text: str, change: Callable[[str], str]) -> str:
    number = _NUMBER.search(text)
    return text[: number.start()] + change(number[0]) + text[number.end() :] if number else f"{text} 7"


def _number(text: str) -> float:
    return float(text.replace(",", ""))
