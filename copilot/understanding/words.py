"""Words of a question: how they are cut, folded and told apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from copilot.semantic.reading import read_yaml

_WORD = re.compile(r"(?:[^\s,;?!()\"“”„]|(?<=[0-9]),(?=[0-9]{1,3}(?![0-9A-Za-z])))+")
"""A comma stays between the figures of one number: 10,000."""
_BEFORE_FIGURE = re.compile(r"(?<!\S)([A-Za-z]{0,2}[$€£¥]|[<>≤≥≈~]=?)\s+(?=[0-9])")
_BEHIND_FIGURE = re.compile(r"(?<=[0-9])\s+([%$€£¥])(?!\S)")
_LONGEST_CONTRACTED = 10
_SPECIAL = str.maketrans({"ς": "σ", "ł": "l", "ø": "o", "đ": "d", "ß": "ss", "'": "", "’": ""})  # noqa: RUF001 -- the sigma is meant

STOP = frozenset(
    {
        "a",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "get",
        "give",
        "got",
        "had",
        "has",
        "have",
        "hello",
        "hey",
        "hi",
        "him",
        "her",
        "his",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "know",
        "let",
        "like",
        "looking",
        "make",
        "me",
        "my",
        "need",
        "now",
        "of",
        "ok",
        "okay",
        "on",
        "or",
        "our",
        "out",
        "please",
        "pls",
        "plz",
        "right",
        "see",
        "she",
        "he",
        "show",
        "so",
        "some",
        "tell",
        "than",
        "thank",
        "thanks",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "today",
        "up",
        "us",
        "wanna",
        "want",
        "was",
        "we",
        "were",
        "what",
        "which",
        "who",
        "whose",
        "will",
        "with",
        "would",
        "you",
        "your",
        "yet",
        "currently",
        "still",
        "exactly",
        "also",
        "again",
        "about",
        "go",
        "going",
        "being",
        "how",
        "when",
        "where",
        "why",
        "whats",
        "wheres",
        "hows",
        "whens",
        "im",
        "id",
        "ive",
        "lets",
        "theres",
        "thats",
        "check",
        "look",
        "find",
        "number",
        "no",
        "nr",
        "dear",
        "news",
        "asap",
        "morning",
        "afternoon",
        "good",
        "thx",
        "many",
        "much",
    }
)
"""Words that change nothing about what is asked."""

TURNING = frozenset(
    {
        "not",
        "never",
        "except",
        "without",
        "outside",
        "excluding",
        "besides",
        "unlike",
        "neither",
        "all",
        "closed",
        "cancelled",
        "canceled",
        "shipped",
        "returned",
        "last",
        "previous",
        "past",
        "next",
        "yesterday",
        "tomorrow",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "quarter",
        "since",
        "before",
        "after",
        "between",
        "until",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "safety",
        "minimum",
        "maximum",
        "only",
        "average",
        "total",
        "top",
        "worst",
        "most",
        "least",
        "fewest",
        "than",
        "mark",
        "send",
        "update",
        "book",
        "approve",
        "reject",
        "email",
        "pay",
        "refund",
        "like",
        "love",
        "predict",
        "forecast",
        "change",
        "release",
        "cancel",
        "delete",
        "remove",
        "create",
    }
)
"""Words that turn a question into another one: where nothing took account of them, nothing may be answered."""

HINTS: dict[str, tuple[str, ...]] = {
    "so": ("sales_order",),
    "order": ("sales_order", "purchase_order"),
    "orders": ("sales_order", "purchase_order"),
    "po": ("purchase_order", "sales_order"),
    "purchase": ("purchase_order",),
    "invoice": ("invoice",),
    "inv": ("invoice",),
    "bill": ("invoice",),
    "shipment": ("shipment",),
    "delivery": ("shipment",),
    "tracking": ("shipment",),
    "item": ("item",),
    "sku": ("item",),
    "part": ("item",),
    "product": ("item",),
    "gtin": ("item",),
    "customer": ("customer",),
    "client": ("customer",),
    "account": ("customer",),
    "supplier": ("supplier",),
    "vendor": ("supplier",),
    "return": ("return_order",),
    "rma": ("return_order",),
    "case": ("service_case",),
    "ticket": ("service_case",),
    "transfer": ("transfer",),
    "receipt": ("receipt",),
    "site": ("site",),
    "warehouse": ("site",),
    "contract": ("customer_contract",),
}
"""Words that say what kind of record the next word names."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the question: as typed and folded for comparison."""

    typed: str
    folded: str

    @property
    def has_digit(self) -> bool:
        """Whether it may be a number or part of one."""
        return any(character.isdigit() for character in self.typed)

    @property
    def bare_number(self) -> bool:
        """Whether it is digits and nothing else, but for a leading #."""
        return self.typed.removeprefix("#").isdecimal()


def cut(text: str) -> tuple[Word, ...]:
    """The words of a text, without the punctuation around them. A sign stays with its figure: 95 %, € 10."""
    plain = _BEHIND_FIGURE.sub(r"\1", _BEFORE_FIGURE.sub(r"\1", unicodedata.normalize("NFKC", text)))
    typed = (match.group().strip(".:'’*`") for match in _WORD.finditer(plain))
    words = (Word(word, fold(word)) for each in typed for word in (_drawn_together(each) or (_without_genitive(each),)))
    return tuple(word for word in words if word.folded)


def fold(text: str) -> str:
    """Lower case, no accents, nothing but letters, digits and single blanks. Mirrors core.fold in the database."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_SPECIAL)).lower()
    kept = "".join(" " if not c.isalnum() else c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


def is_place(words: Sequence[Word], position: int) -> bool:
    """Whether "us" is the country and not the people asking."""
    before = words[position - 1].folded if position else ""
    return words[position].typed == "US" or (words[position].folded == "us" and before in ("in", "the"))


def phrases_in(words: Sequence[Word], phrases: Iterable[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The phrases that occur as consecutive words, each with the positions it covers; the first occurrence counts."""
    pieces = [(piece, position) for position, word in enumerate(words) for piece in word.folded.split()]
    said = tuple(piece for piece, _ in pieces)
    first = frozenset(said)
    for phrase in phrases:
        wanted = _pieces(phrase)
        if wanted[0] not in first:
            continue
        for start in range(len(said) - len(wanted) + 1):
            if said[start : start + len(wanted)] == wanted:
                yield phrase, tuple(dict.fromkeys(position for _, position in pieces[start : start + len(wanted)]))
                break


@cache
def _pieces(phrase: str) -> tuple[str, ...]:
    """The folded words of one of our own phrases; there are few, and they are looked for in every question."""
    return tuple(piece for word in cut(phrase) for piece in word.folded.split())


def _drawn_together(word: str) -> tuple[str, ...]:
    """The words that a contraction stands for, with or without its apostrophe; none for any other word."""
    contracted = _contracted()
    return contracted.get(fold(word), ()) if len(word) < _LONGEST_CONTRACTED else ()


@cache
def _contracted(language: str = "en") -> dict[str, tuple[str, ...]]:
    body = read_yaml(files("copilot.understanding") / "language" / language / "slips.yaml")
    return {typed: tuple(meant.split()) for typed, meant in body["contracted"].items()}


def _without_genitive(word: str) -> str:
    return re.sub(r"['’]s$", "", word) if len(word) > 3 else word
