"""The texts with marked spans of presidio-research, where they are: they are not part of the project."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "pii" / "generated_large.json"
PREFIXES = frozenset({"mr", "mrs", "ms", "miss", "dr"})
"""Some marked names begin with these; they tell nobody."""


@dataclass(frozen=True, slots=True)
class Span:
    """A marked piece of a text."""

    begin: int
    end: int
    kind: str


@dataclass(frozen=True)
class Text:
    """A text and what is marked in it; texts of one template differ in the values only."""

    text: str
    spans: tuple[Span, ...]
    template: int

    @cached_property
    def marked(self) -> frozenset[int]:
        """The places of everything marked."""
        return frozenset(place for span in self.spans for place in range(span.begin, span.end))

    def told(self, span: Span) -> frozenset[int]:
        """The places of the letters and digits of a span, without a title before a name."""
        begin = span.begin
        first, _, rest = self.text[begin : span.end].partition(" ")
        if span.kind == "PERSON" and rest and first.strip(".").lower() in PREFIXES:
            begin += len(first)
        return frozenset(place for place in range(begin, span.end) if self.text[place].isalnum())


def load(file: Path = FILE) -> Sequence[Text]:
    """The texts; none where the file is missing."""
    if not file.is_file():
        return ()
    entries: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return [
        Text(
            text=entry["full_text"],
            spans=tuple(Span(s["start_position"], s["end_position"], s["entity_type"]) for s in entry["spans"]),
            template=entry["template_id"],
        )
        for entry in entries
    ]
