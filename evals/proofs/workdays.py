"""Working days as the proofs count them: day by day, sharing nothing with what is proved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any


def days_late(site: Mapping[str, Any] | None, closed: Collection[date], promised: date, done: date) -> int:
    """Working days from a promise to what was done; a promise for a day off is kept on the next working day."""
    weekdays = str(site["working_days"] or "1234567") if site else "1234567"

    def works(day: date) -> bool:
        return str(day.isoweekday()) in weekdays and day not in closed

    kept = promised
    while kept < done and not works(kept):
        kept += timedelta(days=1)
    return sum(works(kept + timedelta(days=n)) for n in range(1, (done - kept).days + 1))
