"""Keys of several columns: their values joined by "/", so that different values never give the same key.

A "/" or a backslash in a value of such a key has a backslash before it. A key of one column is its value as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPECIAL = re.compile(r"[/\\]")
_STEP = re.compile(r"(?:[^/\\]|\\[/\\])+")


def joined(values: Sequence[str]) -> str:
    """The key that some values make."""
    return values[0] if len(values) == 1 else "/".join(map(escaped, values))


def escaped(value: str) -> str:
    """One of several values as it stands in their key."""
    return _SPECIAL.sub(r"\\\g<0>", value) if "/" in value or "\\" in value else value


def split(key: str, count: int) -> list[str] | None:
    """The values that a key of so many columns was made of; None where it is no such key."""
    if count == 1:
        return [key] if key else None
    steps = _STEP.findall(key)
    if len(steps) != count or "/".join(steps) != key:
        return None
    return [re.sub(r"\\(.)", r"\1", step) for step in steps]
