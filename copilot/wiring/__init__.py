"""The composition root: puts the parts together, once, from the settings."""

from copilot.wiring.runtime import Runtime, database_dsn, open_runtime

__all__ = ["Runtime", "database_dsn", "open_runtime"]
