"""Masking and unmasking the texts of one conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from redaction.finds import Find
from redaction.vault import Vault

_TOKEN = re.compile(r"<(?:PERSON|COMPANY|EMAIL|PHONE|ADDRESS|ACCOUNT|TAX_ID|TEXT)_[1-9][0-9]*>")
"""All that a token of a known value may say: the type, and a number."""


class Conversation:
    """Texts that are masked one after the other, kept as bytes in between."""

    def __init__(self) -> None:
        self._kept = Vault().to_bytes()
        self._texts: list[tuple[str, str]] = []

    def mask(self, text: str, finds: Sequence[Find]) -> str:
        """A text with tokens."""
        vault = Vault.from_bytes(self._kept)
        masked = vault.mask(text, finds)
        self._kept = vault.to_bytes()
        self._texts.append((text, masked))
        return masked

    def wrong(self) -> Iterator[str]:
        """How what comes back differs from what was said, in this text and all before; and tokens that say more."""
        vault = Vault.from_bytes(self._kept)
        for text, masked in self._texts:
            back = vault.unmask(masked)
            if back.text != text or back.unknown or back.withheld:
                yield f"{text!r} came back as {back.text!r} from {masked!r}"
        yield from (f"the token {token!r} says more than a type" for token in vault.kept if not _TOKEN.fullmatch(token))
