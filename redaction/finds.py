"""Pieces of a text that are personal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from redaction.words import Words


@dataclass(frozen=True, slots=True, order=True)
class Find:
    """A piece of a text: where it begins and ends, the kind of data that it is, and what tells so."""

    begin: int
    end: int
    kind: str
    source: str = ""
    """The field that holds it, such as "customer_contact.name", or the rule that found it."""
    records: tuple[tuple[str, int], ...] = ()
    """Field and id of each record that it may be from; none where no record tells."""
    within: tuple[Find, ...] = ()
    """The finds that it was joined from, where they were several."""

    @property
    def parts(self) -> tuple[Find, ...]:
        """What was found each by itself."""
        return self.within or (self,)


def joined(finds: Iterable[Find]) -> tuple[Find, ...]:
    """Finds in order, those that overlap as one: nothing of either is left over. The kind is that of the longest."""
    there = tuple(finds)
    return tuple(_as_one(group) for group in _overlapping(there)) if len(there) > 1 else there


def _overlapping(finds: Iterable[Find]) -> Iterator[list[Find]]:
    group: list[Find] = []
    end = 0
    for find in sorted(finds, key=lambda each: (each.begin, -each.end)):
        if group and find.begin >= end:
            yield group
            group = []
        group.append(find)
        end = find.end if len(group) == 1 else max(end, find.end)
    if group:
        yield group


def _as_one(group: list[Find]) -> Find:
    parts = tuple(dict.fromkeys(part for find in group for part in find.parts))
    if len(parts) == 1:
        return group[0]
    longest = max(parts, key=lambda find: find.end - find.begin)
    begin, end = group[0].begin, max(find.end for find in group)
    return Find(begin, end, longest.kind, longest.source, within=parts)


def find_of(words: Words, first: int, last: int, kind: str, records: tuple[tuple[str, int], ...]) -> Find:
    """What stands from one word to another; of known records there is one at least."""
    return Find(words.spans[first][0], words.spans[last][1], kind, records[0][0], records)
