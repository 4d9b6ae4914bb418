"""Whether the copied data is sound: checks as data, judged before a load and after it, kept per batch."""

from copilot.ingest.quality.after import judge
from copilot.ingest.quality.checks import Check, load_checks
from copilot.ingest.quality.gate import stop_unsound
from copilot.ingest.quality.results import Quality, Result, read_quality

__all__ = ["Check", "Quality", "Result", "judge", "load_checks", "read_quality", "stop_unsound"]
