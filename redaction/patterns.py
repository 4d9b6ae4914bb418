"""Masks what personal data looks like by its form alone: e-mail addresses, phone numbers, bank and card numbers.

Names of people have no form; they are known from the records, which this masker does not read.
"""

from __future__ import annotations

import re
from itertools import count

from redaction.base import Masked

_PATTERNS = (
    ("EMAIL", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("CARD", re.compile(r"\b(?:\d{4}[ -]){3}\d{4}\b")),
    ("PHONE", re.compile(r"(?:\+\d{1,3}[ .-]?|\(\d{2,5}\)[ .-]?)\d(?:[ ./-]?\d){5,12}\b|\b\d{3}[.-]\d{3}[.-]\d{4}\b")),
)


class PatternMasker:
    """Replaces each find by <KIND_n>; the same value has the same token within the text."""

    def mask(self, text: str) -> Masked:
        """The text with tokens in place of the finds, and their kinds."""
        found: list[str] = []
        for kind, pattern in _PATTERNS:
            tokens: dict[str, str] = {}
            numbers = count(1)

            def token(match: re.Match[str], kind: str = kind, tokens: dict[str, str] = tokens) -> str:
                return tokens.setdefault(match.group(), f"<{kind}_{next(numbers)}>")  # noqa: B023 -- used within the loop

            text = pattern.sub(token, text)
            found += [kind] * len(tokens)
        return Masked(text=text, found=tuple(found))
