"""Time is injected: nothing above the edge asks the operating system or the database what time it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Gives the present moment as an aware UTC datetime."""

    def __call__(self) -> datetime: ...


def system_clock() -> datetime:
    """The operating system's time."""
    return datetime.now(UTC)


def fixed_clock(moment: datetime) -> Clock:
    """A clock that stands still, for tests and replays."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return lambda: moment
