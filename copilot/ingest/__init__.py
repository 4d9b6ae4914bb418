"""Brings records of a source into the labelled copy: validate, stage, merge, keep history, find deletions."""

from copilot.ingest.report import Confirmation, EntityReport, Reason, Source, SyncReport
from copilot.ingest.run import Consent
from copilot.ingest.sync import Ingest

__all__ = ["Confirmation", "Consent", "EntityReport", "Ingest", "Reason", "Source", "SyncReport"]
