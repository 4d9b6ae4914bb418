"""Runs a plan in one scoped transaction and hands back evidence."""
