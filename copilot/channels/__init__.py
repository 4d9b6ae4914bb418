"""The ways in: each converts its own form of a question in, asks, and converts the answer out."""
