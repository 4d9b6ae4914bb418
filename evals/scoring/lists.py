"""A list in an answer against the rows that it should name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evals.scoring.matching import contradicting, matching
from evals.scoring.said import Said, Shown
from evals.scoring.truth import Cell, Truth, told, typed


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCheck:
    """How many of the rows are named; which are missing; which are named, but with another value beside them than
    theirs, or out of order (`apart`); and what else of the same kind is named."""

    named: int
    missing: tuple[str, ...]
    apart: tuple[str, ...]
    surplus: tuple[Shown, ...]


def check_list(truth: Truth, said: Said, *, ordered: bool) -> ListCheck:
    """Compare the first column's values with all printed values of their kind, and then each row's other values."""
    named = {row[0]: matching(row[0], truth.columns[0], said.shown) for row in truth.rows}
    hits = [each for found in named.values() for each in found]
    kinds = {(each.entity, each.field) for each in hits or contradicting(truth.columns[0], said.shown)}
    lines = _lines(said)
    surplus = tuple(
        each
        for each in said.shown
        if (each.entity, each.field) in kinds and each not in hits and _is_row(each, hits, truth.turns, lines)
    )
    missing = tuple(typed(key) for key, found in named.items() if not found)
    astray = [*_apart(truth, said, named)]
    if ordered and not missing and not _in_order(list(named.values()), said.shown):
        astray.append(f"the order {', '.join(typed(key) for key in named)}")
    return ListCheck(named=len(named) - len(missing), missing=missing, apart=tuple(astray), surplus=surplus)


def apart(truth: Truth, said: Said) -> list[str]:
    """Rows whose values are all there, but not together."""
    return [*_apart(truth, said, {row[0]: matching(row[0], truth.columns[0], said.shown) for row in truth.rows})]


def _lines(said: Said) -> list[str]:
    """The lines as plain text: markdown's escapes are no part of what they say."""
    return said.text.replace("\\", "").splitlines()


def _is_row(each: Shown, hits: Sequence[Shown], turns: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether a value names a row, rather than what the list is about: that stands in no list item, and either the rows
    do, or it is repeated from the question."""
    items = [line for line in lines if line.startswith("- ")]
    if any(_has(line, each.text) for line in items):
        return True
    if hits and all(any(_has(line, hit.text) for line in items) for hit in hits):
        return False
    return not any(each.text.casefold() in turn.casefold() for turn in turns)


def _apart(truth: Truth, said: Said, named: dict[Cell, list[Shown]]) -> Iterator[str]:
    """Rows that are named, but whose other values do not stand with the name: in the same record or the same line."""
    lines = _lines(said)
    for row in truth.rows:
        for cell, column in zip(row[1:], truth.columns[1:], strict=True):
            others = matching(cell, column, said.shown)
            together = any(_together(name, other, lines) for name in named[row[0]] for other in others)
            if cell is not None and named[row[0]] and not together:
                yield told(row)
                break


def _together(name: Shown, other: Shown, lines: Sequence[str]) -> bool:
    return name.source == other.source or any(_has(line, name.text) and _has(line, other.text) for line in lines)


def _has(line: str, text: str) -> bool:
    """Whether a line has a printed value as such: "3 orders" is not in "13 orders"."""
    return bool(text) and re.search(rf"(?<![\w.,]){re.escape(text)}(?!\w)", line) is not None


def _in_order(found: Sequence[Sequence[Shown]], shown: Sequence[Shown]) -> bool:
    """Values are in the order of the text: each row's first one has to come after that of the row before."""
    places = [min(shown.index(each) for each in those) for those in found]
    return places == sorted(places)
