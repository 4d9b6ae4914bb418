"""The composition root: puts the parts together, once, from the settings."""

from copilot.wiring.runtime import Runtime, open_runtime

__all__ = ["Runtime", "open_runtime"]
