"""Reversible pseudonyms: what a conversation put in place of its values, and the way back.

A token carries a kind and a number, and nothing of the value: `<PERSON_1>`. Within a conversation the same words always
get the same token. A piece of a text that has this form already becomes a token of its own, so that nobody gets at a
value by typing its token.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from redaction.finds import Find, joined

TOKEN = re.compile(r"<([A-Z][A-Z_]*)_([1-9][0-9]*)>")
TYPED = "TEXT"
"""The kind of a piece that looks like a token and is none of ours."""
Form = Callable[[Find, str], str | None]
"""What stands for a value of a find: None for a token, from which there is a way back."""
Origins = tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
"""What told of each part of a value: its source, and field and id of the records it may be from."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value behind a token, and what told of it when it was found last."""

    value: str
    origins: Origins = ()


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

    def __init__(self, kept: Mapping[str, Kept] | None = None, *, highest: int = 0) -> None:
        """`highest` is the number of a token above which new ones begin: those before it stood for something once.

        Raises ValueError where something is no token of ours, or two are of the same value and kind.
        """
        self._kept: dict[str, Kept] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._forgotten = highest
        self._last: Counter[str] = Counter()
        for token, each in (kept or {}).items():
            form = TOKEN.fullmatch(token)
            if form is None or (form[1], each.value) in self._tokens:
                raise ValueError(f"{token!r} is no token of a vault, or one of several for its value")
            self._keep(form[1], int(form[2]), each)

    @classmethod
    def from_bytes(cls, content: bytes) -> Vault:
        """A vault as `to_bytes` gives it. Raises ValueError where it is none."""
        body = json.loads(content)
        kept = {token: Kept(value, _origins(told)) for token, (value, told) in body["kept"].items()}
        return cls(kept, highest=body["forgotten"])

    def to_bytes(self) -> bytes:
        """All there is in it, to be kept sealed."""
        kept = {token: (each.value, each.origins) for token, each in self._kept.items()}
        return json.dumps({"forgotten": self._forgotten, "kept": kept}).encode()

    @property
    def highest(self) -> int:
        """The highest number of a token that there was."""
        return max((self._forgotten, *self._last.values()))

    @property
    def kept(self) -> Mapping[str, Kept]:
        """Token -> value and what told of it."""
        return dict(self._kept)

    def token(self, kind: str, value: str, origins: Origins = ()) -> str:
        """What stands for a value of a kind; what tells of it now takes the place of what did before."""
        token = self._tokens.get((kind, value))
        if token is None:
            return self._keep(kind, max(self._last[kind], self._forgotten) + 1, Kept(value, origins))
        self._kept[token] = Kept(value, origins)
        return token

    def mask(self, text: str, finds: Iterable[Find], form: Form = lambda _find, _value: None) -> str:
        """A text with tokens in place of what was found in it, or what `form` (find, value) gives instead of one."""
        pieces: list[str] = []
        done = 0
        for find in joined((*finds, *typed_tokens(text))):
            value = text[find.begin : find.end]
            instead = None if _looks_typed(find) else form(find, value)
            if instead is None:
                instead = self.token(find.kind, value, tuple((part.source, part.records) for part in find.parts))
            pieces += (text[done : find.begin], instead)
            done = find.end
        return "".join((*pieces, text[done:]))

    def unmask(self, text: str, may: Callable[[Kept], bool] = lambda _kept: True) -> Unmasked:
        """A text with values in place of tokens, of those that `may` lets be shown: a token in a text is no right to
        its value."""
        unknown: dict[str, None] = {}
        withheld: dict[str, None] = {}

        def value_of(match: re.Match[str]) -> str:
            token = match[0]
            kept = self._kept.get(token)
            if kept is None:
                unknown[token] = None
            elif not may(kept):
                withheld[token] = None
            else:
                return kept.value
            return token

        return Unmasked(text=TOKEN.sub(value_of, text), unknown=tuple(unknown), withheld=tuple(withheld))

    def _keep(self, kind: str, number: int, kept: Kept) -> str:
        token = f"<{kind}_{number}>"
        self._kept[token] = kept
        self._tokens[kind, kept.value] = token
        self._last[kind] = max(self._last[kind], number)
        return token


def typed_tokens(text: str) -> Iterator[Find]:
    """The pieces of a text that look like tokens."""
    return (Find(match.start(), match.end(), TYPED) for match in TOKEN.finditer(text))


def _looks_typed(find: Find) -> bool:
    """Whether a find has a typed token in it, which must not be left to stand."""
    return any(part.kind == TYPED for part in find.parts)


def _origins(told: list[list[list[str]]]) -> Origins:
    return tuple((str(source), tuple((str(field), int(row)) for field, row in records)) for source, records in told)
