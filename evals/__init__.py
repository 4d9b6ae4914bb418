"""Measures the copilot from outside: proofs, benchmarks and the quality of answers."""
