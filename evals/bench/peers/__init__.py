"""Two programs that answer questions of a database with a model, beside ours: wrong figures shown, and overhead."""
