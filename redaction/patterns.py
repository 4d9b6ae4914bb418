"""Masks what personal data looks like by its form alone: e-mail addresses, phone numbers, bank and card numbers.

Names of people have no form; they are known from the records, which this masker does not read.
"""

from __future__ import annotations

import re

from redaction.base import Masked


def _always(found: str) -> bool:
    return bool(found)


def _iban(found: str) -> bool:
    """ISO 13616: the check digits make the rearranged number 1 modulo 97."""
    plain = found.replace(" ", "").upper()
    digits = "".join(str(int(c, 36)) for c in plain[4:] + plain[:4])
    return int(digits) % 97 == 1


def _card(found: str) -> bool:
    """ISO 7812: every second digit from the right doubled, the sum of all digits is a multiple of 10 (Luhn)."""
    digits = [int(c) for c in found if c.isdigit()][::-1]
    return sum(sum(divmod(2 * d, 10)) if n % 2 else d for n, d in enumerate(digits)) % 10 == 0


_PATTERNS = (
    ("EMAIL", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _always),
    ("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.IGNORECASE), _iban),
    ("CARD", re.compile(r"\b(?:\d{4}[ -]?){3}\d{4}\b"), _card),
    (
        "PHONE",
        re.compile(
            r"(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?|\(\d{2,5}\)[ .-]?)\d(?:[ ./-]?\d){5,12}\b"
            r"|\b\d{3}[.-]\d{3}[.-]\d{4}\b"
        ),
        _always,
    ),
)


class PatternMasker:
    """Replaces each find by <KIND_n>; the same value has the same token within the text."""

    def mask(self, text: str) -> Masked:
        """The text with tokens in place of the finds, and their kinds."""
        found: list[str] = []
        for kind, pattern, holds in _PATTERNS:
            tokens: dict[str, str] = {}
            for value in (match.group() for match in pattern.finditer(text)):
                if holds(value) and value not in tokens:
                    tokens[value] = f"<{kind}_{len(tokens) + 1}>"
            for value, token in tokens.items():
                text = text.replace(value, token)
            found += [kind] * len(tokens)
        return Masked(text=text, found=tuple(found))
