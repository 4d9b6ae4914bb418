"""Benchmarks: what an answer, an audit row and a start cost, beside what they would cost at least."""
