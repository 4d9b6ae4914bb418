"""A message that is not understood as typed, put as the language's other files have it: trade words by the words they
listen for, without words that add nothing, without the remarks around the question."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from copilot.semantic.language import in_force, per_language
from copilot.understanding.clauses import JOINED, Piece, clauses, pieces_of, place, said
from copilot.understanding.words import fold

_MOST_TIMES = 8
"""How often one pattern is put to a clause: a replacement may hold what it replaces."""
_GROUP = re.compile(r"\\(\d)")
_TIDY = " ,;:-–—"  # noqa: RUF001 -- dashes are meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A message put otherwise, and the remarks that it was put without."""

    text: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sayings:
    """What sayings.yaml of a language holds."""

    instead: tuple[tuple[re.Pattern[str], str], ...]
    plain: frozenset[str]
    begins: frozenset[str]
    joined: frozenset[str]
    never: frozenset[str]
    common: frozenset[str]


def other_sayings(text: str) -> Iterator[Saying]:
    """The message put otherwise, what changes least first; nothing where there is no other way."""
    seen = {text}
    for each in _ways(text):
        if each.text not in seen and any(map(str.isalnum, each.text)):
            seen.add(each.text)
            yield each


def common_words() -> frozenset[str]:
    """Everyday words, which are no names where they stand in a remark."""
    return _sayings().common


def _ways(text: str) -> Iterator[Saying]:
    for each in (Saying(text=text), *_without_remarks(text)):
        reworded = _each_clause(each.text, _reworded)
        yield each
        yield Saying(text=reworded, remarks=each.remarks)
        yield Saying(text=_each_clause(reworded, _without_plain), remarks=each.remarks)


def _without_remarks(text: str) -> Iterator[Saying]:
    """The message without the clauses at its beginning and its end that are only remarks."""
    parts = [part for part in _sentences(text) if part[0]]
    kept = list(parts)
    while len(kept) > 1 and _is_remark(*kept[0]):
        kept.pop(0)
    while len(kept) > 1 and _is_remark(*kept[-1]):
        kept.pop()
    if len(kept) < len(parts):
        left = "".join(clause + mark for clause, mark in kept).strip(_TIDY)
        yield Saying(text=left, remarks=tuple(clause for clause, mark in parts if (clause, mark) not in kept))


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """The clauses, cut also before a word that ends a remark: "I am closing the books so what is open"."""
    for clause, mark in clauses(text):
        begin = 0
        for piece in pieces_of(clause):
            if piece.folded in _sayings().joined:
                yield clause[begin : piece.begin].strip(), ", "
                begin = piece.end
        yield clause[begin:].strip(), mark


def _is_remark(clause: str, mark: str) -> bool:
    """Whether a clause says nothing of what is asked about: it begins as a remark does, and has neither figures nor
    words in capitals, nor any that may restrict what is meant."""
    known, pieces = _sayings(), pieces_of(clause)
    words = [part for piece in pieces for part in piece.folded.split("_")]
    if not words or "?" in mark or words[0] not in known.begins or not known.never.isdisjoint(words):
        return False
    return not any(map(str.isdigit, clause)) and all(_is_small(clause[piece.begin]) for piece in pieces[1:])


def _is_small(letter: str) -> bool:
    """Whether a word that begins with it is none of a name by its letters; "I" is none."""
    return not letter.isupper() or letter == "I"


def _each_clause(text: str, change: Callable[[str], str]) -> str:
    changed = ((change(clause), mark) for clause, mark in clauses(text))
    return "".join(clause + mark for clause, mark in changed if clause).strip(_TIDY)


def _reworded(clause: str) -> str:
    for pattern, instead in _sayings().instead:
        for _ in range(_MOST_TIMES):
            changed = _once(clause, pattern, instead)
            if changed == clause:
                break
            clause = changed
    return clause


def _once(clause: str, pattern: re.Pattern[str], instead: str) -> str:
    """The clause with what the pattern finds first said otherwise; what stands in its groups stays as it was typed."""
    pieces = pieces_of(clause)
    text = said(pieces)
    match = pattern.search(text)
    if match is None:
        return clause
    begin, end = place(pieces, text, match.span())
    filled = _GROUP.sub(lambda number: _typed(clause, pieces, text, match.span(int(number[1]))), instead)
    return " ".join(f"{clause[:begin]} {filled} {clause[end:]}".split())


def _typed(clause: str, pieces: Sequence[Piece], text: str, span: tuple[int, int]) -> str:
    if span[0] == span[1] or not text[slice(*span)].strip():
        return ""
    begin, end = place(pieces, text, span)
    whole = fold(clause[begin:end]).split() == text[slice(*span)].replace(JOINED, " ").split()
    return clause[begin:end] if whole else text[slice(*span)].replace(JOINED, " ")


def _without_plain(clause: str) -> str:
    pieces, plain = pieces_of(clause), _sayings().plain
    return " ".join(clause[piece.begin : piece.end] for piece in pieces if piece.folded not in plain)


@per_language
def _sayings() -> _Sayings:
    """Those of the language in force; none where it has no file of them."""
    data = in_force().read("sayings.yaml")
    words = {name: frozenset(map(str, data.get(name, ()))) for name in ("plain", "begins", "joined", "never", "common")}
    return _Sayings(instead=tuple(map(_instead, data.get("instead", ()))), **words)


def _instead(line: str) -> tuple[re.Pattern[str], str]:
    pattern, _, instead = line.partition("->")
    return re.compile(rf"(?:(?<=^)|(?<= ))(?:{pattern.strip()})(?= |$)"), instead.strip()
