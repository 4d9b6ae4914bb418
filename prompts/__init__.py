"""Approved templates: the only words the copilot says of its own."""
