"""Identifiers of records that never existed, of the same shape as those of records that do."""

from __future__ import annotations

import re
from random import Random

from evals.proofs.cases import Anchor

_ECHO = "§"
_FAR = 9_000_000_000


def invented(anchor: Anchor, known: frozenset[str], draw: Random) -> str | None:
    """An identifier like the anchor's that names nothing; None for a name, and where none is left.

    Words of names mean other names as well, so for names only a world without the record can tell.
    """
    if anchor.field == "id":
        return f"{anchor.entity}#{_FAR + anchor.id}"
    if anchor.field == "name" or max(map(len, re.findall(r"\d+", anchor.text)), default=0) < 4:
        return None
    for _ in range(200):
        text = re.sub(r"\d{3,}", lambda run: _digits(run.group(), draw), anchor.text)
        if not known.intersection(_keys(text)):
            return text
    return None


def without_echo(text: str, identifier: str) -> str:
    """A text with every word of the identifier taken out of it, in whatever form it was printed."""
    plain = re.sub(r"\\([^\w\s]|_)", r"\1", text)
    for word in sorted({identifier, *re.split(r"[\s,;?!()\"]+", identifier)}, key=len, reverse=True):
        plain = plain.replace(word, _ECHO) if word else plain
    return plain


def _digits(run: str, draw: Random) -> str:
    return draw.choice("123456789") + "".join(draw.choice("0123456789") for _ in run[1:])


def _keys(text: str) -> set[str]:
    """The keys by which the database would look the text up."""
    number = re.sub(r"[\W_]", "", text.upper())
    loose = re.sub(r"(^|[^0-9])0+(?=[0-9])", r"\1", number)
    runs = re.findall(r"\d+", text)
    return {number, loose, *(run.lstrip("0") for run in runs)}
