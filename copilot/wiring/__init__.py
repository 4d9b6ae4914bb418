"""The composition root: puts the parts together, once, from the settings."""

from copilot.wiring.runtime import Runtime, assemble, database_dsn, open_runtime

__all__ = ["Runtime", "assemble", "database_dsn", "open_runtime"]
