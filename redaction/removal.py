"""Forms without a way back: what was found is named by its kind, shown by its end, or left out.

Presidio's anonymizer takes seconds to load, makes one of two names with a blank between them, and its mask hides a
number of characters rather than all but the last: of a short value it shows more than of a long one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from redaction.gazetteer import Find, joined

How = Literal["kind", "end", "nothing"]
"""What stands for a value: its kind as in <PHONE>; its last four characters after stars; nothing."""
_SHOWN = 4
_FEWEST = 2 * _SHOWN
"""A value of fewer characters is not shown in part: that would be most of it."""


def remove(text: str, finds: Iterable[Find], how: How) -> str:
    """A text without what was found in it. Finds that overlap are one."""
    pieces: list[str] = []
    done = 0
    for find in joined(finds):
        pieces += (text[done : find.begin], _instead(text[find.begin : find.end], find.kind, how))
        done = find.end
    return "".join((*pieces, text[done:]))


def _instead(value: str, kind: str, how: How) -> str:
    match how:
        case "kind":
            return f"<{kind}>"
        case "end":
            shown = "".join(filter(str.isalnum, value))
            return "*" * _SHOWN + (shown[-_SHOWN:] if len(shown) >= _FEWEST else "")
        case "nothing":
            return ""
