"""Whether what a composition compares is recorded at all: "none late" may be said only where something could be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from copilot.domain.composition import Composition, Part
from copilot.domain.plan import Listing
from copilot.domain.query import AnyOf, Compare, Condition, Is, Linked, Query, Relate

UNTOLD, MEANT, TOLD = "untold", "meant", "told_of"
"""The steps: a record of which what is limited is not known; one of those meant; and one of them of which everything
compared is known."""


def untold(query: Query, parts: Sequence[Part]) -> tuple[Listing, ...]:
    """Looks for a record of which it is not known whether it is within the limits said."""
    limits = tuple(condition for part in parts if _limits(part) for condition in part.conditions)
    if not limits:
        return ()
    others = tuple(condition for condition in query.where if condition not in limits)
    unknown = AnyOf(tuple(chain.from_iterable(map(_unknown, limits))))
    return (Listing(name=UNTOLD, query=Query(entity=query.entity, where=(*others, unknown), limit=1), probe=True),)


def told(query: Query, composition: Composition, *, unless: str) -> tuple[Listing, ...]:
    """Looks, where the step `unless` found nothing, for records that were meant and for one that could have fitted."""
    named = tuple(condition for condition in query.where if condition in _naming(query, composition.parts))
    compared = [condition for condition in query.where if condition not in named]
    compared += query.figures[0].where if query.figures else ()
    compared += [Compare(group.path, Is.KNOWN) for group in query.groups if group.bucket]
    known = tuple(dict.fromkeys(chain.from_iterable(map(_known, compared))))
    if not known:
        return ()
    steps = {MEANT: named, TOLD: (*named, *known)}
    return tuple(
        Listing(name=name, query=Query(entity=query.entity, where=where, limit=1), unless=unless, probe=True)
        for name, where in steps.items()
    )


def _limits(part: Part) -> bool:
    return part.role == "limit" and part.about != "value"


def _naming(query: Query, parts: Sequence[Part]) -> list[Condition]:
    """The conditions of the query that say nothing but of which records the others are."""
    ids = {ident for part in parts if part.role == "record" for ident in part.ids}
    return [condition for condition in query.where if _names(condition, ids)]


def _names(condition: Condition, ids: set[int]) -> bool:
    match condition:
        case Compare(_, Is.IN | Is.NOT_IN, tuple(values)):
            return bool(ids) and all(value in ids for value in values)
        case Compare(_, Is.EQUAL | Is.NOT_EQUAL, value):
            return value in ids
        case Linked(_, _, where, _, _):
            return bool(where) and all(_names(each, ids) for each in where)
        case _:
            return False


def _known(condition: Condition) -> Iterator[Condition]:
    """What must be recorded for a condition to be told; absence needs nothing recorded."""
    match condition:
        case Compare(path, how, _):
            if how is not Is.UNKNOWN:
                yield Compare(path, Is.KNOWN)
        case Relate(path, _, other, _):
            yield Compare(path, Is.KNOWN)
            yield Compare(other, Is.KNOWN)
        case Linked(entity, by, where, none, at):
            inner = tuple(dict.fromkeys(chain.from_iterable(map(_known, where))))
            if not none and inner:  # a record without any is known to have none such
                yield AnyOf((Linked(entity, by, (), none=True, at=at), Linked(entity, by, inner, at=at)))
        case AnyOf(conditions):
            each = [tuple(_known(alternative)) for alternative in conditions]
            if all(len(alternative) == 1 for alternative in each):
                yield AnyOf(tuple(dict.fromkeys(chain.from_iterable(each))))


def _unknown(condition: Condition) -> Iterator[Condition]:
    match condition:
        case Compare(path, _, _) | Relate(path, _, _, _):
            yield Compare(path, Is.UNKNOWN)
        case Linked(entity, by, where, _, at):
            yield Linked(entity, by, (), none=True, at=at)
            inner = tuple(chain.from_iterable(map(_unknown, where)))
            if inner:
                yield Linked(entity, by, (AnyOf(inner),), at=at)
        case AnyOf(conditions):
            yield from chain.from_iterable(map(_unknown, conditions))
