"""Whether the copied data is sound: checks as data, judged before a load and after it, kept per batch."""

from copilot.ingest.quality.after import judge
from copilot.ingest.quality.checks import Check, load_checks
from copilot.ingest.quality.gate import stop_unsound
from copilot.ingest.quality.parts import load_parts
from copilot.ingest.quality.published import Delivery
from copilot.ingest.quality.results import Load, Quality, Result, read_quality

__all__ = [
    "Check",
    "Delivery",
    "Load",
    "Quality",
    "Result",
    "judge",
    "load_checks",
    "load_parts",
    "read_quality",
    "stop_unsound",
]
