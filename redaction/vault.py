"""Reversible pseudonyms: what a conversation put in place of its values, and the way back.

A token carries a kind and a number, and nothing of the value: `<PERSON_1>`. Within a conversation the same words always
get the same token. A piece of a text that has this form already becomes a token of its own, so that nobody gets at a
value by typing its token.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from redaction.finds import Find, joined

TOKEN = re.compile(r"<([A-Z][A-Z_]*)_([1-9][0-9]*)>")
TYPED = "TEXT"
"""The kind of a piece that looks like a token and is none of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmasked:
    """A text with values in place of their tokens."""

    text: str
    unknown: tuple[str, ...] = ()
    """Tokens of nothing in this conversation, left as they are: somebody made them up."""
    withheld: tuple[str, ...] = ()
    """Tokens of values that were not to be shown, left as they are."""


class Vault:
    """The tokens of one conversation and their values."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        """Raises ValueError where something is no token of ours, or two are of the same value and kind."""
        self._values: dict[str, str] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._last: Counter[str] = Counter()
        for token, value in (values or {}).items():
            form = TOKEN.fullmatch(token)
            if form is None or (form[1], value) in self._tokens:
                raise ValueError(f"{token!r} is no token of a vault, or one of several for its value")
            self._keep(form[1], int(form[2]), value)

    @property
    def values(self) -> Mapping[str, str]:
        """Token -> value, to be kept sealed."""
        return dict(self._values)

    def token(self, kind: str, value: str) -> str:
        """What stands for a value of a kind."""
        token = self._tokens.get((kind, value))
        return token or self._keep(kind, self._last[kind] + 1, value)

    def mask(self, text: str, finds: Iterable[Find]) -> str:
        """A text with tokens in place of what was found in it."""
        typed = (Find(match.start(), match.end(), TYPED) for match in TOKEN.finditer(text))
        pieces: list[str] = []
        done = 0
        for find in joined((*finds, *typed)):
            pieces += (text[done : find.begin], self.token(find.kind, text[find.begin : find.end]))
            done = find.end
        return "".join((*pieces, text[done:]))

    def unmask(self, text: str, may: Callable[[str, str], bool] = lambda _kind, _value: True) -> Unmasked:
        """A text with values in place of tokens, of those that `may` (kind, value) lets be shown: a token in a text is
        no right to its value."""
        unknown: dict[str, None] = {}
        withheld: dict[str, None] = {}

        def value_of(match: re.Match[str]) -> str:
            token, kind = match[0], match[1]
            value = self._values.get(token)
            if value is None:
                unknown[token] = None
            elif not may(kind, value):
                withheld[token] = None
            else:
                return value
            return token

        return Unmasked(text=TOKEN.sub(value_of, text), unknown=tuple(unknown), withheld=tuple(withheld))

    def _keep(self, kind: str, number: int, value: str) -> str:
        token = f"<{kind}_{number}>"
        self._values[token] = value
        self._tokens[kind, value] = token
        self._last[kind] = max(self._last[kind], number)
        return token
