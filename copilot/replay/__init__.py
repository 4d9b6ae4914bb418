"""Rebuilds an answer from what it was made from, tells who may read it now, and what has changed since."""
