"""Proofs: long suites that try to break a promise, with figures for how often they tried."""
