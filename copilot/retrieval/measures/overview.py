"""What questions about all that a person may see are about: the days to come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from copilot.domain.query import Compare
from copilot.retrieval.measures.base import Context, Figures, Records, figures
from copilot.semantic.conditions import load_segments


def overview_span(context: Context, places: Records) -> Iterator[Figures]:
    """The first and the last day asked about, whether the question named them, and what rate counts as poor."""
    period = context.period
    if period is None or period.since is None or period.until is None:
        return
    zone = ZoneInfo(period.time_zone)
    since, until = period.since.astimezone(zone).date(), period.until.astimezone(zone).date()
    last = until - timedelta(days=1)
    for place in places[:1]:
        values = {
            "since": since,
            "last": last,
            "single": since == last,
            "assumed": not period.given,
            "poor_rate": _poor_rate(),
        }
        yield figures(values, place, ())


def _poor_rate() -> int | None:
    """Below which on-time rate a supplier is poor, scaled."""
    found = (c.value for c in load_segments()["supplier_rate"]["poor"] if isinstance(c, Compare))
    return next((value for value in found if isinstance(value, int)), None)
