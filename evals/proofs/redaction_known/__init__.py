"""redaction-known: every value of the records that is personal is masked, however it is written."""
