"""Whether the parts of a question can hold together, and what they mean where they name alternatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from copilot.domain.composition import Part, Split
from copilot.domain.query import Compare, Condition, Function, Is, Path, Scalar
from copilot.semantic.kpis import Kpi
from copilot.understanding.compose.periods import bounds_of
from copilot.understanding.compose.say import phrases
from copilot.understanding.compose.tokens import Token
from copilot.understanding.time.calendar import Days
from copilot.understanding.vocabulary import CodeWord, Segment

_KIND: Path = ("kind",)
"""What kind of record it is: the word that says it outright stands above what another implies."""


def settled_parts(parts: Sequence[Part], tokens: Sequence[Token]) -> tuple[Part, ...] | None:
    """The parts with alternatives put together ("confirmed and partly shipped"); None where they exclude each other."""
    found = [_of_kind(part, parts) for part in parts]
    if any(token.joined and (token.all_of(CodeWord) or token.all_of(Segment)) for token in tokens):
        found = _united(found)
    values: dict[Path, set[Scalar]] = {}
    for part in found:
        for path, allowed in _allowed(part.conditions):
            values[path] = values[path] & allowed if path in values else allowed
    return None if any(not allowed for allowed in values.values()) or _at_no_time(found) else tuple(found)


def _at_no_time(parts: Sequence[Part]) -> bool:
    """Whether times of the same date have no day in common: "September" and "November" were not put together."""
    dated = [(path, bounds_of(part.conditions)) for part in parts for path in [part.about] if part.role == "time"]
    pairs = [(one, other) for (path, one), (again, other) in combinations(dated, 2) if path == again]
    return any(_is_before(one, other) or _is_before(other, one) for one, other in pairs)


def _is_before(one: Days, other: Days) -> bool:
    return one[1] is not None and other[0] is not None and one[1] <= other[0]


def of_itself(kpi: Kpi, parts: Sequence[Part], splits: Sequence[Split]) -> bool:
    """Whether a measure is asked for what it leaves out, or a share for the very records that it counts."""
    counted = frozenset(kpi.figure.where if kpi.figure.function is Function.SHARE else ())
    shared = any(not counted.isdisjoint(part.conditions) for part in parts if part.role == "segment")
    return shared or asks_for_left_out(kpi, parts, splits)


def asks_for_left_out(kpi: Kpi, parts: Sequence[Part], splits: Sequence[Split]) -> bool:
    """Whether a question restricts a measure to what that leaves out, or is told apart by it: cancelled orders, of
    those that are not; orders by their status."""
    none = dict(_excluded(kpi.where))
    said = (pair for part in parts if part.role in ("segment", "code") for pair in _allowed(part.conditions))
    return any(split.path in none for split in splits) or any(bool(v & none.get(path, set())) for path, v in said)


def _excluded(conditions: Sequence[Condition]) -> Iterator[tuple[Path, set[Scalar]]]:
    """The values that conditions leave out."""
    for condition in conditions:
        if not isinstance(condition, Compare) or condition.how not in (Is.NOT_IN, Is.NOT_EQUAL):
            continue
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        yield condition.path, {value for value in values if value is not None}


def _allowed(conditions: Sequence[Condition]) -> Iterator[tuple[Path, set[Scalar]]]:
    """The values that conditions leave to fields: those that they equal."""
    for condition in conditions:
        if isinstance(condition, Compare) and condition.how is Is.IN and isinstance(condition.value, tuple):
            yield condition.path, set(condition.value)
        elif isinstance(condition, Compare) and condition.how is Is.EQUAL and isinstance(condition.value, str | int):
            yield condition.path, {condition.value}


def _of_kind(part: Part, parts: Sequence[Part]) -> Part:
    """Without the kind of record that a part implies, where another says a different one: "open credit notes"."""
    told = [
        values
        for other in parts
        if len(other.conditions) == 1
        for path, values in _allowed(other.conditions)
        if path == _KIND
    ]
    if not told or len(part.conditions) < 2:
        return part
    kept = tuple(c for c in part.conditions if not (isinstance(c, Compare) and c.path == _KIND))
    return replace(part, conditions=kept)


def _united(parts: Sequence[Part]) -> list[Part]:
    found: list[Part] = []
    for part in parts:
        same = next((other for other in found if _alternatives(other, part)), None)
        if same is None:
            found.append(part)
            continue
        (path, values), (_, more) = *_allowed(same.conditions), *_allowed(part.conditions)
        either = Compare(path, Is.IN, tuple(sorted(values | more, key=str)))
        text = phrases()["or"].format(same.text, part.text)
        found[found.index(same)] = replace(same, conditions=(either,), text=text)
    return found


def _alternatives(one: Part, other: Part) -> bool:
    """Whether two parts only say what one field equals, each something else."""
    if {one.role, other.role} - {"segment", "code"} or len(one.conditions) != 1 or len(other.conditions) != 1:
        return False
    first, second = [*_allowed(one.conditions)], [*_allowed(other.conditions)]
    return bool(first and second) and first[0][0] == second[0][0] and first[0][1].isdisjoint(second[0][1])
