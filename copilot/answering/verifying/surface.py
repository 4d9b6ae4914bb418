"""Reads the rendered text for what no approved sentence holds: hidden characters, markup, figures in any script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, normalize, numeric

from copilot.answering.verifying.finding import Broken, broken

_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_SIGNS = "%‰‱"
_ESCAPE = re.compile(r"\\.")
_MARKUP = re.compile(
    r"<|>|`|~|\||\[|\]|_|\\$|&#?\w+;|^\s*#|^\s*\d+[.)](?=\s|$)|^\s*[+*]\s|^(?: {4}|\t)|^\s*(?:[-=*]\s*){3,}$"
)
"""What makes markdown lay out more than bold words and a list item, in a text whose escaped characters are masked."""
_STRESS = re.compile(r"\*\*[^*\s](?:[^*]*[^*\s])?\*\*|\*[^*\s](?:[^*]*[^*\s])?\*")
_ADDRESS = re.compile(r"\S*(?:://|www\.|@)\S*")
_PIECE = re.compile(r"[^\s*\0]+")


def text_rules(text: str) -> Iterator[Broken]:
    """The rules that the rendered markdown of a claim breaks."""
    if not text.isprintable():
        hidden = {c for c in text if category(c) in _HIDDEN}
        yield from broken("hidden_character", (f"U+{ord(c):04X}" for c in sorted(hidden)))
    masked = _ESCAPE.sub("x", text)
    yield from broken("markup", (found.group() for found in _MARKUP.finditer(masked)))
    if "*" in _STRESS.sub("", masked):
        yield "markup", "*"


def rest_rules(rest: str) -> Iterator[Broken]:
    """The rules that a text breaks without its facts, \\0 for each."""
    yield from broken("markup", (found.group() for found in _ADDRESS.finditer(rest)))
    yield from broken("figure_without_fact", filter(_is_figure, _PIECE.findall(rest)))


def readable(text: str) -> str:
    """A text as it is read: without stress, without characters that nobody sees, letters in their plain form."""
    plain = text.replace("*", "")
    if not plain.isascii():
        plain = normalize("NFKC", "".join(c for c in plain if category(c) != "Cf"))
    return re.sub(r"[^\S\0]+", " ", plain)


def _is_figure(word: str) -> bool:
    """Whether a word has a digit, a numeral of any script, or the sign of a share or a currency."""
    if word.isascii():
        return any(c.isdigit() or c in "%$" for c in word)
    known = (numeric(c, None) is not None or c in _SIGNS or category(c) == "Sc" for c in word)
    return any(known) or any(c.isdigit() for c in normalize("NFKC", word))
