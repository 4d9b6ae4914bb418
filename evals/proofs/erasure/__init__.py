"""The proof suite erasure."""
