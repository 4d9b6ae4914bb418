"""The records of files read lately, so that confirming a few records does not read a whole file each time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from connectors.base import SourceRecord
from connectors.files.parts import Listing, Part

MOST_HELD = 40_000
"""Records held in all, some 40 MB."""
_BYTES_EACH = 30
"""A part whose files have more bytes than this for each record that may be held is read from them each time, with only
the records asked for made: that is quicker than making them all once."""

_Held = tuple[dict[str, str], dict[str, list[SourceRecord]], int]


class Recent:
    """By part, as long as its files are the same. Used from several threads."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self._parts: OrderedDict[Part, _Held] = OrderedDict()
        self._lock = threading.Lock()

    def records(self, part: Part, listing: Listing, wanted: frozenset[str]) -> Iterator[SourceRecord]:
        """The records of some keys."""
        with self._lock:
            held = self._parts.get(part)
            if held is not None:
                self._parts.move_to_end(part)
        if held is not None and held[0] == listing.versions():
            return iter([record for key in wanted for record in held[1].get(key, ())])
        return iter(self._read(part, listing, wanted))

    def _read(self, part: Part, listing: Listing, wanted: frozenset[str]) -> list[SourceRecord]:
        if sum(stored.size for stored in listing.files.get("", ())) > self._most * _BYTES_EACH:
            return list(part.records(listing, wanted))
        found: dict[str, list[SourceRecord]] = {}
        count = 0
        for record in part.records(listing):
            count += 1
            if count <= self._most or record.key in wanted:
                found.setdefault(record.key, []).append(record)
        if count <= self._most:
            self._hold(part, (listing.versions(), found, count))
        return [record for key in wanted for record in found.get(key, ())]

    def _hold(self, part: Part, held: _Held) -> None:
        with self._lock:
            self._parts.pop(part, None)
            while self._parts and sum(count for *_, count in self._parts.values()) + held[2] > self._most:
                self._parts.popitem(last=False)
            self._parts[part] = held
