"""One thing that was tried."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Try:
    """A case by its name, and what was wrong; nothing where it passed."""

    case: str
    fault: str = ""
