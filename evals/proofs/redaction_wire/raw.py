"""The oracle: every raw value of the records that may not reach a provider, and the finding of them in bytes. It knows
nothing of how masking finds them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ahocorasick
import psycopg
from psycopg import sql

_COLUMNS = (
    ("biz", "customer", ("number", "name", "tax_number")),
    ("biz", "supplier", ("number", "name", "tax_number")),
    ("biz", "customer_contact", ("name", "email", "phone")),
    ("biz", "supplier_contact", ("name", "email", "phone")),
    ("biz", "customer_address", ("street",)),
    ("biz", "shipment_recipient", ("signed_by", "street")),
    ("biz", "customer_note", ("author",)),
    ("biz", "purchase_note", ("author",)),
    ("directory", "person", ("name",)),
)
_FEWEST = 4
_DIGITS = re.compile(r"\D+")
_RUN = re.compile(r"(?<![\w-])\(?\+?\(?\d(?:[ ()./-]{0,3}\d)*(?![\w-])")
"""Digits as a phone number has them, and not those of a hash or an id."""


@dataclass(frozen=True, slots=True)
class RawValues:
    """The values, in one pattern over lower-case text, and phone numbers over digits alone."""

    texts: Any
    phones: Any
    count: int

    def found(self, received: bytes) -> tuple[str, ...]:
        """The values that stand in some bytes: in what they say as they are, and in what JSON says with them."""
        return tuple(dict.fromkeys(value for text in _said(received) for value in self._in(text)))

    def _in(self, text: str) -> Iterator[str]:
        folded = text.casefold()
        for end, value in self.texts.iter(folded):
            begin = end + 1 - len(value)
            if not (folded[begin - 1 : begin] or " ").isalnum() and not (folded[end + 1 : end + 2] or " ").isalnum():
                yield value
        for run in _RUN.finditer(text):
            yield from (phone for _, phone in self.phones.iter(_DIGITS.sub("", run[0])))


def read_raw(dsn: str) -> RawValues:
    """Read as the owner of everything."""
    library: Any = ahocorasick
    texts, phones = library.Automaton(), library.Automaton()
    with psycopg.connect(dsn) as owner:
        for schema, table, columns in _COLUMNS:
            for column in columns:
                query = sql.SQL("select distinct {} from {} where {} is not null").format(
                    sql.Identifier(column), sql.Identifier(schema, table), sql.Identifier(column)
                )
                for (value,) in owner.execute(query).fetchall():
                    if len(value) >= _FEWEST:
                        texts.add_word(value.casefold(), value.casefold())
                    if column == "phone":
                        digits = _DIGITS.sub("", value)
                        phones.add_word(digits, digits)
    texts.make_automaton()
    phones.make_automaton()
    return RawValues(texts, phones, len(texts))


def _said(received: bytes) -> Iterator[str]:
    whole = received.decode("utf-8", errors="replace")
    yield whole
    _, _, body = whole.partition("\n\n")
    try:
        yield from _strings(json.loads(body))
    except ValueError:
        return


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield str(name)  # pyright: ignore[reportUnknownArgumentType]
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(each)
    elif isinstance(value, str):
        yield value
        if value[:1] in "[{":
            try:
                yield from _strings(json.loads(value))
            except ValueError:
                return
