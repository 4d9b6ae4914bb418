"""Follow-ups: a message that is only understood from what was asked before, made into a question of its own."""
