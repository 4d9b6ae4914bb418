"""Models to try the copilot with: one that fails in every way that a service can fail in."""
