"""redaction-wire: what a model and an embedding service really receive."""
