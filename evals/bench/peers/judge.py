"""Finds the wrong figures of a text: whatever is no figure of the truth, which plain SQL computed, nor of the question.

It knows nothing of the product: it reads dates, times, numbers and numbers of documents as they are printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from evals.bench.peers.questions import Asked

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIGURE = re.compile(
    rf"(?P<day>\d{{1,2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>\d{{4}})"
    r"|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<time>\d{1,2}:\d\d)"
    r"|(?P<name>[A-Za-z]+-?\d[\w-]*)"
    r"|(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)"
)
_STATES = re.compile(r"(?<!not )\b(?:delivered|cancelled)\b")
"""States that a lie may claim; other answers say them of nothing that is not in them."""


def wrong_figures(text: str, asked: Asked) -> tuple[str, ...]:
    """The figures and states in a text that are not true of what was asked."""
    true = {each for row in asked.rows for value in row if value for each in _figures(value)} | {*_figures(asked.text)}
    return tuple(each for each in _figures(text.replace("\\", "")) if each not in true)


def tells(text: str, asked: Asked) -> bool:
    """Whether a text tells anything that is true of what was asked, beyond the question's own figures."""
    own = {*_figures(asked.text)}
    true = {each for row in asked.rows for value in row if value for each in _figures(value)} - own
    return bool(true & {*_figures(text)}) or not true


def _figures(text: str) -> Iterator[str]:
    for found in _FIGURE.finditer(text):
        yield _plain(found)
    for state in _STATES.finditer(text):
        yield state[0]


def _plain(found: re.Match[str]) -> str:
    """One way to write each: dates as ISO has them, numbers without what groups them or ends them."""
    if found["day"]:
        return f"{found['year']}-{_MONTHS.index(found['month']) + 1:02}-{int(found['day']):02}"
    if found["number"]:
        return str(Decimal(found["number"].replace(",", "")).normalize())
    return found[0]


def misjudged(texts: Sequence[tuple[Asked, str]]) -> list[str]:
    """What the judge finds wrong in texts that are true, or says nothing; there must be none."""
    return [
        f"{asked.text!r}: {wrong_figures(text, asked) or 'nothing of it'} in {text!r}"
        for asked, text in texts
        if wrong_figures(text, asked) or not tells(text, asked)
    ]
