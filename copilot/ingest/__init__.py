"""Brings records of a source into the labelled copy: validate, stage, merge, keep history, find deletions."""

from copilot.ingest.report import Confirmation, EntityReport, Reason, Source, SyncReport
from copilot.ingest.sync import Ingest

__all__ = ["Confirmation", "EntityReport", "Ingest", "Reason", "Source", "SyncReport"]
