"""Policy values in plain words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from copilot.policy.sections import EVERY

_WORDS = {
    "access": {True: "may be read", False: "may not be read"},
    "templates": {True: "may be used", False: "may not be used"},
    "accounts": {"any": "of any customer within the grant", "own": "of the customers alone that the grant names"},
    "masking": {
        "shown": "shown",
        "partly": "shown in part",
        "token": "replaced by a token",
        "hidden": "hidden",
    },
    "autonomy": {
        "automatic": "done without asking",
        "recommend": "recommended, and done by a person",
        "approve": "done after a person's approval",
    },
}


def in_words(section: str, value: Any) -> str:
    """A value as it stands in a sentence."""
    if section in _WORDS:
        return _WORDS[section][value]
    if isinstance(value, timedelta):
        hours = value / timedelta(hours=1)
        return f"{hours:g} hour{'' if hours == 1 else 's'}"
    if section == "residency":
        return "anywhere" if EVERY in value else f"in {', '.join(sorted(value))}" if value else "nowhere"
    if section == "vendors":
        told = "the models of every vendor" if EVERY in value else f"the models of {', '.join(sorted(value))}"
        return f"told to {told if value else 'no model'}"
    if section == "governs":
        return " before ".join(value) or "none"
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value))) or "none"  # pyright: ignore[reportUnknownArgumentType]
    return "nothing" if value is None else str(value)
