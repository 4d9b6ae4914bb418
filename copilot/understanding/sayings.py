"""A message that is not understood as typed, put as the language's other files have it: trade words by the words they
listen for, without words that add nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.semantic.language import in_force, per_language
from copilot.understanding.clauses import AT_BEGIN, AT_END, JOINED, Piece, clauses, pieces_of, place, said
from copilot.understanding.remarks import common_words
from copilot.understanding.words import fold

_MOST_TIMES = 8
"""How often one pattern is put to a clause: a replacement may hold what it replaces."""
_SIGN = re.compile(r"\s*([<>]=?|[≤≥])\s*(?=[$€£¥]?\s?[0-9])")
_GROUP = re.compile(r"\\(\d)")
_TIDY = " ,;:-–—"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sayings:
    """What sayings.yaml of a language holds."""

    signs: Mapping[str, str]
    spelled: tuple[tuple[re.Pattern[str], str], ...]
    instead: tuple[tuple[re.Pattern[str], str], ...]
    plain: frozenset[str]


def other_sayings(text: str) -> Iterator[str]:
    """The message put otherwise, what changes least first; nothing where there is no other way."""
    reworded = _each_clause(text, _reworded)
    ways = dict.fromkeys((reworded, _each_clause(reworded, _without_plain)))
    yield from (each for each in ways if each != text and any(map(str.isalnum, each)))


def spelled_out(text: str) -> str:
    """The message with the signs before its figures as words, "orders > $8,000", and what else is spelled otherwise."""
    signs = _sayings().signs
    for pattern, instead in _sayings().spelled:
        text = pattern.sub(instead, text)
    return _SIGN.sub(lambda found: f" {signs[found[1]]} " if found[1] in signs else found[0], text).strip()


def everyday_words() -> frozenset[str]:
    """Words that are no slips for names."""
    return _sayings().plain | common_words()


def _each_clause(text: str, change: Callable[[str], str]) -> str:
    changed = ((change(clause), mark) for clause, mark in clauses(text))
    return "".join(clause + mark for clause, mark in changed if clause).strip(_TIDY)


def _reworded(clause: str) -> str:
    """The clause with what the patterns find said otherwise; what stands in their groups stays as it was typed."""
    pieces = pieces_of(clause)
    text = said(pieces)
    for pattern, instead in _sayings().instead:
        for _ in range(_MOST_TIMES):
            match = pattern.search(text)
            changed = _filled(clause, pieces, text, match, instead) if match else clause
            if changed == clause:
                break
            clause, pieces = changed, pieces_of(changed)
            text = said(pieces)
    return clause


def _filled(clause: str, pieces: Sequence[Piece], text: str, match: re.Match[str], instead: str) -> str:
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
    return _Sayings(
        signs=data.get("signs", {}),
        spelled=tuple(map(_spelled, data.get("spelled", ()))),
        instead=tuple(map(_instead, data.get("instead", ()))),
        plain=frozenset(map(str, data.get("plain", ()))),
    )


def _spelled(line: str) -> tuple[re.Pattern[str], str]:
    pattern, _, instead = line.partition(" -> ")
    return re.compile(pattern, re.IGNORECASE), instead


def _instead(line: str) -> tuple[re.Pattern[str], str]:
    pattern, _, instead = line.partition("->")
    return re.compile(rf"{AT_BEGIN}(?:{pattern.strip()}){AT_END}"), instead.strip()
