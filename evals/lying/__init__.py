"""Lies that a model can tell the copilot, each with a name and a family, made from what it is told."""
