"""What every masker gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without the personal data found in it: each value is replaced by a token such as <EMAIL_1>."""

    text: str
    found: tuple[str, ...]
    """The kinds of data found, in order; never the values."""


class Masker(Protocol):
    """Finds personal data in a text and replaces it."""

    def mask(self, text: str) -> Masked: ...
